"""Source with line numbers, and unified diffs."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

from .. import limits
from ..values import Program
from . import numbers, style
from .display import Display, Part, group, page
from .markup import Markup, join, tag
from .parts import Column, left_out, note, table, title
from .text import clean, counted, expand

_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")


def show_program(program: Program) -> Display:
    """A program: its source with line numbers, its declared parameters, its short digest."""
    options = f", {' '.join(program.options)}" if program.options else ""
    files: list[Part | None] = []
    for name, text in program.files:
        if len(program.files) > 1:
            files.append(note(name))
        files.append(source_part(text))
    return page(
        title(program.name, detail=f"{program.language}, {program.mode}{options}, {numbers.short(program.digest)}"),
        *files,
        _parameters(program),
    )


def source_part(text: str) -> Part:
    """At most ``limits.SOURCE_LINES_MAX`` numbered lines."""
    lines = clean(text).removesuffix("\n").split("\n")
    shown = lines[: limits.SOURCE_LINES_MAX]
    width = len(str(len(shown)))
    plain = "\n".join(f"{k:>{width}} | {expand(one)}".rstrip() for k, one in enumerate(shown, 1))
    gutters = (tag("span", f"{k:>{width}} | ", style=style.FAINT) for k in range(1, len(shown) + 1))
    html = join(*(join(gutter, expand(one)) for gutter, one in zip(gutters, shown, strict=True)), between="\n")
    return group([Part(plain, tag("pre", html, style=style.PRE)), left_out(len(lines) - len(shown))])


def _parameters(program: Program) -> Part | None:
    if not program.parameters:
        return None
    rows = [
        (item.name, numbers.scalar(item.value), " ".join(map(numbers.scalar, item.domain)), f"{item.line}")
        for item in program.parameters
    ]
    heads = (Column("parameter", "head"), Column("value", "number"), Column("domain"), Column("line", "number"))
    return table(heads, rows)


def show_diff(before: str, after: str, *, before_name: str = "before", after_name: str = "after") -> Display:
    """What turned ``before`` into ``after``, as a unified diff with its file header."""
    lines = list(
        difflib.unified_diff(
            clean(before).split("\n"), clean(after).split("\n"), clean(before_name), clean(after_name), lineterm=""
        )
    )
    if not lines:
        return page(title(f"{before_name} and {after_name}", "no difference"))
    return page(diff_part("\n".join(lines)))


def show_diff_text(text: str) -> Display:
    """A unified diff that is already text, as ``git diff`` or ``difflib.unified_diff`` writes it."""
    return page(diff_part(text) if text.strip() else title("", "no difference"))


def diff_part(text: str) -> Part:
    """A unified diff of at most ``limits.DIFF_LINES_MAX`` lines: ``+`` and ``-`` in the text, and bands of colour."""
    lines = clean(text).removesuffix("\n").split("\n")
    kinds = _line_kinds(lines)
    shown = [expand(one) for one in lines[: limits.DIFF_LINES_MAX]]
    html = tag("pre", *map(_diff_line, kinds, shown), style=style.PRE)
    added, removed = kinds.count("+"), kinds.count("-")
    summary = note(f"+{counted(added, 'line')}, -{counted(removed, 'line')}")
    return group([Part("\n".join(shown), html), left_out(len(lines) - len(shown)), summary])


def _line_kinds(lines: Sequence[str]) -> list[str]:
    """What each line is: ``+``, ``-``, a ``hunk`` or file ``head``, or context.

    Counted from the hunk headers, because a removed line that begins with ``--`` looks like a file header.
    """
    kinds = []
    removed_left = added_left = 0
    for text in lines:
        hunk = _HUNK.match(text)
        kind = text[:1] if text[:1] in ("+", "-") else " "
        if removed_left <= 0 and added_left <= 0:
            kind = "head" if text.startswith(("+++", "---", "diff ", "index ")) else kind
            if hunk:
                removed_left, added_left = (int(count) if count is not None else 1 for count in hunk.groups())
                kind = "hunk"
        elif not text.startswith("\\"):
            removed_left -= kind in "- "
            added_left -= kind in "+ "
        kinds.append(kind)
    return kinds


def _diff_line(kind: str, text: str) -> Markup:
    # The newline stands inside the block: it costs no empty line, and keeps the lines apart where styles are dropped.
    text = f"{text}\n"
    block = "display:block;margin:0 -10px;padding:0 10px"
    match kind:
        case "head":
            return tag("strong", text, style=block)
        case "hunk":
            return tag("span", text, style=f"{block};color:{style.ACCENT}")
        case "+":
            return tag("ins", text, style=f"{block};text-decoration:none;color:inherit;background:{style.GOOD_BAND}")
        case "-":
            return tag("del", text, style=f"{block};text-decoration:none;color:inherit;background:{style.BAD_BAND}")
    return tag("span", text, style=block)
