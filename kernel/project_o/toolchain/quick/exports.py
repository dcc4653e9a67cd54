"""A server's library with the usual names where they belong.

An exported name whose function went and came back still points to where that was. ``quick.zig`` exports each function
under a new name as well; here the usual name takes the new one's place in memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from .server import ServerTrouble

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_DYNSYM = 11


def mended(data: bytes, edit: str, functions: Iterable[str]) -> bytes:
    """The library's bytes, in which ``functions`` are where the edit of that number has put them.

    Raises ServerTrouble where it does not hold them.
    """
    body = bytearray(data)
    symbols = dict(_symbols(data))
    for name in functions:
        try:
            place, (word, info, other, _, _, size) = symbols[f"o_cell_{name}"]
            _, (_, _, _, section, address, _) = symbols[f"o_new_{edit}{name}"]
        except KeyError:
            raise ServerTrouble(f"the library does not hold {name}") from None
        _SYMBOL.pack_into(body, place, word, info, other, section, address, size)
    return bytes(body)


def _symbols(data: bytes) -> Iterator[tuple[str, tuple[int, tuple[int, ...]]]]:
    """Each dynamic symbol by its name: where it stands in the file, and what it says."""
    header = _HEADER.unpack_from(data)
    sections = [_SECTION.unpack_from(data, header[6] + k * header[11]) for k in range(header[12])]
    table = next(section for section in sections if section[1] == _DYNSYM)
    names = sections[table[6]][4]
    for place in range(table[4], table[4] + table[5], _SYMBOL.size):
        fields = _SYMBOL.unpack_from(data, place)
        start = names + fields[0]
        yield data[start : data.index(b"\0", start)].decode("utf-8", "replace"), (place, fields)
