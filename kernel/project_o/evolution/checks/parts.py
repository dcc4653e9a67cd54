"""Parts of arguments by their place: which have a length, and the same arguments with one part changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[Any, ...]
"""Indices and keys from the arguments down to a part."""


def values_in(args: Any, path: Path) -> Any:
    """The part at ``path``. Raises LookupError or TypeError where there is none."""
    for step in path:
        args = args[step]
    return args


def put(args: Any, path: Path, change: Callable[..., Any], *how: Any) -> Any:
    """Arguments whose part at ``path`` is ``change(part, *how)``; all else is the same."""
    if not path:
        return change(args, *how)
    step, rest = path[0], path[1:]
    if isinstance(args, dict):
        return {key: put(item, rest, change, *how) if key == step else item for key, item in args.items()}
    items = [put(item, rest, change, *how) if place == step else item for place, item in enumerate(args)]
    return items if isinstance(args, list) else tuple(items)


def sized(args: tuple[Any, ...]) -> list[tuple[Path, int | None]]:
    """The parts that have a length, outer ones first: (path, axis of an array; None for a container or text)."""
    return [item for index, value in enumerate(args) for item in _sized((index,), value)]


def _sized(path: Path, value: Any) -> Iterator[tuple[Path, int | None]]:
    import numpy as np

    if isinstance(value, np.ndarray):
        yield from ((path, axis) for axis in range(value.ndim))
    elif isinstance(value, (str, bytes, list, dict, set, frozenset)):
        yield path, None
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _sized((*path, index), item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _sized((*path, key), item)


def lengths(args: tuple[Any, ...]) -> set[int]:
    """The lengths above 0 that occur in arguments."""
    found = set()
    for path, axis in sized(args):
        part = values_in(args, path)
        found.add(len(part) if axis is None else part.shape[axis])
    return {int(length) for length in found if length}


def without(value: Any, length: int, low: int, high: int, mode: str) -> Any:
    """All that has this length without its places from ``low`` to ``high``; an integer of that value gets less.

    ``mode`` is "sizes" where integers stay as they are, "rows" and "columns" where a flat array that is a multiple
    of it loses as much, as a matrix of so many rows or columns.
    """
    import numpy as np

    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value - (high - low) if value == length and mode != "sizes" else value
    if isinstance(value, np.ndarray):
        return _array_without(value, length, low, high, mode)
    if isinstance(value, str):
        return value[:low] + value[high:] if len(value) == length else value
    if isinstance(value, bytes):
        return value[:low] + value[high:] if len(value) == length else value
    if isinstance(value, list):
        kept = value[:low] + value[high:] if len(value) == length else value
        return [without(item, length, low, high, mode) for item in kept]
    if isinstance(value, tuple):
        return tuple(without(item, length, low, high, mode) for item in value)
    if isinstance(value, dict):
        return {key: without(item, length, low, high, mode) for key, item in value.items()}
    return value


def _array_without(array: Any, length: int, low: int, high: int, mode: str) -> Any:
    import numpy as np

    for axis in range(array.ndim):
        if array.shape[axis] == length:
            array = np.delete(array, slice(low, high), axis=axis)
    if mode in ("rows", "columns") and array.ndim == 1 and array.size > length and array.size % length == 0:
        if mode == "rows":
            return np.delete(array.reshape(length, -1), slice(low, high), axis=0).reshape(-1)
        return np.delete(array.reshape(-1, length), slice(low, high), axis=1).reshape(-1)
    return array
