"""All trials of a run as a plotly figure: to zoom into, and to ask each mark what it was. Made only on request.

The static picture of ``metrics`` is what is shown and saved. This one costs the plotly library, and is drawn by the
front end: it goes nowhere by itself.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

from .. import limits
from ..errors import UsageError
from ..values import Record
from . import chart, numbers, style
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
    try:
        import plotly.graph_objects as go
    except ImportError:
        raise UsageError("the figure needs plotly: pip install 'project-o[widgets]'") from None
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


def figure_bundle(figure: Any, said: str) -> dict[str, Any]:
    """The figure as the front end's plotly renderer takes it; ``said`` is its twin in words."""
    body = figure.to_plotly_json()
    return {PLOTLY_MIME: {**body, "config": {"displaylogo": False, "responsive": True}}, "text/plain": said}


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
    )


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
        "template": None,
        "title": {"text": html.escape(name, quote=False), "font": {"size": 13}, "x": 0.01},
        "height": style.FIGURE_PIXELS,
        "margin": {"l": 56, "r": 16, "t": 32, "b": 40},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": INK, "size": 11},
        "legend": {"orientation": "h", "y": 1.12, "x": 1, "xanchor": "right"},
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


def _whole_steps(records: Sequence[Record]) -> dict[str, int]:
    """Few trials get a tick each: plotly would divide them."""
    few = bool(records) and records[-1].proposal.index - records[0].proposal.index <= 12
    return {"dtick": 1} if few else {}
