"""Intervals for paired measurements whose noise has heavy tails and a memory.

Timings of one machine are neither normal nor independent: a neighbour's burst of load spoils several pairs in a
row. Three remedies, each from the literature, in one closed formula, so that nothing here needs a seed:

- the mean of the log ratios after trimming a tenth at each end, with the standard error of the winsorised values
  (Tukey and McLaughlin 1963, Sankhya A 25:331; Yuen 1974, Biometrika 61:165);
- n replaced by the effective n of a first-order autoregression, n (1 - r) / (1 + r) (Bayley and Hammersley 1946,
  J. Roy. Stat. Soc. Suppl. 8:184), with r corrected for its bias of -(1 + 3 r) / n (Marriott and Pope 1954,
  Biometrika 41:390), and taken as 0 where it is negative, so that the interval never becomes shorter by it;
- Student's t with the degrees of freedom of that effective n.

The interval holds for an n fixed beforehand: looking early and stopping on success would make it a lie
(see the A/A simulations in the tests). ``sequential`` is for a measurement that is looked at while it runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from ..limits import CONFIDENCE

TRIMMED_SHARE = 0.1
AUTOCORRELATION_MAX = 0.9
DEGREES_OF_FREEDOM_MIN = 3.0
METHOD = "t interval of the trimmed mean of paired log ratios, n corrected for autocorrelation"
METHOD_DIFFERENCE = "t interval of the trimmed mean of paired differences, n corrected for autocorrelation"


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its bounds. ``effective_pairs`` is n after the correction for autocorrelation."""

    estimate: float
    low: float
    high: float
    pairs: int
    effective_pairs: float
    confidence: float
    method: str


def paired_ratio(baseline: Sequence[float], candidate: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The geometric mean of ``baseline[i] / candidate[i]`` with a two-sided interval, in order of measurement.

    Above 1 the candidate costs less. Raises ValueError unless both are equally long, finite and positive.
    """
    found = interval_of(log_ratios(baseline, candidate), confidence)
    return Interval(
        math.exp(found.estimate),
        math.exp(found.low),
        _exp(found.high),
        found.pairs,
        found.effective_pairs,
        confidence,
        METHOD,
    )


def log_ratios(baseline: Sequence[float], candidate: Sequence[float]) -> list[float]:
    """``log(baseline[i] / candidate[i])``. Raises ValueError unless both are equally long, finite and positive."""
    if len(baseline) != len(candidate) or not baseline:
        raise ValueError(f"pairs are needed: {len(baseline)} baseline and {len(candidate)} candidate values")
    if not all(math.isfinite(item) and item > 0 for item in (*baseline, *candidate)):
        raise ValueError("costs must be finite and above 0")
    return [math.log(left / right) for left, right in zip(baseline, candidate, strict=True)]


def paired_difference(
    baseline: Sequence[float], candidate: Sequence[float], confidence: float = CONFIDENCE
) -> Interval:
    """The mean of ``candidate[i] - baseline[i]`` with a two-sided interval, for scores that may be 0 or negative."""
    return mean_interval([right - left for left, right in zip(baseline, candidate, strict=True)], confidence)


def mean_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval:
    """The trimmed mean of a series in order of measurement, with a two-sided interval.

    Fewer than four values bound nothing, unless all are the same: a deterministic metric has no spread.
    """
    return interval_of(values, confidence)


def interval_of(values: Sequence[float], confidence: float, caution: float = 0.0) -> Interval:
    """As ``mean_interval``. ``caution`` is how many standard errors the autocorrelation is taken to be larger."""
    n = len(values)
    if n == 0 or not all(math.isfinite(item) for item in values):
        raise ValueError("finite values are needed")
    if max(values) == min(values) and n > 1:
        return Interval(values[0], values[0], values[0], n, float(n), confidence, METHOD_DIFFERENCE)
    cut = int(TRIMMED_SHARE * n)
    ordered = sorted(values)
    kept = ordered[cut : n - cut]
    estimate = math.fsum(kept) / len(kept)
    if n < 4:
        return Interval(estimate, -math.inf, math.inf, n, float(n), confidence, METHOD_DIFFERENCE)
    winsorised = [min(max(item, kept[0]), kept[-1]) for item in values]
    mean = math.fsum(winsorised) / n
    squares = math.fsum((item - mean) ** 2 for item in winsorised)
    effective = effective_count(winsorised, caution)
    deviation = math.sqrt(squares / (n - 1))
    error = deviation / ((1 - 2 * cut / n) * math.sqrt(effective))
    freedom = max(DEGREES_OF_FREEDOM_MIN, min(n - 2 * cut, effective) - 1)
    reach = student_quantile(0.5 + confidence / 2, freedom) * error
    return Interval(estimate, estimate - reach, estimate + reach, n, effective, confidence, METHOD_DIFFERENCE)


def effective_count(values: Sequence[float], caution: float = 0.0) -> float:
    """How many independent values a series of this lag-1 autocorrelation is worth; at most its length.

    ``caution`` is how many standard errors (1 / sqrt(n), Bartlett 1946) are added to the autocorrelation: for a test
    that must not be fooled by a memory that a short series hides.
    """
    n = len(values)
    mean = math.fsum(values) / n
    squares = math.fsum((item - mean) ** 2 for item in values)
    if n < 4 or squares <= 0:
        return float(n)
    raw = math.fsum((left - mean) * (right - mean) for left, right in pairwise(values)) / squares
    unbiased = (raw * n + 1) / (n - 3)
    r = min(max(unbiased + caution / math.sqrt(n), 0.0), AUTOCORRELATION_MAX)
    return n * (1 - r) / (1 + r)


def negative_by_signs(values: Sequence[float], error: float) -> bool:
    """Whether so many values are below 0 that a median of 0 or more would show as many in ``error`` of cases at most.

    The sign test: it asks nothing of the size of what is measured, so that bursts of load do not hide what is plain.
    """
    n, below = len(values), sum(value < 0 for value in values)
    return n > 0 and math.fsum(math.comb(n, k) for k in range(below, n + 1)) <= error * 2**n


def student_quantile(probability: float, freedom: float) -> float:
    """Student's t quantile by the expansion of Abramowitz and Stegun 26.7.5; within 1 % from 3 degrees on."""
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / freedom ** (power + 1) for power, term in enumerate(terms))


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
