"""The live document, in the recorder: folded into the contents of the next state.

It gives order, types, sources, metadata and deletions; outputs and execution counts stay those that were recorded.
A cell's source is what the notebook showed, also where it was edited after its last run. It outweighs the
notebook's file, which lags behind it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..limits import DROPPED_CELLS_KEPT_MAX
from .contents import Contents

_NUMBERED = re.compile(r"[fx][0-9]+")


class LiveMerge:
    """What a front end showed last, as the journal tells it."""

    def __init__(self) -> None:
        self._order: list[tuple[str, str]] = []
        self._cells: dict[str, dict[str, Any]] = {}
        self._metadata: dict[str, Any] | None = None
        self._touched: set[str] = set()
        self.dropped: dict[str, tuple[list[dict[str, Any]], int | None]] = {}
        """The outputs and counts of cells that are shown no more: they come back with them."""
        self._due = False

    @property
    def known(self) -> bool:
        """Whether the order of the cells is that of an open notebook."""
        return bool(self._order)

    def take(self, record: Mapping[str, Any], *, committed: bool) -> None:
        """Take in a record; one whose states are ``committed`` already (a journal read again) changes nothing."""
        document = record["document"]
        for cell in document["cells"]:
            self._cells[cell["id"]] = dict(cell)
            self._touched.add(cell["id"])
        if "order" not in document:
            return  # a part of one whose last part is to come
        self._order = [(str(name), str(kind)) for name, kind in document["order"]]
        listed = {name for name, _ in self._order}
        self._cells = {name: cell for name, cell in self._cells.items() if name in listed}
        if document.get("metadata") is not None:
            self._metadata = dict(document["metadata"])
        self._due = not committed

    def forget(self) -> None:
        """The state was replaced: what is shown has yet to be told. The cells are remembered."""
        self._order, self._due = [], False

    def executed(self, name: str, source: str) -> None:
        """A cell's state holds what was run; if it was edited while it ran, the next state holds what is shown."""
        self.dropped.pop(name, None)
        if name in self._cells and self._cells[name]["source"] != source:
            self._touched.add(name)
            self._due = True

    def fold(self, contents: Contents, *, file_changed: bool) -> None:
        """Make ``contents`` what is shown, if that or the file's part of it changed since the last state."""
        if not self._order or not (self._due or file_changed):
            return
        self._due = False
        self._adopt(contents)
        listed = {name for name, _ in self._order}
        for name in [entry["id"] for entry in contents.entries if entry["id"] not in listed]:
            self.dropped[name] = contents.outputs(name)
            if len(self.dropped) > DROPPED_CELLS_KEPT_MAX:
                del self.dropped[next(iter(self.dropped))]
            contents.drop(name)
        for name, kind in self._order:
            if file_changed or name in self._touched or self._kind(contents, name) != kind:
                self._put(contents, name, kind)
        self._touched.clear()
        contents.reorder([name for name, _ in self._order])
        if self._metadata is not None:
            widgets = {key: value for key, value in contents.metadata.items() if key == "widgets"}
            contents.set_metadata({**self._metadata, **widgets})

    def _put(self, contents: Contents, name: str, kind: str) -> None:
        cell = self._cells.get(name)
        fresh = contents.find(name) is None
        if cell is None:
            return  # too large for a message: the file's version stays, if it has one
        if fresh or contents.source(name) != cell["source"] or self._kind(contents, name) != kind:
            contents.put_source(name, kind, cell["source"])
        if kind != "code":
            contents.put_outputs(name, [], None)
        elif name in self.dropped and (fresh or not contents.outputs(name)[0]):
            contents.put_outputs(name, *self.dropped.pop(name))  # a deletion that was undone
        contents.annotate(name, cell.get("metadata") or {}, cell.get("attachments"))

    def _kind(self, contents: Contents, name: str) -> str:
        index = contents.find(name)
        return "" if index is None else str(contents.entries[index]["type"])

    def _adopt(self, contents: Contents) -> None:
        """Cells of a file without ids were numbered: they keep their outputs under the id that is shown."""
        listed = {name for name, _ in self._order}
        missing = [name for name, _ in self._order if contents.find(name) is None and name in self._cells]
        for entry in list(contents.entries):
            if entry["id"] in listed or not _NUMBERED.fullmatch(entry["id"]):
                continue
            source = contents.source(entry["id"])
            match = next((name for name in missing if self._cells[name]["source"] == source), None)
            if match is not None:
                missing.remove(match)
                contents.rename(entry["id"], match)
