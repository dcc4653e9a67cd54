"""Looking after every value without fooling oneself: medians and failures."""

from __future__ import annotations

import math
import random

import pytest

from project_o.observe.median import RunningMedian
from project_o.observe.rates import fewer_failures, more_failures


def runs(draw, count=400, values=300):
    """How many of ``count`` runs ever exclude 0, the true median, while they are looked at after every value."""
    wrong = 0
    for seed in range(count):
        chance = random.Random(seed)
        median = RunningMedian(0.95)
        for _ in range(values):
            median.add(draw(chance))
            found = median.interval() if median._sorted else None
            if found is not None and not found.low <= 0.0 <= found.high:
                wrong += 1
                break
    return wrong


@pytest.mark.parametrize(
    "draw",
    [
        lambda chance: chance.gauss(0, 1),
        lambda chance: chance.gauss(0, 1) / (abs(chance.gauss(0, 1)) + 1e-9),
        lambda chance: chance.choice((-1, 1)) * chance.expovariate(1) ** 4,
    ],
    ids=["normal", "cauchy", "heavy"],
)
def test_the_true_median_is_ruled_out_in_at_most_one_of_twenty_runs_at_any_look(draw):
    assert runs(draw) <= 400 * 0.05


def test_the_interval_closes_in_on_the_median_and_never_widens():
    chance = random.Random(5)
    median, width = RunningMedian(0.95), math.inf
    for _ in range(2_000):
        median.add(chance.gauss(3.0, 1.0))
        found = median.interval()
        assert found.high - found.low <= width
        width = found.high - found.low
    assert found.low < 3.0 < found.high
    assert width < 0.2


def test_without_values_there_is_no_interval():
    with pytest.raises(ValueError, match="values are needed"):
        RunningMedian(0.95).interval()


def test_a_few_values_bound_nothing():
    median = RunningMedian(0.95)
    for _ in range(5):
        median.add(1.0)
    assert median.interval().low == -math.inf


def test_equal_failure_rates_reach_forty_in_at_most_one_of_forty_runs():
    reached = 0
    for seed in range(300):
        chance, here, there = random.Random(seed), 0, 0
        for _ in range(60):
            if chance.random() < 0.1:
                here += 1
            else:
                there += 1
            if max(more_failures(here, there, 0.1), fewer_failures(here, there, 0.1)) >= 40:
                reached += 1
                break
    assert reached <= 2 * 300 / 40


@pytest.mark.parametrize(("failures", "enough"), [(1, False), (2, False), (3, True), (10, True)])
def test_failures_of_the_new_side_alone_soon_tell(failures, enough):
    assert (more_failures(failures, 0, 0.1) >= 40) == enough


def test_fewer_failures_take_as_many_of_the_other_side():
    assert fewer_failures(0, 20, 0.1) < 40 < fewer_failures(0, 60, 0.1)
    assert fewer_failures(0, 8, 0.5) > 40


@pytest.mark.parametrize(("here", "there", "share"), [(1, 1, 0.0), (1, 1, 1.0), (-1, 0, 0.5), (0, -1, 0.5)])
def test_what_is_no_count_or_share_is_refused(here, there, share):
    with pytest.raises(ValueError, match=r"share|counted"):
        more_failures(here, there, share)
    with pytest.raises(ValueError, match=r"share|counted"):
        fewer_failures(here, there, share)


def test_the_evidence_agrees_with_the_closed_form():
    # The integral of t^k (1 - t)^m over (0, 1) is k! m! / (k + m + 1)!; of the two halves each has its part.
    k, m = 7, 3
    whole = math.factorial(k) * math.factorial(m) / math.factorial(k + m + 1)
    both = (more_failures(k, m, 0.5) + fewer_failures(k, m, 0.5)) * 0.5 * 0.5 ** (k + m)
    assert both == pytest.approx(whole, rel=1e-4)
