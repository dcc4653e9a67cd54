"""What each operator brought in a run, and how many of the trials it got."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from ..population import Operator
from . import chart, numbers, style
from .display import Display, Part, group, page
from .markup import Markup, join, tag
from .parts import Column, figure, note, table, title
from .text import clip, counted

LEFT, RIGHT, ROW = 150, 96, 20


def show_operators(operators: Sequence[Operator], *, name: str = "") -> Display:
    """The operators of a run, the most successful first."""
    return page(title(name, detail=counted(len(operators), "operator")), operators_part(operators))


def operators_part(operators: Sequence[Operator]) -> Part:
    """The same for the inside of a page: bars of trials, and a table of what came of them."""
    if not operators:
        return note("nothing was proposed")
    total = sum(one.tried for one in operators)
    drawn = sorted(operators, key=lambda one: -one.tried)[: limits.RUN_ROWS_MAX]
    told = "trials by operator: " + ", ".join(f"{one.name} {one.tried:,} ({one.better:,} better)" for one in drawn)
    columns = (
        Column("operator", "head"), Column("trials", "number"), Column("better", "number"), Column("gains", "number"),
        Column("failed", "number"), Column("duplicates", "number"), Column("mean", "number"), Column("best", "number"),
        Column("chance of a gain", "number"),
    )  # fmt: skip
    rows = [
        (
            one.name,
            f"{one.tried:,}",
            f"{one.better:,}",
            f"{one.gains:,}",
            f"{one.failed:,}",
            f"{one.duplicates:,}",
            numbers.ratio(one.mean),
            numbers.ratio(one.best),
            f"{100 * one.chance:.0f} %",
        )
        for one in operators
    ]
    said = "better: than the baseline; gains: better than all before; the chance is what the next draw is made with"
    return group([figure(_picture(drawn, total, told), told), table(columns, rows), note(said)])


def _picture(operators: Sequence[Operator], total: int, spoken: str) -> Markup:
    most = max(one.tried for one in operators)
    width = chart.WIDTH - LEFT - RIGHT
    bars = []
    for row, one in enumerate(operators):
        y = 8 + row * ROW
        bars.append(chart.label(LEFT - 8, y + 12, clip(one.name, 24), anchor="end"))
        bars.append(_bar(LEFT, y + 2, width * one.tried / most, style.LINE))
        bars.append(_bar(LEFT, y + 2, width * one.better / most, style.GOOD))
        share = f"{one.tried:,}, {100 * one.tried / max(1, total):.0f} %"
        bars.append(chart.label(LEFT + width * one.tried / most + 6, y + 12, share))
    foot = 8 + len(operators) * ROW + 16
    legend = [
        _bar(LEFT, foot - 10, 12, style.GOOD), chart.label(LEFT + 17, foot, "better than the baseline", faint=True),
        _bar(LEFT + 170, foot - 10, 12, style.LINE), chart.label(LEFT + 187, foot, "other trials", faint=True),
    ]  # fmt: skip
    return chart.picture(chart.WIDTH, foot + 8, spoken, join(*bars, *legend))


def _bar(x: float, y: float, width: float, color: str) -> Markup:
    return tag("rect", x=round(x, 1), y=y, width=round(max(0.0, width), 1), height=12, rx=2, fill=color)
