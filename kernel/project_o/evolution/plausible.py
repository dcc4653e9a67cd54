"""Whether the gain that was measured can be one: what the two clocks say of it.

The cost is CPU time. A candidate can make that small without being faster: by waiting, or having something else work,
while its own clock stands still. The parent's wall clock over the same timings shows it. Or it works when its own
clock is not looked at, while the incumbent is timed: so the clock is looked at then too. It is a defect only where a
bound says so that hardly ever lies, so that a neighbour's burst of load rejects no one. (What else makes repeated calls
short without the work: see ``unseen``, and ``ceiling``.)
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from .. import limits
from ..observe import mean_interval, negative_by_signs
from .bench import Defect
from .measure import Series, Sides
from .seal import DATA

CLOCK, FIRST_CALL, CEILING, LOAD, PRECISION = "clock", "first-call", "ceiling", "load", "precision"
ALLOWABLE = (CLOCK, FIRST_CALL, CEILING, LOAD, PRECISION, DATA)
"""What a user may allow by name: a defect that is reported, and then rejects nothing."""
PAIRS_MIN = 6


def clock_defect(series: Series) -> Defect | None:
    """A gain in CPU time that is not there on the wall: work outside the measured process, or waiting; or that comes of
    what the candidate does while the incumbent is timed, and leaves undone while it is itself."""
    if len(series.cpu[0]) < PAIRS_MIN:
        return None
    saved = _differences(series.cpu)
    if statistics.median(saved) <= 0:
        return None
    beside = _differences((series.beside[1], series.beside[0]))
    if shown_negative([limits.GAIN_SHARE_CREDIBLE * one - other for one, other in zip(saved, beside, strict=True)]):
        return Defect(
            CLOCK,
            f"suspicious: it saves {told_seconds(statistics.median(saved))} of CPU time a timing, and computes for "
            f"{told_seconds(mean_interval(beside).estimate)} more while the incumbent is timed: work that is put off, "
            "or is to slow the incumbent down",
        )
    # How much longer than the incumbent's the candidate's process did not compute while we waited for it.
    waited = [[wall - cpu for wall, cpu in zip(series.wall[k], series.cpu[k], strict=True)] for k in (0, 1)]
    idle = _differences((waited[1], waited[0]))
    lacking = [limits.GAIN_SHARE_CREDIBLE * one - other for one, other in zip(saved, idle, strict=True)]
    if not shown_negative(lacking):
        return None
    found = mean_interval(idle)
    return Defect(
        CLOCK,
        f"suspicious: it saves {told_seconds(statistics.median(saved))} of CPU time a timing, and lets "
        f"{told_seconds(found.estimate)} more pass on the wall in which its process does not compute: work outside of "
        "it, or waiting",
    )


def shown_negative(values: Sequence[float]) -> bool:
    """Whether these are below zero beyond doubt: by their signs, or by their mean."""
    plain = negative_by_signs(values, (1 - limits.DEFECT_CONFIDENCE) / 2)
    return plain or mean_interval(values, limits.DEFECT_CONFIDENCE).high < 0


def _differences(sides: Sides) -> Sequence[float]:
    return [left - right for left, right in zip(*sides, strict=True)]


def told_seconds(seconds: float) -> str:
    """A time in words."""
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
