"""How values cross between the kernel and a sandboxed process: JSON with tags, large arrays through shared memory.

    nan, inf           {"$float": "nan"}       JSON has no such numbers, and a raw NaN token is a protocol error
    int beyond 64 bit  {"$int": "0x..."}       hexadecimal is linear to read, decimal is quadratic and capped
    bytes, complex     {"$bytes": base64}, {"$complex": [re, im]}
    tuple              {"$tuple": [...]}
    other dict         {"$dict": [[key, value], ...]}
    set, frozenset     {"$set": [...]}, {"$frozenset": [...]}
    array              {"$array": [dtype, shape, base64]}, or [dtype, shape, offset in the arena]

Both sides use it. Decoding trusts nothing: whatever does not fit raises ValueError, TypeError, KeyError,
OverflowError or RecursionError, which the kernel's side reports as a breach of the protocol. Never pickle.
"""

from __future__ import annotations

import base64
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any, NoReturn

from .. import hidden

ARRAY_INLINE_BYTES_MAX = 4096
_DTYPE = re.compile(r"[<>|=](?:[biufcSU][0-9]{1,9}|[mM]8\[(?:[1-9][0-9]{0,5})?[a-zA-Z]{1,2}\])\Z")
_DIMENSIONS_MAX = 32
_PLAIN = {str, bool, type(None)}
_CODE_POINT_MAX = 0x10FFFF
_SAME_HASH_MAX = 256

Store = Callable[[Any], int]
"""(C-contiguous array) -> its offset in the arena."""
Fetch = Callable[[int, int], Any]
"""(offset, bytes) -> a writable buffer, a copy on the kernel's side. Raises ValueError outside the arena."""


def encode(value: Any, store: Store) -> Any:
    """``value`` as what json.dumps writes. Raises TypeError naming a type that cannot cross."""
    if value is None or value is True or value is False or type(value) is str:
        return value
    # Of a subclass what it holds, and not what its methods say: that is what others will compute with.
    if isinstance(value, int):
        number = int.__int__(value)
        return number if -(1 << 63) <= number < 1 << 64 else {"$int": hex(number)}
    if isinstance(value, float):
        number_ = float.__float__(value)
        return number_ if math.isfinite(number_) else {"$float": repr(number_)}
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, complex):
        plain = complex.__complex__(value)
        return {"$complex": [encode(plain.real, store), encode(plain.imag, store)]}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"$bytes": base64.b64encode(value).decode("ascii")}
    if isinstance(value, list):
        if type(value) is list and _crosses_as_it_is(value):
            return list(value)  # a copy: what is sent is not the owner's
        return [encode(item, store) for item in list.__iter__(value)]
    if isinstance(value, tuple):
        return {"$tuple": [encode(item, store) for item in tuple.__iter__(value)]}
    if isinstance(value, dict):
        return _encode_dict(value, store)
    if isinstance(value, (set, frozenset)):
        # The order of a set differs between processes, and what crosses must have one digest.
        items = sorted((encode(item, store) for item in value), key=json.dumps)
        return {"$frozenset" if isinstance(value, frozenset) else "$set": items}
    return _encode_numpy(value, store)


def _crosses_as_it_is(items: list[Any]) -> bool:
    """Whether JSON has all of these values: looked at together, a list of a hundred takes a tenth of the time."""
    kinds = set(map(type, items))
    if kinds == {int}:
        return bool(min(items) >= -(1 << 63) and max(items) < 1 << 64)
    if kinds == {float}:
        return all(map(math.isfinite, items))
    return kinds <= _PLAIN


def encode_exactly(value: Any, store: Store) -> Any:
    """As ``encode``, but a number of numpy's stays one: ``np.float64(1) / 0`` is no error, ``1.0 / 0`` is."""
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic) and array_type(value.dtype) is not None:
        return {"$scalar": [value.dtype.str, base64.b64encode(value.tobytes()).decode("ascii")]}
    return encode(value, store)


def array_type(dtype: Any) -> str | None:
    """The name under which arrays of this dtype cross; None where they cannot."""
    name: str = dtype.str
    return name if _DTYPE.match(name) else None


def _encode_dict(value: dict[Any, Any], store: Store) -> Any:
    held = dict.items(value)
    if all(type(key) is str and not key.startswith("$") for key, _ in held):
        return {key: encode(item, store) for key, item in held}
    return {"$dict": [[encode(key, store), encode(item, store)] for key, item in held]}


def _encode_numpy(value: Any, store: Store) -> Any:
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.ndarray):
        dtype = value.dtype.str
        if not _DTYPE.match(dtype):
            raise TypeError(f"an array of {value.dtype} cannot cross the sandbox: use numbers, bool, text or times")
        if isinstance(value, numpy.ma.MaskedArray):
            raise TypeError("a masked array cannot cross the sandbox: use .filled(...), or .data and .mask")
        array = numpy.ascontiguousarray(value)  # makes 0-d arrays 1-d: the shape is kept from the value
        if array.nbytes <= ARRAY_INLINE_BYTES_MAX:
            return {"$array": [dtype, list(value.shape), base64.b64encode(array.tobytes()).decode("ascii")]}
        return {"$array": [dtype, list(value.shape), store(array)]}
    if numpy is not None and isinstance(value, numpy.generic):
        item = value.item()
        return encode(float(item) if isinstance(item, numpy.floating) else item, store)
    raise TypeError(
        f"a {type(value).__name__} cannot cross the sandbox: use numbers, text, bytes, lists, tuples, dicts, arrays"
    )


