"""The live document, in the kernel: what a front end says the notebook holds now, checked and kept for the journal.

Only a front end knows the order of the cells, markdown, edits that were not run, and what was deleted. Where one
sends that, the states hold it; where none does, they hold what the notebook's file and the messages tell.
A message may come from a page of another version, or be anything at all: it is checked whole before it counts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Protocol

from ..errors import HistoryError
from ..limits import (
    DOCUMENT_CELL_CHARACTERS_MAX,
    DOCUMENT_CELLS_MAX,
    DOCUMENT_CHARACTERS_MAX,
    DOCUMENT_PART_CHARACTERS,
)
from .contents import cell_id
from .redact import Redactor

CELL_TYPES = frozenset({"code", "markdown", "raw"})
VOLATILE = frozenset({"execution", "papermill", "ExecuteTime", "trusted"})
"""Metadata that front ends write at each execution."""


class FrontEnd(Protocol):
    """An open notebook on the other side of a channel."""

    def ask(self) -> bool:
        """Have it send what it shows now; whether that came within DOCUMENT_ASK_SECONDS."""

    def reload(self, text: str) -> bool:
        """Have it show its file anew and say ``text``; whether one was told."""


class LiveDocument:
    """What is known of the open notebook. Not thread-safe: the history holds its lock around all but ``check``."""

    def __init__(self) -> None:
        self._cells: dict[str, dict[str, Any]] = {}
        self._order: list[list[str]] = []
        self._metadata: dict[str, Any] | None = None
        self._changed: set[str] = set()
        self._lane = ""
        self._new = False

    def take(self, document: Mapping[str, Any]) -> None:
        """Take in a document that ``check`` has passed: cells without a source are those that are known already."""
        for cell in document["cells"]:
            if "source" in cell:
                self._cells[cell["id"]] = cell
                self._changed.add(cell["id"])
        self._order = [[cell["id"], cell["type"]] for cell in document["cells"]]
        listed = {name for name, _ in self._order}
        for name in [name for name in self._cells if name not in listed]:
            del self._cells[name]
        if document["metadata"] is not None:
            self._metadata = document["metadata"]
        self._new = True

    def forget(self) -> None:
        """The notebook was replaced: what was shown before says nothing about it."""
        self._new = False
        self._order = []

    def shown(self) -> list[tuple[str, str]]:
        """Type and source of every cell that is shown, in order; [] where that is not known."""
        return [(kind, self._cells[name]["source"]) for name, kind in self._order if name in self._cells]

    def renew(self) -> None:
        """What the journal was told did not count: it is told whole again."""
        self._lane, self._new = "", bool(self._order)

    def clean(self, redact: Redactor) -> None:
        """There is more to be left out than when it was shown."""
        for cell in self._cells.values():
            cell["source"] = redact.text(cell["source"])
            cell |= {key: redact.value(cell[key]) for key in ("metadata", "attachments") if cell.get(key)}

    @property
    def is_new(self) -> bool:
        """Whether the journal does not have it all yet."""
        return self._new

    def records(self, lane: str, sequence: int) -> list[dict[str, Any]]:
        """The journal's records of it: whole for a new lane, else with the cells that changed since the last ones.

        They belong to the states after ``sequence``. Each is small: to write one holds up every other thread.
        """
        if lane != self._lane:
            self._lane, self._changed = lane, set(self._cells)
        parts: list[list[dict[str, Any]]] = [[]]
        room = DOCUMENT_PART_CHARACTERS
        for cell in [self._cells[name] for name, _ in self._order if name in self._changed and name in self._cells]:
            if room <= 0:
                parts.append([])
                room = DOCUMENT_PART_CHARACTERS
            parts[-1].append(cell)
            room -= len(cell["source"])
        self._changed.clear()
        self._new = False
        bodies: list[dict[str, Any]] = [{"cells": part} for part in parts]
        bodies[-1] |= {"order": self._order, "metadata": self._metadata}
        return [{"k": "document", "seq": sequence, "document": body} for body in bodies]


def check_document(message: Mapping[str, Any], redact: Redactor) -> dict[str, Any]:
    """The document in a front end's message: well-formed, within the bounds, without secrets.

    Raises HistoryError for anything else, which says what is wrong.
    """
    listed = message.get("cells")
    if not isinstance(listed, list) or len(listed) > DOCUMENT_CELLS_MAX:
        raise HistoryError(f"a document is a list of at most {DOCUMENT_CELLS_MAX} cells")
    room = DOCUMENT_CHARACTERS_MAX
    cells: list[dict[str, Any]] = []
    taken: set[str] = set()
    for raw in listed:
        if not isinstance(raw, Mapping) or raw.get("type") not in CELL_TYPES:
            raise HistoryError("a cell of a document is an object whose type is code, markdown or raw")
        name = raw.get("id")
        if not isinstance(name, str) or not name or cell_id(name) in taken:
            raise HistoryError("each cell of a document has an id of its own")
        cell: dict[str, Any] = {"id": cell_id(name), "type": raw["type"]}
        taken.add(cell["id"])
        if raw.get("source") is not None:
            room -= _add_contents(cell, raw, redact)
            if room < 0:
                raise HistoryError(f"a document has at most {DOCUMENT_CHARACTERS_MAX} characters")
        cells.append(cell)
    # A document seldom holds a secret: looking through all sources at once costs a tenth of looking through each.
    sources = "\n\n".join(cell["source"] for cell in cells if "source" in cell)
    if redact.text(sources) != sources:
        for cell in cells:
            if "source" in cell:
                cell["source"] = redact.text(cell["source"])
    return {"cells": cells, "metadata": _metadata(message.get("metadata"), redact)}


def _add_contents(cell: dict[str, Any], raw: Mapping[str, Any], redact: Redactor) -> int:
    """Put source, metadata and attachments into ``cell``; how many characters they take. Raises HistoryError."""
    source, attachments = raw["source"], raw.get("attachments") or None
    if not isinstance(source, str) or not isinstance(attachments, Mapping | None):
        raise HistoryError("the source of a cell is text, and its attachments are an object")
    size = len(source) + _size(attachments)
    if size > DOCUMENT_CELL_CHARACTERS_MAX:
        raise HistoryError(f"a cell of a document has at most {DOCUMENT_CELL_CHARACTERS_MAX} characters")
    metadata = _metadata(raw.get("metadata"), redact) or {}
    cell |= {"source": source, "metadata": metadata, "attachments": attachments}
    return size + _size(metadata)


def _metadata(value: Any, redact: Redactor) -> dict[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or _size(value) > DOCUMENT_CELL_CHARACTERS_MAX:
        raise HistoryError(f"metadata is an object of at most {DOCUMENT_CELL_CHARACTERS_MAX} characters")
    try:
        return dict(redact.value({key: item for key, item in value.items() if key not in VOLATILE}))
    except RecursionError:
        raise HistoryError("metadata is nested too deeply") from None


def _size(value: Any) -> int:
    try:
        return len(json.dumps(value)) if value else 0
    except (TypeError, ValueError, RecursionError) as error:
        raise HistoryError(f"metadata and attachments are JSON ({error})") from None
