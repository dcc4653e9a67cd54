"""Looking often without fooling oneself: a measurement that goes on until its interval is narrow enough.

The pairs are looked at a few times, at numbers that are fixed beforehand, and each look spends a share of the error
that the whole measurement may make (Lan and DeMets 1983, Biometrika 70:659; the share grows with the number of
pairs: Kim and DeMets 1987, Biometrika 74:149). The shares are simply added up (Boole), so nothing is assumed about how
the looks hang together: with noise that has a memory the usual boundaries, which rest on independent increments, do
not hold. So every interval that was seen holds at once, with the confidence of the whole, and their intersection too.

Within a look the interval is that of ``statistics``: trimmed, and corrected for autocorrelation with half a standard
error on top, because few pairs show a memory badly. In 4,000 simulated comparisons of a program with itself, at a
design of 2.5 % for one stage and with no threshold to help: 0.9 % accepted for independent noise, 2.2 % for an
autocorrelation of 0.5 and 2.5 % with heavy tails besides, 0.8 % in bursts; without the half standard error 3.4 % and
3.8 %; a naive interval that is looked at every five pairs: 9 % and 31 % (tests/observe holds simulations like these).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from .statistics import Interval, interval_of, log_ratios

GROWTH = 1.5
CAUTION = 0.5
METHOD = "paired log ratios, trimmed and corrected for autocorrelation, error spent over the looks"


@dataclass(frozen=True, slots=True)
class Design:
    """When a measurement is looked at, and with what error. Fixed before the first pair.

    ``looks`` are numbers of pairs, rising. ``confidence`` is that of the two-sided interval over all looks together.
    ``threshold`` is the ratio that decides; it is narrow enough once it decides and ``high / low`` is at most
    ``spread_decided``, or once ``high / low`` is at most ``spread`` in any case.
    """

    looks: tuple[int, ...]
    confidence: float
    threshold: float = 1.0
    spread: float = 1.02
    spread_decided: float = 1.2

    @property
    def pairs_max(self) -> int:
        """How many pairs are made at most."""
        return self.looks[-1]

    def level(self, look: int) -> float:
        """The confidence of the interval at this look, so that all together have ``confidence``."""
        before = self.looks[look - 1] if look else 0
        return 1 - (1 - self.confidence) * (self.looks[look] - before) / self.pairs_max


def design(pairs_min: int, pairs_max: int, confidence: float, threshold: float = 1.0, *, step: int = 1) -> Design:
    """Looks from ``pairs_min`` on, each at half as many pairs more, in multiples of ``step``, up to ``pairs_max``."""
    looks = [max(step, pairs_min - pairs_min % step)]
    while looks[-1] < pairs_max:
        following = int(looks[-1] * GROWTH)
        following = max(looks[-1] + step, following - following % step)
        looks.append(pairs_max if following > pairs_max or pairs_max - following < following - looks[-1] else following)
    return Design(tuple(looks), confidence, threshold)


Look = Callable[[Sequence[float], Sequence[float], float], Interval]
"""The interval of a ratio from the two sides' values so far, at a confidence."""


def cautious_ratio(baseline: Sequence[float], candidate: Sequence[float], confidence: float) -> Interval:
    """The ratio of paired costs, its autocorrelation taken to be half a standard error larger than it looks."""
    found = interval_of(log_ratios(baseline, candidate), confidence, CAUTION)
    high = math.exp(found.high) if found.high < 700 else math.inf
    return replace(found, estimate=math.exp(found.estimate), low=math.exp(found.low), high=high, method=METHOD)


class Watch:
    """One measurement under way: told its pairs, it says whether more are wanted. Made anew for each measurement.

    ``look`` makes the interval of a ratio; that of paired costs where nothing else is said.
    """

    def __init__(self, plan: Design, look: Look = cautious_ratio) -> None:
        self.design = plan
        self._interval = look
        self.baseline: list[float] = []
        self.candidate: list[float] = []
        self._look = 0
        self._low, self._high = -math.inf, math.inf
        self._found: Interval | None = None

    @property
    def looks_made(self) -> int:
        """How often it was looked at."""
        return self._look

    def tell(self, baseline: float, candidate: float) -> bool:
        """One more pair of costs; whether the measurement may end. Raises ValueError as ``paired_ratio`` does."""
        self.baseline.append(baseline)
        self.candidate.append(candidate)
        if self._look >= len(self.design.looks) or len(self.baseline) < self.design.looks[self._look]:
            return False
        return self._narrow(self._take())

    def result(self) -> Interval:
        """The interval. Where time ended the measurement between two looks, the look that was to come is now.

        The clock does not know who is ahead. Raises ValueError without pairs.
        """
        seen = self.design.looks[self._look - 1] if self._look else 0
        if self._found is None or (self._look < len(self.design.looks) and len(self.baseline) > seen):
            self._take()
        assert self._found is not None, "it was just looked at"
        return self._found

    def _take(self) -> Interval:
        now = self._interval(self.baseline, self.candidate, self.design.level(self._look))
        self._look += 1
        # All looks hold together, so what one of them has ruled out stays ruled out.
        low, high = max(self._low, now.low), min(self._high, now.high)
        self._low, self._high = (low, high) if low <= high else (now.low, now.high)
        self._found = replace(now, low=self._low, high=self._high, confidence=self.design.confidence)
        return self._found

    def _narrow(self, found: Interval) -> bool:
        if self._look >= len(self.design.looks):
            return True
        wide = found.high / found.low if found.low > 0 else math.inf
        decided = found.low > self.design.threshold or found.high <= self.design.threshold
        return wide <= self.design.spread or (decided and wide <= self.design.spread_decided)


def watched(plan: Design, baseline: Sequence[float], candidate: Sequence[float]) -> tuple[Interval, int]:
    """A finished series looked at as if it had been measured under ``plan``: the interval, and the pairs it took."""
    watch = Watch(plan)
    for left, right in zip(baseline, candidate, strict=True):
        if watch.tell(left, right):
            break
    return watch.result(), len(watch.baseline)
