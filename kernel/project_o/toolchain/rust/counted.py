"""Which lines of a Rust text were reached: rustc's instrumentation, read by ourselves.

With ``-C instrument-coverage`` a build counts how often its parts are run, and carries a map from counters to the
places of its text. The counters are read in the process that runs it, by a function that is put behind the text; the
map is read here, from the file. No tool of LLVM's is needed, whose versions must match the compiler's exactly. A map of
a version that is not known here says so.

The format is LLVM's (docs/CoverageMappingFormat.rst, InstrProfData.inc): numbers are LEB128, and a counter is zero, a
reference, or an expression over two others.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ...errors import ToolchainError
from ...values import Program
from ..elf import Library
from ..sources import COUNT_LINES
from .recipe import CELL_PATH

FUNCTION = "o_lines_counted"
_TEXT = f"""

pub fn {FUNCTION}() -> Vec<u64> {{
    unsafe extern "C" {{
        static __start___llvm_prf_cnts: u64;
        static __stop___llvm_prf_cnts: u64;
    }}
    // SAFETY: the linker sets both around the counters, which live as long as the library.
    unsafe {{
        let first = &raw const __start___llvm_prf_cnts;
        let count = (&raw const __stop___llvm_prf_cnts).offset_from(first) as usize;
        ::std::slice::from_raw_parts(first, count).to_vec()
    }}
}}
"""
_MAP_VERSIONS = range(5, 8)  # as they are written: 6, 7 and 8 in LLVM's own counting
_RECORD = struct.Struct("<QIQQ")  # name, bytes, hash of the function, hash of its files
_DATA = struct.Struct("<QQqqQQIHHHxxI")
_COUNTER_BYTES = 8
_GAP = 1 << 31
_ZERO, _REFERENCE, _SUBTRACT, _ADD = range(4)
_UNUSED = (0, -1)
"""A function that nothing calls has no counters."""
_CODE, _EXPANSION, _SKIPPED, _BRANCH, _DECISION, _MCDC_BRANCH = 0, 1, 2, 4, 5, 6


class UnknownFormatError(ToolchainError):
    """The compiler writes its map, or its counters, in a way that is not known here."""


@dataclass(frozen=True)
class Region:
    """A piece of the text, and the counter that tells how often it was run: (kind, number)."""

    first_line: int
    last_line: int
    counter: tuple[int, int]
    gap: bool


@dataclass(frozen=True)
class Function:
    """One function's regions in the cell, the expressions of its counters, and where its counters begin."""

    regions: tuple[Region, ...]
    expressions: tuple[tuple[tuple[int, int], tuple[int, int]], ...]
    first: int
    count: int

    def value(self, counter: tuple[int, int], counts: Sequence[int], depth: int = 0) -> int:
        """How often it was run. Raises UnknownFormatError for a counter that there is not."""
        kind, number = counter
        if kind == _ZERO or self.count < 0:
            return 0
        if kind == _REFERENCE:
            if number >= self.count:
                raise UnknownFormatError("a counter is beyond those of its function")
            return counts[self.first + number]
        if number >= len(self.expressions) or depth > len(self.expressions):
            raise UnknownFormatError("an expression of counters has no end")
        left, right = (self.value(side, counts, depth + 1) for side in self.expressions[number])
        return left + right if kind == _ADD else left - right


def with_counter(program: Program) -> Program:
    """The program as it is built to be counted: its own lines stay where they are."""
    return replace(
        program.with_source(program.source + _TEXT, program.parameters), options=(*program.options, COUNT_LINES)
    )


def lines(functions: Sequence[Function], counts: Sequence[int], own: int) -> tuple[frozenset[int], frozenset[int]]:
    """The lines up to ``own`` on which there is something to run, and those that were reached.

    What begins on a line says whether it was reached; on a line where nothing begins, the smallest piece around it.
    """
    best: dict[int, tuple[int, int]] = {}
    for function in functions:
        for region in function.regions:
            if region.gap:
                continue
            value = function.value(region.counter, counts)
            for line in range(region.first_line, min(region.last_line, own) + 1):
                rank = 0 if line == region.first_line else 1 + region.last_line - region.first_line
                known = best.get(line)
                if known is None or rank < known[0] or (rank == known[0] and value > known[1]):
                    best[line] = (rank, value)
    reached = (line for line, (_, value) in best.items() if value > 0)
    return frozenset(best), frozenset(reached)


def read(data: bytes) -> tuple[Function, ...]:
    """The functions of the cell in a build that counts. Raises UnknownFormatError, ToolchainError."""
    library = Library(data)
    try:
        files = _files(library.section("__llvm_covmap")[1])
        places = _places(library)
        found = tuple(_functions(library.section("__llvm_covfun")[1], files, places))
    except KeyError:
        raise UnknownFormatError("the build has no map of its lines") from None
    except (struct.error, IndexError, ValueError, OverflowError):
        raise UnknownFormatError("the build's map of its lines cannot be read") from None
    if not found:
        raise UnknownFormatError("the build's map has no function of the cell")
    return found


