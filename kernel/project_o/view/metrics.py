"""All trials of a run in one picture: every ratio by its trial, and the best so far as steps."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from ..values import Record
from . import chart, numbers
from .display import Display, Part, page
from .markup import Markup
from .parts import figure, note, title
from .progress import rises, steps_text
from .text import counted
from .trials import counts, counts_text

HEIGHT = 230


def show_metrics(records: Sequence[Record], *, best: int | None = None, name: str = "") -> Display:
    """The metrics figure with its legend, and its numbers in words."""
    return page(title(name, detail=counts_text(records)), metrics_part(records, best=best))


def metrics_part(records: Sequence[Record], *, best: int | None = None) -> Part:
    """The same for the inside of a page. With more than ``limits.CHART_POINTS_MAX`` trials the last ones are drawn."""
    drawn = list(records)[-limits.CHART_POINTS_MAX :]
    if not any(chart.drawable(one.ratio) for one in drawn):
        return note("nothing was measured, so there is nothing to draw")
    history = best_so_far(drawn)
    told = steps_text(history)
    cut = f"; the last {len(drawn):,} of {len(records):,} trials are drawn" if len(drawn) < len(records) else ""
    spoken = f"ratio of each trial: {counts_text(drawn)}; {told}{cut}"
    bounded = sum(one.interval is not None for one in drawn)
    bars = f"; a line through a mark is its interval ({counted(bounded, 'trial')})" if bounded else ""
    return figure(_picture(drawn, history, best, spoken), f"{told}{cut}{bars}")


def best_so_far(records: Sequence[Record]) -> list[tuple[int, float]]:
    """(trial, best ratio until then) after each record that was measured and counted as baseline or better."""
    history: list[tuple[int, float]] = []
    for one in records:
        if one.ratio is None or not chart.drawable(one.ratio) or one.status not in ("baseline", "better"):
            continue
        top = max(one.ratio, history[-1][1]) if history else one.ratio
        history.append((one.proposal.index, top))
    return history


def _picture(records: list[Record], history: list[tuple[int, float]], best: int | None, spoken: str) -> Markup:
    indices = [one.proposal.index for one in records]
    frame = chart.ratio_frame(indices, [one.ratio for one in records if one.ratio is not None], height=HEIGHT - 22)
    points = [(float(index), ratio) for index, ratio in rises(history)]
    if points:
        points.append((float(max(indices)), points[-1][1]))
    marks = []
    for one in records:
        x = frame.x(one.proposal.index)
        y = frame.y(one.ratio) if one.ratio is not None and chart.drawable(one.ratio) else frame.bottom - 4
        winner = best is not None and one.proposal.index == best
        if one.interval is not None and chart.drawable(one.ratio):
            marks.append(chart.whisker(x, frame.y(one.interval[0]), frame.y(one.interval[1])))
        marks.append(chart.mark("best" if winner else one.status, x, y))
        if winner:
            marks.append(chart.label(x, y - 9, f"best {numbers.ratio(one.ratio)}", anchor=_anchor(x), strong=True))
    shown = [*counts(records), *([("best", 0)] if best is not None else [])]
    return chart.picture(
        chart.WIDTH,
        HEIGHT,
        spoken,
        chart.axes(frame, "trial", "ratio"),
        chart.steps(frame, points),
        *marks,
        chart.legend(shown, HEIGHT - 6),
    )


def _anchor(x: float) -> str:
    return "end" if x > chart.WIDTH * 0.8 else "start" if x < chart.WIDTH * 0.2 else "middle"
