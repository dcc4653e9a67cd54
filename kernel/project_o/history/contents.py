"""The contents of a state: its tree, with one file for each cell's source and one for its outputs.

    state.json            schema, lane, sequence, Python, platform, notebook
    notebook.json         the cells' order, types and metadata, and the notebook's metadata
    cells/ab/<id>.py      a cell's source (.md, .zig, .rs, .txt by its kind, so that viewers colour it)
    cells/ab/<id>.out.json     its execution count and outputs
    cells/ab/<id>.out.0.png    a binary output of some size, stored raw; larger ones are in ``blobs``
    programs/<name>/...   what the caller puts there
    deployments.json      what serves

Only what changed is written, so a state costs the same at ten cells and at a thousand.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import HistoryError
from ..limits import OUTPUT_INLINE_BYTES_MAX
from .blobs import Blobs
from .largeoutputs import join_output, split_outputs
from .objects import COMPRESS_LEVEL, STORE_LEVEL, ObjectStore, Tree
from .pretty import indented

CELLS = "cells"
NOTEBOOK = "notebook.json"
STATE = "state.json"
DEPLOYMENTS = "deployments.json"
PROGRAMS = "programs/"
SOURCES = frozenset({"cell.zig", "cell.rs", "cell.py", "cell.hy"})
"""The file of a program that is its own text."""
_compact = json.JSONEncoder(ensure_ascii=False).encode
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_EXTENSIONS = {"%%zig": ".zig", "%%rust": ".rs"}


def cell_id(text: str) -> str:
    """``text`` where nbformat allows it as a cell's id, else a digest of it."""
    return text if _ID.fullmatch(text) else f"c{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()[:15]}"


def encode(text: str) -> bytes:
    """UTF-8 that keeps lone surrogates."""
    return text.encode("utf-8", "surrogatepass")


def decode(data: bytes) -> str:
    """The inverse of ``encode``."""
    return data.decode("utf-8", "surrogatepass")


def cell_stem(name: str) -> str:
    """The path of a cell's files without what follows the id."""
    return f"{CELLS}/{hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:2]}/{name}"


def source_extension(kind: str, source: str) -> str:
    """The file extension for a cell's source."""
    if kind == "markdown":
        return ".md"
    if kind == "raw":
        return ".txt"
    return _EXTENSIONS.get(source.split(None, 1)[0] if source.strip() else "", ".py")


