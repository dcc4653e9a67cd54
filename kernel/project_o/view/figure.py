"""A run as plotly figures: to zoom into, and to ask each mark what it was. Made only on request.

The static pictures of ``metrics``, ``archive`` and ``operators`` are what is shown and saved. These cost the plotly
library, and are drawn by the front end: they go nowhere by themselves. ``Plot`` has both.
"""

from __future__ import annotations

import html
import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from .. import limits
from ..errors import UsageError
from ..population import Axis, Operator, Population
from ..values import Record
from . import chart, numbers, style
from .display import Display
from .metrics import best_so_far
from .progress import change_text, rises
from .trials import STATUSES

PLOTLY_MIME = "application/vnd.plotly.v1+json"
INK = "#808080"
"""Between black and white: the figure does not know which of them is behind it."""
SYMBOLS = {
    "baseline": ("square", INK),
    "better": ("circle", style.GOOD),
    "no better": ("circle-open", INK),
    "duplicate": ("line-ew-open", INK),
    "failed": ("x", style.BAD),
    "best": ("diamond", style.ACCENT),
}
"""The marks of ``chart.MARKS`` in plotly's words: told apart by shape."""


def metrics_figure(records: Sequence[Record], *, best: int | None = None, name: str = "") -> Any:
    """A ``plotly.graph_objects.Figure``: each trial's ratio by its index, and the best so far as steps.

    At most the last ``limits.CHART_POINTS_MAX`` trials are drawn. Raises UsageError where plotly is not installed.
    """
    go = _plotly()
    drawn = list(records)[-limits.CHART_POINTS_MAX :]
    figure = go.Figure(layout=_layout(name, drawn))
    history = rises(best_so_far(drawn))
    if history:
        last = drawn[-1].proposal.index
        # plotly drops the last step where its end is given twice.
        steps = history if history[-1][0] == last else [*history, (last, history[-1][1])]
        x, y = zip(*steps, strict=True)
        line = {"shape": "hv", "color": style.ACCENT, "width": 2}
        figure.add_scatter(x=x, y=y, mode="lines", name="best so far", line=line, hoverinfo="skip")
    for status in STATUSES:
        _add_marks(figure, status, [one for one in drawn if one.status == status and one.proposal.index != best])
    _add_marks(figure, "best", [one for one in drawn if one.proposal.index == best])
    return figure


def archive_figure(population: Population, *, name: str = "") -> Any:
    """A heat map of the first two axes of a grid: the best ratio of each cell. Raises UsageError without a grid."""
    if not population.axes:
        raise UsageError("this run has no grid to draw: evolve with grid=['length', ...]")
    go = _plotly()
    across, *more = population.axes
    rows = more[0].bins if more else 1
    values: list[list[float | None]] = [[None] * across.bins for _ in range(rows)]
    said = [[""] * across.bins for _ in range(rows)]
    for elite in reversed(population.elites):  # the best come last, and stay
        column, row = elite.cell[0], elite.cell[1] if more else 0
        values[row][column], said[row][column] = elite.record.ratio, _told(elite.record)
    figure = go.Figure(layout={**_look(name), "margin": {"l": 76, "r": 16, "t": 32, "b": 48}})
    figure.add_heatmap(
        x=_middles(across),
        y=_middles(more[0]) if more else [""],
        z=values,
        text=said,
        hovertemplate="%{text}<extra></extra>",
        colorscale=[[0, "rgba(38,137,79,.12)"], [1, style.GOOD]],
        colorbar={"title": {"text": "ratio"}, "thickness": 10},
        xgap=2,
        ygap=2,
    )
    figure.update_xaxes(title={"text": html.escape(across.name, quote=False)}, type="category")
    figure.update_yaxes(title={"text": html.escape(more[0].name, quote=False) if more else ""}, type="category")
    return figure


def operators_figure(operators: Sequence[Operator], *, name: str = "") -> Any:
    """Bars: of each operator's trials those better than the baseline, the failed ones, and the rest."""
    go = _plotly()
    figure = go.Figure(layout={**_look(name), "barmode": "stack", "margin": {"l": 150, "r": 16, "t": 32, "b": 40}})
    names = [html.escape(one.name, quote=False) for one in reversed(operators)]
    parts = {
        "better": ([one.better for one in operators], style.GOOD),
        "failed": ([one.failed for one in operators], style.BAD),
        "other": ([one.tried - one.better - one.failed for one in operators], style.LINE),
    }
    for word, (counts, color) in parts.items():
        figure.add_bar(y=names, x=counts[::-1], name=word, orientation="h", marker={"color": color})
    return figure


