"""The lines that a candidate's text reaches, counted by coverage.py in the process that runs it.

This module is loaded before that process is locked, and has coverage.py read then what it will ever read. What it tells
comes from where the candidate ran: it is good for a report, and for nothing that depends on it.
"""

from __future__ import annotations

import builtins
import types
from collections.abc import Callable, Iterator
from typing import Any

from coverage import Coverage

from .counted import FOLDER, file_of

_coverage = Coverage(data_file=None, config_file=False, include=[f"{FOLDER}/*"])
_coverage.start()
_coverage.stop()
_lines: dict[str, set[int]] = {}


def begin() -> None:
    """Count from now on."""
    _coverage.start()


def told() -> dict[str, Any]:
    """For each file the lines that were reached, and of those that were followed all there are."""
    data = _coverage.get_data()
    reached = {file: sorted(data.lines(file) or ()) for file in data.measured_files()}
    return {"reached": reached, "lines": {file: sorted(lines) for file, lines in _lines.items()}}


def followed(filename: str, number: int) -> Callable[..., Any]:
    """``compile`` that gives the code of one file the name of a text, and notes the lines on which it has code."""

    def compiled(source: Any, name: str, *more: Any, **named: Any) -> Any:
        code = builtins.compile(source, file_of(number) if name == filename else name, *more, **named)
        if name == filename and isinstance(code, types.CodeType):
            _lines.setdefault(file_of(number), set()).update(_lines_of(code))
        return code

    return compiled


def _lines_of(code: types.CodeType) -> Iterator[int]:
    yield from (line for _, _, line in code.co_lines() if line)
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _lines_of(part)
