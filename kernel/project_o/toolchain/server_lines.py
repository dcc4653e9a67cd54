"""From an address in a compiler server's library to the cell's own line.

A server's debug information is made to be changed in place, which no ordinary reader follows: units of version 0 fill
the gaps, each function's rows begin with an instruction of Zig's own that names the function's entry, and count from
where that stands, as do the rows and calls of what was inlined. Where a function stands now, only the text knows: one
that was moved and not changed is not written again. So the functions' lines are kept here, by the library's path.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .sources import CELL_FOLDER

Functions = Sequence[tuple[str, int]]
"""The functions of a cell by their names, and the lines that they begin in."""

_CELL = b"cell.zig"
_UNIT = struct.Struct("<IH")
_VERSION = 5
_SET_DECL = 0xEC
_known: dict[str, Functions] = {}
_CALL_LINE = 0x2CD3  # an attribute of Zig's own, which elftools gives as its number


def remember(library: Path, functions: Functions) -> None:
    """Keep the lines of the functions of a library that a server made, for as long as it is there."""
    _known[str(library)] = functions


def forget(library: Path) -> None:
    """Remove a library, and what is known of it."""
    _known.pop(str(library), None)
    library.unlink(missing_ok=True)


def remembered(path: str) -> Functions | None:
    """The functions of a server's library; None for any other."""
    return _known.get(path)


def line_of(dwarf: Any, addresses: Sequence[int], functions: Functions) -> int:
    """The line of the first of ``addresses`` that lies in the cell; 0 where none does."""
    unit = _cell_unit(dwarf)
    if unit is None:
        return 0
    found = [_Function(unit, entry, rows, functions) for entry, rows in _sequences(dwarf, unit)]
    for address in addresses:
        for function in found:
            if function.low <= address < function.high:
                return function.line(address)
    return 0


def _cell_unit(dwarf: Any) -> Any:
    section = dwarf.debug_info_sec
    offset = 0
    while offset < section.size:
        section.stream.seek(offset)
        length, version = _UNIT.unpack(section.stream.read(_UNIT.size))
        if version == _VERSION:
            unit = dwarf.get_CU_at(offset)
            top = unit.get_top_DIE().attributes
            in_cell = "DW_AT_comp_dir" in top and top["DW_AT_comp_dir"].value.endswith(f"/{CELL_FOLDER}".encode())
            if in_cell and top["DW_AT_name"].value == _CELL:
                return unit
        offset += 4 + length
    return None


class _Function:
    """One function's entry, and its rows: (bytes from its beginning, lines from its beginning)."""

    def __init__(self, unit: Any, entry: int, rows: list[tuple[int, int]], functions: Functions) -> None:
        self._unit, self._rows, self._functions = unit, rows, functions
        self._die = unit.get_DIE_from_refaddr(entry)
        self.low, self.high = _range(self._die)

    def line(self, address: int) -> int:
        """The cell's line at an address in it."""
        beyond = 0
        for start, lines in self._rows:
            if self.low + start > address:
                break
            beyond = lines
        owner = self._die
        for inlined in _inlined_at(self._die, address):
            callee = self._unit.dwarfinfo.get_DIE_from_refaddr(inlined.attributes["DW_AT_abstract_origin"].value)
            if callee.cu.cu_offset != self._unit.cu_offset:  # the standard library's: what called it counts
                return self._begin(owner) + int(inlined.attributes[_CALL_LINE].value)
            owner = callee
        return self._begin(owner) + beyond

    def _begin(self, die: Any) -> int:
        """The line that a function begins in now: that of its name, the nearest where several have it."""
        while "DW_AT_decl_line" not in die.attributes:
            die = self._unit.get_DIE_from_refaddr(die.attributes["DW_AT_specification"].value)
        written = int(die.attributes["DW_AT_decl_line"].value)
        name = die.attributes["DW_AT_name"].value.decode("utf-8", "replace")
        lines = [line for known, line in self._functions if known == name]
        return min(lines, key=lambda line: abs(line - written), default=written)


def _range(die: Any) -> tuple[int, int]:
    attributes = die.attributes
    if "DW_AT_low_pc" not in attributes or "DW_AT_high_pc" not in attributes:
        return 0, 0
    low = int(attributes["DW_AT_low_pc"].value)
    return low, low + int(attributes["DW_AT_high_pc"].value)


def _inlined_at(die: Any, address: int) -> Iterator[Any]:
    """The calls that were inlined around an address, outermost first."""
    for child in die.iter_children():
        low, high = _range(child)
        if low <= address < high:
            if child.tag == "DW_TAG_inlined_subroutine":
                yield child
            yield from _inlined_at(child, address)


def _sequences(dwarf: Any, unit: Any) -> Iterator[tuple[int, list[tuple[int, int]]]]:
    """Each function's entry and rows."""
    program = dwarf.line_program_for_CU(unit)
    header = program.header
    base, span, first = header["opcode_base"], header["line_range"], header["line_base"]
    program.stream.seek(program.program_start_offset)
    code = _Code(program.stream.read(program.program_end_offset - program.program_start_offset))
    entry, rows, at, line = -1, list[tuple[int, int]](), 0, 0
    while not code.is_over:
        operation = code.byte()
        if operation >= base:
            at += (operation - base) // span
            line += first + (operation - base) % span
            rows.append((at, line))
        elif operation == 0:
            body = code.bytes(code.number())
            if body[0] == _SET_DECL and entry < 0:
                # What stands before it fills a gap, whatever it seems to say.
                entry, rows, at, line = struct.unpack_from("<I", body, 1)[0], [], 0, 0
            elif body[0] == 1:  # the end of a function
                if entry >= 0:
                    yield entry, rows
                entry, rows, at, line = -1, [], 0, 0
        elif operation == 1:
            rows.append((at, line))
        elif operation == 2:
            at += code.number()
        elif operation == 3:
            line += code.signed()
        elif operation == 8:
            at += (255 - base) // span
        elif operation == 9:
            at += int.from_bytes(code.bytes(2), "little")
        else:
            for _ in range(header["standard_opcode_lengths"][operation - 1]):
                code.number()


class _Code:
    """The bytes of a line program, read from front to back."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    @property
    def is_over(self) -> bool:
        return self._at >= len(self._body)

    def byte(self) -> int:
        self._at += 1
        return self._body[self._at - 1]

    def bytes(self, count: int) -> bytes:
        self._at += count
        return self._body[self._at - count : self._at]

    def number(self) -> int:
        """LEB128 without a sign."""
        value = shift = 0
        while True:
            part = self.byte()
            value |= (part & 127) << shift
            shift += 7
            if part < 128:
                return value

    def signed(self) -> int:
        """LEB128 with a sign."""
        start = self._at
        value = self.number()
        bits = 7 * (self._at - start)
        return value - (1 << bits) if value >> (bits - 1) else value
