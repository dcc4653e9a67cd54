"""Copies of a call's arguments, so that what the call changes is not in them: plain values only, bounded in bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_PLAIN = (bool, int, float, complex, str, bytes, type(None))


def copied(args: Sequence[Any], bytes_max: int) -> tuple[Any, ...]:
    """Each argument copied: numbers, text, bytes, arrays, and lists, tuples, dicts and sets of such.

    Raises TypeError for anything else, ValueError for an argument above ``bytes_max``.
    """
    return tuple(_copied(item, [bytes_max]) for item in args)


def _copied(value: Any, left: list[int]) -> Any:
    """A copy; ``left`` holds the bytes that it may still take."""
    left[0] -= int(getattr(value, "nbytes", 0)) + (len(value) if isinstance(value, (str, bytes)) else 8)
    if left[0] < 0:
        raise ValueError("too large to be remembered")
    if type(value) in _PLAIN:
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ == "ndarray" and value.dtype.kind in "biufcSU":
        return value.copy()
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(_copied(item, left) for item in value)
    if type(value) is dict:
        return {_copied(key, left): _copied(item, left) for key, item in value.items()}
    raise TypeError(f"a {type(value).__name__} is not remembered")
