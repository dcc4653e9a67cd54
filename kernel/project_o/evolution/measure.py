"""A candidate against the incumbent in interleaved pairs, each on an input that neither has seen.

Both processes live side by side and answer in turn: which one is first, which input, and where in memory the
arguments begin are drawn for each pair from the seed and are the same for both sides, so that load, drift, the
processor's frequency and alignment fall on both alike (identical code differed by 5 % between buffers at 64 and at 16
bytes). Both run on one processor, another one by and by: on two, of which one had a neighbour on its core, one side
took half as long again for as long as each stayed where it was. What the timed calls themselves answered is compared,
in every pair.

The cost is the child's CPU time as the parent reads it: on a shared machine a neighbour's burst stretches wall time by
any factor but leaves CPU time nearly alone. The parent's wall clock runs beside it, and a candidate whose gain in CPU
time is not there on the wall is not faster (``plausible``). One timing repeats the call until it lasts at least
``limits.TIMING_SECONDS_MIN``. What is remembered from call to call makes such a timing short as well, and whether a
gain comes of that is found out afterwards, on many inputs that are called once each (``unseen``).
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field

from .. import limits
from ..observe import Design, Interval, Watch
from ..values import NativeType
from .bench import Defect, MeasurementFailed
from .compare import difference
from .fresh import Draw
from .inputs import Case
from .task import Answer, Handle, generator
from .validate import Oracle

OFFSETS_BYTES = (0, 16, 32, 48)
CLOCK_SECONDS_MIN = 1e-9

Sides = tuple[list[float], list[float]]
"""A value a pair: the incumbent's, the candidate's."""


@dataclass(frozen=True)
class Plan:
    """How one function is measured: calls in one timing, and what one timing costs in wall seconds.

    ``slack`` is a factor on how much floats may differ, for inputs larger than those that were compared before.
    """

    function: str
    result: NativeType
    repeat: int
    wall_seconds: float
    slack: float = 1.0


@dataclass
class Series:
    """What the pairs gave, in their order: seconds of one timing of ``repeat`` calls, by the child's CPU clock and by
    the parent's wall clock; peak resident bytes, and CPU seconds from the fork to the end of the first call, one a
    process. ``beside`` are the CPU seconds that a side used while the other one was timed. ``numbers`` are the pairs'
    own, by which their inputs are drawn; ``skipped`` counts inputs that the incumbent did not answer.
    """

    repeat: int
    cpu: Sides = field(default_factory=lambda: ([], []))
    wall: Sides = field(default_factory=lambda: ([], []))
    beside: Sides = field(default_factory=lambda: ([], []))
    memory: Sides = field(default_factory=lambda: ([], []))
    load: Sides = field(default_factory=lambda: ([], []))
    numbers: list[int] = field(default_factory=list)
    skipped: int = 0


@dataclass(frozen=True)
class Measured:
    """The interval of the ratio of CPU times, how often it was looked at, and all that was measured beside it."""

    interval: Interval
    looks: int
    series: Series


def plan(job: Handle, oracle: Oracle, case: Case) -> Plan:
    """Find how many calls make one timing long enough.

    A function that changes what it was given (a sort in place, say) is called once a timing: its second call
    would meet another input. Raises MeasurementFailed where the incumbent fails.
    """
    name, result = oracle.function.name, oracle.function.result
    once = _timed(job, name, case, 1, 0, None)
    if once.written:
        twice = _timed(job, name, case, 2, 0, None)
        if difference(once, twice, result):
            return Plan(name, result, 1, once.wall_seconds)
    repeat, answer = 1, once
    while answer.cpu_seconds < limits.TIMING_SECONDS_MIN and repeat < limits.TIMING_REPEAT_MAX:
        growth = 1.2 * limits.TIMING_SECONDS_MIN / max(answer.cpu_seconds, CLOCK_SECONDS_MIN)
        repeat = min(limits.TIMING_REPEAT_MAX, max(repeat + 1, int(repeat * min(growth, 20.0))))
        answer = _timed(job, name, case, repeat, 0, None)
    return Plan(name, result, repeat, answer.wall_seconds)


def measure(
    incumbent: Handle,
    candidate: Handle,
    how: Plan,
    draw: Draw,
    design: Design,
    *,
    pairs_a_process: int,
    seed: int,
    purpose: str,
    give_up: bool = False,
    pairs_min: int = 1,
    deadline: float | None = None,
) -> Measured:
    """Pairs until the interval is narrow enough or those of ``design`` are used up.

    After ``pairs_a_process`` pairs both sides get fresh processes: where a process happens to lie in memory made
    identical code differ by 10 % from one process to the next, and no number of pairs within one process tells.
    ``deadline``, on ``time.monotonic``, ends it after ``pairs_min`` pairs or more: the clock may end a measurement,
    since it does not know who is ahead. With ``give_up`` a clear loser may end early: it can only lose by it.
    An input on which the incumbent fails is left out. Raises Defect where a timed call answers otherwise than the
    incumbent's, MeasurementFailed where a side fails or the deadline comes earlier.
    """
    rng = generator(seed, "pairs", purpose)
    watch = Watch(design)
    pairs = _Pairs((incumbent, candidate), how)
    number = 0
    renewed = -1
    while True:
        done = len(watch.baseline)
        if deadline is not None and time.monotonic() > deadline:
            if done >= pairs_min:
                break
            raise MeasurementFailed("the budget was over: give it a larger one")
        if pairs.series.skipped > 2 * design.pairs_max:
            raise MeasurementFailed("the incumbent answers too few of the inputs drawn for timing")
        if done % pairs_a_process == 0 and done != renewed:
            # Warmed up on what the pair does not have: nobody is to have seen that.
            share_processor((incumbent, candidate), int(rng.integers(1 << 16)))
            pairs.renew(draw(-1 - number), candidate_first=bool(rng.random() < 0.5))
            renewed = done
        offset = OFFSETS_BYTES[int(rng.integers(len(OFFSETS_BYTES)))]
        made = pairs.make(draw(number), offset, candidate_first=bool(rng.random() < 0.5))
        number += 1
        if not made:
            continue
        pairs.series.numbers.append(number - 1)
        costs = pairs.series.cpu
        if watch.tell(costs[0][-1], costs[1][-1]):
            break
        looked = give_up and done + 1 == limits.SCREENING_LOOK_PAIRS
        if looked and all(left < 0.9 * right for left, right in zip(*costs, strict=True)):
            break
    pairs.end()
    return Measured(watch.result(), watch.looks_made, pairs.series)


def share_processor(sides: tuple[Handle, Handle], number: int) -> None:
    """Have both sides' next processes run on one processor, whichever the number means of those that we may use."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    for side in sides if usable else ():
        side.stay_on(usable[number % len(usable)])


