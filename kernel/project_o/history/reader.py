"""Reading the store: states, their cells and files, and the differences between them."""

from __future__ import annotations

import difflib
import heapq
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import HistoryError
from .contents import CELLS, DEPLOYMENTS, PROGRAMS, Contents, decode
from .lane import parse_commit
from .objects import ObjectStore, Tree, compare_trees
from .outputdiff import outputs_diff
from .places import slug
from .records import CellChange, CellState, Change, FileChange, HistoryDiff
from .refs import LANES, TAGS, list_refs, read_ref

if TYPE_CHECKING:
    from ..values import State

_SUBJECT = re.compile(r"([a-z0-9-]+)(?:\(([^)]*)\))?: (.*)")
_PREFIX = re.compile(r"[0-9a-f]{4,40}")
_OWN_FACTS = ("seq", "lane", "time")


class Reader:
    """One store, read only."""

    def __init__(self, store: str) -> None:
        self.objects = ObjectStore(store)
        self._store = store

    def close(self) -> None:
        """End the reading process, if there is one."""
        self.objects.close()

    def state(self, commit: str) -> State:
        """The state that a commit is. Raises HistoryError."""
        body = parse_commit(self.objects.read_as(commit, "commit"))
        found = _SUBJECT.fullmatch(body["subject"])
        kind, scope, summary = found.groups() if found else ("note", "", body["subject"])
        facts = {key: value for key, value in body["facts"].items() if key not in _OWN_FACTS}
        if scope:
            facts = {"scope": scope} | facts
        from ..values import State

        return State(
            id=commit,
            sequence=int(body["facts"].get("seq", 0)),
            lane=body["facts"].get("lane", ""),
            kind=kind,
            summary=summary,
            when=body["when"],
            parents=tuple(body["parents"]),
            facts=tuple(facts.items()),
        )

    def tips(self, notebooks: Iterable[str]) -> list[str]:
        """The newest commits of these notebooks' lanes; of all lanes where no notebook is named."""
        names = list(notebooks)
        refs: dict[str, str] = {}
        for prefix in [f"{LANES}{name}/" for name in names] or [LANES]:
            refs |= list_refs(self._store, prefix)
        return list(refs.values())

    def walk(self, tips: Iterable[str]) -> Iterator[State]:
        """Every state that can be reached, newest first; what cannot be read is passed over."""
        heap: list[tuple[float, int, str, State]] = []
        seen: set[str] = set()

        def push(commit: str) -> None:
            if commit in seen:
                return
            seen.add(commit)
            try:
                state = self.state(commit)
            except HistoryError:
                return
            heapq.heappush(heap, (-state.when, -state.sequence, commit, state))

        for tip in tips:
            push(tip)
        while heap:
            state = heapq.heappop(heap)[3]
            yield state
            for parent in state.parents:
                push(parent)

    def resolve(self, text: str, tips: list[str], latest: str) -> State:
        """The state that ``text`` means: ``@``, ``@~2``, a saved name or its words, or the start of a commit id."""
        text = text.strip()
        back = re.fullmatch(r"@(?:~([0-9]*))?", text)
        if back:
            steps = 0 if not text[1:] else int(back[1] or 1)
            return self._back(latest, steps, text)
        if saved := self._saved(text):
            return self.state(self._commit_of(saved))
        if not _PREFIX.fullmatch(text.lower()):
            raise HistoryError(f"{text!r} is no state: give an id, a saved name, @ or @~2; `%o history` lists them")
        found = [state for state in self.walk(tips) if state.id.startswith(text.lower())]
        if len(found) > 1:
            names = ", ".join(state.short for state in found[:5])
            raise HistoryError(f"{text!r} could be {len(found)} states ({names}): give more digits")
        if not found:
            raise HistoryError(f"no state begins with {text!r}; `%o history` lists them")
        return found[0]

    def _saved(self, text: str) -> str | None:
        """What a saved name, or the words that it was made of, names; None where nothing was saved as that."""
        found = None
        if re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*(/v[0-9][0-9A-Za-z.-]*)?", text):
            found = read_ref(self._store, TAGS + text)
        if found or not text or text.startswith("@"):
            return found
        return read_ref(self._store, TAGS + slug(text))

    def _commit_of(self, name: str) -> str:
        """A commit's id, or that of the commit which an annotated tag names."""
        kind, data = self.objects.read(name)
        return name if kind == "commit" else data[7:47].decode("ascii", "replace")

    def _back(self, latest: str, steps: int, text: str) -> State:
        if not latest:
            raise HistoryError("there are no states yet: run a cell first")
        state = self.state(latest)
        for done in range(steps):
            if not state.parents:
                raise HistoryError(f"{text!r} is further back than the history goes ({done + 1} states)")
            state = self.state(state.parents[0])
        return state

    # ------------------------------------------------------------------------------ contents

    def contents(self, state: State) -> Contents:
        """A state's tree. Raises HistoryError."""
        return Contents(self.objects, self.tree(state))

    def tree(self, state: State) -> str:
        """The id of a state's tree. Raises HistoryError."""
        return str(parse_commit(self.objects.read_as(state.id, "commit"))["tree"])

    def cells(self, state: State) -> list[CellState]:
        """The cells of a state in the notebook's order. Raises HistoryError."""
        contents = self.contents(state)
        contents.fetch()
        found = []
        for entry in contents.entries:
            outputs, count = contents.outputs(entry["id"]) if entry["type"] == "code" else ([], None)
            found.append(
                CellState(
                    id=entry["id"],
                    type=entry["type"],
                    source=contents.source(entry["id"]) or "",
                    outputs=tuple(outputs),
                    execution_count=count,
                    metadata=entry.get("metadata", {}),
                    attachments=entry.get("attachments"),
                )
            )
        self.objects.forget_fetched()
        return found

    def files(self, state: State, prefix: str = "") -> dict[str, str]:
        """The text of each file of a state whose path starts with ``prefix``. Raises HistoryError."""
        found = {}
        for path, blob in Tree(self.objects, self.tree(state)).walk():
            if path.startswith(prefix):
                found[path] = self._text(blob)
        return found

    def kept_files(self, state: State) -> dict[str, str]:
        """What a caller put into a state: the programs and ``deployments.json``."""
        tree = Tree(self.objects, self.tree(state))
        programs = tree.child(PROGRAMS.rstrip("/"))
        found = {path: self._text(blob) for path, blob in (programs.walk(PROGRAMS) if programs else ())}
        deployments = tree.get(DEPLOYMENTS)
        return found | ({DEPLOYMENTS: self._text(deployments)} if deployments else {})

    def read(self, state: State, path: str) -> str:
        """The text of one file of a state. Raises HistoryError where there is none."""
        blob = Tree(self.objects, self.tree(state)).get(path)
        if blob is None:
            raise HistoryError(f"state {state.short} has no file {path!r}")
        return self._text(blob)

    def _text(self, blob: str | None) -> str:
        data = self.objects.read_as(blob, "blob") if blob else b""
        try:
            return decode(data)
        except UnicodeDecodeError:
            return data.decode("latin-1")

    def notebook_json(self, state: State) -> dict[str, Any]:
        """A state as a notebook of format 4.5. Raises HistoryError."""
        contents = self.contents(state)
        cells: list[dict[str, Any]] = []
        for cell in self.cells(state):
            body: dict[str, Any] = {"cell_type": cell.type, "id": cell.id, "metadata": dict(cell.metadata)}
            body["source"] = cell.source
            if cell.attachments:
                body["attachments"] = dict(cell.attachments)
            if cell.type == "code":
                body |= {"outputs": list(cell.outputs), "execution_count": cell.execution_count}
            cells.append(body)
        metadata = dict(contents.metadata)
        metadata.setdefault("kernelspec", {"name": "python3", "display_name": "Python 3", "language": "python"})
        return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}

    # ------------------------------------------------------------------------------ differences

    def diff(self, a: State, b: State, *, outputs: bool = False) -> HistoryDiff:
        """What changed from ``a`` to ``b``, by cell id; only what differs is read. ``outputs``: those, too."""
        differing = list(compare_trees(self.objects, self.tree(a), self.tree(b)))
        before, after = self.contents(a), self.contents(b)
        touched: dict[str, bool] = {}
        for path, _, _ in differing:
            if path.startswith(CELLS + "/"):
                base = path.rpartition("/")[2]
                is_output = ".out." in base
                name = base.partition(".")[0]
                touched[name] = touched.get(name, False) or is_output
        order = [entry["id"] for entry in after.entries]
        old_order = [entry["id"] for entry in before.entries]
        cells = []
        for name in [*(n for n in order if n in touched), *(n for n in old_order if n in touched and n not in order)]:
            change = _cell_change(before, after, name, outputs_changed=touched[name])
            if outputs and touched[name]:
                told = outputs_diff(name, before.outputs(name)[0], after.outputs(name)[0])
                change = replace(change, outputs_diff=told)
            cells.append(change)
        files = tuple(
            _file_change(path, self._text(old), self._text(new), old is not None, new is not None)
            for path, old, new in differing
            if path.startswith(PROGRAMS) or path == DEPLOYMENTS
        )
        before_it, after_it = set(old_order), set(order)
        moved = [name for name in old_order if name in after_it] != [name for name in order if name in before_it]
        return HistoryDiff(a, b, tuple(cells), files, moved)


def _cell_change(before: Contents, after: Contents, name: str, *, outputs_changed: bool) -> CellChange:
    old, new = before.source(name), after.source(name)
    diff = _unified(f"cell {name}", old, new)
    return CellChange(name, _change(old is not None, new is not None), diff, outputs_changed)


def _file_change(path: str, old: str, new: str, was: bool, now: bool) -> FileChange:  # noqa: FBT001 - a pair of facts
    return FileChange(path, _change(was, now), _unified(path, old if was else None, new if now else None))


def _change(was: bool, now: bool) -> Change:  # noqa: FBT001 - a pair of facts
    return "changed" if was and now else "added" if now else "removed"


def _unified(path: str, old: str | None, new: str | None) -> str:
    """A unified diff as Git writes it; empty where nothing differs."""
    a = "/dev/null" if old is None else f"a/{path}"
    b = "/dev/null" if new is None else f"b/{path}"
    lines = []
    for line in difflib.unified_diff((old or "").splitlines(True), (new or "").splitlines(True), a, b):
        lines.append(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
    return "".join(lines)
