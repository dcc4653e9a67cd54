"""Inputs far beyond the samples: sizes and values at which a candidate may begin to do something else.

Two sources, and none of them is the candidate's to choose. The numbers that its text has and the incumbent's has not
(``constants``): each is a size, and a value, one below it, at it and one above. And a ladder: sizes beside every power
of two and one drawn between two of them, all values times ever larger powers of two, whole numbers beside them, as far
up as the incumbent answers within ``limits.REACH_CALL_SECONDS`` and the input fits into ``limits.INPUT_BYTES_MAX``.

What is wrong *from* a size on is wrong at the largest that was tried, too, whatever the text says; what is wrong
between two sizes is met where they are a factor of two apart. What begins beyond the last rung is not seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ... import limits
from ..compare import ROUNDING_BY_BITS, float_bits
from ..inputs import Case, Inputs
from ..leaves import LIST, Leaf, put_together, take_apart
from .constants import Number
from .scales import scaled

BASE_MAX = 48
"""Of the other sizes, while one grows."""
SCALE_STEP_BITS = 6
SCALE_BITS_MAX = 60
ROUNDED_SHARE_MAX = 1 / 64
"""Of a sum of narrow floats: what its rounding may come to, else its order decides the answer."""
RESTS_MAX = 12
"""Of the pairs of numbers of a text, one of which may be what the other one leaves of a size."""
REST_SIZE_MAX = 1 << 18
FIXED_BYTES = 64
"""About what a member of a list takes, on the way to the other process too."""

Look = Callable[[Case], float | None]
"""Ask both sides; the seconds that the incumbent took, None where it is out of its domain or took too long."""


@dataclass
class Reach:
    """Of one function. ``look`` raises whatever ends it."""

    inputs: Inputs
    rng: Any
    look: Look

    def at(self, numbers: Sequence[Number]) -> None:
        """Each number as a size, and as a value; and of two of them one as what the other one leaves of a size."""
        chosen = list(numbers)
        if len(chosen) > limits.REACH_NUMBERS_MAX:  # more than are looked at: which ones, no text knows
            places = self.rng.choice(len(chosen), size=limits.REACH_NUMBERS_MAX, replace=False)
            chosen = [chosen[int(place)] for place in sorted(places)]
        for number in chosen:
            for case in (*self._sizes_at(number), *self._values_at(number)):
                self.look(case)
        for case in self._rests([int(number) for number in chosen if number == int(number)]):
            self.look(case)

    def climb(self, spent: Callable[[float], bool]) -> None:
        """The ladders, one after another; ``spent(share)`` says whether this share of the time is used up."""
        ways = [*self._growing(), *self._containers(), *self._scaling(), *self._counting()]
        for number, rungs in enumerate(ways):
            failed = 0
            for quick, case in rungs():
                if spent((number + 1) / len(ways)):
                    break
                seconds = self.look(case)
                failed = failed + 1 if seconds is None else 0
                if failed > 1 or (seconds or 0.0) > limits.REACH_CALL_SECONDS:
                    break
                quick.slow = quick.slow or (seconds or 0.0) > limits.REACH_QUICK_SECONDS

    # ------------------------------------------------------------------ sizes

    def _sizes_at(self, number: Number) -> Iterator[Case]:
        if number != int(number):
            return
        whole = int(number)
        for index, sizes in enumerate(self._bases()):
            for size in dict.fromkeys((whole - 1, whole, whole + 1, whole // 8 + 1)):
                if case := self._sized(sizes, index, size):
                    yield case
        for leaf, place in self._held():
            for size in (whole - 1, whole, whole + 1):
                if case := self._of_members(leaf, place, size):
                    yield case

    def _rests(self, numbers: Sequence[int]) -> Iterator[Case]:
        """Sizes that leave one number when they are divided by another: the first, and the first above all of them."""
        pairs = [(by, rest) for by in numbers for rest in {*numbers, 0, by - 1} if 0 <= rest < by]
        top = max((number for number in numbers if number <= REST_SIZE_MAX), default=0)
        for place in sorted(self.rng.permutation(len(pairs))[:RESTS_MAX]):
            by, rest = pairs[int(place)]
            for size in dict.fromkeys((by + rest, top - top % by + by + rest)):
                for index, sizes in enumerate(self._bases()):
                    if size <= 2 * REST_SIZE_MAX and (case := self._sized(sizes, index, size)):
                        yield case

    def _growing(self) -> list[Callable[[], Iterator[tuple[Pace, Case]]]]:
        """For each size in turn, and for all of them together, the rungs from the sample's size up."""
        bases = self._bases()
        ways = [self._rungs(max(1, self.inputs.ties.free[k][0]), self._alone(b, k)) for k, b in enumerate(bases)]
        if len(bases) > 1:
            least = max(1, min(vector[0] for vector in self.inputs.ties.free))
            ways.append(self._rungs(least, lambda size: self._sized([size] * len(bases), 0, size)))
        return ways

    def _containers(self) -> list[Callable[[], Iterator[tuple[Pace, Case]]]]:
        return [self._rungs(max(1, len(leaf.values[0])), self._members(leaf, place)) for leaf, place in self._held()]

    def _alone(self, sizes: Sequence[int], index: int) -> Callable[[int], Case | None]:
        return lambda size: self._sized(sizes, index, size)

    def _members(self, leaf: Leaf, place: int) -> Callable[[int], Case | None]:
        return lambda size: self._of_members(leaf, place, size)

    def _rungs(self, base: int, made: Callable[[int], Case | None]) -> Callable[[], Iterator[tuple[Pace, Case]]]:
        def rungs() -> Iterator[tuple[Pace, Case]]:
            pace = Pace()
            power = 1 << base.bit_length()
            while True:
                sizes = [power - 1, power, power + 1, power + 1 + int(self.rng.integers(power))]
                for size in [sizes[int(self.rng.integers(4))]] if pace.slow else sizes:
                    case = made(size)
                    if case is None:
                        return
                    yield pace, case
                power *= 2

        return rungs

    def _bases(self) -> list[list[int]]:
        """For each free size the sizes beside it: small ones of the sample's."""
        free = [vector[0] for vector in self.inputs.ties.free]
        return [[min(value, BASE_MAX) for value in free] for _ in free]

    def _sized(self, sizes: Sequence[int], index: int, size: int) -> Case | None:
        chosen = [size if place == index else other for place, other in enumerate(sizes)]
        if size < 1 or self._bytes(chosen) > limits.INPUT_BYTES_MAX or self._blurred(chosen):
            return None
        label = f"far from the samples, {self.inputs.told(chosen)}"
        return self.inputs.case(self.rng, chosen, label, 8 * int(self.rng.integers(8)))

    def _bytes(self, chosen: Sequence[int]) -> int:
        sizes = self.inputs.ties.sizes(chosen)
        lists = [k for k, leaf in enumerate(self.inputs.leaves) if leaf.type.name == LIST or leaf.kind == "text"]
        numbers = [size for (leaf, axis), size in sizes.items() if axis < 0]
        if any(number >= 1 << 62 for number in numbers):
            return limits.INPUT_BYTES_MAX + 1
        return self.inputs.bytes_of(chosen) + sum(FIXED_BYTES * sizes.get((k, 0), 1) for k in lists)

    def _blurred(self, chosen: Sequence[int]) -> bool:
        """Whether so many narrow floats are summed, perhaps, that the order of the sum decides the answer."""
        bits = min((float_bits(leaf.type) for leaf in self.inputs.leaves if leaf.kind != "fixed"), default=64)
        if bits >= 64:
            return False
        elements = math.prod(max(1, size) for size in chosen)
        return elements * ROUNDING_BY_BITS.get(bits, 0.0) > ROUNDED_SHARE_MAX

    def _held(self) -> list[tuple[Leaf, int]]:
        """The arguments that are lists or tables of anything: they grow by more of their own members."""
        found = []
        for place, leaf in enumerate(self.inputs.leaves):
            value = leaf.values[0]
            table = type(value) is dict and len({type(item) for item in value.values()}) == 1 and len(value) > 1
            names = table and {type(key) for key in value} in ({str}, {int})
            if leaf.kind == "fixed" and (type(value) is list or names) and value:
                found.append((leaf, place))
        return found

    def _of_members(self, leaf: Leaf, place: int, size: int) -> Case | None:
        if size < 1 or size * FIXED_BYTES > limits.INPUT_BYTES_MAX:
            return None
        value = leaf.values[0]
        items = list(value) if type(value) is list else list(value.values())
        drawn = [items[int(k)] for k in self.rng.integers(len(items), size=size)]
        if type(value) is dict:
            keys = list(value)[:size]
            more = range(size - len(keys))
            known = set(keys)
            top = max((key for key in keys if isinstance(key, int)), default=0)
            keys += [f"{keys[0]}{k}" if isinstance(keys[0], str) else top + 1 + k for k in more]
            if any(key in known for key in keys[len(known) :]):
                return None
            drawn = dict(zip(keys, drawn, strict=True))  # type: ignore[assignment]  # a table, not a list
        return self._with({place: drawn}, f"far from the samples, {leaf.name} of {size} members")

    # ------------------------------------------------------------------ values

    def _values_at(self, number: Number) -> Iterator[Case]:
        whole = number == int(number)
        for place, leaf in self._valued():
            if leaf.kind == "int":
                near = (int(number) - 1, int(number), int(number) + 1, 2 * int(number), -int(number))
                values: list[Any] = [item for item in near if _fits(leaf, item)]
            elif leaf.kind == "float":
                values = [float(number), math.nextafter(number, math.inf), 1.5 * number, -float(number)]
            else:
                values = list(self._arrays_at(leaf, number, whole=whole))
            for value in values:
                yield self._with({place: value}, f"{leaf.name} about {number}")

    def _arrays_at(self, leaf: Leaf, number: Number, *, whole: bool) -> Iterator[Any]:
        known = leaf.values[0]
        if not known.size or known.dtype.kind not in "iuf" or (known.dtype.kind in "iu" and not whole):
            return
        with np.errstate(all="ignore"):
            for value in (number, number + 1):
                if known.dtype.kind == "f" or _within(known.dtype, value):
                    one = known.copy()
                    one.reshape(-1)[int(self.rng.integers(one.size))] = value
                    yield one if not _sorted(known) else np.sort(one)
            for value in (number, number / 2):  # wherever it is looked for; and where two are added up
                if known.dtype.kind == "f" or (value == int(value) and _within(known.dtype, value)):
                    yield np.full_like(known, value)
            wide = known.dtype.kind == "f" and known.dtype.itemsize == 8
            if wide or (known.dtype.kind != "f" and _within(known.dtype, int(known.max()) + int(number))):
                yield (known + known.dtype.type(number)).astype(known.dtype)

    def _scaling(self) -> list[Callable[[], Iterator[tuple[Pace, Case]]]]:
        """All values of one array, or one float, times ever larger powers of two, which keep floats exact."""
        return [
            self._scaled(place, leaf) for place, leaf in self._valued() if leaf.kind in ("array", "matrix", "float")
        ]

    def _scaled(self, place: int, leaf: Leaf) -> Callable[[], Iterator[tuple[Pace, Case]]]:
        def rungs() -> Iterator[tuple[Pace, Case]]:
            for bits in range(SCALE_STEP_BITS, SCALE_BITS_MAX + 1, SCALE_STEP_BITS):
                for sign in (1, -1):
                    try:
                        value = scaled(leaf.values[0], sign * (1 << bits))
                    except OverflowError:
                        if sign > 0:
                            return
                        continue
                    yield Pace(), self._with({place: value}, f"{leaf.name} times {sign * (1 << bits)}")

        return rungs

    def _counting(self) -> list[Callable[[], Iterator[tuple[Pace, Case]]]]:
        """A whole number beside every power of two, and below zero."""
        return [self._counted(place, leaf) for place, leaf in self._valued() if leaf.kind == "int"]

    def _counted(self, place: int, leaf: Leaf) -> Callable[[], Iterator[tuple[Pace, Case]]]:
        def rungs() -> Iterator[tuple[Pace, Case]]:
            pace = Pace()
            for bits in range(1, leaf.type.bits):
                power = 1 << bits
                values = [power - 1, power, power + 1, power + int(self.rng.integers(power))]
                for value in [values[int(self.rng.integers(4))]] if pace.slow else values:
                    if _fits(leaf, value):
                        yield pace, self._with({place: value}, f"{leaf.name} {value}")

        return rungs

    def _valued(self) -> list[tuple[int, Leaf]]:
        """The arguments whose values can be moved: no sizes, and nothing that is only written."""
        tied = {leaf for leaf, axis in self.inputs.ties.factors if axis < 0}
        return [
            (place, leaf)
            for place, leaf in enumerate(self.inputs.leaves)
            if leaf.kind in ("int", "float", "array", "matrix") and not leaf.writable and place not in tied
        ]

    def _with(self, changes: dict[int, Any], label: str) -> Case:
        """The first sample with these parts changed."""
        sample = self.inputs.samples[0]
        known = [leaf.values[0] for leaf in take_apart(self.inputs.function, [sample])]
        values = [changes.get(place, value) for place, value in enumerate(known)]
        copied = [value.copy() if isinstance(value, np.ndarray) else value for value in values]
        return Case(put_together(self.inputs.function, copied, sample), label)


@dataclass
class Pace:
    """Of one ladder: where the incumbent begins to take long, a rung is one input and not four."""

    slow: bool = False


def _fits(leaf: Leaf, value: int) -> bool:
    bits = leaf.type.bits
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if leaf.type.signed else (0, (1 << bits) - 1)
    return low <= value <= high


def _within(dtype: Any, value: Number) -> bool:
    info = np.iinfo(dtype)
    return bool(info.min <= value <= info.max)


def _sorted(array: Any) -> bool:
    return array.ndim == 1 and array.size > 2 and bool(np.all(array[:-1] <= array[1:]))
