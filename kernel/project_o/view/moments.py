"""An agent over time: how long its turns took and where the time went, what failed, what they cost, what was said."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .. import limits
from ..lives import Moment
from . import chart, numbers, style
from .display import Display, Part, page
from .markup import Markup, join, tag
from .parts import Cell, Column, Row, Tone, figure, line, table, title
from .text import counted

HEIGHT = 210
FEEDBACK_AT, LEGEND_AT = 12, HEIGHT - 6
BAR_PIXELS_MAX = 18.0
PATH_STATES_MAX = 7
UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


def show_moments(moments: Sequence[Moment], *, name: str = "", state: str = "") -> Display:
    """Turns, feedback and runs, oldest first: a picture of the turns' time, its words, and the last of them as rows."""
    turns = [one for one in moments if one.kind == "turn"]
    tone: Tone = "" if state in ("", "idle") else "accent"
    return page(
        title(name, state, tone, counted(len(turns), "turn")),
        _picture(moments) if turns else None,
        _rows(moments) if moments else line("nothing has happened yet"),
    )


def _rows(moments: Sequence[Moment]) -> Part:
    columns = (
        Column("when (UTC)"),
        Column("what", "head"),
        Column("states"),
        Column("time", "number"),
        Column("in tools", "number"),
        Column("calls", "number"),
        Column("tokens", "number"),
        Column("how it ended"),
        Column("state", "code"),
    )
    last = moments[-limits.MOMENT_ROWS_MAX :]
    return table(columns, [_row(one) for one in reversed(last)], total=len(moments))


def _row(one: Moment) -> Row:
    when = numbers.MISSING if one.when is None else numbers.when(one.when)
    if one.kind != "turn":
        end = Cell(one.thumb or one.kind, "good" if one.thumb == "up" else "bad" if one.thumb == "down" else "")
        return (when, one.what, "", "", "", "", "", end, numbers.short(one.state))
    tokens = f"{one.tokens_in:,} + {one.tokens_out:,}" if one.tokens_in or one.tokens_out else ""
    return (
        when,
        one.what,
        _path(one.path),
        numbers.seconds(one.seconds),
        numbers.seconds(one.acting_seconds) if one.tools else "",
        f"{one.tools:,}" if one.tools else "",
        tokens,
        Cell(f"failed: {one.error}", "bad") if one.error else Cell("answered", "good"),
        numbers.short(one.state),
    )


def _path(path: Sequence[str]) -> str:
    """The states of a turn; where tools ran again and again, how often."""
    if len(path) <= PATH_STATES_MAX:
        return " ".join(path)
    return f"{' '.join(path[:2])}, {path.count('acting'):,} x acting, {path[-1]}"


def _picture(moments: Sequence[Moment]) -> Part:
    """A bar for each turn: in tools below, thinking above; over it what was said of it, a cross where it failed."""
    places = _with_what_followed(moments)
    told = _words(moments)
    drawn = places[-limits.MOMENTS_DRAWN_MAX :]
    cut = f"; the last {len(drawn):,} turns are drawn" if len(drawn) < len(places) else ""
    first = len(places) - len(drawn) + 1
    longest = max(turn.seconds for turn, _ in drawn) or 1.0
    frame = chart.Frame(first - 0.5, first + len(drawn) - 0.5, 0.0, longest, HEIGHT - 22)
    wide = min(BAR_PIXELS_MAX, 0.7 * (frame.x(first + 1) - frame.x(first)))
    marks = [mark for k, (turn, after) in enumerate(drawn) for mark in _bar(frame, first + k, wide, turn, after)]
    svg = chart.picture(chart.WIDTH, HEIGHT, f"time of each turn: {told}{cut}", _axes(frame), *marks, _legend())
    return figure(svg, f"{told}{cut}")


def _with_what_followed(moments: Sequence[Moment]) -> list[tuple[Moment, list[Moment]]]:
    """Each turn, and what was said of it or happened after it."""
    places: list[tuple[Moment, list[Moment]]] = []
    by_state: dict[str, list[Moment]] = {}
    for one in moments:
        if one.kind == "turn":
            places.append((one, []))
            by_state[numbers.short(one.state)] = places[-1][1]
        elif places:
            by_state.get(one.about or "", places[-1][1]).append(one)
    return places


