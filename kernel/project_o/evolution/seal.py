"""The seal on who judges: the evaluator, its data and the gate, by their hashes, asked before each trial.

Candidates run in the sandbox and reach none of them. This is about everything else that may write: a tool that was let
out of the sandbox, an accepted edit of a file, a thread of the notebook's. A seal that is broken fails every trial
from then on: what would be measured is not what the run began with.
"""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .digests import Part, code_digest, data_digest, installed, parts_of
from .gate import Files, Loaded, package_files

if TYPE_CHECKING:
    from .task import Task

DATA = "data"
"""What is ``allowed`` where the evaluator itself changes data that it reads, and not for what serves now."""
JUDGES = ("evaluator", "reference", "relations", "tests", "scenario", "inputs")
"""The fields of a task that say what is right, and what is asked."""
_IN_PROCESS = ("reference", "relations")
_BOOKS = (list, dict, set)
"""Those run in this process, and may keep such things of what they have answered."""


class Seal:
    """What judges a run, as it was when the run began. Safe to share between threads.

    What the evaluator changes itself as it judges what serves now (a counter, a list of what it has seen) is its own
    affair; where it keeps such things of some candidates alone, ``data`` among the task's ``allowed`` says so.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._begun = False
        self._held: list[tuple[Part, bytes]] = []
        self._loose: list[tuple[Part, bytes]] = []
        self._kept: list[str] = []
        self._why = ""
        self.checks = 0

    def begin(self, task: Task) -> None:
        """Take the hashes; the first time alone."""
        with self._lock:
            if self._begun:
                return
            self._begun = True
            self._gate, self._loaded, files = package_files(), Loaded(), set[Path]()
            for field in JUDGES:
                for part in parts_of(f"the {field}", getattr(task, field)):
                    files |= _file_of(part)
                    if field in _IN_PROCESS and part.kind == "data" and isinstance(part.find(), _BOOKS):
                        continue
                    evaluates = field == "evaluator" and part.kind == "data"
                    if not evaluates:
                        self._held.append((part, _digest(part)))
                    elif DATA not in task.allowed:
                        self._loose.append((part, _digest(part)))
            if task.foreign is not None:
                self._held.append((Part("the evaluator's text", "data", lambda: _foreign(task)), _foreign_digest(task)))
                files |= task.foreign.places
            self._files = Files(sorted(files))

    def broken(self) -> str:
        """Why nothing may be judged any more, as one line; "" while everything is as it was. Once broken, ever."""
        with self._lock:
            assert self._begun, "a seal that was never made holds nothing"
            self.checks += 1
            self._why = self._why or self._changed()
            return self._why

    def settle(self) -> None:
        """What serves now was judged: data that changed meanwhile is what the evaluator keeps of what it sees."""
        with self._lock:
            self._kept = [part.name for part, known in self._loose if _digest(part) != known]
            self._held += [(part, known) for part, known in self._loose if part.name not in self._kept]
            self._loose = []

    @property
    def digest(self) -> str:
        """SHA-256 of the gate, of who judges, and of the inputs."""
        told = hashlib.sha256(f"{self._gate.digest} {self._files.digest}".encode())
        for part, known in self._held:
            told.update(part.name.encode() + known)
        return told.hexdigest()

    def told(self) -> str:
        """What was checked, and how often, as one line."""
        state = self._why or f"they were as at the beginning, asked {self.checks} times"
        kept = f"; the evaluator's own: {', '.join(self._kept)}" if self._kept else ""
        return f"the evaluator, its data and the gate (seal {self.digest[:10]}): {state}{kept}"

    def _changed(self) -> str:
        if path := self._gate.changed():
            return f"{path} is part of the gate, and has changed since this process began: restore it, and restart"
        if name := self._loaded.changed():
            return f"{name} is part of the gate, and was replaced in this process: restart the kernel"
        if path := self._files.changed():
            return f"{path} says what is right, and has changed since the run began: look at it, and run again"
        return self._compared(self._held)

    @staticmethod
    def _compared(parts: list[tuple[Part, bytes]]) -> str:
        for part, known in parts:
            if _digest(part) != known:
                return (
                    f"{part.name}, changed since the run began, and says what is right: run again; where the evaluator "
                    f"itself keeps such things, --allow {DATA}"
                )
        return ""


def _digest(part: Part) -> bytes:
    try:
        value = part.find()
    except Exception:  # noqa: BLE001 - whatever was put in its place cannot be looked into
        return b"gone"
    if part.kind == "code":
        code = getattr(value, "__code__", None)
        return code_digest(code) if code is not None else b"no function"
    return data_digest(value)


def _file_of(part: Part) -> set[Path]:
    """The user's own file that a function was read from."""
    name = getattr(getattr(part.find(), "__code__", None), "co_filename", "") if part.kind == "code" else ""
    return set() if installed(name) or not Path(name).is_file() else {Path(name).resolve()}


def _foreign(task: Task) -> Any:
    assert task.foreign is not None, "only such a task is asked"
    return task.foreign.evaluator, dict(task.foreign.files)


def _foreign_digest(task: Task) -> bytes:
    return data_digest(_foreign(task))
