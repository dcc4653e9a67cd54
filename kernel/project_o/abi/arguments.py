"""Python values -> the cells of a call."""

from __future__ import annotations

import enum
import inspect
import math
import operator
import struct
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from ..errors import InterfaceError
from ..values import NativeFunction, NativeType
from .classes import element_dtype, enum_class, named_tuple
from .elements import COMPLEX, complex_dtype, has_bools, holds_other_bytes, other_array, utf8
from .layout import WORD_BITS, argument_cell_count, child_of, dtype_name, row_length

Place = Callable[[Any, bool], int]
"""(array, writable) -> its address as the callee sees it."""
Converter = Callable[[Any, list[int], Place], None]
_WORD = (1 << WORD_BITS) - 1


def bind(function: NativeFunction, args: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
    """Positional and named arguments in the function's own order. Raises InterfaceError."""
    if not named:
        return tuple(args)
    names = [name for name, _ in function.parameters]
    if other := next((name for name in named if name not in names), None):
        raise InterfaceError(f"{function.name}({', '.join(names)}): got an unexpected keyword argument {other!r}")
    kinds = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    try:
        return inspect.Signature(kinds).bind(*args, **named).args
    except TypeError as error:
        raise InterfaceError(f"{function.name}({', '.join(names)}): {error}") from None


def pack(function: NativeFunction, args: Sequence[Any], place: Place) -> list[int]:
    """The cells of a call. Raises InterfaceError naming the parameter that does not fit."""
    return pack_with(converters(function), function, args, place)


def pack_with(
    converters: tuple[Converter, ...], function: NativeFunction, args: Sequence[Any], place: Place
) -> list[int]:
    """``pack`` for a caller that keeps what ``converters`` gave."""
    if len(args) != len(converters):
        names = ", ".join(name for name, _ in function.parameters)
        wanted, given = len(converters), len(args)
        takes = f"takes {wanted} argument{'' if wanted == 1 else 's'}"
        raise InterfaceError(f"{function.name}({names}) {takes}, {given} {'was' if given == 1 else 'were'} given")
    cells: list[int] = []
    for convert, value in zip(converters, args, strict=True):
        convert(value, cells, place)
    return cells


@lru_cache(maxsize=1024)
def converters(function: NativeFunction) -> tuple[Converter, ...]:
    """One function for each parameter, which appends the cells of an argument or raises InterfaceError."""
    return tuple(_converter(kind, f"{function.name}: {name}") for name, kind in function.parameters)


def _converter(kind: NativeType, where: str) -> Converter:
    match kind.kind:
        case "bool":
            return lambda value, cells, place: cells.append(1 if _truth(value, where) else 0)
        case "int":
            return _int_converter(kind, where)
        case "float":
            return lambda value, cells, place: cells.append(_double_bits(value, where))
        case "enum":
            return _enum_converter(kind, where)
        case "slice":
            return _slice_converter(kind, where)
        case "matrix":
            return _matrix_converter(kind, where)
        case "view":
            return _view_converter(kind, where)
        case "array":
            return _array_converter(kind, where)
        case "optional":
            return _optional_converter(kind, where)
        case "struct" | "tuple":
            return _struct_converter(kind, where)
        case other:
            raise InterfaceError(f"{where}: a parameter of type {other} cannot be passed from Python")


def _truth(value: Any, where: str) -> bool:
    if isinstance(value, bool) or type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    raise InterfaceError(f"{where} wants a bool, got {type(value).__name__}")


def _bounds(kind: NativeType) -> tuple[int, int]:
    low = -(1 << (kind.bits - 1)) if kind.signed else 0
    return low, low + (1 << kind.bits) - 1


def _int_converter(kind: NativeType, where: str) -> Converter:
    low, high = _bounds(kind)

    def convert(value: Any, cells: list[int], place: Place) -> None:
        try:
            number = operator.index(value)
        except TypeError:
            raise InterfaceError(f"{where} wants an int, got {type(value).__name__}") from None
        if not low <= number <= high:
            raise InterfaceError(f"{where} wants an int from {low} to {high}, got {number}")
        cells.append(number & _WORD)
        if kind.bits > WORD_BITS:
            cells.append(number >> WORD_BITS & _WORD)

    return convert


def _enum_converter(kind: NativeType, where: str) -> Converter:
    values = {name: number for (name, _), number in zip(kind.fields, kind.numbers, strict=True)}
    known = ", ".join(values)
    members = {member.name: int(member) for member in enum_class(kind)}
    low, high = _bounds(kind)

    def number_of(value: Any) -> int:
        if isinstance(value, str):
            return values[value] if value in values else members[value]
        if isinstance(value, enum.Enum):
            number = members[value.name]
            if number == value.value:
                return number
            raise KeyError
        number = operator.index(value)
        if number not in kind.numbers and (kind.const or not low <= number <= high):
            raise KeyError
        return number

    def convert(value: Any, cells: list[int], place: Place) -> None:
        try:
            cells.append(number_of(value) & _WORD)
        except (KeyError, TypeError):
            more = "" if kind.const else f", or a number from {low} to {high}"
            raise InterfaceError(f"{where} wants a {kind.name}, one of {known}{more}: got {value!r}") from None

    return convert


def _double_bits(value: Any, where: str) -> int:
    if isinstance(value, (str, bytes)):
        raise InterfaceError(f"{where} wants a float, got {type(value).__name__}")
    try:
        # As struct does, which tells no error of the value's own from another.
        number = math.ldexp(value, 0)
    except OverflowError:
        raise InterfaceError(f"{where} wants a float, got a number beyond the largest one") from None
    except (TypeError, ValueError):
        raise InterfaceError(f"{where} wants a float, got {type(value).__name__}") from None
    return int(struct.unpack("<Q", struct.pack("<d", number))[0])


def _array_reader(kind: NativeType, where: str) -> Callable[[Any], Any]:
    """A function that makes a value a numpy array of exactly the element type, without a copy where it is one.

    One that is only read and not aligned to its elements is copied: nobody chose that, it is how what came in a
    message or lies in a file is shared.
    """
    import numpy as np

    child = child_of(kind)
    if kind.kind == "slice" and row_length(kind):
        child = child_of(child)
    dtype, name = element_dtype(child), dtype_name(child)
    writes = not kind.const
    pairs, bools = complex_dtype(dtype), has_bools(dtype)

    def read(value: Any) -> Any:
        array = value if isinstance(value, np.ndarray) else other_array(value, dtype, where, name, writes=writes)
        if type(array) is not np.ndarray and isinstance(array, np.ma.MaskedArray):
            raise InterfaceError(f"{where} would not see this array's mask: pass .filled(...) or .compressed()")
        if pairs is not None and array.dtype == pairs:
            array = array.view(dtype)
        if array.dtype != dtype:
            raise InterfaceError(f"{where} wants a numpy array of {name}, got {array.dtype}: {_how(dtype, name)}")
        flags = array.flags
        # An array of structs is aligned to its own idea of them, which may be none.
        if not flags.aligned or (dtype.names is not None and array.ctypes.data % dtype.alignment and array.size):
            if writes:
                raise InterfaceError(f"{where} wants an array that is aligned to its elements: pass a .copy()")
            array = array.copy()
        if writes and not flags.writeable:
            raise InterfaceError(f"{where} is written by the function, but this array is read-only: pass a .copy()")
        if bools and holds_other_bytes(array):
            raise InterfaceError(f"{where} wants bools, but some bytes are neither 0 nor 1: pass .view('uint8') != 0")
        return array

    return read


def _how(dtype: Any, name: str) -> str:
    """How an array of another type becomes one of this."""
    if dtype.names is None:
        return f"convert it with .astype('{name}')"
    if (pairs := complex_dtype(dtype)) is not None:
        return f"convert it with .astype('{pairs}')"
    if not name.isidentifier():  # a generic type: Python has no name for it
        return f"convert it with .astype({dtype.descr})"
    return f"convert it with .astype({name}.dtype), where a cell CELL has a name with .astype(CELL.{name}.dtype)"


def _contiguous(array: Any, where: str) -> None:
    if not array.flags.c_contiguous:
        raise InterfaceError(f"{where} wants a contiguous array: pass np.ascontiguousarray(...)")


def _slice_converter(kind: NativeType, where: str) -> Converter:
    read, writes, sentinel, row = _array_reader(kind, where), not kind.const, kind.sentinel, row_length(kind)

    def convert(value: Any, cells: list[int], place: Place) -> None:
        array = read(_terminated(value, where) if sentinel else value)
        _contiguous(array, where)
        if row and array.shape[1:] != (row,) and (array.size or array.ndim != 1):
            raise InterfaceError(f"{where} wants an array of shape (n, {row}), got {array.shape}{_to_rows(array, row)}")
        cells.append(place(array, writes))
        cells.append(array.size - 1 if sentinel else array.size // row if row else array.size)

    return convert


def _to_rows(array: Any, row: int) -> str:
    """What to do for such rows, where it is clear. To reshape columns would be a silent mistake."""
    if array.ndim == 2:
        return ": pass np.ascontiguousarray(... .T)" if len(array) == row else ""
    whole = array.size % row == 0 if array.ndim == 1 else array.ndim > 2 and array.shape[-1] == row
    return f": use .reshape(-1, {row})" if whole else ""


def _terminated(value: Any, where: str) -> bytes:
    raw = utf8(value, where) if isinstance(value, str) else value
    if not isinstance(raw, bytes):
        raise InterfaceError(f"{where} wants str or bytes, got {type(value).__name__}")
    if b"\0" in raw:
        raise InterfaceError(f"{where} is a zero-terminated string and cannot hold a zero byte")
    return raw + b"\0"


def _matrix_converter(kind: NativeType, where: str) -> Converter:
    read, writes = _array_reader(kind, where), not kind.const

    def convert(value: Any, cells: list[int], place: Place) -> None:
        array = read(value)
        if array.ndim != 2:
            raise InterfaceError(f"{where} wants a 2-d array, got {array.ndim}-d: use .reshape(rows, columns)")
        rows, columns = array.shape
        item = array.itemsize
        row_bytes = array.strides[0] if rows > 1 and columns else columns * item
        if (columns > 1 and rows and array.strides[1] != item) or row_bytes % item or row_bytes < columns * item:
            raise InterfaceError(f"{where} wants rows of contiguous elements: pass np.ascontiguousarray(...)")
        cells.extend((place(array, writes), rows, columns, row_bytes // item))

    return convert


def _view_converter(kind: NativeType, where: str) -> Converter:
    read, writes, dimensions = _array_reader(kind, where), not kind.const, kind.length

    def convert(value: Any, cells: list[int], place: Place) -> None:
        array = read(value)
        if array.ndim != dimensions:
            raise InterfaceError(f"{where} wants a {dimensions}-d array, got {array.ndim}-d: use .reshape(...)")
        item = array.itemsize
        if any(stride % item for stride in array.strides):
            raise InterfaceError(f"{where} wants strides of whole elements: pass a .copy()")
        cells.append(place(array, writes))
        cells.extend(array.shape)
        cells.extend(stride // item & _WORD for stride in array.strides)

    return convert


def _array_converter(kind: NativeType, where: str) -> Converter:
    read = _array_reader(NativeType("slice", const=True, child=kind.child), where)

    def convert(value: Any, cells: list[int], place: Place) -> None:
        array = read(value)
        _contiguous(array, where)
        if array.size != kind.length:
            raise InterfaceError(f"{where} wants {kind.length} elements, got {array.size}")
        cells.append(place(array, False))

    return convert


def _optional_converter(kind: NativeType, where: str) -> Converter:
    payload = _converter(child_of(kind), where)
    absent = [0] * argument_cell_count(kind)

    def convert(value: Any, cells: list[int], place: Place) -> None:
        if value is None:
            cells.extend(absent)
            return
        cells.append(1)
        payload(value, cells, place)

    return convert


def _struct_converter(kind: NativeType, where: str) -> Converter:
    parts = [(name, _converter(item, f"{where}.{name}")) for name, item in kind.fields]
    names = tuple(name for name, _ in parts)
    python_names = named_tuple(kind)._fields if kind.kind == "struct" else names

    def convert(value: Any, cells: list[int], place: Place) -> None:
        if isinstance(value, dict) and set(value) == set(names):
            items = [value[name] for name in names]
        elif isinstance(value, dict) and set(value) == set(python_names):
            items = [value[name] for name in python_names]
        elif type(value).__name__ == "void" and value.dtype.names == names:  # an element of an array of structs
            items = [value[name] for name in names]
        elif isinstance(value, tuple) and len(value) == len(parts):
            items = list(value)
        elif names in COMPLEX and hasattr(value, "imag") and not hasattr(value, "__len__"):
            items = [value.real, value.imag]
        else:
            raise InterfaceError(f"{where} wants a tuple or dict of {', '.join(name for name, _ in parts)}")
        for (_, part), item in zip(parts, items, strict=True):
            part(item, cells, place)

    return convert
