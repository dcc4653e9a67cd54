"""The named arguments that a message holds: ``add a: 2, b=3`` names two."""

from __future__ import annotations

import ast
import re
from typing import Any

from .specs import canonical

_NAMED = re.compile(
    r"""(?<![\w/:.-])([A-Za-z_][\w-]*)\s*(?::(?!//)|=(?!=))\s*
        ("(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \[[^\]]*\] | \{[^}]*\} | \([^)]*\) | [^\s,;]+)""",
    re.VERBOSE,
)
_WORDS = {"true": True, "false": False, "none": None, "null": None}


def written_arguments(message: str) -> dict[str, Any]:
    """Every ``name: value`` and ``name=value``, names with ``_``; a value that is a literal is read as one."""
    return {canonical(match[1]): read_literal(match[2]) for match in _NAMED.finditer(message)}


def read_literal(text: str) -> Any:
    """A number, string, list or the like as its value; any other text as it is, without the sentence's full stop."""
    if text[0] not in "\"'[{(":
        text = text.rstrip(".!?") or text
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
