"""Generated inputs: many sizes and values, in the shape of the user's samples or of the function's types alone.

Sizes keep the ties that the samples show (``sizes``). Values are drawn from the samples' own, so that data which
is exact (small integers in floats, say) stays exact and a reordered sum stays comparable. Everything comes from
``generator(seed, purpose)``: the same seed and purpose give the same inputs, byte for byte.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import abi
from ..limits import INPUT_BYTES_MAX
from ..values import NativeFunction, NativeType
from .leaves import ARRAYS, Leaf, put_together, take_apart
from .near import near
from .sizes import Dimension, Ties, infer
from .task import generator

Generator = np.random.Generator

SAMPLES_MAX = 8
SMALL_ODD = (3, 5, 7, 9, 13)
SYNTHETIC_LENGTH = 4096
SYNTHETIC_SIDE = 64
SPECIALS = ("nan", "infinite", "zeros", "constant", "constant rows", "poison")
TEXT = "the quick brown fox, 0123456789 äß€\n"


@dataclass(frozen=True)
class Case:
    """Arguments of one call, and in words what they are."""

    args: tuple[Any, ...]
    label: str
    offset_bytes: int = 0
    """How far arrays begin from a boundary of 64 bytes; a multiple of 8."""


class Inputs:
    """The inputs of one function. Raises EvolutionError for samples that do not fit it."""

    def __init__(self, function: NativeFunction, samples: Sequence[tuple[Any, ...]], seed: int) -> None:
        self.function = function
        self.seed = seed
        self.given = bool(samples)
        self.samples = list(samples[:SAMPLES_MAX]) or [_synthetic(function, generator(seed, "synthetic"))]
        self.leaves = take_apart(function, self.samples)
        self.ties: Ties = infer(list(_dimensions(self.leaves)))

    def checks(self, count: int, purpose: str = "validate") -> list[Case]:
        """At least ``count`` inputs for comparing answers: samples, edge sizes, special values, then random ones."""
        rng = generator(self.seed, purpose)
        cases = [Case(self._sample(index), "the sample") for index in range(len(self.samples))]
        if all(leaf.kind == "fixed" for leaf in self.leaves):
            return cases  # nothing can be varied, and the same again would show nothing
        for label, chosen in self._planned(rng):
            cases.append(Case(self._draw(rng, chosen, ""), label))
        for special in SPECIALS:
            sizes = self.random_sizes(rng)
            cases.append(Case(self._draw(rng, sizes, special), f"{special}, {self.told(sizes)}"))
        while len(cases) < count:
            sizes = self.random_sizes(rng)
            cases.append(Case(self._draw(rng, sizes, ""), f"random, {self.told(sizes)}"))
        return cases

    def example(self, index: int) -> Case:
        """One of the samples, by its number modulo their count; drawn in their sizes where none were given."""
        if self.given:
            return Case(self._sample(index % len(self.samples)), "the sample")
        return self.like(generator(self.seed, "example", index), 0, 1.0)

    def near(self, rng: Generator, sample: int) -> Case:
        """A sample with one element changed."""
        known = [leaf.values[sample] for leaf in self.leaves]
        values = [
            _array(rng, value, value.shape, leaf, "") if _is_buffer(leaf, value) else _copy(value)
            for leaf, value in zip(self.leaves, known, strict=True)
        ]
        values = near(rng, self.leaves, values, sample)
        return Case(put_together(self.function, values, self.samples[sample]), "a sample with one element changed")

    def like(self, rng: Generator, sample: int, share: float) -> Case:
        """An input like this sample, with ``share`` of its largest size and drawn values.

        Numbers that no size depends on are the sample's own: they are settings. Where they are all there is, they move.
        """
        sizes = [vector[sample] for vector in self.ties.free]
        if sizes and share != 1.0:
            largest = sizes.index(max(sizes))
            sizes[largest] = max(1, round(share * sizes[largest]))
        values = [_redrawn(rng, value) for value in self._values(rng, sizes, "", sample, vary=False)]
        values = near(rng, self.leaves, values, sample)
        return Case(put_together(self.function, values, self.samples[sample]), self.told(sizes))

    # ------------------------------------------------------------------ sizes

    def _planned(self, rng: Generator) -> Iterator[tuple[str, list[int]]]:
        base = [vector[0] for vector in self.ties.free]
        yield "sizes of the sample", base
        for index, value in enumerate(base):
            for size in (0, 1, int(rng.choice(SMALL_ODD)), value + 1, 2 * value + 1):
                chosen = [size if k == index else self._modest(rng, other) for k, other in enumerate(base)]
                if self.bytes_of(chosen) <= max(INPUT_BYTES_MAX, self.bytes_of(base)):
                    yield self.told(chosen), chosen
        if len(base) > 1:
            yield "all sizes 0", [0] * len(base)
            yield "all sizes 1", [1] * len(base)

    def case(self, rng: Generator, chosen: Sequence[int], label: str, offset_bytes: int = 0) -> Case:
        """One input of these free sizes with values drawn from the samples."""
        return Case(self._draw(rng, chosen, ""), label, offset_bytes)

    def random_sizes(self, rng: Generator) -> list[int]:
        """Free sizes: those of a sample, mostly made small."""
        index = int(rng.integers(len(self.samples)))
        return [self._modest(rng, vector[index]) for vector in self.ties.free]

    @staticmethod
    def _modest(rng: Generator, value: int) -> int:
        """The sample's size at times, else a small one: every candidate is asked all cases, so most must be cheap."""
        options = (value, min(value, 48), min(value, int(rng.choice(SMALL_ODD))), int(rng.integers(1, 65)))
        return int(options[int(rng.integers(len(options)))])

    def bytes_of(self, chosen: Sequence[int]) -> int:
        """What the arrays of these free sizes take."""
        sizes = self.ties.sizes(chosen)
        total = 0
        for number, leaf in enumerate(self.leaves):
            if leaf.kind in ARRAYS:
                width = leaf.values[0].dtype.itemsize
                total += width * sizes.get((number, 0), 1) * sizes.get((number, 1), leaf.row or 1)
        return total

    def told(self, chosen: Sequence[int]) -> str:
        """The sizes in words: ``data 7x3, k 2``."""
        sizes = self.ties.sizes(chosen)
        names: dict[str, list[str]] = {}
        for (number, _), value in sizes.items():
            names.setdefault(self.leaves[number].name, []).append(str(value))
        return ", ".join(f"{name} {'x'.join(parts)}" for name, parts in names.items()) or "the sample's sizes"

    # ------------------------------------------------------------------ values

    def _sample(self, index: int) -> tuple[Any, ...]:
        """A copy: whoever writes into it writes into nothing of the user's."""
        values = [_copy(leaf.values[index]) for leaf in self.leaves]
        return put_together(self.function, values, self.samples[index])

    def _draw(self, rng: Generator, chosen: Sequence[int], special: str) -> tuple[Any, ...]:
        index = int(rng.integers(len(self.samples)))
        values = self._values(rng, chosen, special, index)
        return put_together(self.function, values, self.samples[index])

    def _values(
        self, rng: Generator, chosen: Sequence[int], special: str, index: int, *, vary: bool = True
    ) -> list[Any]:
        sizes = self.ties.sizes(chosen)
        smallest = min((value for value in chosen if value > 0), default=0)
        values = []
        for number, leaf in enumerate(self.leaves):
            value = leaf.values[index]
            if leaf.kind in ("array", "records"):
                value = _array(rng, value, (sizes[(number, 0)],), leaf, special)
            elif leaf.kind == "matrix":
                value = _array(rng, value, (sizes[(number, 0)], leaf.row or sizes[(number, 1)]), leaf, special)
            elif leaf.kind == "text":
                value = _text(rng, value, sizes[(number, 0)])
            elif (number, -1) in sizes:
                value = _clipped(sizes[(number, -1)], leaf.type)
            elif leaf.kind == "fixed":
                value = _copy(value)
            elif vary:
                value = _scalar(rng, leaf, index, smallest)
            values.append(value)
        return values


