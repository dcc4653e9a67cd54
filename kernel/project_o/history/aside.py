"""A state on a lane of its own: for what is not the next state of this kernel's lane.

A fork begins another notebook's history, and a terminal adds to that of a notebook whose kernel may be running. Both
write one state, here and now; the lane is then as finished as that of a kernel that has ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import HistoryError
from .recording import begin_lane, folder_of, lane_facts
from .worker import Worker

if TYPE_CHECKING:
    from ..values import State
    from .history import History


def note_aside(history: History, kind: str, scope: str, summary: str, extra: Mapping[str, Any]) -> State:
    """A state that goes on from the newest one, whichever notebook that is of. Raises HistoryError."""
    with history._lock:
        latest = next(iter(history.states(1)), None)
        if latest is None:
            raise HistoryError("there are no states yet: run a cell in a notebook first")
        notebook = history.notebook_of(latest)
        directory = folder_of(notebook) or history.directory
        record = {"k": "note", "when": time.time(), "kind": kind, "scope": scope, "summary": summary, **extra}
        record["tree_of"] = latest.id
        store = history._recording.place.path
        try:
            commit = commit_aside(store, notebook, directory, record, parent=latest.id, session="a terminal")
        except OSError as error:
            raise HistoryError(f"nothing could be committed in {store}: {error}") from error
        return history._look().state(commit)


def commit_aside(
    store: str, notebook: str, directory: str, record: Mapping[str, Any], *, parent: str, session: str
) -> str:
    """Commit one record as the child of ``parent``, on a new lane of ``notebook``; the commit's id.

    Raises HistoryError, OSError.
    """
    facts = lane_facts(notebook, directory, session) | {"from": parent}
    writer = begin_lane(store, facts)
    journal = writer.journal
    try:
        writer.append(json.dumps({**record, "seq": 1}, default=str).encode())
        lock = journal.lock_recorder()
        if lock is None:
            raise HistoryError(f"the new lane {journal.lane} is locked: say it again")
        worker = Worker(journal, lock)
        try:
            worker.drain()
            commit, problem = worker.commit_of(1), worker.problem
        finally:
            worker.close()
    finally:
        writer.close()
    if not commit:
        raise HistoryError(problem or f"the state could not be committed; it stays in the journal {journal.folder}")
    journal.mark_done()
    return commit
