"""The pieces every view is made of: titles, paragraphs, lists, code, tables, figures. Each in text and HTML at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from .. import limits
from . import style
from .display import Part, group
from .markup import Markup, join, tag
from .text import clean, clip, columns, grid, indent

Tone = Literal["", "good", "bad", "warn", "accent"]


def title(name: str, word: str = "", tone: Tone = "", detail: str = "") -> Part:
    """The first line of a view: a name, the word that matters in its accent, a detail."""
    name, word, detail = clean(name), clean(word), clean(detail)
    front = ": ".join(text for text in (name, word) if text)
    behind = f"  ({detail})" if detail and front else detail
    pieces: list[str] = [tag("strong", name)] if name else []
    if word:
        pieces += [": " if name else "", tag("span", word, style=style.badge(tone))]
    if behind:
        pieces.append(tag("span", behind, style=style.FAINT))
    return Part(front + behind, tag("p", *pieces, style=style.TITLE))


def section(text: str) -> Part:
    """A small heading inside a view."""
    return Part(f"\n{clean(text)}", tag("p", text, style=style.SECTION))


def line(text: str) -> Part:
    """One paragraph."""
    return Part(clean(text), tag("p", *_with_breaks(text), style=style.PARAGRAPH))


def note(text: str) -> Part:
    """A paragraph of second rank."""
    return Part(clean(text), tag("p", *_with_breaks(text), style=style.NOTE))


def prose(text: str) -> Part:
    """A text as somebody wrote it: line breaks and spaces stay, and nothing in it is markup."""
    shown = clean(text)
    return Part(shown, tag("div", shown, style=style.PROSE))


def _with_breaks(text: str) -> list[str]:
    pieces: list[str] = []
    for k, one in enumerate(clean(text).split("\n")):
        pieces += [tag("br"), one] if k else [one]
    return pieces


def items(texts: Sequence[str], *, ordered: bool = False) -> Part | None:
    """A list; None when it is empty."""
    if not texts:
        return None
    shown = [clean(text) for text in texts[: limits.TABLE_ROWS_MAX]]
    marks = [f"{k + 1}. " if ordered else "- " for k in range(len(shown))]
    plain = "\n".join(f"  {mark}{indent(text, 2 + len(mark)).strip()}" for mark, text in zip(marks, shown, strict=True))
    html = tag("ol" if ordered else "ul", *(tag("li", *_with_breaks(text)) for text in shown), style=style.LIST)
    more = left_out(len(texts) - len(shown))
    return Part(plain, html) if more is None else Part(f"{plain}\n{more.plain}", join(html, more.html))


def left_out(count: int) -> Part | None:
    """``and 40 more``, where a bound cut something; None where nothing was cut."""
    return note(f"and {count:,} more") if count > 0 else None


def code(text: str) -> Part:
    """A block of fixed-width text as it is."""
    return Part(indent(clean(text)), tag("pre", clean(text), style=style.PRE))


def folded(summary: str, inside: Part, *, is_open: bool = False) -> Part:
    """A part behind a line to click on, which opens without scripts; the text form shows it."""
    head = tag("summary", summary, style="cursor:pointer")
    html = tag("details", head, inside.html, open="open" if is_open else None, style=style.FIGURE)
    return Part(f"\n{clean(summary)}\n{inside.plain}", html)


def inset(parts: Iterable[Part | None]) -> Part:
    """Several parts as one, moved to the right: what belongs to the line above."""
    inside = group(parts)
    return Part(indent(inside.plain), tag("div", inside.html, style=style.INSET))


def figure(svg: Markup, twin: str) -> Part:
    """A picture and the sentence that carries its numbers, for readers who have no picture."""
    html = tag("figure", svg, tag("figcaption", *_with_breaks(twin), style=style.CAPTION), style=style.FIGURE)
    return Part(clean(twin), html)


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column. ``kind``: ``text``, ``number`` (to the right), ``code``, or ``head`` (names the row)."""

    name: str
    kind: Literal["text", "number", "code", "head"] = "text"


@dataclass(frozen=True, slots=True)
class Cell:
    """A table's entry that stands out: ``tone`` colours it, ``strong`` makes it bold."""

    text: str
    tone: Tone = ""
    strong: bool = False


Row = Sequence[str | Cell]


def table(columns_: Sequence[Column], rows: Sequence[Row], *, caption: str = "", total: int | None = None) -> Part:
    """A table of at most ``limits.TABLE_ROWS_MAX`` rows; ``total`` counts those there are, if more were cut before."""
    shown = [[_cell(entry) for entry in row] for row in rows[: limits.TABLE_ROWS_MAX]]
    plain = grid(
        [column.name for column in columns_],
        [[cell.text for cell in row] for row in shown],
        [column.kind == "number" for column in columns_],
    )
    pieces: list[str] = [tag("caption", caption, style=style.TABLE_CAPTION)] if caption else []
    heads = (tag("th", c.name, scope="col", style=_aligned(style.HEAD_CELL, c)) for c in columns_)
    pieces.append(tag("thead", tag("tr", *heads, style=style.ROW)))
    body = (tag("tr", *map(_html_cell, columns_, row), style=style.ROW) for row in shown)
    pieces.append(tag("tbody", *body))
    html = tag("table", *pieces, style=style.TABLE)
    plain = f"{clean(caption)}\n{plain}" if caption else plain
    more = left_out((len(rows) if total is None else total) - len(shown))
    return Part(plain, html) if more is None else Part(f"{plain}\n{more.plain}", join(html, more.html))


def _cell(entry: str | Cell) -> Cell:
    cell = entry if isinstance(entry, Cell) else Cell(entry)
    return Cell(clip(clean(cell.text)), cell.tone, cell.strong)


def _html_cell(column: Column, cell: Cell) -> Markup:
    name, scope = ("th", "row") if column.kind == "head" else ("td", None)
    inside: str = cell.text
    if column.kind == "code" and cell.text:
        inside = tag("code", cell.text, style=style.CODE)
    if cell.tone or cell.strong:
        inside = tag("span", inside, style=style.badge(cell.tone))
    return tag(name, inside, scope=scope, style=_aligned(style.CELL, column))


def _aligned(base: str, column: Column) -> str:
    if column.kind == "number":
        return f"{base};text-align:right;{style.DIGITS}"
    moment = f";{style.DIGITS}" if column.name.endswith("(UTC)") else ""  # a date would be broken at its hyphens
    return f"{base};text-align:left{moment}"


def pairs(rows: Sequence[tuple[str, str]]) -> Part:
    """Names and values, as a table without a heading row in the text form."""
    shown = [(clip(clean(name)), clip(clean(value), limits.TEXT_CHARACTERS_MAX)) for name, value in rows]
    width = max((columns(name) for name, _ in shown), default=0)
    plain = "\n".join(f"{name}{' ' * (width - columns(name))}  {value}".rstrip() for name, value in shown)
    left = f"{style.CELL};text-align:left"
    body = (
        tag("tr", tag("th", name, scope="row", style=f"{left};{style.FAINT}"), tag("td", value, style=left),
            style=style.ROW)
        for name, value in shown
    )  # fmt: skip
    return Part(plain, tag("table", tag("tbody", *body), style=style.TABLE))
