"""What a kernel holds of its history: append, note, look back, restore.

Nothing here may hurt a cell: a fault of the store is said once as a warning, counted, and shown by ``where``.
"""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH100, PTH112, PTH118

from __future__ import annotations

import atexit
import os
import platform
import time
import weakref
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import HistoryError
from ..limits import BARRIER_SECONDS
from .aside import note_aside
from .blobs import Blobs
from .contents import cell_id, check_path
from .journal import lanes_with_journal
from .live import FrontEnd, LiveDocument, check_document
from .past import Past
from .places import SCHEMA, format_of, remove_store, size_bytes, slug
from .recording import Recording
from .records import CellRun, Forgotten, Forked, Published, Restored
from .redact import Redactor
from .refs import TAGS, is_free
from .restoring import restore_state
from .upkeep import keep_within

if TYPE_CHECKING:
    from ..values import State

EXIT_SECONDS = 2.0


class History(Past):
    """The history of one notebook in one kernel session. Made by ``open_history``; safe to use from any thread.

    In a forked child it records nothing: the lane is the parent's, and its lock may have been held at the fork.
    """

    def __init__(self, directory: str, notebook: str | None, session: str, *, enabled: bool) -> None:
        super().__init__(Recording(directory, notebook, session))
        self.enabled = enabled
        self.found = "it was given" if notebook else "no notebook was given"
        self.cells_known_by = ""
        """How cells are told apart; "" before the first."""
        self._redact = Redactor()
        self._staged: dict[str, str | None] = {}
        self._begun: set[str] = set()
        self._live = LiveDocument()
        self.front_end: FrontEnd | None = None

    # ------------------------------------------------------------------------------ recording

    @property
    def problem(self) -> str:
        """What is wrong with the store, in a sentence; empty where nothing is."""
        return self._recording.problem

    def follow(self, notebook: str, how: str) -> None:
        """From now on the notebook is known to lie at ``notebook``; ``how`` says how that was found."""
        path = os.path.abspath(notebook)
        with self._lock:
            self.found = how
            if path != self._recording.notebook:
                self._recording.notebook = path
                if self._recording.is_open:
                    self._recording.append({"k": "notebook", "path": path})

    def begin(self, cell: CellRun) -> None:
        """Keep the source of a cell that is about to run: should it kill the kernel, its state says ``died``."""
        if self._recording.forked:
            return
        with self._lock:
            if self.enabled and self._recording.open():
                self._look_for_secrets()
                body: dict[str, Any] = {
                    "id": cell_id(cell.id),
                    "source": self._redact.text(cell.source),
                    "kind": cell.kind,
                }
                body |= {"count": cell.execution_count, "started": cell.started}
                self._begun.add(body["id"])
                self._put_document()
                self._recording.append({"k": "begin", "seq": self._recording.sequence, "cell": body})

    def record(self, cell: CellRun) -> int:
        """Acknowledge a run cell: one append to the journal. The sequence number, or 0 where nothing was recorded."""
        name = cell_id(cell.id)
        if self._recording.forked:
            return 0
        with self._lock:
            if not self.enabled:
                self._drop(name)
                return 0
            self._begun.discard(name)
            if not self._recording.open():
                self._recording.lose()
                return 0
            self._look_for_secrets()
            self._put_document()
            body: dict[str, Any] = {
                "id": name,
                "source": self._redact.text(cell.source),
                "outputs": self._redact.outputs(cell.outputs),
                "execution_count": cell.execution_count,
                "status": cell.status,
                "started": cell.started,
                "duration_ms": round(cell.duration_ms, 3),
                "kind": cell.kind,
            }
            if cell.changed:
                body["changed"] = [(cell_id(name), self._redact.outputs(outputs)) for name, outputs in cell.changed]
            record: dict[str, Any] = {"k": "cell", "when": time.time(), "cell": body}
            if self._staged:
                record["files"], self._staged = self._staged, {}
            return self._recording.append_state(record)

    def show(self, message: Mapping[str, Any]) -> None:
        """Take in what an open notebook shows: the next state holds it. Raises HistoryError for a malformed message."""
        document = check_document(message, self._redact)
        with self._lock:
            if not self._recording.forked:
                self._live.take(document)
                if self.enabled and self._recording.is_open:
                    self._put_document()

    def _put_document(self) -> None:
        if self._live.is_new:
            records = self._live.records(self._recording.lane, self._recording.sequence)
            if not all(self._recording.append(record) for record in records):
                self._live.renew()

    def stage(self, files: Mapping[str, str | None]) -> None:
        """Put files into the tree with the next cell that is recorded, without waiting. None removes one.

        Raises HistoryError for a path that a state cannot hold.
        """
        with self._lock:
            if not self._recording.forked:
                self._staged |= self._clean(files)

    def _clean(self, files: Mapping[str, str | None]) -> dict[str, str | None]:
        return {check_path(path): text and self._redact.text(text) for path, text in files.items()}

    def _drop(self, name: str) -> None:
        """The lane ends in the middle of the cell, which did not die."""
        if name in self._begun and self._recording.is_open:
            self._begun.discard(name)
            self._recording.append({"k": "drop", "id": name})

    def _look_for_secrets(self) -> None:
        if self._redact.look():
            self._recording.tell_secrets(self._redact.secrets, self._redact.forgotten)

    def clean_text(self, text: str) -> str:
        """``text`` as it may be written down: without secrets, and without what was forgotten."""
        return self._redact.text(text)

    def hide(self, texts: set[str]) -> None:
        """From now on nothing that is recorded holds these texts: they were forgotten."""
        with self._lock:
            self._redact.forgotten |= texts
            self._live.clean(self._redact)
            self._recording.tell_secrets(self._redact.secrets, self._redact.forgotten)

    def note(
        self,
        kind: str,
        scope: str,
        summary: str,
        facts: Mapping[str, str],
        files: Mapping[str, str | None],
        version: str = "",
    ) -> State:
        """Commit a state that is no cell, and wait until it is there.

        ``facts`` become trailers (``ratio_low`` is written ``O-Ratio-Low`` and read back as ``ratio_low``);
        ``files`` are put into the tree, with None removed from it. The state's ``id`` is empty where the history
        is off or its store cannot be used. ``version``, as in ``dot/v1.2.0``, names it by an annotated tag.
        Raises HistoryError for a path that a state cannot hold.
        """
        clean = self._clean(files)
        extra = {"facts": self._redact.value(dict(facts)), "files": clean, "version": version}
        return self._note(kind, scope, summary, extra)

    def _note(self, kind: str, scope: str, summary: str, extra: Mapping[str, Any]) -> State:
        from ..values import State

        with self._lock:
            number = self._append_note(kind, scope, summary, extra)
            committed = self._await_note(number) if number else None
        return committed or State("", 0, "", kind, summary, time.time())

    def _append_note(self, kind: str, scope: str, summary: str, extra: Mapping[str, Any]) -> int:
        """Put a state that is no cell into the journal; its sequence number, or 0 where nothing is recorded."""
        if self._recording.forked:
            return 0
        with self._lock:
            if not self.enabled:
                return 0
            if not self._recording.open():
                self._recording.lose()
                return 0
            self._look_for_secrets()
            self._put_document()
            record = {"k": "note", "when": time.time(), "kind": kind, "scope": scope}
            number = self._recording.append_state(record | {"summary": self._redact.text(summary)} | dict(extra))
            if number:
                for path in extra.get("files", ()):
                    self._staged.pop(path, None)  # this is newer: the next cell must not undo it
            return number

    def _await_note(self, number: int) -> State | None:
        """The state of a sequence number, once it is committed; None where that failed."""
        with self._lock:
            commit = self._recording.barrier(number, BARRIER_SECONDS)
            return self._look().state(commit) if commit else None

    def close(self, seconds: float = EXIT_SECONDS) -> None:
        """Commit what is left, waiting at most ``seconds``; the recorder goes on by itself after that."""
        if self._recording.forked:
            return
        with self._lock:
            self._recording.close(seconds)
            if self._reader is not None:
                self._reader.close()
                self._reader = None

    def off(self) -> None:
        """Stop recording. What was recorded stays."""
        self.enabled = False

    def on(self) -> None:
        """Record again."""
        self.enabled = True

    def clean(self) -> int:
        """Remove the store with everything in it and stop recording; the bytes freed.

        Raises HistoryError where it does not carry our marker, or another kernel records in it.
        """
        with self._lock:
            path = self._recording.place.path
            self.refuse_others()
            self.enabled = False
            self._recording.leave()
            self.close(BARRIER_SECONDS)
            try:
                return remove_store(path) if path else 0
            except OSError as error:
                raise HistoryError(f"{path} could not be removed whole: {error}") from error

    def keep_large_outputs(self, quota_bytes: int) -> None:
        """How much room large outputs have, from the next lane on."""
        self._recording.quota_bytes = max(0, quota_bytes)

    def clean_outputs(self) -> int:
        """Let go of every large output that no saved, released or newest state shows; the bytes freed."""
        with self._lock:
            if not self._prepare():
                return 0
            return keep_within(self.store, 0)

    def refuse_others(self) -> None:
        """Raises HistoryError where another kernel records in this store at this moment."""
        path = self._recording.place.path
        others = [
            journal.lane
            for journal in (lanes_with_journal(path) if path else [])
            if journal.lane != self._recording.lane and not journal.kernel_is_gone()
        ]
        if others:
            raise HistoryError(f"{path} is in use by {', '.join(others)}: shut those kernels down first")

    # ------------------------------------------------------------------------------ save, restore and the like

    def save(self, why: str) -> State:
        """A state to come back to by name: the tag ``o/<slug of why>``; the name is the fact ``saved``.

        It holds what an open notebook shows at this moment, edits that were not run too.
        """
        # Without the lock: the answer arrives in another thread, which needs it.
        if self.enabled and self.front_end is not None:
            self.front_end.ask()
        with self._lock:
            path, base = self._recording.place.path, slug(why)
            names = (base if n == 1 else f"{base}-{n}" for n in range(1, 10_000))
            name = next((n for n in names if not path or is_free(path, TAGS + n)), base)
            extra = {"tag": name, "facts": {"saved": name}}
            if self.all_notebooks:
                return note_aside(self, "save", "", self._redact.text(why), extra)
            return self._note("save", "", why, extra)

    def note_aside(
        self, kind: str, scope: str, summary: str, facts: Mapping[str, str], files: Mapping[str, str | None]
    ) -> State:
        """As ``note``, for a terminal: the state goes on from the newest one, whichever notebook that is of.

        Raises HistoryError where there is none.
        """
        clean = self._clean(files)
        extra = {"facts": self._redact.value(dict(facts)), "files": clean}
        return note_aside(self, kind, scope, self._redact.text(summary), extra)

    def restore(self, state: State | str, to: str | None = None) -> Restored:
        """Bring back a state: write its notebook and append a ``restore`` commit.

        What the file holds, and what an open notebook shows, is committed before the file is replaced; an open
        notebook then shows it anew. Where no path is known or given nothing is written, and the value says so.
        Python variables do not come back. Raises HistoryError.
        """
        return restore_state(self, state, to)

    def fork(self, state: State | str, to: str | None = None) -> Forked:
        """A notebook of its own that goes on from a state: written to ``to``, with that state as its past.

        Raises HistoryError where there is such a file, or nothing can be recorded.
        """
        from .forking import fork_state

        return fork_state(self, state, to)

    def publish(self, branch: str | None = None, *, states: bool = False) -> Published:
        """Put what was saved and released onto a branch of the user's repository, as notebooks and sources.

        ``states`` puts the states themselves there instead, as they are recorded. Raises HistoryError.
        """
        from .publishing import publish

        return publish(self, branch, states=states)

    def forget(self, pattern: str, *, regex: bool = False) -> Forgotten:
        """Take a text, or what a regular expression matches, out of every state and everything else that is kept.

        Raises HistoryError where another kernel records in the store, or the text is too short to be meant.
        """
        from .forgetting import forget

        return forget(self, pattern, regex=regex)

    # ------------------------------------------------------------------------------ where

    def where(self) -> dict[str, Any]:
        """Facts about the store: where it is and why there, the lane, the notebook and how it was found, sizes."""
        from .forgetting import is_unfinished

        with self._lock:
            recording = self._recording
            path = recording.place.path
            there = bool(path) and os.path.isdir(path)
            return {
                "enabled": self.enabled,
                "store": path,
                "kind": recording.place.kind,
                "exists": there,
                "lane": recording.lane,
                "notebook": self.notebook,
                "found": self.found,
                "cells known by": self.cells_known_by,
                "bytes": size_bytes(path) if there else 0,
                "format": format_of(path) if there else SCHEMA,
                "large_outputs": Blobs(path).size_bytes() if there else 0,
                "large_outputs_quota": recording.quota_bytes,
                "forgetting": "was interrupted: say it again" if there and is_unfinished(path) else "",
                "recorded": recording.recorded,
                "lost": recording.lost,
                "pending": recording.pending(),
                "skipped": recording.skipped,
                "recorder": recording.recorder_pid,
                "problem": self.problem,
                "python": platform.python_version(),
            }


def open_history(
    directory: str | os.PathLike[str],
    notebook: str | os.PathLike[str] | None = None,
    session: str = "",
    *,
    enabled: bool = True,
) -> History:
    """The history of a notebook in ``directory``. Starts and writes nothing; a fault of the store is a warning."""
    path = os.path.abspath(os.path.join(directory, notebook)) if notebook else None
    history = History(os.path.abspath(directory), path, session, enabled=enabled)
    reference = weakref.ref(history)

    def leave() -> None:
        held = reference()
        if held is not None:
            held.close()

    atexit.register(leave)
    return history
