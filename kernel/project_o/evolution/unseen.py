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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import limits
from ..observe import interval_of, mean_interval, negative_by_signs
from .bench import Defect, MeasurementFailed
from .fresh import Fresh
from .inputs import Case
from .measure import (
    CLOCK_SECONDS_MIN,
    OFFSETS_BYTES,
    Plan,
    Series,
    checked,
    share_processor,
)
from .plausible import FIRST_CALL, told_seconds
from .task import Handle

if TYPE_CHECKING:
    from ..sandbox import Answers

WARM_CALLS_MAX = 16
QUESTIONS_A_PROCESS = 3
LOOKS = (12, 24, 72)
SCREENING_LOOKS = (5,)
CAUTION = 1.0
"""Standard errors by which the questions' memory is taken to be larger than it looks."""
DEVIATION = 1.4826
"""Of a normal distribution: its standard deviation over the median of the absolute deviations from its median."""
APART_PLACES, APART_QUESTIONS, APART_CALLS = 6, 24, 4
PRECISION_SHARE = 0.25
"""Of a gain: the standard error beyond which nothing is said of it."""
SHOWN_SHARE = 0.25
"""Of a gain: what has to be there, beyond its bound, for it to be believed."""

SHOWN_CONFIDENCE = 0.98
"""Of that bound. It is looked at often, so that 0.95 would take more answers that are remembered for a gain."""


@dataclass
class Unseen:
    """Seconds a call that the candidate saved: ``claimed`` by repeated calls, ``saved`` by calls on inputs of that size
    that were never seen. An item a question. ``direct``: each timing was such a call already. The ``shares`` are the
    same over what the incumbent took: (saved, claimed), which is steady where inputs of one size differ in cost."""

    direct: bool = False
    claimed: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)
    shares: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))

    apart: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))

    def tell(self, unseen: tuple[float, float], repeated: tuple[float, float]) -> None:
        """One question: seconds a call of the incumbent and the candidate."""
        for kept, share, (old, new) in zip((self.saved, self.claimed), self.shares, (unseen, repeated), strict=True):
            kept.append(old - new)
            share.append((old - new) / max(old, CLOCK_SECONDS_MIN))

    @property
    def together(self) -> Defect | None:
        """A gain that is there where many are asked at once, and not where few are: none of it is the function's."""
        if not _is(*self.apart, limits.GAIN_SHARE_APART, sign=1.0, confidence=limits.DEFECT_CONFIDENCE):
            return None
        saved, claimed = (statistics.median(kept) for kept in self.apart)
        return Defect(
            FIRST_CALL,
            f"suspicious: of {told_seconds(claimed)} that it saves a call where many are asked in one question, "
            f"{told_seconds(max(0.0, saved))} are there where few are: it answers all of them together",
        )

    @property
    def defect(self) -> Defect | None:
        """A gain that is not there on inputs that were never seen."""
        if not _is(self.saved, self.claimed, limits.GAIN_SHARE_CREDIBLE, sign=1.0, confidence=limits.DEFECT_CONFIDENCE):
            return None
        found = mean_interval(self.saved, limits.CONFIDENCE)
        return Defect(
            FIRST_CALL,
            f"suspicious: calls that are repeated on one input save {told_seconds(statistics.median(self.claimed))} "
            f"each, the first call on an input that was never seen {told_seconds(max(0.0, found.estimate))} (at most "
            f"{told_seconds(max(0.0, found.high))}): it remembers answers, or is fast only where it just was",
        )

    @property
    def shown(self) -> bool:
        """Whether the gain is there on inputs that were never seen."""
        if self.direct:
            return True
        ways = (self.saved, self.claimed), self.shares
        return any(_is(*way, SHOWN_SHARE, sign=-1.0, confidence=SHOWN_CONFIDENCE) for way in ways)


def _is(saved: Sequence[float], claimed: Sequence[float], share: float, *, sign: float, confidence: float) -> bool:
    """Whether what is saved beyond this share of what is claimed is negative (``sign`` 1), or positive (-1)."""
    if not _precise(saved, claimed):
        return False
    beyond = [sign * (one - share * other) for one, other in zip(saved, claimed, strict=True)]
    bound = interval_of(beyond, confidence, CAUTION).high
    return bound < 0 or negative_by_signs(beyond, (1 - confidence) / 2)


def _precise(saved: Sequence[float], claimed: Sequence[float]) -> bool:
    """Whether something is claimed, and the questions could tell it: else chance alone would speak."""
    if not saved or (wanted := statistics.median(claimed)) <= 0:
        return False
    middle = statistics.median(saved)
    spread = DEVIATION * statistics.median(abs(item - middle) for item in saved)
    # What is saved may be more than is claimed: who sorts in place finds repeated calls sorted already.
    return spread <= PRECISION_SHARE * max(wanted, middle) * math.sqrt(len(saved))


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
    """Ask until one of the looks tells; past the deadline the first one is the last. ``series`` are the pairs' own.

    Raises Defect where an answer is another than the incumbent's, MeasurementFailed where the candidate fails.
    """
    found = Unseen(direct=series.repeat == 1 and fresh.varied)
    if found.direct or not fresh.varied:
        return found
    asking = _Asking(sides, how, fresh, purpose)
    for turn, place in _places(len(series.numbers), looks[-1]):
        seconds = asking.seconds(series.numbers[place], turn)
        if seconds is None:
            continue
        found.tell(seconds, (series.cpu[0][place] / series.repeat, series.cpu[1][place] / series.repeat))
        late = deadline is not None and time.monotonic() > deadline
        if len(found.saved) in looks and (late or found.shown or found.defect):
            break
    if found.shown and statistics.median(found.claimed) >= limits.GAIN_APART_SECONDS_MIN:
        asking.apart(found, series)
    return found


