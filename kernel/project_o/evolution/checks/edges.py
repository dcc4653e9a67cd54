"""Inputs at the edges of their types: what generated inputs of ordinary values and sizes would meet too rarely.

Numbers: 0, -0.0, 1, -1, the extremes, the smallest denormals, nan and infinities. Arrays: empty, of one element,
around SIMD widths and tile sizes, sorted, reversed, constant, with repeats, with one extreme element, twice the same
values where two have one type. Text: empty, one character, several code points for one character, beyond the basic
plane, right to left. Beyond what the samples show: all values negated or many times larger, and one size too. Any
other Python values: see ``containers``. An array has one extreme element and not many: a sum of several would depend
on its order, and another order is no fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ... import limits
from ..compare import float_bits
from ..inputs import Case, Inputs
from ..leaves import Leaf, put_together
from .containers import WORDS, pointed, varied
from .scales import scaled

WIDTHS = (4, 8, 16, 32, 64, 128, 256)
CONTAINERS = 16
SEVERAL = 3
FULL = 64
"""Bits of the widest float."""

EXACT_BITS = 53
"""Whole numbers of more bits are rounded where they become floats."""

Change = Callable[[Any], Any]


def edges(inputs: Inputs, rng: Any, count: int = limits.EDGE_CASES_MAX) -> list[Case]:
    """At most ``count`` cases, a fair share of each kind; the same ``rng`` gives the same ones."""
    kinds = [
        list(kind)
        for kind in (_sizes(inputs, rng), _values(inputs, rng), _scales(inputs, rng), _containers(inputs, rng))
    ]
    for kind in kinds:
        rng.shuffle(kind)  # so that another purpose sees others where there are too many
    found: list[Case] = []
    while len(found) < count and any(kinds):
        found.extend(kind.pop() for kind in kinds if kind)
    return found[:count]


def _sizes(inputs: Inputs, rng: Any) -> Iterator[Case]:
    """Each free size in turn below, at and above a SIMD width or a tile."""
    base = [min(vector[0], 48) for vector in inputs.ties.free]
    for index in range(len(base)):
        for width in WIDTHS:
            size = width + int(rng.integers(-1, 2))
            chosen = [size if place == index else other for place, other in enumerate(base)]
            if inputs.bytes_of(chosen) <= limits.INPUT_BYTES_MAX:
                yield inputs.case(rng, chosen, f"around a width, {inputs.told(chosen)}", 8 * int(rng.integers(8)))


def _values(inputs: Inputs, rng: Any) -> Iterator[Case]:
    """One part of the arguments in turn at an edge, the others drawn; then two that are the same."""
    leaves = inputs.leaves
    for number, leaf in enumerate(leaves):
        for label, change in _changes(leaf, rng):
            sizes = [max(1, size) for size in inputs.random_sizes(rng)]
            case = inputs.case(rng, sizes, "")
            yield _with(inputs, case, {number: change}, f"{leaf.name}: {label}")
    for left, leaf in enumerate(leaves):
        for right in range(left + 1, len(leaves)):
            if leaf.kind in ("array", "matrix") and (leaf.kind, leaf.type.child) == (
                leaves[right].kind,
                leaves[right].type.child,
            ):
                case = inputs.case(rng, inputs.random_sizes(rng), "")
                parts = list(_flat(inputs, case.args))
                if parts[left].shape == parts[right].shape and not (leaf.writable or leaves[right].writable):
                    same = parts[left]
                    yield _with(inputs, case, {right: partial(_given, same)}, f"{leaves[right].name} is {leaf.name}")


def _scales(inputs: Inputs, rng: Any) -> Iterator[Case]:
    """Values and sizes that the samples do not show: all of one argument negated or larger, one size much larger."""
    for number, leaf in enumerate(inputs.leaves):
        if leaf.kind in ("array", "matrix", "int", "float") and not leaf.writable:
            for factor in (*limits.EDGE_SCALES, *((limits.EDGE_SCALE_SMALL,) if leaf.floating else ())):
                case = inputs.case(rng, inputs.random_sizes(rng), "")
                yield _with(inputs, case, {number: partial(_times, factor, leaf)}, f"{leaf.name}: {factor:.3g} times")
    if any(float_bits(leaf.type) < FULL for leaf in inputs.leaves if leaf.kind != "fixed"):
        return  # a long sum of narrow floats depends on its order
    base = [vector[0] for vector in inputs.ties.free]
    for index, value in enumerate(base):
        chosen = [limits.EDGE_GROWTH * value + 3 if place == index else size for place, size in enumerate(base)]
        if value > 0 and inputs.bytes_of(chosen) <= limits.INPUT_BYTES_MAX:
            yield inputs.case(rng, chosen, f"larger, {inputs.told(chosen)}")


def _times(factor: float, leaf: Leaf, value: Any) -> Any:
    """The value so many times; as it was where that does not fit its type."""
    try:
        found = scaled(value, factor)
    except OverflowError:
        return value
    if leaf.kind == "int":
        low, high = _bounds(leaf)
        return found if low <= found <= high else value
    return found


def _containers(inputs: Inputs, rng: Any) -> Iterator[Case]:
    free = [number for number, leaf in enumerate(inputs.leaves) if leaf.kind == "fixed" and leaf.type.kind == "any"]
    for _ in range(CONTAINERS if free else 0):
        case = inputs.case(rng, inputs.random_sizes(rng), "")
        chosen = {number: partial(varied, rng) for number in free if rng.random() < 0.8}
        yield _with(inputs, case, chosen, "other members")
    for number in free:
        for label, value in pointed(inputs.leaves[number].values[0]):
            case = inputs.case(rng, inputs.random_sizes(rng), "")
            yield _with(inputs, case, {number: partial(_given, value)}, f"{inputs.leaves[number].name}: {label}")


def _with(inputs: Inputs, case: Case, changes: Mapping[int, Change], label: str) -> Case:
    values = [
        changes[number](value) if number in changes else value for number, value in enumerate(_flat(inputs, case.args))
    ]
    return Case(put_together(inputs.function, values, inputs.samples[0]), label, case.offset_bytes)


def _flat(inputs: Inputs, args: Sequence[Any]) -> Iterator[Any]:
    from ..leaves import take_apart

    for leaf in take_apart(inputs.function, [args]):
        yield leaf.values[0]


# ---------------------------------------------------------------------- what is at the edge of a type


def _changes(leaf: Leaf, rng: Any) -> Iterator[tuple[str, Change]]:
    match leaf.kind:
        case "array" | "matrix" if not leaf.writable:
            yield from _array_changes(leaf, rng)
        case "float":
            for number in (0.0, -0.0, 1.0, -1.0, 5e-324, 1e-300, 1e300, float("nan"), float("inf"), -float("inf")):
                yield repr(number), partial(_given, number)
        case "int":
            low, high = _bounds(leaf)
            for whole in sorted({0, 1, -1, 2, 7, 8, 9, low, high}):
                if low <= whole <= high:
                    yield str(whole), partial(_given, whole)
        case "bool":
            for truth in (False, True):
                yield str(truth), partial(_given, truth)
        case "text":
            for word in WORDS if not leaf.type.sentinel else WORDS[:6]:
                yield ascii(word), partial(_word, word)
        case _:
            return


def _array_changes(leaf: Leaf, rng: Any) -> Iterator[tuple[str, Change]]:
    import numpy as np

    yield "sorted", lambda array: np.sort(array, axis=None).reshape(array.shape)
    yield "reversed", lambda array: np.sort(array, axis=None)[::-1].reshape(array.shape).copy()
    yield "repeats", lambda array: np.resize(array.reshape(-1)[:SEVERAL], array.shape) if array.size else array
    yield "ones", np.ones_like
    kind = leaf.values[0].dtype
    specials: list[tuple[str, Any]] = []
    if kind.kind == "f":
        info = np.finfo(kind)
        specials = [("the largest", info.max), ("nan", np.nan), ("infinite", np.inf), ("-infinite", -np.inf)]
        yield "-0.0", lambda array: np.full_like(array, -0.0)
        yield (
            "nan beside infinities",
            lambda array: rng.choice([np.nan, np.inf, -np.inf, 1.0], array.shape).astype(kind),
        )
        yield "denormal", lambda array: (rng.integers(0, 4, array.shape) * info.smallest_subnormal).astype(kind)
    elif kind.kind in "iu":
        limit = np.iinfo(kind)
        specials = [("the largest", limit.max), ("the smallest", limit.min)]
        both = np.array([limit.max // 3 * 2, limit.min // 3 * 2, 1], kind)
        yield "large ones of both signs", lambda array: rng.choice(both, array.shape)
        if kind.itemsize * 8 == FULL:
            near = (1 << EXACT_BITS) + 1
            yield "what floats round to one", lambda array: (near - rng.integers(0, 3, array.shape)).astype(kind)
    for label, number in specials:
        for place in ("first", "last"):
            yield f"{label} {place}", partial(_one, number, place)


def _given(value: Any, _: Any) -> Any:
    return value


def _word(word: str, value: Any) -> Any:
    return word if isinstance(value, str) else word.encode()


def _one(number: Any, place: str, array: Any) -> Any:
    array = array.copy()
    if array.size:
        array.reshape(-1)[0 if place == "first" else -1] = number
    return array


def _bounds(leaf: Leaf) -> tuple[int, int]:
    bits = leaf.type.bits
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if leaf.type.signed else (0, (1 << bits) - 1)
