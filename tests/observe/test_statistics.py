"""Intervals under noise that has a memory and heavy tails, and how often they lie."""

from __future__ import annotations

import math

import numpy as np
import pytest

from project_o import limits
from project_o.observe import mean_interval, paired_difference, paired_ratio
from project_o.observe.statistics import effective_count, student_quantile

RUNS = 2000
"""A/A comparisons per kind of noise; the standard error of a rate of 2.5 % is then 0.35 %."""


def noise(rng: np.random.Generator, runs: int, n: int, rho: float, kind: str) -> np.ndarray:
    """Stationary AR(1) noise with unit variance, ``runs`` series of ``n``."""
    shape = (runs, n + 40)
    shocks = rng.standard_normal(shape) if kind == "normal" else rng.standard_t(3, shape) / math.sqrt(3)
    for k in range(1, n + 40):
        shocks[:, k] = rho * shocks[:, k - 1] + math.sqrt(1 - rho * rho) * shocks[:, k]
    return shocks[:, 40:]


@pytest.mark.parametrize("kind", ["normal", "heavy"])
@pytest.mark.parametrize("rho", [0.0, 0.5])
@pytest.mark.parametrize("spread", [0.02, 0.2])
def test_code_compared_with_itself_is_hardly_ever_accepted(rho: float, kind: str, spread: float) -> None:
    """The rule: lower bound above 1.02 in FINAL_PAIRS pairs, and again in as many fresh ones. Designed for <= 2.5 %."""
    n = limits.FINAL_PAIRS
    accepted = first_only = 0
    for series in noise(np.random.default_rng(7), RUNS, 2 * n, rho, kind):
        lows = []
        for half in (series[:n], series[n:]):
            ratios = np.exp(spread * half)
            lows.append(paired_ratio(ratios.tolist(), [1.0] * n).low)
        first_only += lows[0] > limits.RATIO_ACCEPTED_LOW
        accepted += min(lows) > limits.RATIO_ACCEPTED_LOW

    assert accepted <= 0.025 * RUNS
    assert first_only <= 0.045 * RUNS


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_a_real_gain_of_ten_percent_is_found(rho: float) -> None:
    n = limits.FINAL_PAIRS
    lows = [
        paired_ratio(np.exp(0.05 * series).tolist(), [1 / 1.1] * n).low
        for series in noise(np.random.default_rng(8), 300, n, rho, "normal")
    ]

    assert sum(low > limits.RATIO_ACCEPTED_LOW for low in lows) >= 0.95 * len(lows)


def test_the_ratio_is_the_geometric_mean_and_outliers_do_not_move_it() -> None:
    clean = paired_ratio([2.0, 8.0] * 10, [1.0, 4.0] * 10)
    spoilt = paired_ratio([2.0, 8.0] * 9 + [2000.0, 8.0], [1.0, 4.0] * 10)

    assert clean.estimate == pytest.approx(2.0)
    assert clean.low == pytest.approx(2.0)
    assert clean.pairs == 20
    assert spoilt.estimate == pytest.approx(2.0)


def test_a_deterministic_difference_has_no_width_and_few_values_bound_nothing() -> None:
    assert paired_difference([1.0, 1.0], [1.5, 1.5]).low == 0.5
    assert mean_interval([1.0, 1.1, 1.2]).low == -math.inf
    assert paired_ratio([1.0, 1.1], [1.0, 1.0]).low == 0.0
    assert mean_interval([3.0]).high == math.inf


@pytest.mark.parametrize(
    "bad", [([], []), ([1.0], [1.0, 2.0]), ([1.0], [0.0]), ([math.nan], [1.0]), ([math.inf], [1.0])]
)
def test_costs_that_are_none_are_refused(bad: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match=r"pairs are needed|finite and above 0"):
        paired_ratio(*bad)


def test_memory_shortens_a_series_and_alternation_does_not_lengthen_it() -> None:
    series = noise(np.random.default_rng(3), 200, 100, 0.5, "normal")

    assert np.median([effective_count(list(row)) for row in series]) == pytest.approx(100 / 3, rel=0.15)
    assert effective_count([1.0, -1.0] * 20) == 40


@pytest.mark.parametrize(("freedom", "expected"), [(3, 3.1824), (5, 2.5706), (10, 2.2281), (39, 2.0227)])
def test_students_quantile_agrees_with_the_tables(freedom: float, expected: float) -> None:
    assert student_quantile(0.975, freedom) == pytest.approx(expected, rel=0.01)
