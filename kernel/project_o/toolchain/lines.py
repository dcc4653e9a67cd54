"""From an address in a library to the cell's own line, through its debug information (DWARF 4 and 5).

Read only when something has faulted, so elftools is imported late and only answers are kept: the path of a build
is the hash of its content.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from ..errors import warn
from . import server_lines
from .sources import CELL_FOLDER

_FRAMES_MAX = 64
_CELLS = (f"/{CELL_FOLDER}/cell.zig", f"/{CELL_FOLDER}/cell.rs")


def cell_line(path: str, frames: Sequence[int], *, exact: bool) -> int:
    """The line of the innermost of ``frames`` that lies in the cell; 0 where none does or nothing is known.

    ``frames`` are offsets in the library at ``path``, innermost first: return addresses, except that with
    ``exact`` the first one is the instruction itself.
    """
    # A return address may already belong to the next line, so one byte before it is looked up.
    addresses = tuple(f - (0 if exact and k == 0 else 1) for k, f in enumerate(frames[:_FRAMES_MAX]))
    try:
        return _line_of(path, addresses) if addresses else 0
    except OSError:  # the build is gone: it may come again
        return 0


@lru_cache(maxsize=256)
def _line_of(path: str, addresses: tuple[int, ...]) -> int:
    from elftools.elf.elffile import ELFFile

    try:
        with open(path, "rb") as file:
            library = ELFFile(file)
            if not library.has_dwarf_info():
                return 0
            functions = server_lines.remembered(path)
            if functions is not None:
                return server_lines.line_of(library.get_dwarf_info(), addresses, functions)
            return _search(library.get_dwarf_info(), addresses)
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary to elftools: debug information is damaged in any way
        warn(f"the debug information of {path} cannot be read, and an error in it has no line: {error!r}")
        return 0


def _search(dwarf: Any, addresses: Sequence[int]) -> int:
    units = [_Unit(dwarf, unit) for unit in dwarf.iter_CUs()]
    for address in addresses:
        for unit in units:
            for line in unit.cell_lines(address):
                return line
    return 0


class _Unit:
    """One compilation unit: its line table as sorted rows, its tree of inlined calls on request."""

    def __init__(self, dwarf: Any, unit: Any) -> None:
        self._unit = unit
        program = dwarf.line_program_for_CU(unit)
        self._cell_files: set[int] = set()
        self._rows: list[tuple[int, int, int]] = []
        if program is not None:
            self._cell_files = _cell_files(program)
            self._rows = sorted(_rows(program), key=lambda row: row[0])
        self._starts = [row[0] for row in self._rows]

    def cell_lines(self, address: int) -> Iterator[int]:
        """The cell's lines at ``address``: where the instruction stands, then the calls it was inlined through."""
        at = bisect_right(self._starts, address) - 1
        if at < 0 or self._rows[at][1] < 0:
            return
        _, file, line = self._rows[at]
        if file in self._cell_files and line:
            yield line
        for file, line in self._inlined_calls(address):
            if file in self._cell_files and line:
                yield line

    def _inlined_calls(self, address: int) -> list[tuple[int, int]]:
        found: list[tuple[int, int]] = []
        node = self._unit.get_top_DIE()
        while True:
            inner = next((child for child in _scopes(node) if self._covers(child, address)), None)
            if inner is None:
                return found[::-1]
            if inner.tag == "DW_TAG_inlined_subroutine":
                attributes = inner.attributes
                if "DW_AT_call_line" in attributes:
                    file = attributes["DW_AT_call_file"].value if "DW_AT_call_file" in attributes else -1
                    found.append((file, attributes["DW_AT_call_line"].value))
            node = inner

    def _covers(self, node: Any, address: int) -> bool:
        attributes = node.attributes
        if "DW_AT_low_pc" in attributes and "DW_AT_high_pc" in attributes:
            low, high = attributes["DW_AT_low_pc"].value, attributes["DW_AT_high_pc"]
            end = high.value if high.form == "DW_FORM_addr" else low + high.value
            return bool(low <= address < end)
        if "DW_AT_ranges" in attributes:
            return any(low <= address < high for low, high in self._ranges(attributes["DW_AT_ranges"]))
        # A namespace has no addresses of its own, but functions in it.
        return node.tag in ("DW_TAG_namespace", "DW_TAG_structure_type") and any(
            self._covers(child, address) for child in _scopes(node)
        )

    def _ranges(self, attribute: Any) -> Iterator[tuple[int, int]]:
        lists = self._unit.dwarfinfo.range_lists()
        top = self._unit.get_top_DIE().attributes
        base = top["DW_AT_low_pc"].value if "DW_AT_low_pc" in top else 0
        for entry in lists.get_range_list_at_offset(attribute.value, cu=self._unit):
            if hasattr(entry, "base_address"):
                base = entry.base_address
            else:
                shift = 0 if getattr(entry, "is_absolute", False) else base
                yield entry.begin_offset + shift, entry.end_offset + shift


_SCOPES = frozenset(
    {
        "DW_TAG_subprogram",
        "DW_TAG_inlined_subroutine",
        "DW_TAG_lexical_block",
        "DW_TAG_namespace",
        "DW_TAG_structure_type",
    }
)


def _scopes(node: Any) -> Iterator[Any]:
    return (child for child in node.iter_children() if child.tag in _SCOPES)


def _rows(program: Any) -> Iterator[tuple[int, int, int]]:
    """(address, file index or -1 where a sequence ends, line)."""
    for entry in program.get_entries():
        state = entry.state
        if state is not None:
            yield (state.address, -1 if state.end_sequence else state.file, state.line)


def _cell_files(program: Any) -> set[int]:
    """The indices, as the line table and call sites use them, of the cell's file."""
    header = program.header
    first = 0 if header["version"] >= 5 else 1
    folders = [_text(getattr(folder, "dir_path", folder)) for folder in header["include_directory"]]
    found = set()
    for index, entry in enumerate(header["file_entry"]):
        number = entry.dir_index - first
        path = f"{folders[number] if 0 <= number < len(folders) else ''}/{_text(entry.name)}"
        if f"/{path}".endswith(_CELLS):
            found.add(index + first)
    return found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
