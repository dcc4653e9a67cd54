"""A candidate against the incumbent in interleaved pairs.

Both processes live side by side and answer in turn: which one is first, which input, and where in memory the
arguments begin are drawn for each pair from the seed and are the same for both sides, so that load, drift and
alignment fall on both alike (identical code differed by 5 % between buffers at 64 and at 16 bytes).

The cost is the child's CPU time as the parent reads it, not wall time: on a shared machine a neighbour's burst
stretches wall time by any factor but leaves CPU time nearly alone, and candidates can neither wait for others nor
start threads in the sandbox. One timing repeats the call until it lasts at least ``limits.TIMING_SECONDS_MIN``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from .. import limits
from ..observe import paired_ratio
from ..observe.statistics import METHOD
from ..values import Measurement
from .compare import difference
from .inputs import Case
from .task import Answer, Handle, generator
from .validate import Oracle

OFFSETS_BYTES = (0, 16, 32, 48)
CLOCK_SECONDS_MIN = 1e-9


class MeasurementFailed(Exception):  # noqa: N818 - it tells what happened, and never leaves this room
    """A side failed while it was measured, or there was no time left; the text says which and how."""


@dataclass(frozen=True)
class Plan:
    """How one function is measured: calls in one timing, and what one timing costs in wall seconds."""

    function: str
    repeat: int
    wall_seconds: float


def plan(job: Handle, oracle: Oracle, case: Case) -> Plan:
    """Find how many calls make one timing long enough.

    A function that changes what it was given (a sort in place, say) is called once a timing: its second call
    would meet another input. Raises MeasurementFailed where the incumbent fails.
    """
    name = oracle.function.name
    once = _timed(job, name, case, 1, 0, None)
    if once.written:
        twice = _timed(job, name, case, 2, 0, None)
        if difference(once, twice, oracle.function.result):
            return Plan(name, 1, once.wall_seconds)
    repeat, answer = 1, once
    while answer.cpu_seconds < limits.TIMING_SECONDS_MIN and repeat < limits.TIMING_REPEAT_MAX:
        growth = 1.2 * limits.TIMING_SECONDS_MIN / max(answer.cpu_seconds, CLOCK_SECONDS_MIN)
        repeat = min(limits.TIMING_REPEAT_MAX, max(repeat + 1, int(repeat * min(growth, 20.0))))
        answer = _timed(job, name, case, repeat, 0, None)
    return Plan(name, repeat, answer.wall_seconds)


def measure(
    incumbent: Handle,
    candidate: Handle,
    how: Plan,
    cases: Sequence[Case],
    *,
    pairs: int,
    pairs_a_process: int,
    seed: int,
    purpose: str,
    give_up: bool = False,
    pairs_min: int = 1,
    deadline: float | None = None,
) -> Measurement:
    """``pairs`` pairs, a number fixed beforehand. With ``give_up`` a clear loser may end early: it can only lose by it.

    After ``pairs_a_process`` pairs both sides get fresh processes: where a process happens to lie in memory made
    identical code differ by 10 % from one process to the next, and no number of pairs within one process tells.
    ``deadline``, on ``time.monotonic``, ends it after ``pairs_min`` pairs or more: the clock may end a measurement,
    since it does not know who is ahead. Raises MeasurementFailed where a side fails, or the deadline comes earlier.
    """
    rng = generator(seed, "pairs", purpose)
    costs: tuple[list[float], list[float]] = ([], [])
    sides = (incumbent, candidate)
    allowed = max(limits.CANDIDATE_CALL_SECONDS_MIN, limits.CANDIDATE_SLOWER_FACTOR_MAX * how.wall_seconds)
    for number in range(pairs):
        if deadline is not None and time.monotonic() > deadline:
            if number >= pairs_min:
                break
            raise MeasurementFailed("the time was over before it was measured")
        if number % pairs_a_process == 0:
            for side in sides:
                side.renew()
                _timed(side, how.function, cases[0], 1, 0, allowed)  # its page faults are not the function's
        case = cases[int(rng.integers(len(cases)))]
        offset = OFFSETS_BYTES[int(rng.integers(len(OFFSETS_BYTES)))]
        for turn in (0, 1) if rng.random() < 0.5 else (1, 0):
            answer = _timed(sides[turn], how.function, case, how.repeat, offset, allowed)
            costs[turn].append(max(answer.cpu_seconds, CLOCK_SECONDS_MIN) / how.repeat)
        looked = give_up and number + 1 == limits.SCREENING_LOOK_PAIRS
        if looked and all(left < 0.9 * right for left, right in zip(*costs, strict=True)):
            break
    found = paired_ratio(*costs)
    return Measurement(
        metric="time",
        unit="s",
        pairs=found.pairs,
        baseline=statistics.median(costs[0]),
        candidate=statistics.median(costs[1]),
        ratio=found.estimate,
        low=found.low,
        high=found.high,
        confidence=found.confidence,
        method=f"CPU time, {how.repeat} call{'s' if how.repeat > 1 else ''} a timing; {METHOD}",
    )


def _timed(job: Handle, name: str, case: Case, repeat: int, offset: int, seconds: float | None) -> Answer:
    answer = job.ask(name, case.args, repeat=repeat, offset_bytes=offset, seconds=seconds)
    if not answer.ok:
        raise MeasurementFailed(f"{name} failed while it was measured: {answer.error or answer.error_name}")
    return answer