@dataclass(frozen=True)
class Plot:
    """A picture of a run in both forms: ``figure`` is plotly's, None where it is not installed.

    Where a front end draws plotly figures it shows that one, anywhere else the static picture. ``repr`` are the words.
    """

    static: Display
    figure: Any = None

    def __repr__(self) -> str:
        return self.static.plain

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        drawn = figure_bundle(self.figure, self.static.plain) if self.figure is not None else {}
        return {**drawn, **self.static.bundle()}


def plotted(static: Display, make: Callable[[], Any]) -> Plot:
    """The static picture with the figure that ``make`` makes; alone where plotly is not installed."""
    if importlib.util.find_spec("plotly") is None:
        return Plot(static)
    return Plot(static, make())


def figure_bundle(figure: Any, said: str) -> dict[str, Any]:
    """The figure as the front end's plotly renderer takes it; ``said`` is its twin in words."""
    body = figure.to_plotly_json()
    return {PLOTLY_MIME: {**body, "config": {"displaylogo": False, "responsive": True}}, "text/plain": said}


def _plotly() -> Any:
    """The library's figures. Raises UsageError where it is not installed."""
    try:
        import plotly.graph_objects as go
    except ImportError:
        raise UsageError("the figure needs plotly: pip install 'project-o[widgets]'") from None
    return go


def _middles(axis: Axis) -> list[str]:
    """The cells of an axis in words."""
    return [f"{low:.3g} to {high:.3g}" for low, high in pairwise(axis.edges())]


def _add_marks(figure: Any, status: str, records: Sequence[Record]) -> None:
    shown = [one for one in records if chart.drawable(one.ratio)]
    if not shown:
        return
    symbol, color = SYMBOLS[status]
    figure.add_scatter(
        x=[one.proposal.index for one in shown],
        y=[one.ratio for one in shown],
        mode="markers",
        name=f"{status} {len(shown)}" if status != "best" else "best",
        text=[_told(one) for one in shown],
        hovertemplate="%{text}<extra></extra>",
        marker={"symbol": symbol, "color": color, "size": 12 if status == "best" else 8, "line": {"color": color}},
        error_y=_bars(shown),
    )


def _bars(shown: Sequence[Record]) -> dict[str, Any] | None:
    """The intervals of these records; None where there is none."""
    if not any(one.interval for one in shown):
        return None
    bounds = [(one.ratio or 0.0, *(one.interval or (one.ratio or 0.0,) * 2)) for one in shown]
    return {
        "type": "data",
        "symmetric": False,
        "array": [high - ratio for ratio, _, high in bounds],
        "arrayminus": [ratio - low for ratio, low, _ in bounds],
        "thickness": 1,
        "width": 0,
    }


def _told(record: Record) -> str:
    """What a mark says when it is pointed at. plotly reads a few tags in it, so that the text is escaped."""
    settings = change_text(record.proposal)
    text = f"trial {record.proposal.index}: {numbers.ratio(record.ratio)}, {record.status}"
    return f"{html.escape(text, quote=False)}<br>{html.escape(settings, quote=False)}"


def _layout(name: str, records: Sequence[Record]) -> dict[str, Any]:
    frame = chart.ratio_frame(
        [one.proposal.index for one in records], [one.ratio for one in records if one.ratio is not None]
    )
    values = (chart.log_ticks if frame.logarithmic else chart.ticks)(frame.y_low, frame.y_high)
    axis = {"gridcolor": style.LINE, "zeroline": False, "linecolor": style.LINE}
    return {
        **_look(name),
        "xaxis": {"title": {"text": "trial"}, "tickformat": "d", "tick0": 0, **_whole_steps(records), **axis},
        "yaxis": {
            "title": {"text": "ratio to the baseline"},
            "type": "log" if frame.logarithmic else "linear",
            "tickvals": values,
            "ticktext": [f"{value:.4g}x" for value in values],
            **axis,
        },
        "shapes": [
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": 1, "y1": 1}
            | {"line": {"color": INK, "width": 1, "dash": "dash"}}
        ],
    }


def _look(name: str) -> dict[str, Any]:
    """What all figures have in common: no background of their own."""
    return {
        "template": None,
        "title": {"text": html.escape(name, quote=False), "font": {"size": 13}, "x": 0.01},
        "height": style.FIGURE_PIXELS,
        "margin": {"l": 56, "r": 16, "t": 32, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": INK, "size": 11},
        "legend": {"orientation": "h", "y": 1.12, "x": 1, "xanchor": "right"},
    }


def _whole_steps(records: Sequence[Record]) -> dict[str, int]:
    """Few trials get a tick each: plotly would divide them."""
    few = bool(records) and records[-1].proposal.index - records[0].proposal.index <= 12
    return {"dtick": 1} if few else {}