def decode(body: Any, fetch: Fetch) -> Any:
    """The value that ``body``, fresh from json.loads, stands for."""
    if isinstance(body, list):
        kinds = set(map(type, body))
        return [decode(item, fetch) for item in body] if dict in kinds or list in kinds else body
    if not isinstance(body, dict):
        return body
    if len(body) == 1:
        tag, content = next(iter(body.items()))
        if tag.startswith("$"):
            return _decode_tagged(tag, content, fetch)
    return {key: decode(item, fetch) for key, item in body.items()}


def _decode_tagged(tag: str, content: Any, fetch: Fetch) -> Any:
    match tag:
        case "$float" if content in ("nan", "inf", "-inf"):
            return float(content)
        case "$int":
            return int(content, 16)
        case "$complex":
            real, imaginary = (decode(item, fetch) for item in content)
            return complex(float(real), float(imaginary))
        case "$bytes":
            return base64.b64decode(content, validate=True)
        case "$tuple" if isinstance(content, list):
            return tuple(decode(item, fetch) for item in content)
        case "$dict" if isinstance(content, list):
            pairs = [(decode(key, fetch), decode(item, fetch)) for key, item in content]
            _check_hashes([key for key, _ in pairs])
            return dict(pairs)
        case "$set" if isinstance(content, list):
            return set(_check_hashes([decode(item, fetch) for item in content]))
        case "$frozenset" if isinstance(content, list):
            return frozenset(_check_hashes([decode(item, fetch) for item in content]))
        case "$scalar":
            return _decode_array([content[0], [], content[1]], fetch)[()]
        case "$array":
            return _decode_array(content, fetch)
    raise ValueError(f"no such value: {tag[:20]}")


def _check_hashes(keys: list[Any]) -> list[Any]:
    """The keys, unless they were chosen to have one hash: a set of a megabyte of those keeps us busy for minutes."""
    if len(keys) > _SAME_HASH_MAX and max(Counter(map(hash, keys)).values()) > _SAME_HASH_MAX:
        raise ValueError("keys that were chosen to have one hash")
    return keys


def _decode_array(content: Any, fetch: Fetch) -> Any:
    import numpy as np

    name, shape, where = content
    if not _DTYPE.match(name) or len(shape) > _DIMENSIONS_MAX:
        raise ValueError("no such array")
    if not all(type(extent) is int and extent >= 0 for extent in shape):
        raise ValueError("no such shape")
    dtype = np.dtype(name)
    count = math.prod(shape)
    if isinstance(where, str):
        raw = bytearray(base64.b64decode(where, validate=True))
        if len(raw) != count * dtype.itemsize:
            raise ValueError("an array of another size")
    elif type(where) is int:
        raw = fetch(where, count * dtype.itemsize)
    else:
        raise ValueError("an array without content")
    if count == 0:
        return np.empty(shape, dtype)
    return check_elements(np.frombuffer(raw, dtype)).reshape(shape)


def check_elements(array: Any) -> Any:
    """The array with elements that are of its type: others raise errors wherever they are looked at, or are equal to
    what they are not. Raises ValueError where they are no characters."""
    kind = array.dtype.kind
    if kind == "b":
        return array.view("u1") != 0
    if kind == "U" and array.size and array.view(f"{array.dtype.byteorder}u4").max() > _CODE_POINT_MAX:
        raise ValueError("text of what are no characters")
    return array


def not_finite(value: Any) -> str:
    """The first number in a decoded value that is nan or infinite, as text; "" without one. Arrays may hold them."""
    waiting = [value]
    while waiting:
        match waiting.pop():
            case float() as number if not math.isfinite(number):
                return repr(number)
            case complex() as number if not (math.isfinite(number.real) and math.isfinite(number.imag)):
                return repr(number)
            case dict() as mapping:
                waiting += [*mapping, *mapping.values()]
            case list() | tuple() | set() | frozenset() as items:
                waiting += items
    return ""


def refuse_constant(token: str) -> NoReturn:
    """For json.loads: NaN and Infinity are no JSON, and compare in ways that fool a judge."""
    raise ValueError(f"{token} is not JSON")


def _finite(token: str) -> float:
    """A number that is too large for a float would be read as infinity."""
    number = float(token)
    return number if math.isfinite(number) else refuse_constant(token)


_WRITER = json.JSONEncoder(allow_nan=False)
"""Made once, as the reader is: ``json.dumps`` with these words would make one for each line."""


def line_of(body: dict[str, Any]) -> bytes:
    """``body`` as one line of the protocol. Raises ValueError for what JSON has not."""
    return _WRITER.encode(body).encode("ascii") + b"\n"


def read_line(line: bytes) -> dict[str, Any]:
    """One line of the protocol, which is ASCII. Raises ValueError or RecursionError."""
    body = _READER.decode(line.decode("ascii"))
    if type(body) is not dict:
        raise ValueError("a line that is no object")
    return body


_READER = json.JSONDecoder(parse_constant=refuse_constant, parse_float=_finite)
"""Made once: ``json.loads`` with these words would make one for each line."""


def clean_text(raw: bytes | str) -> str:
    """Untrusted text as plain text: nothing in it is hidden, moves a cursor or turns a line around.

    Escape it as well before it goes into HTML.
    """
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return hidden.replace(text, lambda _: "\ufffd")
