"""The kernel's end of one job: pipes, clock, deadline, and the certainty that the process is gone at the end."""

from __future__ import annotations

import contextlib
import json
import math
import os
import select
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .. import limits
from . import build_tree, scratch, wire
from .arena import Arena
from .folder import place
from .helper import Helper, pid_of
from .profiles import PROFILES
from .quick import BELL
from .snapshot import Snapshot
from .supervise import END_SIGNAL
from .worker import EXIT_MEMORY

_END_SECONDS = 5.0
_NO_CLOCK = -1  # no clock of any process
_NATURAL_END_SECONDS = 0.2
_READ_BYTES = 1 << 16
_WATCHED = {
    "scratch-quota": "it wrote more into its folder than its limit",
    "memory": "all its processes together used more memory than their limit",
    "processes": "it had more processes and threads than its limit",
    "hidden": "one of its processes let nobody see which files it holds",
}


class HelperGoneError(Exception):
    """The helper ended before it forked the job: worth one more try with a new one."""


class Reply(NamedTuple):
    """One line from the child (None if there is none), and the time between question and line."""

    body: dict[str, Any] | None
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one job may use. None means no bound. ``tree``: it may have processes, and its time is that of all."""

    cpu_seconds: float | None = None
    scratch_bytes: int = 0
    memory_bytes: int | None = None
    tree: bool = False


class Channel:
    """A forked process and everything that is known about it. Not thread-safe: ``Job`` holds the lock.

    The job reads ``files`` by name, where ``placed`` says; with ``more`` others may follow, by ``add``.
    """

    def __init__(
        self,
        helper: Helper,
        config: dict[str, Any],
        bounds: Bounds,
        snapshot: Snapshot | None = None,
        files: Sequence[str] = (),
        *,
        more: bool = False,
    ) -> None:
        self.owner = os.getpid()
        self.bounds = bounds
        self.arena = Arena()
        self._shared_bytes = snapshot.size if snapshot is not None else 0
        self.folder = tempfile.mkdtemp(prefix="o-scratch-", dir=helper.folder.path) if bounds.scratch_bytes else ""
        self.placed = {path: path for path in files}
        self._libraries = ""
        if files and (more or helper.kind.namespaces):
            self._libraries = tempfile.mkdtemp(prefix="o-libraries-", dir=helper.folder.path)
            self.placed = place(files, self._libraries)
        readable = [self._libraries] if more else self.placed.values()
        config = {**config, "readable": [*config.get("readable", []), *readable]}
        self.key = os.urandom(8).hex()
        self.ended = ""
        self.error = ""
        self.level = str(config.get("level", ""))
        self._end_signal = END_SIGNAL if PROFILES[config["profile"]].supervised else signal.SIGKILL
        self.peak_bytes = 0
        self.log = bytearray()
        self.bells = False
        self._buffer = bytearray()
        self._idle_from, self._cpu, self._sending = 0.0, 0.0, False
        self.pidfd = self.base = -1
        self._kill_lock = threading.Lock()
        self.poll = select.poll()
        try:
            self.pid = self._start(helper, config, snapshot)
            # The CPU clock of that process, all threads (clock_getcpuclockid(3)); the number 0 would mean our own.
            self.clock = (~self.pid << 3) | 2 if self.pid else _NO_CLOCK
            self._setup()
        except BaseException:
            self._release()  # the helper kills the process when its control socket closes
            raise

    def _start(self, helper: Helper, config: dict[str, Any], snapshot: Snapshot | None) -> int:
        """Make the pipes, have the process forked; its pid, and a pidfd that cannot come to mean another process."""
        question_out, self.questions = os.pipe()
        self.answers, answer_in = os.pipe()
        self.log_fd, log_in = os.pipe()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for fd in (self.questions, self.answers, self.log_fd):
            os.set_blocking(fd, False)
        self.poll.register(self.answers, select.POLLIN)
        self.poll.register(self.log_fd, select.POLLIN)
        given = [question_out, answer_in, log_in, self.arena.fd, theirs.fileno()]
        if snapshot is not None and snapshot.size:
            given.append(snapshot.fd)
            config = {**config, "snapshot_bytes": snapshot.size}
        config = {**config, "namespaces": helper.kind.namespaces}
        order = {
            **config,
            "scratch": self.folder,
            "scratch_bytes": self.bounds.scratch_bytes,
            "hello": self.key + "hello",
            "arena_bytes": limits.ARENA_BYTES_MAX,
        }
        try:
            sent = helper.request(order, given)
        finally:
            for fd in given[:3]:
                os.close(fd)
            theirs.close()
        self.control.settimeout(limits.ZYGOTE_START_SECONDS)
        message, descriptors = b"", list[int]()
        if sent:
            with contextlib.suppress(OSError):
                message, descriptors, _, _ = socket.recv_fds(self.control, 4096, 1)
        if not message:
            raise HelperGoneError
        (self.pidfd,) = descriptors
        return pid_of(self.pidfd)  # in a namespace the helper knows it by another number

    def _setup(self) -> None:
        """Wait for the child's word that it is locked. Anything else is a failed job."""
        reply = self._wait(time.monotonic() + limits.ZYGOTE_START_SECONDS, b"", self.key + "hello", None)
        if reply.body is None or type(reply.body.get("arena")) is not int:
            said = wire.clean_text(bytes(self.log))[: limits.ERROR_TEXT_CHARACTERS_MAX]
            self.end("setup")
            self.ended = "setup"
            self.error = f"the sandbox could not be set up: {said or 'the process ended before it was locked'}"
            return
        self.base = self.arena.base = reply.body["arena"]

    def add(self, files: Sequence[str]) -> None:
        """Put more files where the job may read them. Raises OSError."""
        self.placed |= place(files, tempfile.mkdtemp(dir=self._libraries))

    def result_bytes_max(self, arguments: int) -> int:
        """How large a result can be: it is made in the job's own memory, or is part of what was given to it."""
        room = limits.ARENA_BYTES_MAX - arguments
        own = self.bounds.memory_bytes
        return room if own is None else min(room, own + arguments + self._shared_bytes)

    def cpu(self) -> float:
        """CPU seconds that the process has used, all its threads; the last known figure once it is gone."""
        if not self.ended:
            with contextlib.suppress(OSError):
                now = build_tree.used(self.pid).cpu_seconds if self.bounds.tree else time.clock_gettime(self.clock)
                self._cpu = max(self._cpu, now)
        return self._cpu

    def exchange(self, question: dict[str, Any], seconds: float) -> Reply:
        """Ask, and wait ``seconds`` at most. When ``ended`` is set afterwards the process is gone."""
        name = self.next_name()
        line = wire.line_of({**question, "id": name})
        if self._buffer or self._take_answers():
            self.end("protocol", "it answered before it was asked")
        if self.ended:  # now, or while nobody asked it
            return Reply(None, 0.0, 0.0)
        measured = self.bounds.cpu_seconds is not None and not self.bounds.tree
        if measured and self.cpu() - self._idle_from > limits.IDLE_CPU_SECONDS_MAX:
            # It gave an answer and then went on computing: that would slow whatever is measured beside it.
            self.end("protocol", "it went on working after its answer")
            return Reply(None, 0.0, 0.0)
        try:
            return self._wait(time.monotonic() + seconds, line, name, self.bounds.cpu_seconds)
        except BaseException:
            self.end("interrupted")  # Ctrl-C in the notebook: the answer will never be read
            raise

    def _wait(self, deadline: float, blob: bytes, name: str, cpu_limit: float | None) -> Reply:
        began, cpu_began = time.perf_counter(), self.cpu()
        blob = self._send(blob)
        line: bytes | None = None
        while line is None and not self.ended:
            left = deadline - time.monotonic()
            used = self.cpu() - cpu_began
            if left <= 0:
                self.end("wall-time", "it took longer than its time limit")
                break
            if cpu_limit is not None:
                if used > cpu_limit:
                    self.end("cpu-time", "it used more processor time than its limit")
                    break
                left = min(left, max(0.001, cpu_limit - used) + 0.005)
                if self.bounds.tree:  # several processors at once
                    left = min(left, limits.TREE_LOOK_SECONDS)
            ready = {fd for fd, _ in self.poll.poll(math.ceil(left * 1000))}
            if self.questions in ready:
                blob = self._send(blob)
            if self.log_fd in ready:
                self.take_log()
            if self.answers in ready and not self.ended:
                line = self._take_line()
        wall, cpu = time.perf_counter() - began, self.cpu() - cpu_began
        if line is None:
            return Reply(None, wall, max(0.0, cpu))
        self.take_log()
        return Reply(self._read(line, name), wall, cpu)

    def next_name(self) -> str:
        """What the next question is called: who has not read it cannot know."""
        return os.urandom(8).hex()

    def ring(self) -> None:
        """A bell for the quick way of asking: see ``quick``."""
        self.bells = True
        self._send(BELL)

    def woken(self, seconds: float) -> bytes | None:
        """Sleep until there is something to look at, so many seconds at most; an answer, if that is what there is."""
        ready = {fd for fd, _ in self.poll.poll(math.ceil(seconds * 1000))}
        if self.log_fd in ready:
            self.take_log()
        return self._take_line() if self.answers in ready and not self.ended else None

    def answered(self, line: bytes, name: str) -> Reply:
        """What a line says, in answer to the question of that name; nothing where there is none."""
        return Reply(self._read(line, name) if line else None, 0.0, 0.0)

    def _read(self, line: bytes, name: str) -> dict[str, Any] | None:
        try:
            body = wire.read_line(line)
            if body.get("id") != name:
                raise ValueError("an answer to another question")
        except (ValueError, RecursionError) as error:
            self.end("protocol", f"it broke the protocol: {error}")
            return None
        self._idle_from = self.cpu()
        return body

    def _send(self, blob: bytes) -> bytes:
        """Write what the pipe takes; what is left."""
        if not blob:
            return blob
        try:
            blob = blob[os.write(self.questions, blob) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            blob = b""  # it closed the pipe or is gone: the answers' pipe tells which
        if blob and not self._sending:
            self.poll.register(self.questions, select.POLLOUT)
        elif self._sending and not blob:
            self.poll.unregister(self.questions)
        self._sending = bool(blob)
        return blob

    def _take_answers(self) -> bool:
        """Read what is there; whether there is anything of an answer now."""
        try:
            data = os.read(self.answers, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self.end("")
            return False
        self._buffer += data
        while self.bells and self._buffer.startswith(BELL):
            del self._buffer[: len(BELL)]
        return bool(self._buffer)

    def _take_line(self) -> bytes | None:
        if self._take_answers() and (at := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:at])
            del self._buffer[: at + 1]
            return line
        if len(self._buffer) > limits.ANSWER_BYTES_MAX:
            self.end("result-cap", f"its answer is longer than {limits.ANSWER_BYTES_MAX:,} bytes")
        return None

    def take_log(self) -> None:
        """Read what has been printed; too much of it ends the job."""
        while True:
            try:
                data = os.read(self.log_fd, _READ_BYTES)
            except BlockingIOError:
                return
            if not data:
                with contextlib.suppress(KeyError):
                    self.poll.unregister(self.log_fd)
                return
            room = limits.LOG_BYTES_MAX - len(self.log)
            self.log += data[:room]
            if len(data) > room:
                if not self.ended:
                    self.end("log-cap", f"it printed more than {limits.LOG_BYTES_MAX:,} bytes for one question")
                return

    def pop_log(self) -> str:
        """What was printed since the last call, as clean text."""
        text = wire.clean_text(bytes(self.log))
        self.log.clear()
        return text

    def end(self, reason: str, error: str = "") -> None:
        """Kill the process, wait until it and all it left behind are gone, free everything. Idempotent.

        Without a ``reason`` the process is given a moment to have ended by itself, and how it did is the reason.
        """
        if self.ended:
            return
        self.ended = reason or "unknown"  # set first: reading the log below may find one more reason to end it
        if self.owner != os.getpid():
            self._release()  # a forked copy of the kernel: the job is not ours
            return
        report = None if reason else self._report(_NATURAL_END_SECONDS)
        killed = report is None
        if killed:
            self.kill()
            report = self._report(_END_SECONDS)
        if not reason:
            self.ended, error = _how(report, self.bounds.cpu_seconds, killed=killed)
        self.error = error or self.ended
        if report is not None:
            self.peak_bytes = report["peak_bytes"]
            self._cpu = max(self._cpu, report["cpu_seconds"])
        self.take_log()
        self._release()

    def kill(self) -> None:
        """Only send the signal, from any thread: whoever waits for an answer then sees the end."""
        with self._kill_lock, contextlib.suppress(OSError):
            if self.pidfd >= 0 and self.owner == os.getpid():
                signal.pidfd_send_signal(self.pidfd, self._end_signal)

    def _report(self, seconds: float) -> dict[str, Any] | None:
        """The helper's word that nothing is left of the job; None if there is none in time, or no helper."""
        self.control.settimeout(seconds)
        try:
            message = self.control.recv(4096)
        except OSError:
            return None
        return json.loads(message) if message else None

    def _release(self) -> None:
        """Close every descriptor, once, and take the folder away."""
        with self._kill_lock:
            for name in ("questions", "answers", "log_fd", "pidfd"):
                fd = getattr(self, name, -1)
                setattr(self, name, -1)
                if fd >= 0:
                    os.close(fd)
        for folder in (self.folder, self._libraries):
            if folder and self.owner == os.getpid():
                scratch.remove(folder)
        if hasattr(self, "control"):
            self.control.close()
        self.arena.close()


def _how(report: dict[str, Any] | None, cpu_limit: float | None, *, killed: bool) -> tuple[str, str]:
    """How a process ended, its pipe first: (short, sentence). ``killed``: it was still there, and we ended it."""
    if report is None:
        return "helper", "the sandbox's helper process was ended; the next job starts a new one"
    code = report["code"]
    if report["why"]:
        return report["why"], _WATCHED[report["why"]]
    if killed and code == -signal.SIGKILL:
        return "protocol", "it closed its answers and went on"
    if code == EXIT_MEMORY:
        return "memory", "it used more memory than its limit"
    if code >= 0:
        return f"exit {code}", f"its process ended with exit code {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    if name == "SIGKILL" and cpu_limit is not None and report["cpu_seconds"] >= cpu_limit:
        return "cpu-time", "it used more processor time than its limit"
    return f"signal {name}", f"its process was ended by {name}"
