"""An interval for a median that may be looked at after every value, whatever the distribution.

Of values with the median m, each is above m with probability one half, whatever their distribution is. So the number
above m is a fair coin's, and the evidence against that (``rates.more_failures``, with a share of one half) reaches
1 / alpha at any moment with probability alpha at most. All m that have not been ruled out that way are the interval: a
confidence sequence (Howard and Ramdas 2022, Bernoulli 28:1704, have sharper ones), whose bounds are order statistics.
What one look has ruled out stays ruled out.
"""

from __future__ import annotations

import math
from bisect import insort
from functools import cache

from .rates import more_failures
from .statistics import Interval

METHOD = "a confidence sequence for the median, by signs"


class RunningMedian:
    """Values as they come; the interval of their median at ``confidence``, over all looks together."""

    def __init__(self, confidence: float) -> None:
        self._confidence = confidence
        self._sorted: list[float] = []
        self._low, self._high = -math.inf, math.inf

    def add(self, value: float) -> None:
        """One more value."""
        insort(self._sorted, value)
        count = _needed(len(self._sorted), self._confidence)
        if count is not None:
            low, high = max(self._low, self._sorted[-count]), min(self._high, self._sorted[count - 1])
            if low <= high:
                self._low, self._high = low, high

    def interval(self) -> Interval:
        """The median so far with its bounds. Raises ValueError without values."""
        n = len(self._sorted)
        if n == 0:
            raise ValueError("values are needed")
        middle = (self._sorted[(n - 1) // 2] + self._sorted[n // 2]) / 2
        # The bounds of earlier looks hold for the true median, which the one of the values may not have reached yet.
        middle = min(max(middle, self._low), self._high)
        return Interval(middle, self._low, self._high, n, float(n), self._confidence, METHOD)


@cache
def _needed(n: int, confidence: float) -> int | None:
    """How many of ``n`` values above a point rule out that it is their median; None where even all do not."""
    wanted = 2 / (1 - confidence)
    if more_failures(n, 0, 0.5) < wanted:
        return None
    low, high = n // 2, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if more_failures(middle, n - middle, 0.5) >= wanted else (middle, high)
    return high
