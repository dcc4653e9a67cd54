"""Copies of a call's arguments: so that another version can answer the call as if the first had never been asked.

Only what is known to be plain is copied: numbers, text, arrays, and lists, tuples, dicts and sets of such. Anything
else may hold a file, a lock or a million rows, and a copy of it could not be trusted: such a call is not copied at all.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import pathlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import limits
from ..values import NativeFunction, NativeType

_UNCHANGING = (
    *(bool, int, float, complex, str, bytes, type(None), type(...), range, slice, type, re.Pattern, enum.Enum),
    *(datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo, decimal.Decimal, fractions.Fraction),
    pathlib.PurePath,
)


class _CannotCopyError(Exception):
    """Something in the arguments is not plain, or too much."""


class Kept:
    """What a call's arguments held before it. Made by ``kept``."""

    def __init__(self) -> None:
        self._restores: list[Callable[[], None]] = []
        self._seen: dict[int, Any] = {}
        self._bytes = limits.CANARY_COPY_BYTES_MAX
        self._items = limits.CANARY_COPY_ITEMS_MAX

    def restore(self) -> None:
        """Let the arguments hold it again: they are the same objects."""
        for restore in self._restores:
            restore()

    def spend(self, count: int) -> None:
        """Bytes of a copy. Raises _CannotCopyError where they are too many."""
        self._bytes -= count
        self._items -= 1
        if self._bytes < 0 or self._items < 0:
            raise _CannotCopyError

    def keep(self, value: Any) -> None:
        """Keep a value and what it holds. Raises _CannotCopyError."""
        if id(value) in self._seen:
            return
        if isinstance(value, (str, bytes)):
            return
        if isinstance(value, _UNCHANGING) or _is_numpy(value, "generic", "dtype"):
            return
        self._seen[id(value)] = value
        if _is_numpy(value, "ndarray"):
            self._keep_array(value)
        elif type(value) in (list, bytearray):
            self.spend(8 * len(value) if type(value) is list else len(value))
            before = value[:]
            self._restores.append(lambda: value.__setitem__(slice(None), before))
        elif type(value) in (dict, set):
            self.spend(16 * len(value))
            copy = value.copy()
            self._restores.append(lambda: (value.clear(), value.update(copy))[0])
        elif type(value) not in (tuple, frozenset):
            self._keep_buffer(value)
        if type(value) in (list, tuple, set, frozenset):
            for item in value:
                self.keep(item)
        elif type(value) is dict:
            for key, item in value.items():
                self.keep(key)
                self.keep(item)

    def _keep_buffer(self, value: Any) -> None:
        """A memory view or an array of the standard library. Raises TypeError for what has no buffer."""
        view = memoryview(value)
        if view.readonly:
            return
        self.spend(view.nbytes)
        before = view.tobytes()

        def restore() -> None:
            memoryview(value).cast("B")[:] = before

        self._restores.append(restore)

    def _keep_array(self, array: Any) -> None:
        if array.dtype.hasobject:
            raise _CannotCopyError
        if not array.flags.writeable:
            return
        self.spend(int(array.nbytes))
        copy = array.copy()

        def restore() -> None:
            array[...] = copy

        self._restores.append(restore)


def kept(native: NativeFunction | None, args: Sequence[Any], named: Mapping[str, Any]) -> Kept | None:
    """What the call may change of its arguments; None where that cannot be copied.

    ``native`` says which of them it can write; None: any.
    """
    found = Kept()
    try:
        if native is None:
            for value in (*args, *named.values()):
                found.keep(value)
        else:
            for value, (_, kind) in zip(args, native.parameters, strict=False):
                _keep_written(found, value, kind)
    except (_CannotCopyError, TypeError, ValueError):
        return None
    return found


def copied(native: NativeFunction | None, args: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments for a second call beside the first: what could be written is a copy. After ``kept`` said they can.

    Arguments that are read only are shared.
    """
    from copy import deepcopy

    if native is None:
        return tuple(deepcopy(value) for value in args)
    return tuple(
        deepcopy(value) if _writes(kind) else value for value, (_, kind) in zip(args, native.parameters, strict=False)
    )


def size_class(args: Sequence[Any]) -> int:
    """The size of the arguments as a power of two, from what can be told without looking into them."""
    total = 0
    for value in args:
        total += int(getattr(value, "nbytes", 0)) or (len(value) if isinstance(value, (str, bytes, list, dict)) else 0)
    return total.bit_length()


def _keep_written(found: Kept, value: Any, kind: NativeType) -> None:
    if not _writes(kind):
        return
    if kind.kind not in ("slice", "matrix"):
        raise _CannotCopyError  # inside a struct or an optional
    found.keep(value)


def _writes(kind: NativeType) -> bool:
    """Whether a function with a parameter of this type may change what it is given."""
    if kind.kind in ("slice", "matrix"):
        return not kind.const
    inner = [inside for _, inside in kind.fields] + ([kind.child] if kind.child is not None else [])
    return any(_writes(item) for item in inner)


def _is_numpy(value: Any, *names: str) -> bool:
    kind = type(value)
    return kind.__module__ == "numpy" and any(base.__name__ in names for base in kind.__mro__)
