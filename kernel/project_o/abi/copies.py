"""Copies of a call's arguments, so that what the call changes is not in them: plain values only, bounded in bytes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

_OBJECT_BYTES = 64  # about: it bounds the time that a copy takes as well
_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def copied(args: Sequence[Any], left: list[int]) -> tuple[Any, ...]:
    """Each argument copied: numbers, text, bytes, members of enums, arrays, also with structured dtypes, and lists,
    tuples, named tuples, dicts and sets of such.

    ``left`` holds the bytes that all of them may still take. Raises TypeError for anything else, ValueError for more.
    """
    return tuple(_copied(item, left) for item in args)


def _copied(value: Any, left: list[int]) -> Any:
    left[0] -= _OBJECT_BYTES + int(getattr(value, "nbytes", 0)) + (len(value) if isinstance(value, (str, bytes)) else 0)
    if left[0] < 0:
        raise ValueError("too large to be remembered")
    if type(value) in _PLAIN or isinstance(value, Enum) or _is_number_of_numpy(value):
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ == "ndarray" and _is_plain(value.dtype):
        return value.copy()
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_copied(item, left) for item in value)
    if isinstance(value, tuple) and hasattr(value, "_make"):
        return value._make(_copied(item, left) for item in value)
    if type(value) is dict:
        return {_copied(key, left): _copied(item, left) for key, item in value.items()}
    raise TypeError(f"a {type(value).__name__} is not remembered")


def _is_number_of_numpy(value: Any) -> bool:
    kind = getattr(getattr(value, "dtype", None), "kind", "?")
    return type(value).__module__ == "numpy" and type(value).__name__ != "ndarray" and kind in "biufc"


def _is_plain(kind: Any) -> bool:
    """Whether the elements are numbers or text, or made of numbers."""
    return kind.kind in "SU" or _is_numbers(kind)


def _is_numbers(kind: Any) -> bool:
    if kind.names is not None:
        return all(_is_numbers(kind.fields[name][0]) for name in kind.names)
    return kind.kind in "biufc" if kind.subdtype is None else _is_numbers(kind.subdtype[0])
