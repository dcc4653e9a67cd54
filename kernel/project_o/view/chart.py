"""Small charts as inline SVG: an axis left, trials from left to right, marks told apart by shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from . import numbers, style
from .markup import Markup, join, tag

WIDTH = 560
LEFT, RIGHT, TOP, BOTTOM = 46, 62, 26, 34
FONT = 11
RATIO_LOW, RATIO_HIGH = 1e-3, 1e6
"""Ratios beyond these stand on the picture's edge."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where data stands in the picture: the ranges of both axes, and the height in pixels."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float
    height: int = 190
    logarithmic: bool = False

    def x(self, value: float) -> float:
        """Pixels from the left."""
        span = self.x_high - self.x_low or 1.0
        return LEFT + (WIDTH - LEFT - RIGHT) * (value - self.x_low) / span

    def y(self, value: float) -> float:
        """Pixels from the top; values outside the range stand on its edge."""
        low, high, at = self.y_low, self.y_high, min(max(value, self.y_low), self.y_high)
        if self.logarithmic:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return self.bottom - (self.bottom - TOP) * (at - low) / ((high - low) or 1.0)

    @property
    def bottom(self) -> float:
        """The line of the lower axis, in pixels from the top."""
        return self.height - BOTTOM


def drawable(ratio: float | None) -> bool:
    """Whether a ratio has a place in a picture: a positive, finite number."""
    return ratio is not None and math.isfinite(ratio) and ratio > 0


def ratio_frame(indices: Sequence[int], ratios: Sequence[float], *, x_high: float = 0.0, height: int = 190) -> Frame:
    """A frame that holds every trial and every ratio, with 1x always inside.

    Ratios that spread over more than a factor of six are drawn on a logarithmic axis, so that a gain and the loss
    of the same factor look alike.
    """
    shown = [1.0, *(min(max(value, RATIO_LOW), RATIO_HIGH) for value in ratios if drawable(value))]
    low, high = min(shown), max(shown)
    logarithmic = high / low > 6
    if logarithmic:
        low, high = low * 0.85, high * 1.15
    else:
        room = max(0.08 * (high - low), 0.02)
        low, high = max(0.0, low - room), high + room
    last = max([x_high, *map(float, indices)], default=1.0)
    first = min(map(float, indices), default=0.0)
    return Frame(min(first, 0.0), max(last, 1.0), low, high, height, logarithmic)


def ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Round numbers between ``low`` and ``high``, about ``count`` of them."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / max(1, count)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((nice * power for nice in (1, 2, 2.5, 5, 10) if nice * power >= raw * 0.999), 10 * power)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, first + 4 * count) if k * step <= high * (1 + 1e-9)]