def _dimensions(leaves: Sequence[Leaf]) -> Iterator[Dimension]:
    for number, leaf in enumerate(leaves):
        if leaf.kind in ARRAYS:
            for axis in range(2 if leaf.kind == "matrix" and not leaf.row else 1):
                sizes = tuple(int(v.shape[axis]) if leaf.kind == "matrix" else int(v.size) for v in leaf.values)
                yield Dimension(number, axis, sizes)
        elif leaf.kind == "text":
            yield Dimension(number, 0, tuple(len(value) for value in leaf.values))
        elif leaf.kind == "int":
            yield Dimension(number, -1, tuple(int(value) for value in leaf.values))


def _copy(value: Any) -> Any:
    return value.copy() if isinstance(value, np.ndarray) else value


def _redrawn(rng: Generator, value: Any) -> Any:
    """A list of anything with as many of its own members, drawn anew: one changed member would leave the rest known."""
    if type(value) is not list or len(value) < 2:
        return value
    return [value[int(place)] for place in rng.integers(len(value), size=len(value))]


def _is_buffer(leaf: Leaf, sample: Any) -> bool:
    """Whether it is only to be written: the user filled it with one value, and anything may stand in it before."""
    return leaf.writable and sample.size > 0 and bool(np.all(sample == sample.flat[0]))