def check_path(path: str) -> str:
    """``path`` if a state may hold a file there. Raises HistoryError."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or part.lower().startswith(".git") or "\0" in part for part in parts):
        raise HistoryError(f"{path!r} cannot be a file of a state: give a relative path like programs/dot/cell.zig")
    if parts[0] in (CELLS, NOTEBOOK, STATE):
        raise HistoryError(f"{path!r} is written by the history itself; put files under {PROGRAMS}")
    return path


class Contents:
    """The tree of one lane's newest state, as it is changed. Not thread-safe; raises OSError where a write fails."""

    def __init__(self, store: ObjectStore, tree: str | None = None) -> None:
        self.store = store
        self.tree = Tree(store, tree)
        self.entries: list[dict[str, Any]] = []
        self.metadata: dict[str, Any] = {}
        self._blobs = Blobs(store.path)
        self._places: dict[str, int] | None = None
        self._order_changed = tree is None
        if tree is not None:
            self._read_notebook()

    def _read_notebook(self) -> None:
        blob = self.tree.get(NOTEBOOK)
        body = json.loads(self.store.read_as(blob, "blob")) if blob else {}
        self.entries = list(body.get("cells", []))
        self.metadata = dict(body.get("metadata", {}))

    # ---------------------------------------------------------------------------- cells

    def find(self, name: str) -> int | None:
        """Where the cell stands, or None."""
        if self._places is None:
            self._places = {entry["id"]: index for index, entry in enumerate(self.entries)}
        return self._places.get(name)

    def _reordered(self) -> None:
        self._order_changed, self._places = True, None

    def put_source(self, name: str, kind: str, source: str, after: str | None = None) -> None:
        """Store a cell's source; a new cell goes behind ``after``, else to the end."""
        file = cell_stem(name) + source_extension(kind, source)
        index = self.find(name)
        if index is None:
            behind = self.find(after) if after else None
            self.entries.insert(len(self.entries) if behind is None else behind + 1, _entry(name, kind, file))
            self._reordered()
        elif self.entries[index].get("file") != file or self.entries[index].get("type") != kind:
            self.tree.remove(self.entries[index]["file"])
            self.entries[index] |= _entry(name, kind, file)
            self._order_changed = True
        known = self.tree.get(file)
        blob = self.store.write("blob", encode(source), known=known)
        if blob != known:
            self.tree.put(file, blob)

    def put_outputs(self, name: str, outputs: Sequence[Mapping[str, Any]], execution_count: int | None) -> None:
        """Store a cell's outputs, replacing what was there."""
        stem = cell_stem(name)
        known = self.tree.get(stem + ".out.json")
        if not outputs and execution_count is None:
            self._remove_outputs(stem)
            return
        slim, files = split_outputs(outputs, stem.rpartition("/")[2], self._blobs)
        body = _compact({"execution_count": execution_count, "outputs": slim})
        if len(body) <= OUTPUT_INLINE_BYTES_MAX:
            # Lines make small outputs readable in `git show`; large ones are not worth Python's slower encoder.
            body = indented({"execution_count": execution_count, "outputs": slim})
        blob = self.store.write("blob", encode(body), COMPRESS_LEVEL, known)
        if blob == known and not files:
            return  # as they were, without files of their own
        self._remove_outputs(stem)
        self.tree.put(stem + ".out.json", blob)
        folder = stem.rpartition("/")[0]
        for file, raw in files:
            self.tree.put(f"{folder}/{file}", self.store.write("blob", raw, STORE_LEVEL))

    def _remove_outputs(self, stem: str) -> None:
        folder, _, base = stem.rpartition("/")
        cells = self.tree.child(CELLS)
        inside = cells.child(folder.partition("/")[2]) if cells else None
        if inside is not None:
            for path, _ in list(inside.walk()):
                if path.startswith(base + ".out."):
                    self.tree.remove(f"{folder}/{path}")

    def drop(self, name: str) -> None:
        """Remove a cell."""
        index = self.find(name)
        if index is not None:
            self.tree.remove(self.entries[index]["file"])
            self._remove_outputs(cell_stem(name))
            del self.entries[index]
            self._reordered()

    def source(self, name: str) -> str | None:
        """A cell's source, or None where there is no such cell."""
        index = self.find(name)
        blob = self.tree.get(self.entries[index]["file"]) if index is not None else None
        return decode(self.store.read_as(blob, "blob")) if blob else None

    def outputs(self, name: str) -> tuple[list[dict[str, Any]], int | None]:
        """A cell's outputs and execution count."""
        stem = cell_stem(name)
        blob = self.tree.get(stem + ".out.json")
        if not blob:
            return [], None
        body = json.loads(self.store.read_as(blob, "blob"))
        folder = stem.rpartition("/")[0]

        def raw(file: str) -> bytes:
            found = self.tree.get(f"{folder}/{file}")
            if not found:
                raise HistoryError(f"{folder}/{file} is missing in a state of {self.store.path}")
            return self.store.read_as(found, "blob")

        return [join_output(output, raw, self._blobs.get) for output in body["outputs"]], body["execution_count"]

    def annotate(self, name: str, metadata: Mapping[str, Any], attachments: Mapping[str, Any] | None) -> None:
        """Set a cell's metadata and attachments."""
        index = self.find(name)
        assert index is not None, name
        entry = self.entries[index]
        for key, value in (("metadata", metadata), ("attachments", attachments)):
            if (value or None) != entry.get(key):
                self._order_changed = True
                if value:
                    entry[key] = dict(value)
                else:
                    entry.pop(key, None)

    def reorder(self, names: Iterable[str]) -> None:
        """Put the cells into this order; cells that are not named keep their neighbour before them."""
        wanted = list(names)
        by_name = {entry["id"]: entry for entry in self.entries}
        listed = set(wanted)
        order = [name for name in wanted if name in by_name]
        previous: str | None = None
        for entry in self.entries:
            if entry["id"] not in listed:
                order.insert(order.index(previous) + 1 if previous in order else len(order), entry["id"])
            previous = entry["id"]
        if order != [entry["id"] for entry in self.entries]:
            self.entries = [by_name[name] for name in order]
            self._reordered()

    def rename(self, old: str, new: str) -> None:
        """Give a cell another id."""
        index = self.find(old)
        source, (outputs, count) = self.source(old), self.outputs(old)
        if index is None or source is None:
            return
        entry = self.entries[index]
        self.put_source(new, entry["type"], source, after=old)
        self.put_outputs(new, outputs, count)
        self.annotate(new, entry.get("metadata", {}), entry.get("attachments"))
        self.drop(old)

    def set_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Set the notebook's own metadata."""
        if dict(metadata) != self.metadata:
            self.metadata = dict(metadata)
            self._order_changed = True

    # ---------------------------------------------------------------------------- files

    def put_file(self, path: str, text: str | None) -> bool:
        """Store a file, or with None remove it; whether that changes it.

        Raises HistoryError for a path that is not the caller's.
        """
        check_path(path)
        before, after = self.tree.get(path), None
        if text is None:
            self.tree.remove(path)
        else:
            after = self.store.write("blob", encode(text))
            self.tree.put(path, after)
        return before != after

    def write(self, state: Mapping[str, Any]) -> str:
        """Store everything with ``state`` as ``state.json``; the tree's id."""
        if self._order_changed:
            body = {"nbformat": 4, "nbformat_minor": 5, "metadata": self.metadata, "cells": self.entries}
            text = json.dumps(body, ensure_ascii=False, indent=None if len(self.entries) > 100 else 1)
            self.tree.put(NOTEBOOK, self.store.write("blob", encode(text)))
            self._order_changed = False
        self.tree.put(STATE, self.store.write("blob", encode(json.dumps(state, ensure_ascii=False, indent=1))))
        return self.tree.write()

    def fetch(self) -> None:
        """All cells are about to be read."""
        cells = self.tree.child(CELLS)
        if cells is not None:
            cells.fetch()

    def empty_cells(self) -> None:
        """Remove all cells and keep the programs and deployments."""
        self.tree.remove(CELLS)
        self.entries, self.metadata = [], {}
        self._reordered()


def _entry(name: str, kind: str, file: str) -> dict[str, Any]:
    return {"id": name, "type": kind, "file": file}
