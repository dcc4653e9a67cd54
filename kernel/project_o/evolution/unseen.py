"""Whether a gain is there on inputs that were never seen.

A timing repeats its call. What is remembered from one call to the next, by the candidate or by a patched loop around
it, makes that short without the work being done. So many inputs that nobody has seen are sent in one question and
called once each, by both sides in processes that are warm from other inputs, and every answer is compared: to have
them all there is only the work. What a call saves so is held against what the repeated ones of the same size claim.

The question's own cost (some µs a call) falls on both sides alike and is not in the difference; that one question holds
many calls makes it long enough for the clock. A candidate is refused where a bound says that less than
``limits.GAIN_SHARE_CREDIBLE`` of its gain is there. Where the bounds tell neither, that is said and rejects no one.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .. import limits
from ..observe import mean_interval
from .fresh import Fresh
from .inputs import Case
from .measure import Defect, MeasurementFailed, Plan, Series, checked
from .plausible import FIRST_CALL, told_seconds
from .task import Handle

WARM_CALLS = 16
CALLS_MIN = 1
LOOKS = (6, 12, 24)
SCREENING_LOOKS = (5,)
SHOWN_SHARE = 0.25
"""Of a gain: what has to be there, beyond its bound, for it to be believed."""


@dataclass
class Unseen:
    """Seconds a call that the candidate saved: ``claimed`` by repeated calls, ``saved`` by calls on inputs of that size
    that were never seen. An item a question. ``direct``: each timing was such a call already."""

    direct: bool = False
    claimed: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)

    @property
    def defect(self) -> Defect | None:
        """A gain that is not there on inputs that were never seen."""
        if self._bound(limits.GAIN_SHARE_CREDIBLE, limits.DEFECT_CONFIDENCE)[1] >= 0:
            return None
        found = mean_interval(self.saved, limits.DEFECT_CONFIDENCE)
        return Defect(
            FIRST_CALL,
            f"suspicious: calls that are repeated on one input save {told_seconds(statistics.fmean(self.claimed))} "
            f"each, the first call on an input that was never seen {told_seconds(max(0.0, found.estimate))} (at most "
            f"{told_seconds(max(0.0, found.high))}): it remembers answers, or is fast only where it just was",
        )

    @property
    def shown(self) -> bool:
        """Whether the gain is there on inputs that were never seen."""
        return self.direct or self._bound(SHOWN_SHARE, limits.CONFIDENCE)[0] > 0

    def _bound(self, share: float, confidence: float) -> tuple[float, float]:
        """Bounds of what is saved beyond this share of what is claimed."""
        if not self.saved or statistics.fmean(self.claimed) <= 0:
            return -math.inf, math.inf
        beyond = [saved - share * claimed for saved, claimed in zip(self.saved, self.claimed, strict=True)]
        found = mean_interval(beyond, confidence)
        return found.low, found.high


def unseen(
    sides: tuple[Handle, Handle],
    how: Plan,
    fresh: Fresh,
    series: Series,
    purpose: str,
    *,
    looks: Sequence[int] = LOOKS,
    deadline: float | None = None,
) -> Unseen:
    """Ask until one of the looks tells, or the deadline comes. ``series`` holds the pairs of this purpose.

    Raises Defect where an answer is another than the incumbent's, MeasurementFailed where the candidate fails.
    """
    found = Unseen(direct=series.repeat == 1 and fresh.varied)
    for place in () if found.direct else _spread(len(series.numbers), looks[-1]):
        if deadline is not None and time.monotonic() > deadline:
            break
        saved = _saved(sides, how, fresh, purpose, series.numbers[place])
        if saved is None:
            continue
        found.saved.append(saved)
        found.claimed.append((series.cpu[0][place] - series.cpu[1][place]) / series.repeat)
        if len(found.saved) in looks and (found.defect or found.shown):
            break
    return found


def _spread(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` places of a series, from all over it, in an order in which a part of them is too."""
    places = sorted({int(k * count / wanted) for k in range(wanted)}) if count else []
    return [*places[::2], *places[1::2]]


def _saved(sides: tuple[Handle, Handle], how: Plan, fresh: Fresh, purpose: str, number: int) -> float | None:
    """CPU seconds a call, the incumbent's less the candidate's, in fresh processes; None where nothing can be asked."""
    cases = fresh.unseen(purpose, number, _count(how, fresh, purpose, number))
    warm = fresh.unseen(f"{purpose} warm", number, WARM_CALLS)
    if not cases:
        return None
    allowed = limits.CANDIDATE_CALL_SECONDS_MIN + limits.CANDIDATE_SLOWER_FACTOR_MAX * how.wall_seconds * len(cases)
    calls = [case.args for case in cases]
    for side in sides:
        side.renew()
        if warm:
            side.ask_each(how.function, [case.args for case in warm], seconds=allowed)
    old = sides[0].ask_each(how.function, calls, seconds=allowed)
    if not old.whole.ok:  # some are out of its domain
        cases = [case for case in cases if sides[0].ask(how.function, case.args, seconds=allowed).ok]
        calls = [case.args for case in cases]
        if not calls or not (old := sides[0].ask_each(how.function, calls, seconds=allowed)).whole.ok:
            return None
    new = sides[1].ask_each(how.function, calls, seconds=allowed)
    if not new.whole.ok:
        raise MeasurementFailed(
            f"{how.function} failed while it was measured: {new.whole.error or new.whole.error_name}"
        )
    for case, expected, given in zip(cases, old.each, new.each, strict=True):
        checked(expected, given, how, case.label)
    return (old.whole.cpu_seconds - new.whole.cpu_seconds) / len(cases)


def _count(how: Plan, fresh: Fresh, purpose: str, number: int) -> int:
    """How many calls make one question long enough, within what one question may hold."""
    each = how.wall_seconds / how.repeat
    wanted = math.ceil(limits.TIMING_SECONDS_MIN / max(each, limits.UNSEEN_CALL_SECONDS))
    size = max((_bytes(case) for case in fresh.unseen(purpose, number, 1)), default=0)
    return max(CALLS_MIN, min(wanted, limits.UNSEEN_CALLS_MAX, limits.UNSEEN_BYTES_MAX // max(1, size)))


def _bytes(case: Case) -> int:
    return sum(_size(value) for value in case.args)


def _size(value: Any) -> int:
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, dict):
        return sum(_size(key) + _size(item) for key, item in value.items())
    return sum(map(_size, value)) if isinstance(value, (list, tuple, set, frozenset)) else 16
