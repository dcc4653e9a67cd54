"""The notebook's code cells in their order, as far as anybody here knows it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import HistoryError
from .filemerge import read_cells
from .redact import Redactor

if TYPE_CHECKING:
    from .history import History


@dataclass(frozen=True)
class CodeCell:
    """A code cell: ``place`` counts all cells of the notebook from 1. Secrets in ``source`` are replaced by marks."""

    place: int
    source: str


def code_cells(history: History) -> list[CodeCell]:
    """What an open notebook shows at this moment; else what the newest state holds; else the file. [] if none is there.

    In a state the cells stand in the file's order, with what was run as it was run; without a file in the order in
    which they were run.
    """
    # Without the history's lock: the answer arrives in another thread, which needs it.
    if history.front_end is not None:
        history.front_end.ask()
    with history._lock:
        shown = history._live.shown()
    return _cells(shown) or _cells(_recorded(history)) or _cells(_in_file(history.notebook))


def _cells(found: list[tuple[str, str]]) -> list[CodeCell]:
    """Of (type, source) of every cell those that are code."""
    return [CodeCell(place, source) for place, (kind, source) in enumerate(found, 1) if kind == "code"]


def _recorded(history: History) -> list[tuple[str, str]]:
    if not history.enabled:
        return []
    try:
        with history._lock:
            state = next(iter(history.states(1)), None)
            return [(cell.type, cell.source) for cell in history._look().cells(state)] if state is not None else []
    except HistoryError:
        return []  # the file may still be there


def _in_file(path: str | None) -> list[tuple[str, str]]:
    if path is None or not os.path.exists(path):  # noqa: PTH110 - as in the rest of the history
        return []
    try:
        return [(cell["type"], cell["source"]) for cell in read_cells(path, Redactor())[0]]
    except (OSError, ValueError):
        return []
