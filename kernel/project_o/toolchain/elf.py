"""What we read of a library's file without loading it: nothing of an untrusted build runs in our process.

Only little-endian ELF64, which is what Zig makes on the platforms we support.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from pathlib import Path

from ..errors import ToolchainError

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_PROGRAM = struct.Struct("<IIQQQQQQ")
_DYNAMIC = struct.Struct("<qQ")
_DYNSYM, _DYNAMIC_SECTION, _VERSYM, _VERNEED, _LOAD = 11, 6, 0x6FFF_FFFF, 0x6FFF_FFFE, 1
_LOADED, _NO_BYTES, _BUILD_ID = 0x2, 8, ".note.gnu.build-id"
_WEAK = 2
_NEEDED = 1
_SHARED_LIBRARY = 3


@dataclass(frozen=True, slots=True)
class Symbol:
    """A dynamic symbol. ``versioned`` says that a library was found for it when this one was linked."""

    name: str
    address: int
    size: int
    defined: bool
    weak: bool
    versioned: bool


class Library:
    """The dynamic symbols and the bytes behind them. Raises ToolchainError for anything that is no ELF64 library.

    ``shared`` says whether it is one at all, ``needed`` names the libraries that it wants to be loaded with it.
    """

    def __init__(self, data: bytes | mmap) -> None:
        self._data = data
        try:
            header = _HEADER.unpack_from(data)
            if header[0][:6] != b"\x7fELF\x02\x01":
                raise ToolchainError("the compiler's output is not a 64-bit ELF library")
            self.shared = header[1] == _SHARED_LIBRARY
            self._programs = [_PROGRAM.unpack_from(data, header[5] + k * header[9]) for k in range(header[10])]
            self._sections = [_SECTION.unpack_from(data, header[6] + k * header[11]) for k in range(header[12])]
            self._names = self._sections[header[13]][4]
            self.symbols = tuple(self._read_symbols())
            self.needed = tuple(self._read_needed())
        except (struct.error, IndexError, ValueError, OverflowError):
            raise ToolchainError("the library is damaged: clear the cache with `project-o cache --clear`") from None

    @property
    def has_versions(self) -> bool:
        """Whether the C library it was linked to has symbol versions at all (glibc has, musl has not)."""
        return any(section[1] == _VERNEED for section in self._sections)

    def content(self, name: str) -> bytes:
        """The bytes of an exported constant. Raises KeyError."""
        for symbol in self.symbols:
            if symbol.name == name and symbol.defined:
                return self._at(symbol.address, symbol.size)
        raise KeyError(name)

    def text(self, name: str) -> bytes:
        """The bytes of an exported constant up to its zero, whatever its size is said to be: a compiler server writes
        what has changed, and forgets the size. Raises KeyError.
        """
        for symbol in self.symbols:
            if symbol.name == name and symbol.defined:
                start = self._offset(symbol.address, 1)
                return self._data[start : self._end(start)]
        raise KeyError(name)

    def section(self, name: str) -> tuple[int, bytes]:
        """Where a section will lie, and its bytes in the file. Raises KeyError."""
        for section in self._sections:
            if self._text(self._names + section[0]) == name:
                return section[3], self._data[section[4] : section[4] + section[5]]
        raise KeyError(name)

    def digest(self) -> str:
        """The SHA-256 of what is loaded of it: code, data and symbols. The same text gives the same.

        What only debuggers read is not in it: compilers put the names of their scratch folders there, and numbers that
        depend on which of their threads came first; nor is the build's own id, which is made of those as well.
        """
        found = hashlib.sha256()
        for name, kind, flags, address, start, size, *_ in self._sections:
            if flags & _LOADED and kind != _NO_BYTES and self._text(self._names + name) != _BUILD_ID:
                found.update(struct.pack("<QQ", address, size) + self._data[start : start + size])
        return found.hexdigest()

    def _at(self, address: int, size: int) -> bytes:
        start = self._offset(address, size)
        return self._data[start : start + size]

    def _offset(self, address: int, size: int) -> int:
        for kind, _, offset, start, _, file_size, _, _ in self._programs:
            if kind == _LOAD and start <= address and address + size <= start + file_size:
                return int(offset + address - start)
        raise ToolchainError(f"the library has no content at {address:#x}: it is damaged")

    def _read_symbols(self) -> Iterator[Symbol]:
        table = next((section for section in self._sections if section[1] == _DYNSYM), None)
        if table is None:
            raise ToolchainError("the library has no symbols: it is damaged")
        names = self._sections[table[6]]
        versions = next((section for section in self._sections if section[1] == _VERSYM), None)
        for k in range(1, table[5] // _SYMBOL.size):
            name, info, _, section, address, size = _SYMBOL.unpack_from(self._data, table[4] + k * _SYMBOL.size)
            text = self._text(names[4] + name)
            version = struct.unpack_from("<H", self._data, versions[4] + 2 * k)[0] & 0x7FFF if versions else 0
            yield Symbol(text, address, size, section != 0, info >> 4 == _WEAK, version > 1)

    def _read_needed(self) -> Iterator[str]:
        for section in self._sections:
            if section[1] == _DYNAMIC_SECTION:
                names = self._sections[section[6]]
                for k in range(section[5] // _DYNAMIC.size):
                    tag, value = _DYNAMIC.unpack_from(self._data, section[4] + k * _DYNAMIC.size)
                    if tag == _NEEDED:
                        yield self._text(names[4] + value)

    def _text(self, start: int) -> str:
        return self._data[start : self._end(start)].decode("utf-8", "replace")

    def _end(self, start: int) -> int:
        """Where the text that begins here ends. Raises ValueError."""
        end = self._data.find(b"\0", start)
        if end < 0:
            raise ValueError("a text without an end")
        return end


_digests: dict[tuple[str, int], str] = {}
_DIGESTS_MAX = 256


def digest_of(path: str, written: int) -> str:
    """The digest of a library's file, read again where it was written anew. Raises OSError, ToolchainError."""
    found = _digests.get((path, written))
    return found if found is not None else know_digest(path, written, Library(Path(path).read_bytes()).digest())


def know_digest(path: str, written: int, digest: str) -> str:
    """The digest, which need not be worked out from the file written at this moment."""
    if len(_digests) >= _DIGESTS_MAX:
        _digests.clear()
    _digests[path, written] = digest
    return digest


def missing_helpers(library: Library) -> list[str]:
    """Undefined ``__*`` symbols that no linked library has: the compiler's own runtime must be linked in."""
    return [
        symbol.name
        for symbol in library.symbols
        if not symbol.defined
        and not symbol.weak
        and symbol.name.startswith("__")
        and not (symbol.versioned or (not library.has_versions and symbol.name in _LIBC_OWN))
    ]


_LIBC_OWN = frozenset({"__stack_chk_fail", "__errno_location", "__tls_get_addr", "__cxa_finalize", "__cxa_atexit"})
