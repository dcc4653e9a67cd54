"""Looking back: the states of a store, what they hold, and how they differ."""

# Plain os.path, as in the rest of the history.
# ruff: noqa: PTH112, PTH118

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..errors import HistoryError
from ..limits import BARRIER_SECONDS
from .contents import STATE
from .places import notebook_slug
from .reader import Reader
from .recording import Recording
from .records import CellRun, CellState, HistoryDiff
from .worker import recover

if TYPE_CHECKING:
    from ..values import State


class Past:
    """What may be asked of a history. Safe to use from any thread; ``History`` records as well."""

    def __init__(self, recording: Recording) -> None:
        self.all_notebooks = False
        self._lock = threading.RLock()
        self._recording = recording
        self._reader: Reader | None = None

    @property
    def notebook(self) -> str | None:
        """The notebook's path, where it is known."""
        return self._recording.notebook

    @property
    def store(self) -> str:
        """Where the store is, or would be made; "" where nothing can be recorded."""
        return self._recording.place.path

    @property
    def directory(self) -> str:
        """The notebook's folder, or the one in which the kernel was started."""
        return self._recording.directory

    def make_store(self) -> bool:
        """Make the store where there is none yet, for what is kept in it beside states; whether there is one now."""
        if self._recording.forked:
            return False
        with self._lock:
            return self._recording.open()

    def flush(self, seconds: float = BARRIER_SECONDS) -> None:
        """Wait until everything recorded so far is committed, at most ``seconds``; a failure is in ``problem``."""
        if self._recording.forked:
            return
        with self._lock:
            if self._recording.is_open:
                self._recording.barrier(self._recording.sequence, seconds)

    def _look(self) -> Reader:
        if self._reader is None:
            self._reader = Reader(self._recording.place.path)
        return self._reader

    def _prepare(self) -> bool:
        """Commit what is outstanding, of this kernel and of those that died; whether there is a store."""
        path = self._recording.place.path
        if not path or not os.path.isdir(os.path.join(path, "refs")):
            return False
        try:
            recover(path, besides=self._recording.lane)
        except OSError as error:
            self._recording.fault(f"older journals could not be replayed: {error}")
        self.flush()
        return True

    def _tips(self) -> list[str]:
        if self.all_notebooks:
            return self._look().tips(())
        names = {self._recording.lane.partition("/")[0]} if self._recording.lane else set()
        if self.notebook:
            names.add(notebook_slug(self.notebook, self._recording.directory))
        return self._look().tips(names)

    def states(self, limit: int = 50, scope: str | None = None) -> list[State]:
        """The notebook's states (``all_notebooks``: everyone's), newest first; about ``scope`` alone if it is given.

        A cell that changed the text of a program is about that program, too.
        """
        with self._lock:
            found: list[State] = []
            if limit < 1 or not self._prepare():
                return found
            for state in self._look().walk(self._tips()):
                if scope is None or is_about(state, scope):
                    found.append(state)
                    if len(found) >= limit:
                        break
            return found

    def ends(self, limit: int) -> list[State]:
        """The newest state of each of the notebook's lanes, newest first: of kernels beside each other, one of each.

        What cannot be read is passed over.
        """
        found = []
        with self._lock:
            for tip in self._tips() if self._prepare() else ():
                with contextlib.suppress(HistoryError):
                    found.append(self._look().state(tip))
        return sorted(found, key=lambda state: (-state.when, -state.sequence))[:limit]

    def between(self, text: str) -> list[State]:
        """The states of a range ``A..B``, oldest first: those after A up to B, as Git means it.

        Without A from the first, without B to the latest. Raises HistoryError.
        """
        first, dots, last = text.partition("..")
        if not dots:
            raise HistoryError(f"{text!r} is no range: say A..B, as in @~5..@; ..@ is everything")
        with self._lock:
            end = self.resolve(last.strip() or "@")
            start = self.resolve(first.strip()).id if first.strip() else ""
            found, at = [], end
            while at.id != start:
                found.append(at)
                if not at.parents:
                    if start:
                        raise HistoryError(f"{first.strip()} does not come before {last.strip() or '@'}")
                    break
                at = self._look().state(at.parents[0])
            return found[::-1]

    def executions(self, states: Sequence[State]) -> list[tuple[State, CellRun]]:
        """The cells that were run at these states, as they were recorded. Raises HistoryError."""
        found = []
        with self._lock:
            for state in states:
                facts = dict(state.facts)
                if "cell" not in facts or "status" not in facts:
                    continue
                contents = self._look().contents(state)
                outputs, count = contents.outputs(facts["cell"])
                run = CellRun(
                    id=facts["cell"],
                    source=contents.source(facts["cell"]) or "",
                    outputs=tuple(outputs),
                    execution_count=count,
                    status=facts["status"],  # type: ignore[arg-type]  # as it was recorded
                    started=state.when,
                    duration_ms=float(facts.get("duration_ms", 0.0)),
                    kind=state.kind,
                )
                found.append((state, run))
        return found

    def resolve(self, text: str) -> State:
        """The state meant by a commit id or its start, ``@`` (the latest), ``@~2`` or a saved name.

        Raises HistoryError where there is none, or more than one.
        """
        with self._lock:
            if not self._prepare():
                raise HistoryError("there are no states yet: run a cell first, or see `%o where`")
            latest = self._recording.tip()
            if not latest and text.strip().startswith("@"):
                latest = next((state.id for state in self._look().walk(self._tips())), "")
            return self._look().resolve(text, self._look().tips(()), latest)

    def _known(self, state: State | str) -> State:
        return self.resolve(state) if isinstance(state, str) else state

    def cells(self, state: State | str) -> list[CellState]:
        """The cells of a state in the notebook's order. Raises HistoryError."""
        with self._lock:
            return self._look().cells(self._known(state))

    def notebook_of(self, state: State) -> str:
        """The path of the notebook that a state is of; "" where that was not known."""
        try:
            return str(json.loads(self.read(state, STATE)).get("notebook") or "")
        except (ValueError, AttributeError):
            return ""

    def files(self, state: State | str, prefix: str = "") -> dict[str, str]:
        """The text of a state's files whose paths start with ``prefix``. Raises HistoryError."""
        with self._lock:
            return self._look().files(self._known(state), prefix)

    def read(self, state: State | str, path: str) -> str:
        """The text of one file of a state. Raises HistoryError where there is none."""
        with self._lock:
            return self._look().read(self._known(state), path)

    def diff(self, a: State | str, b: State | str | None = None, *, outputs: bool = False) -> HistoryDiff:
        """What changed from ``a`` to ``b``, or to the latest state; ``outputs``: by cell, too. Raises HistoryError."""
        with self._lock:
            return self._look().diff(self._known(a), self._known("@" if b is None else b), outputs=outputs)


def is_about(state: State, name: str) -> bool:
    """Whether a state is about this cell or program."""
    facts = dict(state.facts)
    programs = (item.partition("@")[0].strip() for item in facts.get("lib", "").split(","))
    return facts.get("scope") == name or name in programs