def _array(rng: Generator, sample: Any, shape: tuple[int, ...], leaf: Leaf, special: str) -> Any:
    """An array of this shape from the sample's own values; sorted where the sample is, whole rows where they fit."""
    pool = sample if sample.size and not _is_buffer(leaf, sample) else _pool(leaf.type, rng)
    if len(shape) == 2 and pool.ndim == 2 and pool.shape[1] == shape[1] and pool.shape[0]:
        drawn = pool[rng.integers(pool.shape[0], size=shape[0])]
    else:
        flat = pool.reshape(-1)
        drawn = flat[rng.integers(flat.size, size=shape)]
        ordered = leaf.kind != "records" and flat.size > 2 and bool(np.all(flat[:-1] <= flat[1:]))
        if len(shape) == 1 and ordered and not leaf.writable:
            drawn = np.sort(drawn)
    return _specialise(rng, np.ascontiguousarray(drawn), leaf, special)


def _specialise(rng: Generator, array: Any, leaf: Leaf, special: str) -> Any:
    if special == "poison" and leaf.writable:
        # An output that is not written shows: what stood there before is no number that an answer would have.
        array[...] = np.nan if leaf.floating else (1 if array.dtype == bool else 77)
    if not array.size or leaf.writable:
        return array
    flat = array.reshape(-1)
    places = rng.integers(array.size, size=max(1, min(3, array.size // 4)))
    match special:
        case "nan" if leaf.floating:
            flat[places] = np.nan
        case "infinite" if leaf.floating:
            flat[places] = np.where(rng.random(len(places)) < 0.5, np.inf, -np.inf)
        case "zeros":
            array[...] = 0
        case "constant":
            array[...] = flat[0]
        case "constant rows" if array.ndim == 2:
            array[...] = array[:, :1]
    return array


def _text(rng: Generator, sample: Any, length: int) -> Any:
    pool: Any = sample or (TEXT if isinstance(sample, str) else TEXT.encode())
    picks: list[Any] = [pool[int(k)] for k in rng.integers(len(pool), size=length)]
    return "".join(picks) if isinstance(sample, str) else bytes(picks)


def _scalar(rng: Generator, leaf: Leaf, index: int, smallest: int) -> Any:
    """A number that no size depends on: mostly the sample's, at times an edge, at times cut to the smallest size."""
    value = leaf.values[index]
    if leaf.kind == "bool":
        return bool(rng.random() < 0.5)
    if leaf.kind == "float":
        options: tuple[Any, ...] = (value, value, 0.0, -value, value * 0.5)
        return options[int(rng.integers(len(options)))]
    edges = (value, value, min(value, smallest), 0, 1, value + 1)
    return _clipped(edges[int(rng.integers(len(edges)))], leaf.type)


def _clipped(value: int, kind: NativeType) -> int:
    low = -(1 << (kind.bits - 1)) if kind.signed else 0
    high = (1 << (kind.bits - (1 if kind.signed else 0))) - 1
    return min(max(int(value), low), high)


def _pool(kind: NativeType, rng: Generator) -> Any:
    """Values for an element type without samples: exact in every float format, small in every integer format."""
    assert kind.child is not None, "slices and matrices have elements"
    return _random(abi.element_dtype(kind.child), rng)


def _random(dtype: Any, rng: Generator) -> Any:
    if dtype.names:
        found = np.zeros(997, dtype)
        for name in dtype.names:
            field, shape = dtype[name].base, dtype[name].shape
            found[name] = np.resize(_random(field, rng), (997, *shape))
        return found
    if dtype.subdtype is not None:
        base, shape = dtype.subdtype
        return np.resize(_random(base, rng), (997, *shape))
    if dtype.kind == "f":
        return (rng.integers(-32, 33, size=997) / 8).astype(dtype)
    if dtype.kind == "b":
        return rng.random(997) < 0.5
    return rng.integers(0, 16, size=997).astype(dtype)


def _synthetic(function: NativeFunction, rng: Generator) -> tuple[Any, ...]:
    """One set of arguments made up from the types: slices of one length, square matrices, small integers."""
    kinds = [kind for _, kind in function.parameters]
    length = SYNTHETIC_SIDE if any(kind.kind == "matrix" for kind in kinds) else SYNTHETIC_LENGTH
    return tuple(_made_up(kind, length, rng) for kind in kinds)


def _made_up(kind: NativeType, length: int, rng: Generator) -> Any:
    match kind.kind:
        case "bool":
            return True
        case "int":
            return 4
        case "float":
            return 0.5
        case "optional":
            return None
        case "struct" | "tuple":
            return tuple(_made_up(part, length, rng) for _, part in kind.fields)
        case "array":
            return rng.choice(_pool(kind, rng), size=kind.length)
        case "enum":
            return kind.numbers[0]
        case "matrix" | "view":
            return rng.choice(_pool(kind, rng), size=(SYNTHETIC_SIDE,) * (kind.length or 2))
    if abi.spell(kind) == "str":
        return (TEXT * (length // len(TEXT) + 1))[:length]
    return rng.choice(_pool(kind, rng), size=length)
