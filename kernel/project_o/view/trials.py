"""What a run tried: a table of its records, and their counts by status."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from ..values import Record
from . import numbers
from .display import Display, Part, page
from .parts import Cell, Column, Tone, table, title
from .progress import change_text
from .text import counted

STATUSES = ("baseline", "better", "no better", "duplicate", "failed")
_TONES: dict[str, Tone] = {"better": "good", "failed": "bad"}


def show_trials(records: Sequence[Record], *, best: int | None = None, name: str = "") -> Display:
    """Every trial of a run in order, at most ``limits.TABLE_ROWS_MAX``. ``best`` is the index of the winner."""
    return page(
        title(name, detail=f"{counted(len(records), 'record')}: {counts_text(records)}"),
        trials_part(records, best=best, rows_max=limits.TABLE_ROWS_MAX),
    )


def counts(records: Sequence[Record]) -> list[tuple[str, int]]:
    """How many records have each status, in the order of :data:`STATUSES`, without zeros."""
    found = [record.status for record in records]
    return [(status, found.count(status)) for status in STATUSES if status in found]


def counts_text(records: Sequence[Record]) -> str:
    """``1 baseline, 4 better, 19 no better``."""
    return ", ".join(f"{number:,} {status}" for status, number in counts(records))


def trials_part(records: Sequence[Record], *, best: int | None = None, rows_max: int) -> Part:
    """The first ``rows_max`` records as a table, the winner marked by a word."""
    columns = (
        Column("trial", "number"),
        Column("settings"),
        Column("by"),
        Column("status"),
        Column("ratio", "number"),
        Column("reason"),
    )
    return table(columns, [_row(one, best) for one in records[:rows_max]], total=len(records))


def leaders(records: Sequence[Record], rows_max: int = limits.RUN_ROWS_MAX) -> list[Record]:
    """The baseline and the records with the highest ratios, best first, at most ``rows_max``."""
    measured = [one for one in records if one.ratio is not None and one.status != "duplicate"]
    ordered = sorted(measured, key=lambda one: (-(one.ratio or 0.0), one.proposal.index))[:rows_max]
    baseline = next((one for one in measured if one.status == "baseline"), None)
    if baseline is None or baseline in ordered:
        return ordered
    return [*ordered[: rows_max - 1], baseline]


def _row(record: Record, best: int | None) -> tuple[str | Cell, ...]:
    proposal = record.proposal
    winner = best is not None and proposal.index == best
    status = f"{record.status}, best" if winner else record.status
    return (
        f"{proposal.index}",
        change_text(proposal),
        proposal.proposer,
        Cell(status, _TONES.get(record.status, ""), strong=winner),
        numbers.ratio(record.ratio),
        record.reason,
    )
