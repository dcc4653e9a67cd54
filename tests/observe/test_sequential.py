"""Looking often: the error over all looks stays what was designed, a gain is found, and it ends early where it can."""

from __future__ import annotations

import math

import numpy as np
import pytest

from project_o import limits
from project_o.observe import Design, Watch, design, paired_ratio
from project_o.observe.sequential import cautious_ratio, watched

RUNS = 2000
"""Comparisons of a program with itself per kind of noise; the standard error of a rate of 2.5 % is then 0.35 %."""
CONFIDENCE = 1 - 2 * limits.FAMILY_ERROR_MAX
STEP = limits.FINAL_PAIRS_A_PROCESS
PLAN = design(limits.FINAL_PAIRS_MIN, limits.FINAL_PAIRS, CONFIDENCE, step=STEP)
OF_RUNS = design(limits.FINAL_PAIRS_MIN, limits.FINAL_PAIRS, CONFIDENCE, limits.RATIO_ACCEPTED_LOW, step=STEP)


def noise(rng: np.random.Generator, n: int, kind: str) -> np.ndarray:
    """A series of log ratios with unit variance: independent, with a memory, heavy tails, a memory and heavy tails,
    in bursts, or with an effect of the process that two pairs share."""
    if kind == "process":
        return (np.repeat(rng.standard_normal(n // 2 + 1), 2)[:n] + rng.standard_normal(n)) / math.sqrt(2)
    if kind == "bursts":
        shocks = rng.standard_normal(n) * 0.3
        for start in rng.integers(0, n, size=max(1, n // 20)):
            shocks[start : start + 4] += rng.choice([-3.0, 3.0])
        return shocks / 1.3
    heavy, rho = "heavy" in kind, 0.5 if "memory" in kind else 0.0
    shocks = rng.standard_t(3, n + 40) / math.sqrt(3) if heavy else rng.standard_normal(n + 40)
    for k in range(1, n + 40):
        shocks[k] = rho * shocks[k - 1] + math.sqrt(1 - rho * rho) * shocks[k]
    return shocks[40:]


def looked_at(series: np.ndarray, spread: float, gain: float = 1.0, plan: Design = PLAN) -> tuple[float, int]:
    """The lower bound of one measurement under ``plan``, and the pairs that it took."""
    found, pairs = watched(plan, (gain * np.exp(spread * series)).tolist(), [1.0] * len(series))
    return found.low, pairs


@pytest.mark.parametrize("kind", ["independent", "memory", "heavy", "memory and heavy", "bursts", "process"])
def test_code_compared_with_itself_is_hardly_ever_better_however_often_it_is_looked_at(kind: str) -> None:
    """One stage, with no threshold above 1 to help: at most the 2.5 % of the design, and a half for a long memory."""
    rng = np.random.default_rng([11, len(kind)])
    better = sum(looked_at(noise(rng, PLAN.pairs_max, kind), 0.05)[0] > 1.0 for _ in range(RUNS))

    assert better <= (0.038 if "memory" in kind else 0.025) * RUNS


@pytest.mark.parametrize("kind", ["independent", "memory and heavy", "bursts"])
def test_measured_and_confirmed_above_the_threshold_it_is_next_to_never_accepted(kind: str) -> None:
    rng = np.random.default_rng([12, len(kind)])
    threshold, accepted = limits.RATIO_ACCEPTED_LOW, 0
    for _ in range(RUNS // 2):
        series = noise(rng, 2 * PLAN.pairs_max, kind)
        halves = series[: PLAN.pairs_max], series[PLAN.pairs_max :]
        accepted += all(looked_at(half, 0.05, plan=OF_RUNS)[0] > threshold for half in halves)

    assert accepted <= 0.002 * RUNS // 2


def test_a_naive_interval_that_is_looked_at_as_often_is_fooled() -> None:
    """The control: the same series, a fixed 95 % interval, and an end at the first look that pleases."""
    rng = np.random.default_rng(13)
    fooled = 0
    for _ in range(RUNS // 4):
        ratios = np.exp(0.05 * noise(rng, PLAN.pairs_max, "memory")).tolist()
        for n in range(limits.FINAL_PAIRS_MIN, PLAN.pairs_max + 1, 5):
            logs = np.log(ratios[:n])
            if logs.mean() - 1.96 * logs.std(ddof=1) / math.sqrt(n) > 0:
                fooled += 1
                break

    assert fooled >= 0.2 * RUNS // 4


@pytest.mark.parametrize(("candidates", "kind"), [(1, "memory"), (3, "memory"), (9, "independent")])
def test_the_error_of_a_run_is_shared_by_the_candidates_that_are_looked_at(candidates: int, kind: str) -> None:
    """Each of them is another program with no gain; one that looks better is enough to fail."""
    rng = np.random.default_rng([14, candidates])
    confidence = 1 - 2 * limits.FAMILY_ERROR_MAX / candidates
    plan = design(limits.FINAL_PAIRS_MIN, limits.FINAL_PAIRS, confidence, step=2)
    runs = RUNS // (2 * candidates)
    fooled = sum(
        any(looked_at(noise(rng, plan.pairs_max, kind), 0.05, plan=plan)[0] > 1.0 for _ in range(candidates))
        for _ in range(runs)
    )

    assert fooled <= max(1, 0.038 * runs + 2 * math.sqrt(0.025 * runs))


@pytest.mark.parametrize(("gain", "power"), [(1.05, 0.3), (1.1, 0.95), (1.3, 1.0)])
def test_a_gain_is_found_in_noise_of_five_percent(gain: float, power: float) -> None:
    """A lower bound above 1.02 in both stages, with a memory of a half: n is 300."""
    rng = np.random.default_rng([15, int(100 * gain)])
    threshold = limits.RATIO_ACCEPTED_LOW
    found = 0
    for _ in range(300):
        series = noise(rng, 2 * PLAN.pairs_max, "memory")
        halves = series[: PLAN.pairs_max], series[PLAN.pairs_max :]
        found += all(looked_at(half, 0.05, gain, OF_RUNS)[0] > threshold for half in halves)

    assert found >= power * 300


def test_what_is_plain_is_seen_early_and_what_is_not_takes_all_pairs() -> None:
    rng = np.random.default_rng(16)
    plain = [looked_at(noise(rng, 80, "independent"), 0.02, 1.5, OF_RUNS)[1] for _ in range(50)]
    dull = [looked_at(noise(rng, 80, "independent"), 0.8, 1.02, OF_RUNS)[1] for _ in range(50)]

    assert max(plain) == 16
    assert min(dull) == 80


@pytest.mark.parametrize(("first", "most", "step"), [(16, 80, 2), (12, 40, 1), (16, 16, 2), (1, 7, 3), (10, 11, 2)])
def test_looks_rise_to_the_last_pair_and_their_errors_add_up_to_the_whole(first: int, most: int, step: int) -> None:
    plan = design(first, most, 0.95, step=step)
    errors = [1 - plan.level(look) for look in range(len(plan.looks))]

    assert list(plan.looks) == sorted(set(plan.looks))
    assert plan.pairs_max == max(most, plan.looks[0])
    assert sum(errors) == pytest.approx(0.05)
    assert all(error > 0 for error in errors)
    assert all(look % step == 0 for look in plan.looks[:-1])


def test_what_one_look_has_ruled_out_stays_ruled_out() -> None:
    """The bounds of the looks all hold, so their intersection does."""
    rng = np.random.default_rng(17)
    watch = Watch(design(16, 80, CONFIDENCE))
    lows, highs = [], []
    for value in np.exp(0.3 * noise(rng, 80, "independent")):
        done = watch.tell(float(value), 1.0)
        if watch.looks_made > len(lows):
            lows.append(watch.result().low)
            highs.append(watch.result().high)
        if done:
            break

    assert lows == sorted(lows)
    assert highs == sorted(highs, reverse=True)


def test_a_measurement_that_the_clock_ends_between_two_looks_takes_the_look_that_was_to_come() -> None:
    watch = Watch(design(16, 80, 0.95))
    rng = np.random.default_rng(18)
    values = np.exp(0.05 * rng.standard_normal(20)).tolist()
    for value in values:
        watch.tell(value, 1.0)
    found = watch.result()

    assert watch.looks_made == 2
    assert found.pairs == 20
    assert found == watch.result(), "asking again changes nothing"
    own = cautious_ratio(values, [1.0] * 20, watch.design.level(1))
    assert found.low >= own.low
    assert found.confidence == 0.95


def test_a_design_of_one_look_is_the_interval_of_its_pairs_with_a_little_caution() -> None:
    rng = np.random.default_rng(19)
    values = np.exp(0.05 * rng.standard_normal(40)).tolist()
    found, pairs = watched(Design((40,), 0.95), values, [1.0] * 40)
    plain = paired_ratio(values, [1.0] * 40)

    assert pairs == 40
    assert found.estimate == pytest.approx(plain.estimate)
    assert found.low <= plain.low
    assert found.high >= plain.high
