"""A gain in CPU time that is not there on the wall is a defect; load, which is there on both, is none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from project_o.evolution import run_evolution
from project_o.evolution.measure import Series
from project_o.evolution.plausible import clock_defect


def series(
    rng: np.random.Generator,
    cpu: tuple[float, float],
    idle: tuple[float, float],
    load: float,
    n: int,
    beside: tuple[float, float] = (0.00005, 0.00005),
) -> Series:
    """Timings of ``n`` pairs: CPU seconds, how long each side idles, and how long neighbours hold it up; how long it
    computes ``beside`` the other one."""
    found = Series(10)
    for side in (0, 1):
        for _ in range(n):
            seconds = cpu[side] * float(1 + 0.05 * rng.standard_normal())
            held_up = load * float(rng.exponential()) if rng.random() < 0.4 else 0.0
            found.cpu[side].append(seconds)
            found.wall[side].append(seconds + idle[side] + held_up + float(abs(rng.normal(0, 2e-5))))
            found.beside[side].append(beside[side] * float(abs(1 + 0.2 * rng.standard_normal())))
    return found


@pytest.mark.parametrize("n", [10, 24, 80])
@pytest.mark.parametrize("load", [0.0, 0.004, 0.02])
@pytest.mark.parametrize("gain", [1.1, 1.5, 10.0])
def test_an_honest_gain_is_hardly_ever_refused_by_the_clock(gain: float, load: float, n: int) -> None:
    rng = np.random.default_rng([1, int(10 * gain), int(1000 * load), n])
    refused = [clock_defect(series(rng, (0.004, 0.004 / gain), (0, 0), load, n)) for _ in range(1000)]

    assert sum(item is not None for item in refused) <= 1


@pytest.mark.parametrize("load", [0.0, 0.004])
def test_work_while_the_incumbent_is_timed_is_no_gain(load: float) -> None:
    rng = np.random.default_rng(3)
    slowed = [clock_defect(series(rng, (0.005, 0.004), (0, 0), load, 24, (0.0, 0.005))) for _ in range(200)]
    both = [clock_defect(series(rng, (0.005, 0.004), (0, 0), load, 24, (0.002, 0.002))) for _ in range(300)]

    assert sum(item is None for item in slowed) <= 4
    assert "while the incumbent is timed" in str(next(item for item in slowed if item))
    assert sum(item is not None for item in both) == 0, "what both do after their answers is nobody's gain"


@pytest.mark.parametrize(("load", "n"), [(0.0, 24), (0.001, 80)])
def test_work_outside_of_the_process_shows_on_the_wall(load: float, n: int) -> None:
    rng = np.random.default_rng(2)
    found = [clock_defect(series(rng, (0.004, 0.0004), (0, 0.0036), load, n)) for _ in range(200)]

    assert all(item is not None for item in found)
    assert "saves 3." in str(found[0])
    assert "ms more pass on the wall" in str(found[0])


def test_who_saves_nothing_is_asked_nothing() -> None:
    rng = np.random.default_rng(3)

    assert clock_defect(series(rng, (0.004, 0.005), (0, 0.1), 0.0, 24)) is None
    assert clock_defect(series(rng, (0.004, 0.0004), (0, 0.0036), 0.0, 4)) is None, "too few to tell"


SPIN = """
import time

def f(millis):
    if not 0 <= millis < 8:
        raise ValueError("that is too long")
    until = time.perf_counter() + millis / 1000
    while time.perf_counter() < until:
        pass
    return millis
"""
SLEEP = """import time

def f(millis):
    if not 0 <= millis < 8:
        raise ValueError
    time.sleep(3 * millis / 1000)
    return millis
"""


def test_waiting_is_not_faster_than_working(make_function_task: Any) -> None:
    """The CPU clock stands still while a process sleeps; whoever waits for it waits three times as long."""
    run = run_evolution(make_function_task(SPIN, inputs=(2,)), proposer=Nothing())
    verdict = run.propose(SLEEP)

    assert not verdict.accepted
    assert "work outside of it, or waiting" in verdict.reasons[-1]
    assert "allow it by name: clock" in verdict.reasons[-1]


@pytest.mark.measured
def test_waiting_that_is_meant_is_allowed_by_name(make_function_task: Any) -> None:
    task = make_function_task(SPIN, inputs=(2,), allowed=frozenset({"clock", "first-call"}))
    verdict = run_evolution(task, proposer=Nothing()).propose(SLEEP)

    assert verdict.accepted, verdict.reasons
    assert any(reason.startswith("allowed by name: suspicious: it saves") for reason in verdict.reasons)


class Nothing:
    """A proposer without ideas."""

    def ask(self, index: int, told: Any) -> None:
        return None
