"""How Python values become the cells of the shim ABI, and back.

Every native function is reached through one prototype, ``int32_t call(uint64_t *args, uint64_t *ret)``:

    bool, int up to 64 bits   one cell, two's complement
    float up to 64 bits       one cell, the bits of the value as a double
    slice                     two cells: address, length in elements
    matrix                    four cells: address, rows, columns, row stride in elements
    array by value            one cell as an argument (its address), one for each element as a result
    struct, tuple             the cells of the fields, one after the other
    optional                  one cell (1: present), then the cells of the payload
    error union               the cells of the payload; a status of -1 says that ``ret`` holds the address and
                              length of the error's name instead

The result is followed by one cell, the handle of the memory that the call allocated; ``o_free(handle)``
releases it. The caller copies returned slices before it does. With a status of -1 nothing is left allocated, and
there is no handle. This module knows no library and no process:
``place`` and ``read`` say where memory is.
"""

from __future__ import annotations

import keyword
import operator
import struct
from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from .errors import InterfaceError
from .values import Interface, NativeFunction, NativeType

STATUS_OK = 0
STATUS_ERROR = -1
ERROR_RESULT_CELLS = 2

Place = Callable[[Any, bool], int]
"""(array, writable) -> its address as the callee sees it."""
Read = Callable[[int, int], bytes]
"""(address as the callee sees it, bytes) -> a copy of that memory."""
Converter = Callable[[Any, list[int], Place], None]


# ------------------------------------------------------------------------------- description


def type_from_json(body: dict[str, Any]) -> NativeType:
    """A type as ``o_describe`` writes it. Raises KeyError for a description without ``kind``."""
    child = body.get("child")
    return NativeType(
        kind=body["kind"],
        bits=body.get("bits", 0),
        signed=body.get("signed", False),
        const=body.get("const", False),
        sentinel=body.get("sentinel", False),
        length=body.get("length", 0),
        child=type_from_json(child) if child else None,
        name=body.get("name", ""),
        fields=tuple((name, type_from_json(item)) for name, item in body.get("fields", ())),
    )


def interface_from_json(body: dict[str, Any]) -> Interface:
    """The interface as ``o_describe`` writes it; parameters are called ``a0``, ``a1`` until names are known."""
    return Interface(
        functions=tuple(
            NativeFunction(
                name=item["name"],
                parameters=tuple((f"a{k}", type_from_json(t)) for k, t in enumerate(item["parameters"])),
                result=type_from_json(item["result"]),
            )
            for item in body["functions"]
        ),
        skipped=tuple((name, reason) for name, reason in body.get("skipped", ())),
    )


def spell(kind: NativeType) -> str:
    """The type in Python's words, for messages and signatures: ``float32 array``, ``int``, ``float | None``."""
    match kind.kind:
        case "slice" if _is_text(kind):
            return "str"
        case "slice":
            return f"{'' if kind.const else 'writable '}{dtype_name(_child(kind))} array"
        case "matrix":
            return f"{'' if kind.const else 'writable '}2-d {dtype_name(_child(kind))} array"
        case "array":
            return f"{dtype_name(_child(kind))} array of {kind.length}"
        case "optional":
            return f"{spell(_child(kind))} | None"
        case "error_union":
            return spell(_child(kind))
        case "struct" | "tuple":
            return kind.name or "tuple"
        case "void":
            return "None"
        case other:
            return other


def dtype_name(kind: NativeType) -> str:
    """The numpy dtype of a number type: ``float32``, ``uint8``, ``bool``."""
    if kind.kind == "bool":
        return "bool"
    prefix = "float" if kind.kind == "float" else "int" if kind.signed else "uint"
    return f"{prefix}{kind.bits}"


def cell_count(kind: NativeType) -> int:
    """How many cells a result of this type takes."""
    match kind.kind:
        case "void":
            return 0
        case "slice":
            return 2
        case "matrix":
            return 4
        case "array":
            return kind.length * cell_count(_child(kind))
        case "struct" | "tuple":
            return sum(cell_count(item) for _, item in kind.fields)
        case "optional":
            return 1 + cell_count(_child(kind))
        case "error_union":
            return cell_count(_child(kind))
        case _:
            return 1