class _Pairs:
    """Both sides and what they gave so far."""

    def __init__(self, sides: tuple[Handle, Handle], how: Plan) -> None:
        self.sides = sides
        self.how = how
        self.series = Series(how.repeat)
        self.allowed = max(limits.CANDIDATE_CALL_SECONDS_MIN, limits.CANDIDATE_SLOWER_FACTOR_MAX * how.wall_seconds)

    def renew(self, warm: Case, *, candidate_first: bool) -> None:
        """Fresh processes, warmed up with one call: its page faults are not the function's.

        Who comes first waits for the other one to start, and is slower for it: identical code differed by 0.6 % where
        that was always the same side.
        """
        self.end()
        for turn in (1, 0) if candidate_first else (0, 1):
            self.sides[turn].ask(self.how.function, warm.args, seconds=self.allowed)
        used = [side.used_seconds() for side in self.sides]
        if all(used):
            for kept, seconds in zip(self.series.load, used, strict=True):
                kept.append(seconds)

    def end(self) -> None:
        """End the processes, and keep what they used at their peak."""
        peaks = [side.renew() for side in self.sides]
        if all(peaks):
            for kept, peak in zip(self.series.memory, peaks, strict=True):
                kept.append(float(peak))

    def make(self, case: Case, offset: int, *, candidate_first: bool) -> bool:
        """One pair; False where the input is out of the incumbent's domain. Raises Defect, MeasurementFailed."""
        found: dict[int, Answer] = {}
        beside = [0.0, 0.0]
        for turn in (1, 0) if candidate_first else (0, 1):
            other = self.sides[1 - turn]
            before = other.used_seconds()
            found[turn] = self.sides[turn].ask(
                self.how.function, case.args, repeat=self.how.repeat, offset_bytes=offset, seconds=self.allowed
            )
            beside[1 - turn] = other.used_seconds() - before
        if not found[0].ok:
            self.series.skipped += 1
            return False
        checked(found[0], found[1], self.how, case.label)
        # What a call left in lists and dicts is fetched by a question of its own: work must not wait for that.
        after = [getattr(found[turn], "after_cpu_seconds", 0.0) for turn in (0, 1)]
        late = (0.0, max(0.0, after[1] - after[0]))
        for turn, answer in found.items():
            self.series.cpu[turn].append(max(answer.cpu_seconds + late[turn], CLOCK_SECONDS_MIN))
            self.series.wall[turn].append(max(answer.wall_seconds + late[turn], CLOCK_SECONDS_MIN))
            self.series.beside[turn].append(beside[turn])
        return True


def checked(expected: Answer, given: Answer, how: Plan, label: str) -> None:
    """What a timed call answered. Raises Defect where that is not what the incumbent's did, MeasurementFailed."""
    if not given.ok:
        raise MeasurementFailed(f"{how.function} failed while it was measured: {given.error or given.error_name}")
    if text := difference(expected, given, how.result, how.slack):
        raise Defect("answers", f"the timed call answers otherwise than the incumbent's on {label}: {text}")


def _timed(job: Handle, name: str, case: Case, repeat: int, offset: int, seconds: float | None) -> Answer:
    answer = job.ask(name, case.args, repeat=repeat, offset_bytes=offset, seconds=seconds)
    if not answer.ok:
        raise MeasurementFailed(f"{name} failed while it was measured: {answer.error or answer.error_name}")
    return answer