def _places(count: int, wanted: int) -> Iterator[tuple[int, int]]:
    """``wanted`` places of a series, each with the number of the turn: a small gain takes more questions than it took
    pairs, and then each pair's size is asked about again, on other inputs."""
    places = _spread(count, wanted)
    return ((number // len(places), places[number % len(places)]) for number in range(wanted if places else 0))


def _spread(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` places of a series, from all over it, in an order in which a part of them is too."""
    places = sorted({int(k * count / wanted) for k in range(wanted)}) if count else []
    return [*places[::2], *places[1::2]]


@dataclass
class _Asking:
    """Both sides, asked the same questions."""

    sides: tuple[Handle, Handle]
    how: Plan
    fresh: Fresh
    purpose: str
    asked: int = 0
    first_fails: bool = False

    def seconds(self, number: int, turn: int = 0) -> tuple[float, float] | None:
        """CPU seconds a call, the incumbent's and the candidate's, on inputs like that of the pair with this number.

        None where the incumbent answers none of them.
        """
        wanted = self._count(number)
        cases = self.fresh.unseen(self.purpose, number, wanted, turn)
        if self.asked % QUESTIONS_A_PROCESS == 0 or len(cases) < wanted:  # with few inputs a process has seen them all
            self._renew(number, min(wanted, WARM_CALLS_MAX), turn)
        self.asked += 1
        calls = [case.args for case in cases]
        allowed = self._allowed(len(cases))
        if self.first_fails:  # some are out of its domain: who has not seen them yet is asked after it said which
            cases = [case for case in cases if self.sides[0].ask(self.how.function, case.args, seconds=allowed).ok]
            calls = [case.args for case in cases]
        found: dict[int, Answers] = {}
        for turn in (1, 0) if self.asked % 2 and not self.first_fails else (0, 1):
            found[turn] = self.sides[turn].ask_each(
                self.how.function, calls, seconds=allowed, offset_bytes=OFFSETS_BYTES[number % len(OFFSETS_BYTES)]
            )
        old, new = found[0], found[1]
        if not old.whole.ok:
            self.first_fails = True
        if not cases or not old.whole.ok:
            return None
        if not new.whole.ok:
            why = new.whole.error or new.whole.error_name
            raise MeasurementFailed(f"{self.how.function} failed while it was measured: {why}")
        for case, expected, given in zip(cases, old.each, new.each, strict=True):
            checked(expected, given, self.how, case.label)
        return old.whole.cpu_seconds / len(cases), new.whole.cpu_seconds / len(cases)

    def apart(self, found: Unseen, series: Series) -> None:
        """The same in questions of a few calls. In one of many the others lie in the same memory, and who finds them
        there can answer all of them at once. Between two questions the processor goes cold, which costs a fast one more
        than a slow one: a small gain is not asked about."""
        for place in _spread(len(series.numbers), APART_PLACES):
            number = series.numbers[place]
            claimed = (series.cpu[0][place] - series.cpu[1][place]) / series.repeat
            cases = self.fresh.unseen(f"{self.purpose} apart", number, APART_CALLS * APART_QUESTIONS)
            self._renew(number, APART_CALLS, 0)
            for at in range(0, len(cases) - APART_CALLS + 1, APART_CALLS):
                few = cases[at : at + APART_CALLS]
                calls, allowed = [case.args for case in few], self._allowed(len(few))
                old, new = (side.ask_each(self.how.function, calls, seconds=allowed) for side in self.sides)
                if not old.whole.ok:
                    continue
                if not new.whole.ok:
                    raise MeasurementFailed(f"{self.how.function} failed while it was measured: {new.whole.error}")
                for case, expected, given in zip(few, old.each, new.each, strict=True):
                    checked(expected, given, self.how, case.label)
                found.apart[0].append((old.whole.cpu_seconds - new.whole.cpu_seconds) / len(few))
                found.apart[1].append(claimed)

    def _renew(self, number: int, calls: int, turn: int) -> None:
        """Fresh processes, warm from other inputs."""
        warm = [case.args for case in self.fresh.unseen(f"{self.purpose} warm", number, calls, turn)]
        share_processor(self.sides, number // 2)
        for side in self.sides if number % 2 else self.sides[::-1]:
            side.renew()
            side.ask_each(self.how.function, warm, seconds=self._allowed(len(warm)))

    def _allowed(self, calls: int) -> float:
        return limits.CANDIDATE_CALL_SECONDS_MIN + limits.CANDIDATE_SLOWER_FACTOR_MAX * self.how.wall_seconds * calls

    def _count(self, number: int) -> int:
        """How many calls make one question long enough, within what one question may hold."""
        each = self.how.wall_seconds / self.how.repeat
        wanted = math.ceil(limits.UNSEEN_SECONDS_MIN / max(each, limits.UNSEEN_CALL_SECONDS))
        size = max((_bytes(case) for case in self.fresh.unseen(self.purpose, number, 1)), default=0)
        return max(1, min(wanted, limits.UNSEEN_CALLS_MAX, limits.UNSEEN_BYTES_MAX // max(1, size)))


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
