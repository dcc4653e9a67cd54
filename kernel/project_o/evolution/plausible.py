"""Whether the gain that was measured can be one: what the two clocks and the first calls say of it.

The cost is CPU time of repeated calls. A candidate can make that small without being faster: by waiting, or having
something else work, while its own clock stands still; or by remembering from one call to the next what it answered to
the same input. Both show in the same pairs. The first by the parent's wall clock, the second in the first call on each
fresh input. Each is a defect only where a bound says so, so that a neighbour's burst of load rejects no one.
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
    found = mean_interval(idle)
    if not found.low > limits.GAIN_SHARE_CREDIBLE * saved:
        return None
    return Defect(
        CLOCK,
        f"suspicious: it saves {_told(saved)} of CPU time a timing, and lets {_told(found.estimate)} more pass on the "
        "wall in which its process does not compute: work outside of it, or waiting",
    )


def first_call_defect(series: Series) -> Defect | None:
    """A gain of repeated calls on one input that the first call on a fresh one does not show: remembered answers."""
    if len(series.first[0]) < PAIRS_MIN:
        return None
    saved = statistics.median(_differences(series.cpu)) / series.repeat
    if saved <= 0:
        return None
    found = mean_interval(_differences(series.first))
    if not found.high < limits.GAIN_SHARE_CREDIBLE * saved:
        return None
    return Defect(
        FIRST_CALL,
        f"suspicious: calls that are repeated on one input save {_told(saved)} each, the first call on a fresh input "
        f"{_told(max(0.0, found.estimate))} (at most {_told(max(0.0, found.high))}): it remembers answers",
    )


def first_call_is_shown(series: Series) -> bool:
    """Whether the first calls are precise enough to show the gain, or that it is not there."""
    if series.repeat == 1:
        return True  # every timing was a first call
    if len(series.first[0]) < PAIRS_MIN:
        return False
    saved = statistics.median(_differences(series.cpu)) / series.repeat
    return mean_interval(_differences(series.first)).low > 0.25 * saved


def _differences(sides: Sides) -> Sequence[float]:
    return [left - right for left, right in zip(*sides, strict=True)]


def _told(seconds: float) -> str:
    for size, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