# ------------------------------------------------------------------------------- the map


class _Reader:
    """Numbers one after the other. Raises IndexError at the end."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def number(self) -> int:
        """The next one."""
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError("a number without end")

    def counter(self) -> tuple[int, int]:
        """A counter: its kind is in the two lowest bits."""
        value = self.number()
        return value & 3, value >> 2

    def text(self) -> str:
        """A text with its length before it."""
        size = self.number()
        self.at += size
        if self.at > len(self.data):
            raise IndexError
        return self.data[self.at - size : self.at].decode("utf-8", "replace")


def _files(data: bytes) -> Mapping[int, list[str]]:
    """The names of the files, by the hash of their list: the map's functions refer to that."""
    import hashlib
    import zlib

    found, at = {}, 0
    while at + 16 <= len(data):
        _, size, _, version = struct.unpack_from("<IIII", data, at)
        if version not in _MAP_VERSIONS:
            raise UnknownFormatError(f"this compiler's map of lines has version {version + 1}, which is not known here")
        body = data[at + 16 : at + 16 + size]
        reader = _Reader(body)
        count, plain, packed = reader.number(), reader.number(), reader.number()
        if packed:
            reader = _Reader(zlib.decompressobj().decompress(body[reader.at : reader.at + packed], plain))
        key = int.from_bytes(hashlib.md5(body, usedforsecurity=False).digest()[:8], "little")
        found[key] = [reader.text() for _ in range(count)]
        at += 16 + size
        at += -at % 8
    return found


def _places(library: Library) -> Mapping[tuple[int, int], tuple[int, int]]:
    """Where each function's counters begin among all, and how many they are, by its name's and its own hash."""
    address, data = library.section("__llvm_prf_data")
    first, counters = library.section("__llvm_prf_cnts")
    if len(data) % _DATA.size:
        raise UnknownFormatError("this compiler describes its counters in a way that is not known here")
    found = {}
    for at in range(0, len(data), _DATA.size):
        name, own, pointer, *_, count, _, _, _, _ = _DATA.unpack_from(data, at)
        offset = address + at + pointer - first
        if offset % _COUNTER_BYTES or not 0 <= offset <= len(counters) - _COUNTER_BYTES * count:
            raise UnknownFormatError("this compiler's counters are not where they are looked for")
        found[name, own] = offset // _COUNTER_BYTES, count
    return found


def _functions(
    data: bytes, files: Mapping[int, list[str]], places: Mapping[tuple[int, int], tuple[int, int]]
) -> Iterator[Function]:
    at = 0
    while at + _RECORD.size <= len(data):
        name, size, own, listed = _RECORD.unpack_from(data, at)
        at += _RECORD.size
        body = data[at : at + size]
        at += size
        at += -at % 8
        names = files.get(listed, [])
        regions, expressions = _regions(_Reader(body), names)
        if regions:
            yield Function(regions, expressions, *places.get((name, own), _UNUSED))


def _regions(
    reader: _Reader, names: Sequence[str]
) -> tuple[tuple[Region, ...], tuple[tuple[tuple[int, int], tuple[int, int]], ...]]:
    """The regions of one function that lie in the cell, and its expressions."""
    numbers = [reader.number() for _ in range(reader.number())]
    expressions = tuple((reader.counter(), reader.counter()) for _ in range(reader.number()))
    found = []
    for number in numbers:
        inside = number < len(names) and names[number].endswith(CELL_PATH)
        line = 0
        for _ in range(reader.number()):
            kind, counter = _kind(reader)
            line += reader.number()
            _, more, end = reader.number(), reader.number(), reader.number()
            if inside and kind == _CODE:
                found.append(Region(line, line + more, counter, bool(end & _GAP)))
    return tuple(found), expressions


def _kind(reader: _Reader) -> tuple[int, tuple[int, int]]:
    """What kind of region comes next, and its counter. What we have no use for is read over."""
    tag, number = reader.counter()
    if tag != _ZERO:
        return _CODE, (tag, number)
    if number & 1:
        return _EXPANSION, (_ZERO, 0)
    kind = number >> 1
    if kind == _BRANCH:
        reader.counter(), reader.counter()
    elif kind == _DECISION:
        reader.number(), reader.number()
    elif kind == _MCDC_BRANCH:
        reader.counter(), reader.counter(), reader.number(), reader.number(), reader.number()
    elif kind not in (_CODE, _SKIPPED):
        raise UnknownFormatError(f"a region of kind {kind} is not known here")
    return kind, (_ZERO, 0)
