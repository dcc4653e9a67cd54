"""A server's library with the usual names where they belong.

An exported name whose function was replaced by another one still points to the old one. ``quick.zig`` has the true
places in a table; here each usual name takes the place that the table gives it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from .server import ServerTrouble

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
_DYNSYM, _RELA = 11, 4
_TABLE = "o_functions"
_ADDRESS_BYTES = 8


def mended(data: bytes, functions: Sequence[str]) -> bytes:
    """The library's bytes, with the names of ``functions`` where the table says that they are, in its order.

    Raises ServerTrouble where it does not hold them.
    """
    body = bytearray(data)
    header = _HEADER.unpack_from(data)
    sections = [_SECTION.unpack_from(data, header[6] + k * header[11]) for k in range(header[12])]
    symbols = dict(_symbols(data, sections))
    places = dict(_places(data, sections))
    try:
        table = symbols[_TABLE][1][4]
        for k, name in enumerate(functions):
            at, (word, info, other, section, _, size) = symbols[f"o_cell_{name}"]
            _SYMBOL.pack_into(body, at, word, info, other, section, places[table + k * _ADDRESS_BYTES], size)
    except KeyError as missing:
        raise ServerTrouble(f"the library does not hold {missing}") from None
    return bytes(body)


def _symbols(data: bytes, sections: Sequence[tuple[int, ...]]) -> Iterator[tuple[str, tuple[int, tuple[int, ...]]]]:
    """Each dynamic symbol by its name: where it stands in the file, and what it says."""
    table = next(section for section in sections if section[1] == _DYNSYM)
    names = sections[table[6]][4]
    for at in range(table[4], table[4] + table[5], _SYMBOL.size):
        fields = _SYMBOL.unpack_from(data, at)
        start = names + fields[0]
        yield data[start : data.index(b"\0", start)].decode("utf-8", "replace"), (at, fields)


def _places(data: bytes, sections: Sequence[tuple[int, ...]]) -> Iterator[tuple[int, int]]:
    """What the loader will put where: a position in memory, and the one that it points to."""
    for section in sections:
        if section[1] == _RELA:
            part = memoryview(data)[section[4] : section[4] + section[5] // _RELOCATION.size * _RELOCATION.size]
            yield from ((at, target) for at, kind, target in _RELOCATION.iter_unpack(part) if kind >> 32 == 0)
