"""What there is and whether it works: doctor, where, config, the cache."""

from __future__ import annotations

from collections.abc import Sequence

from ..values import Check
from . import numbers
from .display import Display, page
from .parts import Cell, Column, Tone, items, line, section, table, title
from .text import counted


def show_checks(checks: Sequence[Check], *, name: str = "doctor") -> Display:
    """Every check with ``ok``, ``problem`` (the core does not work) or ``limited``, and below them what to do."""
    columns = (Column("check", "head"), Column("result"), Column("value"))
    rows = [(one.name, _result(one), one.value) for one in checks]
    broken = sum(1 for one in checks if one.core and not one.ok)
    word, tone = (counted(broken, "problem"), "bad") if broken else ("the core works", "good")
    todo = [f"{one.name}: {one.todo}" for one in checks if one.todo]
    return page(
        title(name, word, "bad" if tone == "bad" else "good"),
        table(columns, rows),
        section("what to do") if todo else None,
        items(todo),
    )


def _result(check: Check) -> Cell:
    word: str
    tone: Tone
    word, tone = ("ok", "good") if check.ok else ("problem", "bad") if check.core else ("limited", "warn")
    return Cell(word, tone)


def show_table(name: str, heads: Sequence[str], rows: Sequence[Sequence[object]], *, note: str = "") -> Display:
    """Any small table: where we are, the merged configuration with where each value comes from. First column names."""
    columns = [Column(head, "text" if k else "head") for k, head in enumerate(heads)]
    shown = [[_plain(value) for value in row] for row in rows]
    return page(title(name), table(columns, shown) if shown else line("nothing"), line(note) if note else None)


def _plain(value: object) -> str:
    return numbers.scalar(value) if isinstance(value, float) else "" if value is None else str(value)


def show_cache(
    entries: int, used_bytes: int, limit_bytes: int, path: str, *, rows: Sequence[tuple[str, int, int]] = ()
) -> Display:
    """The build cache: entries, size, limit, place; ``rows`` are (what, entries, bytes) of its parts."""
    part = used_bytes / limit_bytes if limit_bytes else 0.0
    columns = (Column("part", "head"), Column("entries", "number"), Column("size", "number"))
    inside = [(what, f"{count:,}", numbers.size(total)) for what, count, total in rows]
    return page(
        title("cache", detail=counted(entries, "entry", "entries")),
        line(f"{numbers.size(used_bytes)} of {numbers.size(limit_bytes)} ({numbers.share(part)})"),
        line(path),
        table(columns, inside) if inside else None,
    )
