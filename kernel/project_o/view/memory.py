"""What an agent remembers, as a table; and what it would recall for a question, with what each score is made of."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from ..lives import Found, Kept, MemoryLook
from . import numbers
from .display import Display, Part, page
from .parts import Cell, Column, Row, folded, line, note, table, title
from .text import clip, counted

_SHOWN = limits.MEMORY_ROWS_MAX


def show_memory(look: MemoryLook) -> Display:
    """The last blocks, or the answers to a question and why; what was suppressed, corrected and forgotten, folded."""
    asked = bool(look.question)
    detail = f"{look.count:,} of {counted(look.capacity, 'block')}, {look.finds_by}"
    return page(
        title(look.name, f"{len(look.found)} found" if asked else "", "accent", detail),
        note(f"for: {clip(look.question, limits.TEXT_CHARACTERS_MAX)}") if asked else None,
        _answers(look.found) if asked else _kept(look.kept, look.count),
        _suppressed(look.suppressed),
        _superseded(look.superseded),
        _forgotten(look.forgotten),
    )


def _kept(kept: Sequence[Kept], count: int) -> Part:
    if not kept:
        return line("nothing is remembered yet")
    columns = (
        Column("text", "head"),
        Column("from"),
        Column("remembered (UTC)"),
        Column("recalled", "number"),
        Column("last (UTC)"),
        Column("what else"),
    )
    rows = [
        (one.text, one.source, numbers.when(one.when), f"{one.uses:,} x", _last_used(one), _what_else(one))
        for one in kept[:_SHOWN]
    ]
    return table(columns, rows, total=count)


def _answers(found: Sequence[Found]) -> Part:
    if not found:
        return line("nothing fits")
    kinds = list(dict.fromkeys(name for one in found for name, _ in one.parts))
    columns = (
        Column("text", "head"),
        Column("score", "number"),
        *(Column(f"by {kind}", "number") for kind in kinds),
        Column("words in both"),
        Column("from"),
        Column("recalled", "number"),
        Column("what else"),
    )
    return table(columns, [_answer(one, kinds) for one in found[:_SHOWN]], total=len(found))


def _answer(one: Found, kinds: Sequence[str]) -> Row:
    parts = dict(one.parts)
    shares = [f"{parts[kind]:.3f}" if kind in parts else numbers.MISSING for kind in kinds]
    kept = one.kept
    return (
        kept.text,
        Cell(f"{one.score:.3f}", strong=True),
        *shares,
        ", ".join(one.shared),
        kept.source,
        f"{kept.uses:,} x",
        _what_else(kept),
    )


def _suppressed(suppressed: Sequence[Found]) -> Part | None:
    if not suppressed:
        return None
    columns = (Column("text", "head"), Column("score", "number"), Column("remembered (UTC)"))
    rows = [(one.kept.text, f"{one.score:.3f}", numbers.when(one.kept.when)) for one in suppressed[:_SHOWN]]
    said = f"{len(suppressed):,} suppressed: as good as the last one found, and older or less important"
    return folded(said, table(columns, rows, total=len(suppressed)))


def _superseded(pairs: Sequence[tuple[str, str]]) -> Part | None:
    if not pairs:
        return None
    columns = (Column("corrected, never recalled again", "head"), Column("what it became"))
    inside = table(columns, [(old, new or numbers.MISSING) for old, new in pairs[:_SHOWN]], total=len(pairs))
    return folded(f"{len(pairs):,} corrected", inside)


def _forgotten(forgotten: Sequence[tuple[str, float]]) -> Part | None:
    if not forgotten:
        return None
    columns = (Column("text", "head"), Column("left (UTC)"))
    rows = [(text, numbers.when(when)) for text, when in forgotten[:_SHOWN]]
    return folded(f"{len(forgotten):,} forgotten", table(columns, rows, total=len(forgotten)))


def _last_used(one: Kept) -> str:
    return numbers.when(one.last_used) if one.uses else numbers.MISSING


def _what_else(one: Kept) -> str:
    facts = (
        "pinned" if one.pinned else "",
        f"importance {numbers.number(one.importance)}" if one.importance != 1.0 else "",
        f"of {one.scope}" if one.scope else "",
    )
    return ", ".join(fact for fact in facts if fact)
