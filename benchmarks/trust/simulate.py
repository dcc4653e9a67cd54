"""Many more runs than can be made: the pairs that were recorded of a program against itself, put together anew.

A run has 40 candidates. Each is screened on a stretch of one recorded series, as it was recorded, so that the noise
keeps its memory; the nearest to the first are measured on a whole series each, and the best of them is confirmed on
another. Nothing is assumed of the noise but that what one comparison met, another may meet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from project_o import limits
from project_o.observe import design, paired_ratio
from project_o.observe.sequential import watched

from .subjects import NULLS

Pairs = tuple[list[float], list[float]]


def recorded(lines: Sequence[dict[str, Any]]) -> list[Pairs]:
    """The series of first measurements that are long enough for the least of a final."""
    found = [line["series"][0] for line in lines if line.get("series")]
    return [(old, new) for old, new in found if len(old) >= limits.FINAL_PAIRS_MIN]


def runs(series: Sequence[Pairs], count: int, seed: int) -> dict[str, Any]:
    """How many of ``count`` runs measure someone above the threshold, and how many accept."""
    rng = np.random.default_rng(seed)
    measured = accepted = 0
    for _ in range(count):
        best = _leaders(rng, series)
        passed = [one for one in range(best) if _above(rng, series, best)]
        measured += bool(passed)
        accepted += bool(passed) and _above(rng, series, 1)
    return {"runs": count, "candidates": NULLS, "measured": measured, "accepted": accepted}


def _leaders(rng: np.random.Generator, series: Sequence[Pairs]) -> int:
    """How many of the candidates are measured: those that screening puts first, within a tenth of each other."""
    ratios = []
    for _ in range(NULLS):
        old, new = _drawn(rng, series)
        begin = int(rng.integers(len(old) - limits.SCREENING_PAIRS + 1))
        stretch = slice(begin, begin + limits.SCREENING_PAIRS)
        found = paired_ratio(old[stretch], new[stretch])
        if found.low > 1.0:
            ratios.append(found.estimate)
    if not ratios:
        return 0
    ratios.sort(reverse=True)
    near = sum(ratio >= limits.FINALIST_RATIO_SHARE_MIN * ratios[0] for ratio in ratios)
    return min(limits.FINALISTS, near)


def _above(rng: np.random.Generator, series: Sequence[Pairs], candidates: int) -> bool:
    """Whether one of so many leaders is measured above the threshold."""
    old, new = _drawn(rng, series)
    confidence = 1 - 2 * limits.FAMILY_ERROR_MAX / max(1, candidates)
    plan = design(
        limits.FINAL_PAIRS_MIN, len(old), confidence, limits.RATIO_ACCEPTED_LOW, step=limits.FINAL_PAIRS_A_PROCESS
    )
    return watched(plan, old, new)[0].low > limits.RATIO_ACCEPTED_LOW


def _drawn(rng: np.random.Generator, series: Sequence[Pairs]) -> Pairs:
    """One of the series. Both of its sides are the same program, so either may be the incumbent."""
    old, new = series[int(rng.integers(len(series)))]
    return (old, new) if rng.random() < 0.5 else (new, old)
