"""The ceiling: what must be read cannot be read faster than memory delivers it.

A candidate that is too fast for the bytes it was given has not done the work. But many honest ones need not read them
all: a search that ends early, a binary search. What must be read is therefore found out, and not assumed: elements of
an input are changed one at a time, and where that alone changes the incumbent's answer, a program that gives the right
answer to both inputs has read that element (if it had not, it could not tell them apart: the sensitivity of a function
at an input bounds every program's reads from below, Nisan 1991, SIAM J. Comput. 20:999). Only elements count on which
the candidate follows the incumbent, so that inputs outside of what the function is meant for hold nothing against it.

The share of such elements, less what 24 random places leave open (Hoeffding 1963, JASA 58:13), times the bytes of the
arguments that are only read, has to be moved; the machine's bandwidth, measured, times a margin, says how long that
takes at least. It is looked at on inputs that are several times larger than the samples, where overheads do not count.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from .. import limits
from ..observe import design
from ..values import NativeFunction, NativeType
from .bandwidth import bytes_per_second_max
from .bench import Defect
from .compare import difference, slack_of
from .fresh import Fresh
from .inputs import Case
from .measure import Measured, Plan, Series, measure, plan
from .plausible import CEILING
from .task import Answer, Handle, generator
from .validate import Oracle

OPEN_SHARE = 0.05
Ask = Callable[[Case], Answer]


@dataclass(frozen=True)
class Probe:
    """One input, and the same with one element changed, on which the incumbent answers something else."""

    case: Case
    expected: Answer
    in_domain: bool
    """Whether the element became another of the same array, as a drawn input could have it too."""


@dataclass
class Ceiling:
    """Of one run: larger inputs, what must be read of them, and how the incumbent does on them. Made when needed."""

    fresh: Fresh
    function: NativeFunction
    seed: int
    factor: float = 1.0
    case: Case | None = None
    probes: tuple[Probe, ...] = ()
    asked: int = 0
    how: Plan | None = None
    _ready: bool = field(default=False)

    def prepare(self, incumbent: Handle, oracle: Oracle) -> None:
        """Find the larger inputs and their probes. Leaves ``case`` None where no input can be drawn."""
        if self._ready:
            return
        self._ready = True
        if not self.fresh.varied:
            return
        ask = _asking(incumbent, self.function.name)
        factor, case = 1.0, self.fresh.scaled(1.0).draw("ceiling")(0)
        answer = ask(case)
        while answer.ok and factor < limits.SCRUTINY_GROWTH_MAX and read_bytes(self.function, case) > 0:
            following = self.fresh.scaled(2 * factor).draw("ceiling")(0)
            if read_bytes(self.function, following) > limits.SCRUTINY_INPUT_BYTES:
                break
            if answer.cpu_seconds > limits.SCRUTINY_CALL_SECONDS_MAX / 2:  # on the wall a neighbour may have been
                break
            found = ask(following)
            if not found.ok:
                break
            factor, case, answer = 2 * factor, following, found
        if not answer.ok:
            return
        self.factor, self.case = factor, case
        self.asked, found_probes = _probes(ask, self.function, case, answer, self.seed)
        self.probes = tuple(found_probes)
        elements = sum(getattr(value, "size", 0) for value in case.args)
        slack = slack_of(elements, self.function.result)
        self.how = replace(plan(incumbent, oracle, case), slack=slack)

    @property
    def larger(self) -> Fresh:
        """The larger inputs."""
        return self.fresh.scaled(self.factor)

    def pairs(self, incumbent: Handle, candidate: Handle, purpose: str, deadline: float | None) -> Series:
        """A few pairs on the larger inputs. Raises Defect, MeasurementFailed."""
        assert self.how is not None, "only where there are larger inputs"
        found: Measured = measure(
            incumbent,
            candidate,
            self.how,
            self.larger.draw(f"ceiling {purpose}"),
            design(limits.SCRUTINY_PAIRS, limits.SCRUTINY_PAIRS, limits.CONFIDENCE),
            pairs_a_process=limits.SCRUTINY_PAIRS,
            seed=self.seed,
            purpose=f"ceiling {purpose}",
            deadline=deadline,
        )
        return found.series

    def defect(self, candidate: Handle, series: Series) -> Defect | None:
        """Whether the candidate was faster on the larger inputs than what it must read allows."""
        assert self.case is not None, "only where there are larger inputs"
        if not self.probes or not self.asked:
            return None
        ask = _asking(candidate, self.function.name)
        slack = self.how.slack if self.how else 1.0
        followed = 0
        for probe in self.probes:
            answer = ask(probe.case)
            text = difference(probe.expected, answer, self.function.result, slack)
            if text and probe.in_domain:
                return Defect("answers", f"it does not follow when {probe.case.label}: {text}")
            followed += not difference(probe.expected, answer, self.function.result)
        share = max(0.0, followed / self.asked - math.sqrt(math.log(1 / OPEN_SHARE) / (2 * self.asked)))
        size = share * read_bytes(self.function, self.case)
        seconds = statistics.median(series.cpu[1]) / series.repeat
        ceiling = bytes_per_second_max(int(size), size / seconds) if size else math.inf
        if size <= 0 or size / seconds <= ceiling:
            return None
        return Defect(
            CEILING,
            f"suspicious: at least {share:.0%} of its {read_bytes(self.function, self.case):,} bytes must be read "
            f"({followed} of {self.asked} elements that were changed by themselves changed the answer), and it takes "
            f"{seconds * 1e6:.3g} µs: {size / seconds / 1e9:.0f} GB/s, where this machine's memory gives at most "
            f"{ceiling / 1e9:.0f}",
        )


def read_bytes(function: NativeFunction, case: Case) -> int:
    """The bytes of the arrays and texts that the function is only given to read."""
    total = 0
    for (_, kind), value in zip(function.parameters, case.args, strict=False):
        if isinstance(value, (str, bytes)):
            total += len(value)
        elif _only_read(kind):
            total += int(getattr(value, "nbytes", 0))
    return total


def _only_read(kind: NativeType) -> bool:
    return kind.kind == "any" or (kind.kind in ("slice", "matrix", "view") and kind.const)


def _asking(job: Handle, name: str) -> Ask:
    return lambda case: job.ask(name, case.args, seconds=limits.VALIDATION_CALL_SECONDS)


def _probes(ask: Ask, function: NativeFunction, case: Case, expected: Answer, seed: int) -> tuple[int, list[Probe]]:
    """Places drawn by their bytes; of each the first change that changes the answer. (How many, those that do.)"""
    rng = generator(seed, "ceiling places")
    arrays = [
        (index, value)
        for index, ((_, kind), value) in enumerate(zip(function.parameters, case.args, strict=False))
        if _only_read(kind) and int(getattr(value, "nbytes", 0)) > 0
    ]
    weights = [value.nbytes for _, value in arrays]
    if not arrays:
        return 0, []
    found: list[Probe] = []
    until = time.monotonic() + limits.VALIDATION_CALL_SECONDS
    asked = 0
    for _ in range(limits.SCRUTINY_PROBES):
        if asked and time.monotonic() > until:
            break
        asked += 1
        index, array = arrays[int(rng.choice(len(arrays), p=[item / sum(weights) for item in weights]))]
        place = int(rng.integers(array.size))
        for value, in_domain in _changes(array, place, rng):
            changed = array.copy()
            changed.reshape(-1)[place] = value
            args = (*case.args[:index], changed, *case.args[index + 1 :])
            label = f"element {place} of argument {index + 1} alone is changed ({case.label})"
            answer = ask(Case(args, label))
            if answer.ok and difference(expected, answer, function.result):
                found.append(Probe(Case(args, label), answer, in_domain))
                break
    return asked, found


def _changes(array: Any, place: int, rng: Any) -> Iterator[tuple[Any, bool]]:
    """What one element may become: another of the array, then the outermost values. Sorted arrays stay sorted."""
    import numpy as np

    flat = array.reshape(-1)
    old = flat[place]
    if flat.ndim == 1 and flat.size > 2 and flat.dtype.kind in "iuf" and bool(np.all(flat[:-1] <= flat[1:])):
        for neighbour in (place - 1, place + 1):
            if 0 <= neighbour < flat.size and flat[neighbour] != old:
                yield flat[neighbour], True
        return
    for other in flat[rng.integers(flat.size, size=4)]:
        if other != old and other == other:  # a NaN is not itself
            yield other, True
            break
    if flat.dtype.kind == "b":
        yield not old, True
    elif flat.dtype.kind in "iu":
        info = np.iinfo(flat.dtype)
        yield from ((value, False) for value in (info.max, info.min) if value != old)
    elif flat.dtype.kind == "f":
        # Large enough to show in a sum of all, small enough that no sum of squares overflows.
        largest = float(np.nanmax(np.abs(np.where(np.isfinite(flat), flat, 0)), initial=1.0))
        big = min(4 * flat.size * largest, float(np.sqrt(np.finfo(flat.dtype).max)) / 4)
        yield from ((flat.dtype.type(value), False) for value in (big, -big))
