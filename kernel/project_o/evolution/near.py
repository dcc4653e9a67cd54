"""The nearest other input: one with a single element changed, so that nobody has seen it and it costs the same.

An array gets another of its own values in one place (and stays sorted where it is), a matrix another of its rows, a
text another of its characters, a list or a dict one member; only where there is none of these does a number move, by a
sixteenth of itself at most. So what the user showed keeps its shape, and whoever remembers answers does not know this.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..values import NativeType
from .leaves import ARRAYS, Leaf

Generator = np.random.Generator
INT_SHIFT_MIN = 8
SHIFT_SHARE = 16
TRIES = 8
DEPTH_MAX = 8
CONTAINERS = (list, tuple, dict, set, frozenset)


def near(rng: Generator, leaves: Sequence[Leaf], values: Sequence[Any], sample: int) -> list[Any]:
    """The values of these leaves, one of them changed in one place; as they were where nothing can be changed.

    What arrays get is in the ``sample`` of this number.
    """
    found = list(values)
    places = _changeable(leaves, values)
    if places:
        place = places[int(rng.integers(len(places)))]
        known = leaves[place].values[sample]
        if isinstance(known, np.ndarray) and known.size:
            found[place] = _array(rng, found[place], known)
        else:
            found[place] = _changed(rng, found[place], leaves[place].type)
    return found


def neighbour(rng: Generator, args: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments of a call with one of them changed in one place."""
    found = list(args)
    if found:
        place = int(rng.integers(len(found)))
        found[place] = _changed(rng, found[place])
    return tuple(found)


def _changeable(leaves: Sequence[Leaf], values: Sequence[Any]) -> list[int]:
    """The leaves in which a change is meant least: data that is read, then data that is written, then numbers."""
    sized = [k for k, leaf in enumerate(leaves) if leaf.kind in (*ARRAYS, "text") and len(values[k])]
    read = [k for k in sized if not leaves[k].writable and np.size(values[k])]
    held = [k for k, value in enumerate(values) if isinstance(value, CONTAINERS) and value]
    numbers = [k for k, leaf in enumerate(leaves) if leaf.kind in ("int", "float", "bool")]
    return read or held or [k for k in sized if np.size(values[k])] or numbers


def _changed(rng: Generator, value: Any, kind: NativeType | None = None, depth: int = 0) -> Any:
    if isinstance(value, np.ndarray):
        return _array(rng, value, value) if value.size else value
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return _integer(rng, value, kind)
    if isinstance(value, float):
        return _number(rng, value)
    if isinstance(value, (str, bytes)) and value:
        return _text(rng, value)
    if type(value) in CONTAINERS and value and depth < DEPTH_MAX:
        return _container(rng, value, depth)
    return value


def _array(rng: Generator, array: Any, known: Any) -> Any:
    """The array with one place as another is in ``known``."""
    found = array.copy()
    if found.ndim == 2 and known.shape[1:] == found.shape[1:]:  # what stands in one row may belong together
        place = int(rng.integers(len(found)))
        for other in rng.integers(len(known), size=TRIES):
            if found[place].tobytes() != known[other].tobytes():
                found[place] = known[other]
                return found
    flat, pool = found.reshape(-1), known.reshape(-1)
    if found.ndim == 1 and flat.size > 2 and flat.dtype.kind in "iuf" and bool(np.all(flat[:-1] <= flat[1:])):
        _sorted(rng, flat)
        return found
    place = int(rng.integers(flat.size))
    old = flat[place]
    others = [item for item in pool[rng.integers(pool.size, size=TRIES)] if item != old and item == item]
    flat[place] = others[0] if others else _element(rng, old)
    return found


def _sorted(rng: Generator, flat: Any) -> None:
    """Change one element so that all stay in their order."""
    steps = np.flatnonzero(flat[:-1] != flat[1:])
    if len(steps):
        place = int(steps[rng.integers(len(steps))])
        place, other = (place, place + 1) if rng.random() < 0.5 else (place + 1, place)
        flat[place] = flat[other]
    else:
        moved = _element(rng, flat[0])
        flat[-1 if moved > flat[0] else 0] = moved


def _element(rng: Generator, old: Any) -> Any:
    """Another value of the same type."""
    kind = old.dtype.kind
    if kind == "b":
        return not old
    if kind in "iu":
        return _integer(rng, int(old), NativeType("int", bits=8 * old.dtype.itemsize, signed=kind == "i"))
    return _number(rng, float(old)) if kind == "f" else old


def _integer(rng: Generator, value: int, kind: NativeType | None) -> int:
    """Up to a sixteenth away, of the same sign, and within its type."""
    shift = max(INT_SHIFT_MIN, abs(value) // SHIFT_SHARE)
    low, high = (1, value + shift) if value > 0 else (value - shift, -1) if value < 0 else (0, shift)
    low = max(low, value - shift)
    if kind is not None and kind.bits:
        high = min(high, (1 << (kind.bits - (1 if kind.signed else 0))) - 1)
        low = max(low, -(1 << (kind.bits - 1)) if kind.signed else 0)
    moved = low + int(rng.random() * (high - low + 1))
    return moved if moved != value else (low if value != low else high)


def _number(rng: Generator, value: float) -> float:
    return value * (1 + float(rng.uniform(-1, 1)) / SHIFT_SHARE) if value else float(rng.uniform(-1, 1)) / SHIFT_SHARE


def _text(rng: Generator, value: Any) -> Any:
    place = int(rng.integers(len(value)))
    old = value[place : place + 1]
    others = [value[k : k + 1] for k in map(int, rng.integers(len(value), size=TRIES)) if value[k : k + 1] != old]
    other = (
        others[0]
        if others
        else ("b" if old == "a" else "a")
        if isinstance(value, str)
        else b"b"
        if old == b"a"
        else b"a"
    )
    return value[:place] + other + value[place + 1 :]


def _container(rng: Generator, value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        key = list(value)[int(rng.integers(len(value)))]
        return {**value, key: _changed(rng, value[key], None, depth + 1)}
    items = list(value) if not isinstance(value, (set, frozenset)) else sorted(value, key=repr)
    place = int(rng.integers(len(items)))
    other = items[int(rng.integers(len(items)))]
    same = type(other) is not type(items[place]) or repr(other) == repr(items[place])
    tied = isinstance(value, (tuple, set, frozenset))  # each place of a record has its own meaning; a set has no two
    items[place] = _changed(rng, items[place], None, depth + 1) if same or tied else other
    return type(value)(items)
