"""Where a source cannot be read, by the parsers in this room; for Zig and Rust a compiler has the last word.

The grammars of tree-sitter are younger or older than the compilers: what they cannot read may still be right.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from ..errors import UsageError
from . import lisp, plain, python
from .trees import first_error, tree

_LINE = re.compile(r"line (\d+): ")
_GRAMMARS = {"zig": "tree_sitter_zig", "rust": "tree_sitter_rust"}
_READERS: dict[str, Callable[[str], object]] = {
    "python": python.signatures,
    "lisp": lisp.signatures,
    "text": plain.signatures,
}


def trouble(language: str, source: str) -> tuple[int, str] | None:
    """The line (1-based) of the first thing that cannot be read, and why; None where everything can be read.

    Raises RecursionError and MemoryError where Python's parser gives up.
    """
    if language in _GRAMMARS:
        root = tree(_GRAMMARS[language], source)
        if not root.has_error:
            return None
        return first_error(root).start_point[0] + 1, f"from here on this cannot be read as {language.capitalize()}"
    try:
        _READERS[language](source)
    except UsageError as error:
        text = str(error)
        match = _LINE.match(text)
        return (int(match[1]), text[match.end() :]) if match else (1, text)
    return None