def argument_cell_count(kind: NativeType) -> int:
    """How many cells an argument of this type takes: an array by value is passed by its address."""
    match kind.kind:
        case "array":
            return 1
        case "struct" | "tuple":
            return sum(argument_cell_count(item) for _, item in kind.fields)
        case "optional":
            return 1 + argument_cell_count(_child(kind))
        case _:
            return cell_count(kind)


def result_cells(function: NativeFunction) -> int:
    """The cells that ``ret`` must have: the result or an error's name, and the memory handle."""
    return max(cell_count(function.result), ERROR_RESULT_CELLS) + 1


def handle_cell(function: NativeFunction) -> int:
    """Where in ``ret`` the memory handle stands."""
    return cell_count(function.result)


# ------------------------------------------------------------------------------- arguments


def pack(function: NativeFunction, args: Sequence[Any], place: Place) -> list[int]:
    """The cells of a call. Raises InterfaceError naming the parameter that does not fit."""
    return pack_with(converters(function), function, args, place)


def pack_with(
    converters: tuple[Converter, ...], function: NativeFunction, args: Sequence[Any], place: Place
) -> list[int]:
    """``pack`` for a caller that keeps what ``converters`` gave."""
    if len(args) != len(converters):
        names = ", ".join(name for name, _ in function.parameters)
        raise InterfaceError(f"{function.name}({names}) takes {len(converters)} arguments, {len(args)} were given")
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
        case "slice":
            return _slice_converter(kind, where)
        case "matrix":
            return _matrix_converter(kind, where)
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


def _int_converter(kind: NativeType, where: str) -> Converter:
    low = -(1 << (kind.bits - 1)) if kind.signed else 0
    high = (1 << (kind.bits - 1)) - 1 if kind.signed else (1 << kind.bits) - 1

    def convert(value: Any, cells: list[int], place: Place) -> None:
        try:
            number = operator.index(value)
        except TypeError:
            raise InterfaceError(f"{where} wants an int, got {type(value).__name__}") from None
        if not low <= number <= high:
            raise InterfaceError(f"{where} wants an int from {low} to {high}, got {number}")
        cells.append(number & 0xFFFF_FFFF_FFFF_FFFF)

    return convert


def _double_bits(value: Any, where: str) -> int:
    if isinstance(value, (str, bytes)):
        raise InterfaceError(f"{where} wants a float, got {type(value).__name__}")
    try:
        return int(struct.unpack("<Q", struct.pack("<d", value))[0])
    except (struct.error, TypeError, ValueError, OverflowError):
        raise InterfaceError(f"{where} wants a float, got {type(value).__name__}") from None


def _array_reader(kind: NativeType, where: str) -> Callable[[Any], Any]:
    """A function that makes a value a numpy array of exactly the element type, without a copy where it is one."""
    import numpy as np

    dtype = np.dtype(dtype_name(_child(kind)))
    writes = not kind.const

    def read(value: Any) -> Any:
        array = value if isinstance(value, np.ndarray) else _other_array(value, dtype, where, writes=writes)
        if array.dtype != dtype:
            raise InterfaceError(
                f"{where} wants a numpy array of {dtype}, got {array.dtype}: convert it with .astype('{dtype}')"
            )
        flags = array.flags
        if not flags.aligned:
            raise InterfaceError(f"{where} wants an array that is aligned to its elements: pass a .copy()")
        if writes and not flags.writeable:
            raise InterfaceError(f"{where} is written by the function, but this array is read-only: pass a .copy()")
        return array

    return read


def _other_array(value: Any, dtype: Any, where: str, *, writes: bool) -> Any:
    import numpy as np

    if writes and not isinstance(value, (bytearray, memoryview)):
        raise InterfaceError(
            f"{where} is written by the function: pass a numpy array of {dtype}, got {type(value).__name__}"
        )
    if isinstance(value, str) and dtype == np.uint8:
        return np.frombuffer(_utf8(value, where), np.uint8)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _from_buffer(value, where)
    if isinstance(value, (list, tuple)):
        return _from_sequence(value, dtype, where)
    raise InterfaceError(f"{where} wants a numpy array of {dtype}, got {type(value).__name__}")


