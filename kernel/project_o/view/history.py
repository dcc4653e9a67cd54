"""States of the history: the table, and one state with its facts."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from ..values import State
from . import numbers
from .display import Display, page
from .parts import Column, line, pairs, section, table, title
from .source import source_part
from .text import counted


def show_history(
    states: Sequence[State],
    *,
    name: str = "history",
    total: int | None = None,
    nothing: str = "nothing is recorded yet",
) -> Display:
    """States in the order given. ``total`` counts those there are, where only some were read; ``nothing`` says why
    there may be none."""
    columns = (
        Column("state", "code"),
        Column("when (UTC)"),
        Column("kind"),
        Column("what", "head"),
        Column("lane"),
    )
    shown = states[: limits.TABLE_ROWS_MAX]
    rows = [(one.short, numbers.when(one.when), one.kind, one.summary, one.lane) for one in shown]
    there = len(states) if total is None else total
    return page(
        title(name, detail=counted(there, "state")),
        table(columns, rows, total=there) if rows else line(nothing),
    )


def show_life(states: Sequence[State], name: str) -> Display:
    """A program's life, newest first: its texts, what was tried, what was released and what was taken back."""
    columns = (
        Column("state", "code"),
        Column("when (UTC)"),
        Column("kind"),
        Column("version"),
        Column("what", "head"),
        Column("by"),
        Column("measured"),
        Column("reason"),
    )
    rows = []
    for one in states[: limits.TABLE_ROWS_MAX]:
        facts = dict(one.facts)
        measured = facts.get("metric", "") or facts.get("ratio", "")
        told = (facts.get("version", ""), one.summary, facts.get("by", ""), measured, facts.get("reason", ""))
        rows.append((one.short, numbers.when(one.when), one.kind, *told))
    return page(title(name, detail=counted(len(states), "state")), table(columns, rows, total=len(states)))


def show_state(state: State, *, source: str = "") -> Display:
    """One state: what it is, its parents, its facts, and the cell's source where given."""
    parents = ", ".join(numbers.short(parent) for parent in state.parents) or "none"
    rows = [
        ("commit", state.id),
        ("when (UTC)", numbers.when(state.when)),
        ("lane", f"{state.lane}, number {state.sequence:,}"),
        ("parents", parents),
        *state.facts[: limits.TABLE_ROWS_MAX],
    ]
    return page(
        title(state.short, state.kind, "accent", state.summary),
        pairs(rows),
        section("cell") if source else None,
        source_part(source) if source else None,
    )
