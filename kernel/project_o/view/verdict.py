"""A verdict with every reason, and the measurements it rests on."""

from __future__ import annotations

from collections.abc import Sequence

from ..values import Measurement, Trial, Verdict
from . import numbers
from .display import Display, Part, group, page
from .parts import Cell, Column, Tone, items, note, section, table, title
from .text import counted

_COLUMNS = (
    Column("metric", "head"),
    Column("wanted"),
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
    word: tuple[str, Tone] = ("accepted", "good") if verdict.accepted else ("rejected", "bad")
    if verdict.self_reported:
        word = "self-reported", "warn"
    return group(
        [
            title(name, *word, f"sandbox level {verdict.level}"),
            items(verdict.reasons, ordered=True),
            note(trial_line(verdict.trial)) if verdict.trial else None,
            measurements_part(verdict.measurements, verdict.confirmation, told=verdict.reasons),
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


def measurements_part(
    measurements: Sequence[Measurement], confirmation: Measurement | None = None, *, told: Sequence[str] = ()
) -> Part | None:
    """The table of measurements, and that of the confirmation on fresh data under its own heading; None without both.

    Below stand their remarks, but for those that were ``told``.
    """
    parts: list[Part] = []
    if measurements:
        parts += _table(measurements, told)
    if confirmation is not None:
        parts.append(section("confirmed on fresh data in a fresh process"))
        parts += _table((confirmation, *confirmation.beside), told)
    return group(parts) if parts else None


def _table(measurements: Sequence[Measurement], told: Sequence[str]) -> list[Part]:
    remarks = dict.fromkeys(remark for one in measurements for remark in one.remarks if remark not in told)
    return [
        table(_COLUMNS, [_row(one) for one in measurements], caption=_caption(measurements)),
        *(note(f"remark: {text}") for text in remarks),
    ]


def _caption(measurements: Sequence[Measurement]) -> str:
    levels = ", ".join(dict.fromkeys(numbers.share(one.confidence) for one in measurements))
    stored = next((f"; build {numbers.short(one.stored)}" for one in measurements if one.stored), "")
    return f"a ratio above 1 is better than the baseline; {levels} interval{stored}"


def wanted(one: Measurement) -> str:
    """Which way is better, and what the metric is to the run: ``less, guard: 20 % worse at most``."""
    way = "less" if one.minimised else "more"
    if one.role == "shown":
        return f"{way}, only shown"
    bound = f": {numbers.share(one.tolerance)} worse at most" if one.tolerance is not None else ""
    return f"{way}, {one.role}{bound}"


def _tone(one: Measurement) -> Tone:
    """Good is a gain beyond its interval. Bad is a loss beyond it; of a guard, one of more than it may lose."""
    if one.low > 1:
        return "good"
    if one.tolerance is None:
        return "bad" if one.high < 1 else ""
    least = 1 / (1 + one.tolerance) if one.minimised else 1 - one.tolerance
    return "" if one.low > least else "bad"


def _row(one: Measurement) -> tuple[str | Cell, ...]:
    shown = numbers.interval(one.ratio, one.low, one.high)
    return (
        one.metric,
        wanted(one),
        numbers.quantity(one.baseline, one.unit),
        numbers.quantity(one.candidate, one.unit),
        Cell(shown, _tone(one), strong=one.role == "objective"),
        f"{one.pairs:,}",
        one.method,
    )
