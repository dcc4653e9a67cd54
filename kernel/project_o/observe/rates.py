"""Whether one of two sides fails more often, looked at after every failure without fooling oneself.

Of two sides that fail equally often, a failure falls on one of them with the share of the calls that it has. So what is
looked at are the failures alone, in which side each fell: how often a call fails at all need not be known. The evidence
against "equally often" is a likelihood ratio averaged over every share on one side of that one (a mixture, as in
Robbins 1970, Ann. Math. Stat. 41:1397). Where both fail equally often its mean is at most 1 at any moment, so it ever
reaches 1 / alpha in at most alpha of all comparisons, however often it is looked at (Ville 1939).
"""

from __future__ import annotations

import math
from functools import lru_cache

_POINTS = 400


def more_failures(here: int, there: int, share: float) -> float:
    """The evidence that a side with ``share`` of the calls fails more often: ``here`` of its own, ``there`` others."""
    return _evidence(here, there, share, share, 1.0)


def fewer_failures(here: int, there: int, share: float) -> float:
    """The evidence that a side with ``share`` of the calls fails less often."""
    return _evidence(here, there, share, 0.0, share)


@lru_cache(maxsize=4096)
def _evidence(here: int, there: int, share: float, low: float, high: float) -> float:
    if not 0.0 < share < 1.0:
        raise ValueError(f"a share is between 0 and 1, not {share}")
    if here < 0 or there < 0:
        raise ValueError("failures are counted from 0")
    null = here * math.log(share) + there * math.log1p(-share)
    step = (high - low) / _POINTS
    logs = []
    for k in range(_POINTS):
        at = low + (k + 0.5) * step
        logs.append(here * math.log(at) + there * math.log1p(-at) - null)
    top = max(logs)
    if top > 700:
        return math.inf
    return math.exp(top) * math.fsum(math.exp(item - top) for item in logs) / _POINTS
