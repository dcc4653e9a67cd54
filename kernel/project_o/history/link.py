"""The kernel's hold on its recorder: start it, wake it, wait for it, end it."""

# Plain os.path: the recorder starts without pathlib, and cells wait for some of these calls.
# ruff: noqa: PTH100, PTH118, PTH120

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from typing import Any

from ..limits import BARRIER_SECONDS, RECORDER_START_SECONDS
from .journal import LaneJournal
from .worker import Worker

_RESTART_SECONDS = 5.0
_BYE = -1
"""The recorder's last answer has this in place of a question's number."""
_ending: list[subprocess.Popen[bytes]] = []
"""Recorders that were let go and may still be packing; kept so that they are waited for."""


class RecorderLink:
    """One recorder process and the pipes to it. Not thread-safe: the history's lock is held around each call."""

    def __init__(self, store: str, lane: str) -> None:
        self._store = store
        self._lane = lane
        self._process: subprocess.Popen[bytes] | None = None
        self._started = float("-inf")
        self._buffer = b""
        self._asked = 0
        self._secrets: tuple[str, ...] = ()
        self._forgotten: frozenset[str] = frozenset()
        self.last: dict[str, Any] = {}

    @property
    def pid(self) -> int | None:
        """The recorder's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def wake(self) -> None:
        """Say that the journal grew; start the recorder if there is none."""
        if self.pid is None and not self._start():
            return
        self._say(b"w\n")

    def tell_secrets(self, secrets: tuple[str, ...], forgotten: frozenset[str]) -> None:
        """Values to keep out of what the recorder reads from the notebook's file. Never written to disk."""
        if (secrets, forgotten) != (self._secrets, self._forgotten):
            self._secrets, self._forgotten = secrets, forgotten
            if self.pid is not None:
                self._say_secrets()

    def _say_secrets(self) -> None:
        self._say(b"k " + json.dumps([self._secrets, sorted(self._forgotten)]).encode() + b"\n")

    def _start(self, *, now: bool = False) -> bool:
        if not now and time.monotonic() - self._started < _RESTART_SECONDS:
            return False
        self._started = time.monotonic()
        self._forget()
        package = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        # Without site-packages and the notebook's folder the recorder starts in half the time, and no module of
        # the user's can stand in front of ours. The package's own folder comes last for the same reason.
        program = (
            f"import sys; sys.path.append({package!r}); "
            "from project_o.history.recorder import main; sys.exit(main(sys.argv[1], sys.argv[2]))"
        )
        try:
            log: Any = open(os.path.join(self._store, "recorder.log"), "ab")  # noqa: SIM115 - closed below
        except OSError:
            log = subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-P", "-s", "-c", program, self._store, self._lane],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        except (OSError, ValueError):
            return False
        finally:
            if log is not subprocess.DEVNULL:
                log.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._say_secrets()
        return True

    def _say(self, line: bytes) -> bool:
        if self._process is None or self._process.stdin is None:
            return False
        deadline = time.monotonic() + (0.0 if line == b"w\n" else 2.0)
        while line:
            try:
                line = line[os.write(self._process.stdin.fileno(), line) :]
            except BlockingIOError:
                # A full pipe already holds enough wake-ups.
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.005)
            except (OSError, ValueError):
                return False
        return True

    def hasten(self, number: int) -> None:
        """Have everything up to ``number`` committed from now on, without waiting for it: ``sync`` does that later."""
        self._asked += 1
        self._say(b"s %d %d\n" % (number, self._asked))  # its answer is passed over, for another question follows

    def sync(self, number: int, seconds: float = BARRIER_SECONDS) -> dict[str, Any]:
        """Wait until everything up to ``number`` is committed.

        The answer has ``commit``, ``tip``, ``problem``. Where no recorder answers, the work is done here, unless
        a recorder holds the lane: then ``problem`` says so.
        """
        deadline = time.monotonic() + seconds
        for _ in range(2):
            if self.pid is None and not self._start(now=True):
                break
            self._asked += 1
            if self._say(b"s %d %d\n" % (number, self._asked)):
                answer = self._hear(deadline, self._asked)
                if answer is not None:
                    self.last = answer
                    return answer
            if self.pid is not None:
                return {"commit": "", "tip": "", "problem": f"the recorder did not answer within {seconds:g} s"}
        return self._in_place(number)

    def _hear(self, deadline: float, asked: int) -> dict[str, Any] | None:
        """The answer to one question; those to earlier ones, given up in the meantime, are passed over."""
        while (line := self._line(deadline)) is not None:
            answer = json.loads(line)
            if answer.get("asked") == asked:
                return dict(answer)
        return None

    def _line(self, deadline: float) -> bytes | None:
        process = self._process
        if process is None or process.stdout is None:
            return None
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                return None
            data = os.read(process.stdout.fileno(), 1 << 16)
            if not data:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=1.0)
                return None
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _in_place(self, number: int) -> dict[str, Any]:
        journal = LaneJournal(self._store, self._lane)
        lock = journal.lock_recorder()
        if lock is None:
            return {"commit": "", "tip": "", "problem": "no recorder could be started, and the lane is locked"}
        worker = Worker(journal, lock)
        worker.secrets, worker.forgotten = self._secrets, self._forgotten
        try:
            worker.drain()
            self.last = {"commit": worker.commit_of(number), "tip": worker.tip, "problem": worker.problem}
            return self.last
        finally:
            worker.close()

    def end(self, seconds: float = RECORDER_START_SECONDS) -> bool:
        """Let the recorder drain and end; whether it said within ``seconds`` that all is committed."""
        if self.pid is None:
            self._forget()
            return False
        heard = self._say(b"q\n") and self._hear(time.monotonic() + seconds, _BYE) is not None
        self._forget()
        return heard

    def wait(self, seconds: float) -> None:
        """Wait for recorders that were let go: nothing may write into a store that is being removed."""
        deadline = time.monotonic() + seconds
        for process in _ending:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(0.0, deadline - time.monotonic()))

    def _forget(self) -> None:
        """Close the pipes. The process drains and ends by itself; it is waited for if it has."""
        process, self._process = self._process, None
        self._buffer = b""
        if process is not None:
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if pipe:
                        pipe.close()
            _ending.append(process)
        _ending[:] = [process for process in _ending if process.poll() is None]
