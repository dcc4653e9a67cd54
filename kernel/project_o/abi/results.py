"""The cells of a result -> Python values."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import InterfaceError
from ..values import NativeFunction, NativeType
from .classes import element_dtype, enum_class, item_bytes, named_tuple
from .layout import cell_count, child_of, int_cells, is_text, row_length

Read = Callable[[int, int], bytes]
"""(address as the callee sees it, bytes) -> a copy of that memory."""


def unpack(function: NativeFunction, cells: Sequence[int], read: Read) -> Any:
    """The Python value of a successful call: numbers, numpy arrays, str, None, named tuples."""
    value, _ = _decode(function.result, cells, 0, read)
    return value


def result_slices(function: NativeFunction) -> list[tuple[int, int, tuple[int, ...]]]:
    """Where results point into the callee's memory: (cell of the address, bytes an element, cells that must be 1)."""
    found: list[tuple[int, int, tuple[int, ...]]] = []

    def walk(kind: NativeType, at: int, flags: tuple[int, ...]) -> int:
        if kind.kind == "slice":
            found.append((at, item_bytes(child_of(kind)), flags))
        if kind.kind == "optional":
            return walk(child_of(kind), at + 1, (*flags, at))
        if kind.kind == "error_union":
            return walk(child_of(kind), at, flags)
        if kind.kind in ("struct", "tuple"):
            for _, item in kind.fields:
                at = walk(item, at, flags)
            return at
        return at + cell_count(kind)

    walk(function.result, 0, ())
    return found


def _decode(kind: NativeType, cells: Sequence[int], at: int, read: Read) -> tuple[Any, int]:
    match kind.kind:
        case "void":
            return None, at
        case "bool":
            return bool(cells[at] & 1), at + 1
        case "int":
            return _decode_int(kind, cells, at), at + int_cells(kind)
        case "enum":
            return _decode_enum(kind, cells[at]), at + 1
        case "float":
            return struct.unpack("<d", struct.pack("<Q", cells[at]))[0], at + 1
        case "slice":
            return _decode_slice(kind, cells[at], cells[at + 1], read), at + 2
        case "array":
            return _decode_array(kind, cells, at, read)
        case "optional":
            value, after = _decode(child_of(kind), cells, at + 1, read) if cells[at] else (None, 0)
            return value, after if cells[at] else at + cell_count(kind)
        case "error_union":
            return _decode(child_of(kind), cells, at, read)
        case "struct" | "tuple":
            items = []
            for _, item in kind.fields:
                value, at = _decode(item, cells, at, read)
                items.append(value)
            return (named_tuple(kind)(*items) if kind.kind == "struct" else tuple(items)), at
        case other:
            raise InterfaceError(f"a result of type {other} cannot be returned to Python")


def _decode_int(kind: NativeType, cells: Sequence[int], at: int) -> int:
    number = cells[at] if int_cells(kind) == 1 else cells[at] | cells[at + 1] << 64
    number &= (1 << kind.bits) - 1
    return number - (1 << kind.bits) if kind.signed and number >> (kind.bits - 1) else number


def _decode_enum(kind: NativeType, cell: int) -> Any:
    number = cell - (1 << 64) if kind.signed and cell >> 63 else cell
    return enum_class(kind)(number) if number in kind.numbers else number


def _decode_slice(kind: NativeType, address: int, length: int, read: Read) -> Any:
    import numpy as np

    child = child_of(kind)
    row = row_length(kind)
    dtype = element_dtype(child_of(child) if row else child)
    raw = read(address, length * item_bytes(child)) if length else b""
    if is_text(kind):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw
    shape = (length, row) if row else (length,)
    if dtype.kind == "b":  # a byte that is neither would be equal to what it is not
        return np.frombuffer(raw, np.uint8).reshape(shape) != 0
    return np.frombuffer(raw, dtype).reshape(shape).copy()


def _decode_array(kind: NativeType, cells: Sequence[int], at: int, read: Read) -> tuple[Any, int]:
    import numpy as np

    items = []
    for _ in range(kind.length):
        value, at = _decode(child_of(kind), cells, at, read)
        items.append(value)
    return np.array(items, element_dtype(child_of(kind))), at