def _bar(frame: chart.Frame, number: int, wide: float, turn: Moment, after: Sequence[Moment]) -> list[Markup]:
    x = frame.x(number)
    acting = min(turn.acting_seconds, turn.seconds)
    middle, top = frame.y(acting), frame.y(turn.seconds)
    marks = [_box(x - wide / 2, top, wide, middle - top, style.ACCENT, filled=True)]
    marks.append(_box(x - wide / 2, middle, wide, frame.bottom - middle, style.WARN, filled=False))
    if turn.error:
        marks.append(chart.cross(x, top - 7, style.BAD))
    up = sum(one.thumb == "up" for one in after)
    down = sum(one.thumb == "down" for one in after)
    said = "+" * min(up, 3) + "-" * min(down, 3)
    if said:
        marks.append(chart.label(x, FEEDBACK_AT, said, anchor="middle", strong=True))
    if any(not one.thumb for one in after):
        marks.append(chart.diamond(x + (frame.x(number + 1) - x) / 2, frame.bottom, style.GOOD, 5.0))
    return marks


def _box(x: float, y: float, width: float, height: float, color: str, *, filled: bool) -> Markup:
    if height <= 0:
        return Markup("")
    fill, stroke = (color, None) if filled else ("none", color)
    return tag("rect", x=x, y=y, width=width, height=height, fill=fill, stroke=stroke, stroke_width=1.5)


def _axes(frame: chart.Frame) -> Markup:
    right = chart.WIDTH - chart.RIGHT
    unit, size = next((one for one in UNITS if frame.y_high >= one[1]), UNITS[-1])
    parts = [chart.label(4, FEEDBACK_AT, unit, faint=True)]
    for value in chart.ticks(0.0, frame.y_high):
        at = frame.y(value)
        parts += [chart.rule(chart.LEFT, at, right, at)]
        parts += [chart.label(chart.LEFT - 6, at + 4, f"{value / size:.4g}", anchor="end")]
    for value in chart.ticks(frame.x_low + 0.5, frame.x_high - 0.5, 8):
        if value == int(value):
            parts.append(chart.label(frame.x(value), frame.bottom + 14, numbers.number(value), anchor="middle"))
    parts.append(chart.label(right + 24, frame.bottom + 14, "turn", faint=True))
    return join(*parts)


def _legend() -> Markup:
    y, x = LEGEND_AT, float(chart.LEFT)
    drawn = (
        (_box(x, y - 9, 9, 9, style.ACCENT, filled=True), "thinking"),
        (_box(x + 80, y - 9, 9, 9, style.WARN, filled=False), "in tools"),
        (chart.cross(x + 160, y - 4, style.BAD), "failed"),
        (chart.diamond(x + 224, y - 4, style.GOOD, 5.0), "run or release"),
        (Markup(""), "+ - thumbs"),
    )
    starts = (x + 13, x + 93, x + 169, x + 233, x + 330)
    words = (chart.label(at, y, word) for (_, word), at in zip(drawn, starts, strict=True))
    return join(*(mark for mark, _ in drawn), *words)


def _words(moments: Sequence[Moment]) -> str:
    turns = [one for one in moments if one.kind == "turn"]
    failed = sum(bool(one.error) for one in turns)
    times = [one.seconds for one in turns]
    whole = sum(times)
    acting = sum(min(one.acting_seconds, one.seconds) for one in turns)
    tokens = sum(one.tokens_in for one in turns), sum(one.tokens_out for one in turns)
    up, down = (sum(one.thumb == way for one in moments) for way in ("up", "down"))
    others = sum(one.kind not in ("turn", "feedback") for one in moments)
    dollars = sum(one.dollars for one in turns)
    facts = (
        f"{counted(len(turns), 'turn')}, {failed:,} failed",
        f"half of them within {numbers.seconds(statistics.median(times))}, the longest {numbers.seconds(max(times))}",
        f"{numbers.share(acting / whole)} of the time in tools" if whole and acting else "",
        f"{tokens[0]:,} + {tokens[1]:,} tokens" if any(tokens) else "",
        f"${dollars:.2g}" if dollars else "",
        f"thumbs {up:,} up, {down:,} down" if up or down else "",
        counted(others, "run or release", "runs and releases") if others else "",
    )
    return "; ".join(fact for fact in facts if fact)
