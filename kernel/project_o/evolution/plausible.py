"""Whether the gain that was measured can be one: what the two clocks say of it.

The cost is CPU time. A candidate can make that small without being faster: by waiting, or having something else work,
while its own clock stands still. The parent's wall clock over the same timings shows it. It is a defect only where a
bound says so that hardly ever lies, so that a neighbour's burst of load rejects no one. (What else makes repeated calls
short without the work: see ``unseen``, and ``ceiling``.)
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .. import limits
from ..observe import mean_interval
from .measure import Defect, Series, Sides

CLOCK, FIRST_CALL, CEILING = "clock", "first-call", "ceiling"
ALLOWABLE = (CLOCK, FIRST_CALL, CEILING)
"""What a user may allow by name: a defect that is reported, and then rejects nothing."""
PAIRS_MIN = 6


def clock_defect(series: Series) -> Defect | None:
    """A gain in CPU time that is not there on the wall: work outside the measured process, or waiting."""
    if len(series.cpu[0]) < PAIRS_MIN:
        return None
    saved = statistics.median(_differences(series.cpu))
    if saved <= 0:
        return None
    # How much longer than the incumbent's the candidate's process did not compute while we waited for it.
    idle = [
        (series.wall[1][k] - series.cpu[1][k]) - (series.wall[0][k] - series.cpu[0][k])
        for k in range(len(series.cpu[0]))
    ]
    found = mean_interval(idle, limits.DEFECT_CONFIDENCE)
    if not found.low > limits.GAIN_SHARE_CREDIBLE * saved:
        return None
    return Defect(
        CLOCK,
        f"suspicious: it saves {told_seconds(saved)} of CPU time a timing, and lets {told_seconds(found.estimate)} "
        "more pass on the wall in which its process does not compute: work outside of it, or waiting",
    )


def _differences(sides: Sides) -> Sequence[float]:
    return [left - right for left, right in zip(*sides, strict=True)]


def told_seconds(seconds: float) -> str:
    """A time in words."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
