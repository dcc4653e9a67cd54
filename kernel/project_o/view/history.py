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


def show_history(states: Sequence[State], *, name: str = "history", total: int | None = None) -> Display:
    """States in the order given. ``total`` counts those there are, where only some were read."""
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
        table(columns, rows, total=there) if rows else line("nothing is recorded yet"),
    )


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
