"""The recording half of a history: its place, its lane's journal, its recorder, and what went wrong with them."""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import fcntl
import json
import os
import platform
import time
from typing import Any

from ..errors import HistoryError, warn
from ..limits import HISTORY_QUOTA_BYTES, JOURNAL_RECORD_BYTES_MAX
from .journal import LANES_LOCK, JournalWriter
from .link import RecorderLink
from .places import Place, choose_place, create_store, fallback_path, git_directories, notebook_slug, why_unusable
from .redact import shrink
from .refs import LANES, read_ref


class Recording:
    """Appends to one lane. Opens it at the first append; every fault is warned of once and kept in ``problem``."""

    def __init__(self, directory: str, notebook: str | None, session: str) -> None:
        self.directory = os.path.dirname(notebook) if notebook else directory
        self.notebook = notebook
        self.lane = ""
        self.sequence = 0
        self.recorded = 0
        self.lost = 0
        self.problem = ""
        self.quota_bytes = HISTORY_QUOTA_BYTES
        self._session = session
        self._journal: JournalWriter | None = None
        self._link: RecorderLink | None = None
        self._secrets: tuple[tuple[str, ...], frozenset[str]] = ((), frozenset())
        self._committed = 0
        self._warned: set[str] = set()
        self._left = False
        self._pid = os.getpid()
        self.place: Place = choose_place(self.directory)
        if self.place.problem:
            where = f"the history goes to {self.place.path}" if self.place.path else "nothing is recorded"
            self.fault(f"{self.place.problem}: {where}")

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that records."""
        return os.getpid() != self._pid

    @property
    def is_open(self) -> bool:
        """Whether a lane has been begun."""
        return self._journal is not None

    @property
    def recorder_pid(self) -> int | None:
        """The recorder's process id while it runs."""
        return self._link.pid if self._link else None

    @property
    def skipped(self) -> int:
        """Records and places of the journal that the recorder could not read, as of the last barrier."""
        return int(self._link.last.get("skipped", 0)) if self._link else 0

    def fault(self, problem: str) -> None:
        """Keep a problem, and warn of it unless its like was warned of."""
        self.problem = problem
        kind = problem.partition("(")[0][:40]
        if kind not in self._warned:
            self._warned.add(kind)
            warn(problem, stacklevel=5)

    def lose(self) -> None:
        """Count a state that could not be recorded."""
        self.lost += 1

    def open(self) -> bool:
        """Begin the lane if there is none; whether there is one now."""
        if self._journal is not None:
            return True
        if not self.place.path:
            return False
        try:
            self._begin(self.place.path)
        except (OSError, HistoryError) as error:
            return self._begin_elsewhere(error)
        return True

    def _begin_elsewhere(self, error: Exception) -> bool:
        other = fallback_path(self.place.path)
        if self.place.kind == "data" or why_unusable(other):
            self.fault(f"nothing can be recorded in {self.place.path} ({error})")
            return False
        try:
            self._begin(other)
        except (OSError, HistoryError) as second:
            self.fault(f"nothing can be recorded in {self.place.path} ({error}; {second})")
            return False
        self.place = Place(other, "data", str(error), self.place.repository)
        self.fault(f"{error}: the history goes to {other}")
        return True

    def _begin(self, path: str) -> None:
        create_store(path)
        facts = lane_facts(self.notebook or "", self.directory, self._session)
        facts |= {"repository": self.place.repository, "quota": self.quota_bytes}
        self._journal = begin_lane(path, facts)
        self.lane = self._journal.journal.lane
        self._link = RecorderLink(path, self.lane)
        self._link.tell_secrets(*self._secrets)

    def tell_secrets(self, secrets: tuple[str, ...], forgotten: frozenset[str] = frozenset()) -> None:
        """Values to keep out of what the recorder reads from the notebook's file."""
        self._secrets = (secrets, forgotten)
        if self._link:
            self._link.tell_secrets(*self._secrets)

    def append(self, record: dict[str, Any]) -> bool:
        """Append a record and wake the recorder; whether it was written."""
        assert self._journal is not None
        assert self._link is not None
        try:
            body = json.dumps(record, default=str).encode()
            if len(body) > JOURNAL_RECORD_BYTES_MAX and "cell" in record:
                record = {**record, "cell": shrink(record["cell"], JOURNAL_RECORD_BYTES_MAX // 2)}
                body = json.dumps(record, default=str).encode()
            self._journal.append(body)
        except (OSError, ValueError, TypeError, RecursionError) as error:
            self.fault(f"a state could not be recorded ({error}); the cell itself is not affected")
            return False
        self._link.wake()
        return True

    def append_state(self, record: dict[str, Any]) -> int:
        """Append a record that becomes a commit; its sequence number, or 0 where it was lost."""
        # Counted before it is written: an interrupt in between leaves a gap, never two states of one number.
        self.sequence += 1
        number = self.sequence
        if not self.append({**record, "seq": number}):
            self.lost += 1
            return 0
        self.recorded += 1
        return number

    def hasten(self, number: int) -> None:
        """The commit of ``number`` will be waited for: the recorder need not leave the processor to a cell."""
        if self._link is not None:
            self._link.hasten(number)

    def barrier(self, number: int, seconds: float) -> str:
        """Wait until ``number`` is committed; its commit's id, or nothing where it is not."""
        assert self._link is not None
        answer = self._link.sync(number, seconds)
        if answer["problem"]:
            self.fault(str(answer["problem"]))
        else:
            self._committed = max(self._committed, number)
        return str(answer["commit"])

    def tip(self) -> str:
        """The newest commit of this lane; empty where there is none."""
        return (read_ref(self.place.path, LANES + self.lane) or "") if self.lane else ""

    def pending(self) -> int:
        """States acknowledged and perhaps not committed yet, as of the last barrier."""
        return self.sequence - self._committed

    def leave(self) -> None:
        """The store is about to be removed: the recorder need not go on after ``close``."""
        self._left = True

    def close(self, seconds: float) -> None:
        """Let the recorder drain and go on by itself; a later append begins a new lane."""
        if self._journal is None or self._link is None:
            return
        pid = self._link.pid
        if pid is None and self.recorded > self._committed:
            self._link.sync(self.sequence, seconds)
        self._journal.close()
        self._link.end(seconds)
        if self._left:
            self._link.wait(seconds)
            self._left = False
        self._journal, self._link, self.lane, self.sequence, self._committed = None, None, "", 0, 0


def folder_of(path: str) -> str:
    """The folder that a file lies in; "" for no file."""
    return os.path.dirname(path)


def lane_facts(notebook: str, directory: str, session: str) -> dict[str, Any]:
    """What a lane says of who writes it."""
    found = git_directories(directory)
    return {
        "notebook": notebook,
        "directory": directory,
        "repository": found[0] if found else "",
        "session": session,
        "python": platform.python_version(),
        "pid": os.getpid(),
        "started": time.time(),
    }


def begin_lane(store: str, facts: dict[str, Any]) -> JournalWriter:
    """A new lane of a notebook, by its journal. Raises HistoryError, OSError."""
    name = notebook_slug(facts["notebook"] or None, facts["directory"])
    lock = os.open(os.path.join(store, LANES_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH)
        for _ in range(64):
            lane = f"{name}/{time.strftime('%Y%m%d')}-{os.urandom(2).hex()}"
            if read_ref(store, LANES + lane):
                continue
            try:
                return JournalWriter(store, lane, facts)
            except FileExistsError:
                continue
    finally:
        os.close(lock)
    raise HistoryError(f"no free lane for {name} in {store}")
