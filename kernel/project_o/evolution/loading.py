"""What a candidate does as it is loaded, and in its first call: a table of answers is built there.

No timing of calls sees that. A function of a number, say, may compute its answers for all numbers near to the sample's
while it is imported, in the very way of the incumbent, and then look them up: it is right everywhere, on inputs that
nobody has seen as well, and many times faster. So the CPU time of each process from its fork to the end of its first
call is counted, too. By the rule:

What a candidate spends there beyond the incumbent, less ``limits.LOAD_SECONDS_FREE`` and what a longer text takes to be
compiled, has to be won back within ``limits.LOAD_CALLS_MAX`` calls. Where the types of the arguments leave no more than
``limits.LOAD_DOMAIN_MAX`` inputs (a byte, a flag, an enumeration), a table of all of them is a program like another: it
has to be won back within as many calls as there are inputs. A table that stands in the text costs nothing to load and
is seen by whoever reads it; it is right on every input that was asked.
"""

from __future__ import annotations

import statistics

from .. import limits
from ..observe import mean_interval
from ..values import NativeFunction, NativeType, Program
from .bench import Defect
from .measure import Series
from .plausible import LOAD, shown_negative, told_seconds

PROCESSES_MIN = 6


def load_defect(series: Series, function: NativeFunction, incumbent: Program, candidate: Program) -> Defect | None:
    """Work at loading that is not won back in a few calls."""
    if len(series.load[0]) < PROCESSES_MIN or not series.cpu[0]:
        return None
    saved = statistics.median(old - new for old, new in zip(*series.cpu, strict=True)) / series.repeat
    if saved <= 0:
        return None
    more = [new - old + saved for old, new in zip(*series.load, strict=True)]  # its first call saved that already
    longer = max(0, len(candidate.source) - len(incumbent.source))
    free = limits.LOAD_SECONDS_FREE + longer * limits.LOAD_SECONDS_A_BYTE
    calls = max(limits.LOAD_CALLS_MAX, domain(function))
    within = [free + calls * saved - one for one in more]
    if not shown_negative(within):
        return None
    found = mean_interval(more)
    return Defect(
        LOAD,
        f"suspicious: as it is loaded it computes {told_seconds(found.estimate)} longer than the incumbent, and saves "
        f"{told_seconds(saved)} a call: that is won back after {found.estimate / saved:.0f} calls, and has to be after "
        f"{calls}. Answers may be computed beforehand",
    )


def domain(function: NativeFunction) -> int:
    """How many inputs the types leave in all; 0 where they are more than a table of all would be meant for."""
    count = 1
    for _, kind in function.parameters:
        count *= _values(kind)
        if not 0 < count <= limits.LOAD_DOMAIN_MAX:
            return 0
    return count if function.parameters else 0


def _values(kind: NativeType) -> int:
    if kind.kind == "bool":
        return 2
    if kind.kind == "int" and 0 < kind.bits <= limits.LOAD_DOMAIN_MAX.bit_length():
        return 1 << kind.bits
    return len(kind.numbers) if kind.kind == "enum" else 0
