"""How the outputs of one cell differ, for whoever asks: a cell's takes some 12 ms, all of a notebook's up to seconds.

nbdime does it where it is installed; else what a terminal can show of the outputs is compared line by line.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
from collections.abc import Sequence
from typing import Any

from .largeoutputs import is_binary

Outputs = Sequence[dict[str, Any]]


def outputs_diff(name: str, before: Outputs, after: Outputs) -> str:
    """A text; "" where nothing but execution counts differs."""
    old, new = [_uncounted(item) for item in before], [_uncounted(item) for item in after]
    if old == new:
        return ""
    try:
        return _by_nbdime(name, old, new)
    except ImportError:
        return _by_lines(name, old, new)


def _uncounted(output: dict[str, Any]) -> dict[str, Any]:
    return {**output, "execution_count": None} if "execution_count" in output else output


def _by_nbdime(name: str, before: Outputs, after: Outputs) -> str:
    from nbdime.diffing.notebooks import diff_item_at_path
    from nbdime.prettyprint import PrettyPrintConfig, pretty_print_diff
    from nbformat import from_dict

    old, new = [from_dict(item) for item in before], [from_dict(item) for item in after]
    found = diff_item_at_path(old, new, "/cells/*/outputs")
    text = io.StringIO()
    pretty_print_diff(
        old,
        found,
        f"/cells/{name}/outputs",
        PrettyPrintConfig(out=text, use_color=False, use_git=False, use_diff=False),
    )
    return text.getvalue().strip("\n") + "\n"


def _by_lines(name: str, before: Outputs, after: Outputs) -> str:
    left, right = [line for item in before for line in _lines(item)], [line for item in after for line in _lines(item)]
    label = f"outputs of cell {name}"
    return "".join(f"{line}\n" for line in difflib.unified_diff(left, right, f"a/{label}", f"b/{label}", lineterm=""))


def _lines(output: dict[str, Any]) -> list[str]:
    """One output as text: what is no text is told by its type, size and hash."""
    if output.get("output_type") == "stream":
        return str(output.get("text", "")).splitlines()
    if output.get("output_type") == "error":
        return [f"{output.get('ename')}: {output.get('evalue')}"]
    lines = []
    for mime, value in (output.get("data") or {}).items():
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        if is_binary(mime):
            digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
            lines.append(f"[{mime}, {len(text):,} characters, sha256 {digest[:10]}]")
        else:
            lines += [f"{mime}: {line}" for line in text.splitlines() or [""]]
    return lines
