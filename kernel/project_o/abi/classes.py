"""The Python classes that stand for a library's own types: enums, structs, and numpy's types of array elements."""

from __future__ import annotations

import enum
import keyword
from collections import namedtuple
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ..values import Interface, NativeType
from .layout import child_of, dtype_name

_NAMELESS = ("struct", "enum")
"""What types are called that have no name of their own."""


@lru_cache(maxsize=1024)
def element_dtype(kind: NativeType) -> Any:
    """numpy's type of an array's element: a number, or a struct as it lies in memory."""
    import numpy as np

    if kind.kind == "array":
        return np.dtype((element_dtype(child_of(kind)), (kind.length,)))
    if kind.kind not in ("struct", "tuple"):
        return np.dtype(dtype_name(kind))
    size, *offsets = kind.numbers
    return np.dtype(
        {
            "names": [name for name, _ in kind.fields],
            "formats": [element_dtype(item) for _, item in kind.fields],
            "offsets": offsets,
            "itemsize": size,
        },
        align=True,
    )


@lru_cache(maxsize=1024)
def named_tuple(kind: NativeType) -> Any:
    """The class of the tuples that a struct becomes.

    Where the struct may be an element of an array it has a ``dtype``, so that ``np.zeros(8, Particle)`` is an array
    of it.
    """
    # A generic type is called ``Pair(f32)``, an anonymous one nothing that Python would take.
    name = kind.name.split("(", 1)[0]
    usable = name.isidentifier() and not keyword.iskeyword(name)
    make: Any = namedtuple
    made = make(name if usable else "Result", [_field(field) for field, _ in kind.fields], rename=True)
    if kind.numbers and not hasattr(made, "dtype"):
        made.dtype = element_dtype(kind)
    # No name leads to the class: another process makes it of the type.
    made.__reduce__ = lambda value: (_tuple, (kind, tuple(value)))
    return made


def _tuple(kind: NativeType, values: tuple[Any, ...]) -> Any:
    return named_tuple(kind)(*values)


@lru_cache(maxsize=1024)
def enum_class(kind: NativeType) -> Any:
    """The ``enum.IntEnum`` of an enum. Names that Python keeps for itself have a ``_`` behind them."""
    members: dict[str, int] = {}
    for (name, _), number in zip(kind.fields, kind.numbers, strict=True):
        member = _member(name)
        while member in members:
            member += "_"
        members[member] = number
    make: Any = enum.IntEnum
    made = make(kind.name if kind.name.isidentifier() else "Enum", list(members.items()))
    made.__reduce_ex__ = lambda value, _protocol: (_member_of, (kind, int(value)))
    return made


def _member_of(kind: NativeType, number: int) -> Any:
    return enum_class(kind)(number)


def _member(name: str) -> str:
    # What begins with a line is not a member, or an error, depending on how it ends.
    plain = name.strip("_") or "line"
    return f"{plain}_" if name == "mro" or name.startswith("_") else _field(name)


def _field(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def classes(interface: Interface) -> dict[str, Any]:
    """The classes of all enums and structs that an interface names, by their names."""
    found: dict[str, Any] = {}
    for function in interface.functions:
        for kind in (*(kind for _, kind in function.parameters), function.result):
            for item in _inside(kind):
                found.setdefault(item.name, enum_class(item) if item.kind == "enum" else named_tuple(item))
    return {name: made for name, made in found.items() if name.isidentifier() and name not in _NAMELESS}


def _inside(kind: NativeType) -> Iterator[NativeType]:
    if kind.kind in ("enum", "struct") and kind.name:
        yield kind
    for _, item in kind.fields:
        yield from _inside(item)
    if kind.child is not None:
        yield from _inside(kind.child)


def item_bytes(kind: NativeType) -> int:
    """The size of an array's element, in bytes."""
    if kind.kind == "array":
        return kind.length * item_bytes(child_of(kind))
    return kind.numbers[0] if kind.numbers else max(1, kind.bits // 8)
