"""The dynamic symbols of a library that was just built, and a copy of it in which some of them mean something else.

For libraries of ours that hold the same functions more than once; reading one that nobody trusts is ``elf``'s.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from mmap import mmap
from typing import NamedTuple

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
_DYNSYM, _RELA = 11, 4


class Meaning(NamedTuple):
    """Where a symbol is in memory: its section, its address, its size."""

    section: int
    address: int
    size: int


class Symbols:
    """The symbols of a library by name. ``meanings`` are those that it defines."""

    def __init__(self, data: bytes | mmap) -> None:
        self._data = data
        header = _HEADER.unpack_from(data)
        self._sections = [_SECTION.unpack_from(data, header[6] + k * header[11]) for k in range(header[12])]
        self._places: dict[str, int] = {}
        self.meanings: dict[str, Meaning] = {}
        for at, name, meaning in self._read():
            self._places[name] = at
            if meaning.section:
                self.meanings[name] = meaning

    def _read(self) -> Iterator[tuple[int, str, Meaning]]:
        table = next(section for section in self._sections if section[1] == _DYNSYM)
        names = self._sections[table[6]][4]
        for at in range(table[4], table[4] + table[5], _SYMBOL.size):
            word, _, _, section, address, size = _SYMBOL.unpack_from(self._data, at)
            start = names + word
            name = self._data[start : self._data.find(b"\0", start)].decode("utf-8", "replace")
            yield at, name, Meaning(section, address, size)

    def pointers(self) -> dict[int, int]:
        """What the loader will put where: an address, and the one that is written there."""
        found: dict[int, int] = {}
        for section in self._sections:
            if section[1] == _RELA:
                end = section[4] + section[5] // _RELOCATION.size * _RELOCATION.size
                part = memoryview(self._data)[section[4] : end]
                found |= {at: target for at, kind, target in _RELOCATION.iter_unpack(part) if kind >> 32 == 0}
        return found

    def changes(self, meanings: Mapping[str, Meaning]) -> list[tuple[int, bytes]]:
        """What to write where in the library, so that these names mean something else. Raises KeyError for one that is
        not there."""
        found = []
        for name, meaning in meanings.items():
            at = self._places[name]
            word, info, other, *_ = _SYMBOL.unpack_from(self._data, at)
            found.append((at, _SYMBOL.pack(word, info, other, *meaning)))
        return found

    def changed(self, meanings: Mapping[str, Meaning]) -> bytes:
        """The library's bytes in which these names mean something else. Raises KeyError for one that is not there."""
        body = bytearray(self._data)
        for at, piece in self.changes(meanings):
            body[at : at + len(piece)] = piece
        return bytes(body)