def log_ticks(low: float, high: float) -> list[float]:
    """1, 2, 5 and their powers of ten between ``low`` and ``high``; only the powers when there would be many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    many = [nice * 10.0**power for power in powers for nice in (1, 2, 5)]
    inside = [value for value in many if low <= value <= high]
    return inside if len(inside) <= 6 else [10.0**power for power in powers if low <= 10.0**power <= high]


def axes(frame: Frame, x_label: str, y_label: str) -> Markup:
    """Both axes with their ticks and names, and the line of 1x: the baseline."""
    values = log_ticks(frame.y_low, frame.y_high) if frame.logarithmic else ticks(frame.y_low, frame.y_high)
    right = WIDTH - RIGHT
    parts = []
    for value in values:
        at = frame.y(value)
        parts.append(rule(LEFT, at, right, at))
        parts.append(label(LEFT - 6, at + 4, f"{value:.4g}x", anchor="end"))
    for value in ticks(frame.x_low, frame.x_high, 6):
        if value == int(value):
            parts.append(label(frame.x(value), frame.bottom + 15, numbers.number(value), anchor="middle"))
    base = frame.y(1.0)
    parts.append(
        tag("line", x1=LEFT, y1=base, x2=right, y2=base, stroke="currentColor", stroke_dasharray="4 3", opacity=0.6)
    )
    parts.append(label(right, frame.height - 4, x_label, anchor="end", faint=True))
    parts.append(label(4, 10, y_label, faint=True))
    return join(*parts)


def rule(x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A thin grey line."""
    return tag("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=style.LINE, stroke_width=1)


def label(x: float, y: float, text: str, *, anchor: str = "start", strong: bool = False, faint: bool = False) -> Markup:
    """Words in the picture."""
    return tag(
        "text",
        text,
        x=x,
        y=y,
        text_anchor=None if anchor == "start" else anchor,
        font_weight="600" if strong else None,
        opacity=0.75 if faint else None,
        fill="currentColor",
    )


def steps(frame: Frame, points: Sequence[tuple[float, float]]) -> Markup:
    """A line that keeps the last value until a better one comes, drawn to the right edge of the data."""
    if not points:
        return Markup("")
    moves = [f"M{frame.x(points[0][0]):.1f} {frame.y(points[0][1]):.1f}"]
    for x, y in points[1:]:
        moves.append(f"H{frame.x(x):.1f}V{frame.y(y):.1f}")
    return tag("path", d="".join(moves), fill="none", stroke=style.ACCENT, stroke_width=2, stroke_linejoin="round")


def disc(x: float, y: float, color: str, size: float = 3.5) -> Markup:
    """A filled circle: better than what was best."""
    return tag("circle", cx=x, cy=y, r=size, fill=color)


def ring(x: float, y: float, color: str, size: float = 3) -> Markup:
    """A hollow circle: not better."""
    return tag("circle", cx=x, cy=y, r=size, fill="none", stroke=color, stroke_width=1.3)


def cross(x: float, y: float, color: str, size: float = 3.2) -> Markup:
    """A cross: failed."""
    moves = f"M{x - size:.1f} {y - size:.1f}l{2 * size} {2 * size}m0 {-2 * size}l{-2 * size} {2 * size}"
    return tag("path", d=moves, fill="none", stroke=color, stroke_width=1.6)


def dash(x: float, y: float, color: str, size: float = 3.2) -> Markup:
    """A short bar: seen before."""
    return tag("line", x1=x - size, y1=y, x2=x + size, y2=y, stroke=color, stroke_width=1.6)


def square(x: float, y: float, color: str, size: float = 3.5) -> Markup:
    """A square: the baseline."""
    return tag("rect", x=x - size, y=y - size, width=2 * size, height=2 * size, fill=color)


def diamond(x: float, y: float, color: str, size: float = 6) -> Markup:
    """A diamond: the best."""
    return tag("path", d=f"M{x:.1f} {y - size:.1f}l{size} {size}l{-size} {size}l{-size} {-size}z", fill=color)


def whisker(x: float, low: float, high: float) -> Markup:
    """An interval: a thin line through the mark."""
    return tag("line", x1=x, y1=low, x2=x, y2=high, stroke="currentColor", stroke_width=1.2, opacity=0.45)


MARKS: dict[str, tuple[Callable[[float, float, str], Markup], str, str]] = {
    "baseline": (square, "currentColor", "square"),
    "better": (disc, style.GOOD, "filled circle"),
    "no better": (ring, "currentColor", "open circle"),
    "duplicate": (dash, "currentColor", "bar"),
    "failed": (cross, style.BAD, "cross"),
    "best": (diamond, style.ACCENT, "diamond"),
}
"""How each status is drawn: mark, colour, and the mark's name for text."""


def mark(status: str, x: float, y: float) -> Markup:
    """The mark of a status; an unknown one is drawn as an open circle."""
    draw, color, _ = MARKS.get(status, MARKS["no better"])
    return draw(x, y, color)


def legend(statuses: Sequence[tuple[str, int]], y: float, x: float = LEFT) -> Markup:
    """One row of marks with their names and counts."""
    parts = []
    for status, count in statuses:
        words = f"{status} {count:,}" if count else status
        parts += [mark(status, x + 4, y - 4), label(x + 13, y, words)]
        x += 27 + 6.1 * len(words)
    return join(*parts)


def picture(width: float, height: float, spoken: str, *inside: str) -> Markup:
    """The SVG element, with the words a screen reader says for it."""
    return tag(
        "svg",
        tag("title", spoken),
        *inside,
        role="img",
        aria_label=spoken,
        viewBox=f"0 0 {width:.0f} {height:.0f}",
        width=f"{width:.0f}",
        height=f"{height:.0f}",
        font_size=f"{FONT}",
        style=f"max-width:100%;height:auto;display:block;overflow:visible;font-family:{style.SANS};color:inherit",
    )
