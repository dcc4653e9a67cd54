"""Values that are no numpy arrays -> arrays of exactly one type of element, or the reason why not."""

from __future__ import annotations

from typing import Any

from ..errors import InterfaceError, a_kind

COMPLEX = (("re", "im"), ("real", "imag"))
"""What the parts of a complex number are called where it is a struct: Zig's, Rust's, numpy's own names."""


def other_array(value: Any, dtype: Any, where: str, name: str, *, writes: bool) -> Any:
    """An array of ``dtype`` of what holds such elements. Raises InterfaceError."""
    import numpy as np

    if writes and not isinstance(value, (bytearray, memoryview)):
        raise InterfaceError(
            f"{where} is written by the function: pass a numpy array of {name}, got {type(value).__name__}"
        )
    if isinstance(value, str) and dtype == np.uint8:
        return np.frombuffer(utf8(value, where), np.uint8)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _from_buffer(value, where)
    if isinstance(value, (list, tuple)):
        return _from_records(value, dtype, where) if dtype.names else _from_sequence(value, dtype, where)
    one = f"one {type(value).__name__}: put it into a list" if isinstance(value, np.generic) else type(value).__name__
    raise InterfaceError(f"{where} wants a numpy array of {name}, got {one}")


def _from_records(value: Any, dtype: Any, where: str) -> Any:
    """Field by field, because numpy makes an integer of 1.7 where it is part of a tuple."""
    import numpy as np

    rows = [_record(row, dtype.names) for row in value]
    if not all(len(row) == len(dtype.names) for row in rows):
        raise InterfaceError(f"{where} wants a list of tuples of {', '.join(dtype.names)}")
    out = np.zeros(len(rows), dtype)
    for index, name in enumerate(dtype.names if rows else ()):
        kind, there = dtype.fields[name][0], f"{where}.{name}"
        base, shape = kind.subdtype or (kind, ())
        column = [row[index] for row in rows]
        array = _from_records(column, base, there) if base.names else _from_sequence(column, base, there)
        if array.shape != (len(rows), *shape):
            raise InterfaceError(f"{there} wants {shape[0] if shape else 'one'} of {base} in each element of the list")
        out[name] = array
    return out


def _record(row: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
    if isinstance(row, dict):
        return tuple(row[name] for name in names) if set(row) == set(names) else ()
    if names in COMPLEX and isinstance(row, (complex, float, int)):
        return row.real, row.imag
    # An element of an array of structs is none of Python's tuples.
    return tuple(row) if isinstance(row, (tuple, list)) or getattr(getattr(row, "dtype", None), "names", None) else ()


def _from_sequence(value: Any, dtype: Any, where: str) -> Any:
    import numpy as np

    try:
        array = np.asarray(value) if len(value) else np.empty(0, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise InterfaceError(f"{where} wants {a_kind(value)} of numbers: {error}") from None
    if array.size == 0:
        return np.zeros(array.shape, dtype)
    # Not numpy's own casting rules: they let 300 become an int8 of 44, and refuse 1 as a uint8.
    kinds = {"b": "b", "i": "biu", "u": "biu", "f": "biuf"}[dtype.kind]
    if array.dtype.kind not in kinds:
        raise InterfaceError(f"{where} wants numbers of {dtype}, got {a_kind(value)} of {array.dtype}")
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


def utf8(text: str, where: str) -> bytes:
    """The bytes of a text. Raises InterfaceError for half of a surrogate pair."""
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise InterfaceError(f"{where} is not Unicode text: it holds half of a surrogate pair") from None


def complex_dtype(dtype: Any) -> Any:
    """numpy's complex type that lies in memory as a struct of a real and an imaginary part does; None for others."""
    import numpy as np

    if dtype.names not in COMPLEX:
        return None
    (first, start), (second, middle) = (dtype.fields[name][:2] for name in dtype.names)
    if first != second or first not in (np.float32, np.float64):
        return None
    lies_so = start == 0 and middle == first.itemsize and dtype.itemsize == 2 * first.itemsize
    return np.dtype(f"complex{16 * first.itemsize}") if lies_so else None


def has_bools(dtype: Any) -> bool:
    """Whether there are bools in an element."""
    if dtype.subdtype is not None:
        return has_bools(dtype.subdtype[0])
    return bool(dtype.kind == "b") if dtype.names is None else any(has_bools(dtype[name]) for name in dtype.names)


def holds_other_bytes(array: Any) -> bool:
    """Whether a bool is a byte that is neither 0 nor 1, as views of numpy make them: numpy takes it for True, compiled
    code may take it for either."""
    import numpy as np

    if array.dtype.names is not None:
        return any(holds_other_bytes(array[name]) for name in array.dtype.names if has_bools(array.dtype[name]))
    return array.dtype.kind == "b" and array.size > 0 and bool(array.view(np.uint8).max() > 1)
