"""The compiler's words, with every place in the cell's own lines and columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from .. import limits
from ..values import Diagnostic
from .hints import ZIG, with_hints
from .sources import CELL_FOLDER, without_library

# This reads the compiler's output, whose form is fixed for the pinned version; the source itself is never matched.
_REMARK = re.compile(r"^(?P<file>[^\s:][^:]*):(?P<line>\d+):(?P<column>\d+): (?P<severity>error|note): (?P<text>.*)$")
_BARE = re.compile(r"^error: (?P<text>.+)$")
_REFERENCE = re.compile(r"^\s+(?P<name>.+): (?P<file>[^\s:][^:]*):(?P<line>\d+):(?P<column>\d+)$")
_MARKER = re.compile(r"^\s*~*\^~*\s*$")
_SHIM = re.compile(r'Shim\("(?P<name>[^"]+)"')


@dataclass
class _Remark:
    """A remark as it stands in the output, with the notes and references that follow an error."""

    severity: str
    text: str
    file: str = ""
    line: int = 0
    column: int = 0
    width: int = 1
    notes: list[_Remark] = field(default_factory=list)
    references: list[_Remark] = field(default_factory=list)


def read(output: str, sources: Mapping[str, str], functions: Mapping[str, int]) -> tuple[Diagnostic, ...]:
    """The errors in the compiler's output.

    ``sources`` are the texts that were compiled, by their path (``cell/cell.zig``); ``functions`` the lines of the
    cell's functions by name, for what goes wrong where our shims use them.
    """
    remarks = _remarks(output)[: limits.DIAGNOSTICS_SHOWN_MAX]
    found = [_diagnostic(remark, sources, functions) for remark in remarks]
    # The compiler follows its own order of work, a reader goes from top to bottom.
    return with_hints(sorted(found, key=lambda item: (item.line == 0, item.line, item.column)), ZIG)


def _remarks(output: str) -> list[_Remark]:
    errors: list[_Remark] = []
    last: _Remark | None = None
    in_references = False
    for line in output.splitlines():
        if match := _REMARK.match(line):
            place = match["file"].replace("\\", "/"), int(match["line"]), int(match["column"])
            last = _Remark(match["severity"], match["text"], *place)
            in_references = False
            if last.severity == "error" or not errors:
                errors.append(last)
            else:
                errors[-1].notes.append(last)
        elif line.startswith("referenced by:"):
            in_references = True
        elif in_references and errors and (match := _REFERENCE.match(line)):
            errors[-1].references.append(
                _Remark("note", match["name"], match["file"], int(match["line"]), int(match["column"]))
            )
        elif match := _BARE.match(line):
            last = _Remark("error", without_library(match["text"]) or match["text"])
            errors.append(last)
        elif last is not None and _MARKER.match(line):
            last.width = len(line.rstrip()) - line.index("^")
    return errors


def _diagnostic(remark: _Remark, sources: Mapping[str, str], functions: Mapping[str, int]) -> Diagnostic:
    notes = tuple(_placed(note, sources) for note in remark.notes)
    here = _placed(remark, sources)
    if here.line:
        return replace(here, notes=notes)
    # Said about a file that is not the cell's: the nearest place in the cell that leads there.
    for other in (*remark.references, *remark.notes):
        place = _placed(other, sources)
        if place.line:
            return replace(place, severity="error", message=here.message, notes=notes)
    for other in (*remark.references, remark, *remark.notes):
        if (match := _SHIM.search(other.text)) and match["name"] in functions:
            line = functions[match["name"]]
            text = next(iter(sources.values()), "")
            message = f"{match['name']} cannot be called from Python: {remark.text}"
            return Diagnostic("error", message, line, 1, _source_line(text, line), notes=notes)
    return replace(here, notes=notes)


def _placed(remark: _Remark, sources: Mapping[str, str]) -> Diagnostic:
    severity: Literal["error", "note"] = "note" if remark.severity == "note" else "error"
    main = next(iter(sources), "")
    if remark.file == main:
        text = _source_line(sources[main], remark.line)
        column = _character_column(text, remark.column)
        width = max(1, min(remark.width, len(text) - column + 1))
        return Diagnostic(severity, remark.text, remark.line, column, text, width)
    where = f"{_short(remark.file)}:{remark.line}: " if remark.file else ""
    return Diagnostic(severity, where + remark.text)


def _short(path: str) -> str:
    """The part of a path that means something to the reader: ``std/mem.zig``, or the cell's other files."""
    if path.startswith(CELL_FOLDER + "/"):
        return path[len(CELL_FOLDER) + 1 :]
    _, found, rest = path.rpartition("/lib/std/")
    return "std/" + rest if found else path.rsplit("/", 1)[-1]


def _source_line(text: str, line: int) -> str:
    lines = text.split("\n")
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _character_column(text: str, byte_column: int) -> int:
    """The compiler counts bytes, the reader characters."""
    return len(text.encode("utf-8")[: byte_column - 1].decode("utf-8", "ignore")) + 1
