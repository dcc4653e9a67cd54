"""A verdict with every reason, and the measurements it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from ..values import Measurement, Trial, Verdict
from . import numbers
from .display import Display, Part, group, page
from .parts import Cell, Column, items, note, section, table, title
from .text import counted

_COLUMNS = (
    Column("metric", "head"),
    Column("baseline", "number"),
    Column("candidate", "number"),
    Column("ratio [interval]", "number"),
    Column("pairs", "number"),
    Column("method"),
)


def show_verdict(verdict: Verdict, *, name: str = "") -> Display:
    """Accepted or rejected, why, how the trial went, and every measurement."""
    return page(verdict_part(verdict, name=name))


def show_measurements(measurements: Sequence[Measurement]) -> Display:
    """A table of paired measurements."""
    return page(measurements_part(measurements) or title("", "nothing was measured"))


def verdict_part(verdict: Verdict, *, name: str = "") -> Part:
    """The same for the inside of a page."""
    word, tone = ("accepted", "good") if verdict.accepted else ("rejected", "bad")
    return group(
        [
            title(name, word, "good" if tone == "good" else "bad", f"sandbox level {verdict.level}"),
            items(verdict.reasons, ordered=True),
            note(trial_line(verdict.trial)) if verdict.trial else None,
            measurements_part(verdict.measurements, verdict.confirmation),
        ]
    )


def trial_line(trial: Trial) -> str:
    """What happened in the sandbox, in one line."""
    pieces = [f"trial {trial.outcome} at {trial.level}"]
    if trial.inputs:
        outside = f" ({trial.inputs_out_of_domain:,} out of domain)" if trial.inputs_out_of_domain else ""
        pieces.append(f"{counted(trial.inputs, 'input')}{outside}")
    if trial.wall_seconds:
        pieces.append(f"{numbers.seconds(trial.wall_seconds)} wall, {numbers.seconds(trial.cpu_seconds)} CPU")
    pieces += [text for text in (trial.ended, trial.error) if text]
    return ", ".join(pieces)


def measurements_part(measurements: Sequence[Measurement], confirmation: Measurement | None = None) -> Part | None:
    """The table of measurements; a confirmation on fresh data has its own heading. None when there is neither."""
    parts = []
    if measurements:
        parts.append(table(_COLUMNS, [_row(one) for one in measurements], caption=_caption(measurements)))
    if confirmation is not None:
        parts.append(section("confirmed on fresh data in a fresh process"))
        parts.append(table(_COLUMNS, [_row(confirmation)], caption=_caption([confirmation])))
    return group(parts) if parts else None


def _caption(measurements: Sequence[Measurement]) -> str:
    levels = ", ".join(sorted({numbers.share(one.confidence) for one in measurements}))
    return f"ratio = baseline / candidate, above 1 is better; {levels} interval"


def _row(one: Measurement) -> tuple[str | Cell, ...]:
    shown = numbers.interval(one.ratio, one.low, one.high)
    return (
        one.metric,
        numbers.quantity(one.baseline, one.unit),
        numbers.quantity(one.candidate, one.unit),
        Cell(shown, "good" if one.low > 1 else "bad" if one.high < 1 else "", strong=True),
        f"{one.pairs:,}",
        one.method,
    )
