"""Where the fault may be: lines that failing tests run and passing ones do not.

The suspicion of a line is Ochiai's coefficient, e_f / sqrt((e_f + n_f) (e_f + e_p)), of the failing and passing tests
that ran it (Abreu, Zoeteweij, van Gemund 2007, TAICPART-MUTATION): 1 where every failing test ran it, and no other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def ochiai(spectrum: Sequence[tuple[frozenset[int], bool]]) -> dict[int, float]:
    """The suspicion of each line, from (the lines that a test ran, whether it fails)."""
    failing = sum(1 for _, fails in spectrum if fails)
    found: dict[int, float] = {}
    for line in frozenset().union(*(lines for lines, _ in spectrum)):
        ran_failing = sum(1 for lines, fails in spectrum if fails and line in lines)
        ran_passing = sum(1 for lines, fails in spectrum if not fails and line in lines)
        if ran_failing:
            found[line] = ran_failing / math.sqrt(failing * (ran_failing + ran_passing))
    return found