def _from_sequence(value: Any, dtype: Any, where: str) -> Any:
    import numpy as np

    try:
        array = np.asarray(value) if len(value) else np.empty(0, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise InterfaceError(f"{where} wants a {type(value).__name__} of numbers: {error}") from None
    if array.size == 0:
        return np.zeros(array.shape, dtype)
    # Not numpy's own casting rules: they let 300 become an int8 of 44, and refuse 1 as a uint8.
    kinds = {"b": "b", "i": "biu", "u": "biu", "f": "biuf"}[dtype.kind]
    if array.dtype.kind not in kinds:
        raise InterfaceError(f"{where} wants numbers of {dtype}, got a {type(value).__name__} of {array.dtype}")
    if dtype.kind in "iu" and array.dtype.kind in "iu":
        low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
        least, most = int(array.min()), int(array.max())
        if least < low or most > high:
            raise InterfaceError(f"{where} wants numbers from {low} to {high}, got {least if least < low else most}")
    return np.ascontiguousarray(array, dtype)


def _from_buffer(value: Any, where: str) -> Any:
    import numpy as np

    try:
        return np.asarray(memoryview(value))
    except (ValueError, TypeError, RuntimeError, BufferError) as error:
        raise InterfaceError(f"{where} cannot use this {type(value).__name__}: {error}") from None


def _utf8(text: str, where: str) -> bytes:
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise InterfaceError(f"{where} is not Unicode text: it holds half of a surrogate pair") from None


def _contiguous(array: Any, where: str) -> None:
    if not array.flags.c_contiguous:
        raise InterfaceError(f"{where} wants a contiguous array: pass np.ascontiguousarray(...)")


def _slice_converter(kind: NativeType, where: str) -> Converter:
    read, writes, sentinel = _array_reader(kind, where), not kind.const, kind.sentinel

    def convert(value: Any, cells: list[int], place: Place) -> None:
        array = read(_terminated(value, where) if sentinel else value)
        _contiguous(array, where)
        cells.append(place(array, writes))
        cells.append(array.size - 1 if sentinel else array.size)

    return convert


def _terminated(value: Any, where: str) -> bytes:
    raw = _utf8(value, where) if isinstance(value, str) else value
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
    payload = _converter(_child(kind), where)
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

    def convert(value: Any, cells: list[int], place: Place) -> None:
        if isinstance(value, dict) and set(value) == {name for name, _ in parts}:
            items = [value[name] for name, _ in parts]
        elif isinstance(value, tuple) and len(value) == len(parts):
            items = list(value)
        else:
            raise InterfaceError(f"{where} wants a tuple or dict of {', '.join(name for name, _ in parts)}")
        for (_, part), item in zip(parts, items, strict=True):
            part(item, cells, place)

    return convert


# ------------------------------------------------------------------------------- results


def unpack(function: NativeFunction, cells: Sequence[int], read: Read) -> Any:
    """The Python value of a successful call: numbers, numpy arrays, str, None, named tuples."""
    value, _ = _decode(function.result, cells, 0, read)
    return value


def result_slices(function: NativeFunction) -> list[tuple[int, int, tuple[int, ...]]]:
    """Where results point into the callee's memory: (cell of the address, bytes an element, cells that must be 1)."""
    found: list[tuple[int, int, tuple[int, ...]]] = []

    def walk(kind: NativeType, at: int, flags: tuple[int, ...]) -> int:
        if kind.kind == "slice":
            found.append((at, max(1, _child(kind).bits // 8), flags))
        if kind.kind == "optional":
            return walk(_child(kind), at + 1, (*flags, at))
        if kind.kind == "error_union":
            return walk(_child(kind), at, flags)
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
            number = cells[at] & ((1 << kind.bits) - 1)
            return number - (1 << kind.bits) if kind.signed and number >> (kind.bits - 1) else number, at + 1
        case "float":
            return struct.unpack("<d", struct.pack("<Q", cells[at]))[0], at + 1
        case "slice":
            return _decode_slice(kind, cells[at], cells[at + 1], read), at + 2
        case "array":
            return _decode_array(kind, cells, at, read)
        case "optional":
            value, after = _decode(_child(kind), cells, at + 1, read) if cells[at] else (None, 0)
            return value, after if cells[at] else at + cell_count(kind)
        case "error_union":
            return _decode(_child(kind), cells, at, read)
        case "struct" | "tuple":
            items = []
            for _, item in kind.fields:
                value, at = _decode(item, cells, at, read)
                items.append(value)
            return (_named_tuple(kind)(*items) if kind.kind == "struct" else tuple(items)), at
        case other:
            raise InterfaceError(f"a result of type {other} cannot be returned to Python")


def _decode_slice(kind: NativeType, address: int, length: int, read: Read) -> Any:
    import numpy as np

    dtype = np.dtype(dtype_name(_child(kind)))
    raw = read(address, length * dtype.itemsize) if length else b""
    if _is_text(kind):
        try:
            return raw.decode("utf-8")
        except UnicodeDecodeError:
            return raw
    return np.frombuffer(bytearray(raw), dtype)


def _decode_array(kind: NativeType, cells: Sequence[int], at: int, read: Read) -> tuple[Any, int]:
    import numpy as np

    items = []
    for _ in range(kind.length):
        value, at = _decode(_child(kind), cells, at, read)
        items.append(value)
    return np.array(items, dtype_name(_child(kind))), at


@lru_cache(maxsize=1024)
def _named_tuple(kind: NativeType) -> Any:
    # A generic type is called ``Pair(f32)``, an anonymous one nothing that Python would take.
    name = kind.name.split("(", 1)[0]
    usable = name.isidentifier() and not keyword.iskeyword(name)
    return namedtuple(name if usable else "Result", [field for field, _ in kind.fields], rename=True)


def _child(kind: NativeType) -> NativeType:
    assert kind.child is not None, f"a {kind.kind} without a child"
    return kind.child


def _is_text(kind: NativeType) -> bool:
    child = _child(kind)
    return kind.const and child.kind == "int" and child.bits == 8 and not child.signed


# ------------------------------------------------------------------------------- the guard

GUARD_CDEF = """
struct o_fault {
    int32_t kind;
    int32_t signal;
    uint64_t address;
    uint32_t frame_count;
    uint32_t exact;
    char message[512];
    uint64_t frames[64];
};
int32_t o_guard_call(void *function, uint64_t *args, uint64_t *ret, struct o_fault *fault, const uint64_t text[2]);
int32_t o_guard_text(void *function, uint64_t text[2]);
void o_guard_panic(const char *message, size_t length, uintptr_t return_address);
"""
"""The C interface of the guard library. The order to use it in: dlopen the cell's library and the guard; call the
cell's ``o_set_panic`` with the address of ``o_guard_panic``; fill ``text`` once with ``o_guard_text(function)``;
then each call is ``o_guard_call``, whose result is the shim's status or STATUS_STOPPED with ``fault`` filled."""

STATUS_STOPPED = -9
FAULT_BYTES = 1048
FAULT_KINDS = {1: "panic", 2: "signal", 3: "interrupted"}


def fault_from_bytes(raw: bytes) -> dict[str, Any]:
    """A ``struct o_fault`` as a JSON-ready dict: kind, signal, address, exact, message, frames.

    ``frames`` are offsets from the library's load address, innermost first. They are return addresses, except
    that with ``exact`` the first one is the instruction itself.
    """
    kind, signal_number, address, count, exact, message = struct.unpack_from("<iiQII512s", raw)
    frames = struct.unpack_from(f"<{min(count, 64)}Q", raw, 536)
    return {
        "kind": FAULT_KINDS.get(kind, "unknown"),
        "signal": signal_number,
        "address": address,
        "exact": bool(exact),
        "message": message.split(b"\0", 1)[0].decode("utf-8", "replace"),
        "frames": list(frames),
    }
