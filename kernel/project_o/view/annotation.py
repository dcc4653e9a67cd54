"""The assembly of a program beside its source, function by function."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from . import style
from .display import Display, Part, page
from .markup import Markup, join, tag
from .parts import left_out, line, title
from .text import clean, counted, expand, indent

Rows = Sequence[tuple[int, str, Sequence[str]]]
"""The line of the source (0: none), where else the code is from, instructions and labels."""


def show_annotation(name: str, source: str, listings: Sequence[tuple[str, Rows]], *, detail: str = "") -> Display:
    """Each function with the lines it was compiled from and their instructions, in the order of the machine code."""
    lines = clean(source).split("\n")
    shown = listings[: limits.TABLE_ROWS_MAX]
    return page(
        title(name, detail=f"{detail}, " * bool(detail) + "assembly beside the source"),
        *(_function(function, rows, lines) for function, rows in shown),
        line("no function has code of its own") if not listings else None,
        left_out(len(listings) - len(shown)),
    )


def _function(name: str, rows: Rows, lines: Sequence[str]) -> Part:
    count = sum(not item.endswith(":") for _, _, said in rows for item in said)
    head = f"{clean(name)}: {counted(count, 'instruction')}"
    width = len(str(max((number for number, _, _ in rows), default=0)))
    plain = [f"\n{head}"]
    body: list[Markup] = []
    for number, where, said in rows:
        text = expand(lines[number - 1]) if 0 < number <= len(lines) else f"({clean(where)})"
        mark = str(number) if number else ""
        plain += [f"{mark:>{width}} | {text}".rstrip(), *(indent(clean(item), width + 7) for item in said)]
        body.append(_row(mark, text, said))
    heads = join(*(tag("th", text, scope="col", style=f"{style.HEAD_CELL};text-align:left") for text in _HEADS))
    table = tag(
        "table",
        tag("caption", head, style=style.TABLE_CAPTION),
        tag("thead", tag("tr", heads, style=style.ROW)),
        tag("tbody", *body),
        style=style.TABLE,
    )
    return Part("\n".join(plain), table)


_HEADS = ("line", "source", "assembly")


def _row(mark: str, text: str, said: Sequence[str]) -> Markup:
    cell = f"{style.CELL};text-align:left;vertical-align:top"
    code = f"{style.PRE};margin:0;white-space:pre-wrap"  # beside each other nothing may be cut off
    return tag(
        "tr",
        tag("th", mark, scope="row", style=f"{cell};{style.FAINT}"),
        tag("td", tag("pre", text, style=code if mark else f"{code};{style.FAINT}"), style=cell),
        tag("td", tag("pre", "\n".join(map(clean, said)), style=f"{code};overflow-wrap:anywhere"), style=cell),
        style=style.ROW,
    )
