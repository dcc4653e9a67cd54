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
from typing import Any

from .. import limits
from . import build_tree, scratch, wire
from .arena import Arena
from .bounds import Bounds, Reply
from .ending import how
from .folder import place
from .helper import Helper, pid_of, started
from .profiles import PROFILES
from .quick import BELL, Patience
from .snapshot import Snapshot
from .supervise import END_SIGNAL

_END_SECONDS, _NATURAL_END_SECONDS = 5.0, 0.2
_NO_CLOCK = -1  # no clock of any process
_READ_BYTES = 1 << 16


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
        self._idle_from, self._cpu = 0.0, 0.0
        self._unsent, self._sending, self._greeted = b"", False, False
        self._patience = Patience(limits.ANSWER_LOOKS_MAX)
        self.pidfd = self.base = -1
        self._kill_lock = threading.Lock()
        self.poll = select.poll()
        try:
            self.pid = self._start(helper, config, snapshot)
            # The CPU clock of that process, all threads (clock_getcpuclockid(3)); the number 0 would mean our own.
            self.clock = (~self.pid << 3) | 2 if self.pid else _NO_CLOCK
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
            helper.request(order, given)
        finally:
            for fd in given[:3]:
                os.close(fd)
            theirs.close()
        self.control.settimeout(limits.ZYGOTE_START_SECONDS)
        self.pidfd = started(self.control)
        return pid_of(self.pidfd)  # in a namespace the helper knows it by another number

    def greet(self) -> tuple[float, float]:
        """Wait for the child's word that it is locked; what the clock and its own processor time were then.

        Anything else is a failed job: ``ended`` is "setup". Nothing is waited for a second time.
        """
        if self._greeted or self.ended:
            return 0.0, 0.0
        self._greeted = True
        reply = self._wait(time.monotonic() + limits.ZYGOTE_START_SECONDS, self.key + "hello", None, (0.0, 0.0))
        match reply.body:
            case {"arena": int(base), "at": float(at), "cpu": float(cpu)}:
                self.base = self.arena.base = base
                return at, cpu
        said = wire.clean_text(bytes(self.log))[: limits.ERROR_TEXT_CHARACTERS_MAX]
        self.end("setup")
        self.ended = "setup"
        self.error = f"the sandbox could not be set up: {said or 'the process ended before it was locked'}"
        return 0.0, 0.0

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
            try:
                now = build_tree.used(self.pid).cpu_seconds if self.bounds.tree else time.clock_gettime(self.clock)
            except OSError:
                return self._cpu
            if now > self._cpu:
                self._cpu = now
        return self._cpu

    def exchange(self, question: dict[str, Any], seconds: float) -> Reply:
        """Ask, and wait ``seconds`` at most. When ``ended`` is set afterwards the process is gone."""
        name = self.next_name()
        line = wire.line_of({**question, "id": name})
        if not self._greeted:
            return self._first(line, name, seconds)
        if self._buffer or (any(fd == self.answers for fd, _ in self.poll.poll(0)) and self._take_answers()):
            self.end("protocol", "it answered before it was asked")
        if self.ended:  # now, or while nobody asked it
            return Reply(None, 0.0, 0.0)
        cpu = self.cpu()
        measured = self.bounds.cpu_seconds is not None and not self.bounds.tree
        if measured and cpu - self._idle_from > limits.IDLE_CPU_SECONDS_MAX:
            # It gave an answer and then went on computing: that would slow whatever is measured beside it.
            self.end("protocol", "it went on working after its answer")
            return Reply(None, 0.0, 0.0)
        try:
            began = time.perf_counter()
            self._send(line)
            return self._wait(time.monotonic() + seconds, name, self.bounds.cpu_seconds, (began, cpu), self._look())
        except BaseException:
            self.end("interrupted")  # Ctrl-C in the notebook: the answer will never be read
            raise

    def _first(self, line: bytes, name: str, seconds: float) -> Reply:
        """The first question waits in the pipe while the process is locked, which then reads it without a pause."""
        try:
            if not self.ended:
                self._send(line)
            since = self.greet()
            if self.ended:
                return Reply(None, 0.0, 0.0)
            if self.bounds.tree:
                since = since[0], self.cpu()
            return self._wait(time.monotonic() + seconds, name, self.bounds.cpu_seconds, since)
        except BaseException:
            self.end("interrupted")
            raise

    def _wait(
        self,
        deadline: float,
        name: str,
        cpu_limit: float | None,
        since: tuple[float, float],
        seen: Sequence[tuple[int, int]] = (),
    ) -> Reply:
        """The answer of that name. ``since``: the clock (``time.perf_counter``) and its processor time at the start."""
        line = self._next_line()
        while line is None and not self.ended:
            if not seen:
                if not (left := self._left(deadline, cpu_limit, since[1])):
                    break
                seen = self.poll.poll(math.ceil(left * 1000))
            ready, seen = [fd for fd, _ in seen], ()
            if self.questions in ready:
                self._send()
            if self.log_fd in ready:
                self.take_log()
            if self.answers in ready and not self.ended and self._take_answers():
                line = self._next_line()
        wall, cpu = time.perf_counter() - since[0], max(0.0, self.cpu() - since[1])
        if line is None:
            return Reply(None, wall, cpu)
        self._idle_from = self._cpu
        return Reply(self._read(line, name), wall, cpu)

    def _look(self) -> Sequence[tuple[int, int]]:
        """What there is to look at in a moment, without sleeping: to be woken takes longer than most answers do."""
        looks, poll = self._patience.take(), self.poll.poll
        for _ in range(looks):
            if seen := poll(0):
                self._patience.worth(True)
                return seen
        if looks:
            self._patience.worth(False)
        return ()

    def _left(self, deadline: float, cpu_limit: float | None, cpu_began: float) -> float:
        """For how long to sleep at most, in seconds; 0 where the time is over and the process was ended."""
        left = deadline - time.monotonic()
        if left <= 0:
            self.end("wall-time", "it took longer than its time limit")
            return 0.0
        if cpu_limit is None:
            return left
        used = self.cpu() - cpu_began
        if used > cpu_limit:
            self.end("cpu-time", "it used more processor time than its limit")
            return 0.0
        left = min(left, max(0.001, cpu_limit - used) + 0.005)
        # Several processes use several processors at once.
        return min(left, limits.TREE_LOOK_SECONDS) if self.bounds.tree else left

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
        return self._next_line() if self.answers in ready and not self.ended and self._take_answers() else None

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
        return body

    def _send(self, more: bytes = b"") -> None:
        """Write what the pipe takes of what waits to be sent, and of ``more``; the rest is sent when there is room."""
        blob = self._unsent + more if self._unsent else more
        try:
            blob = blob[os.write(self.questions, blob) :] if blob else blob
        except BlockingIOError:
            pass
        except BrokenPipeError:
            blob = b""  # it closed the pipe or is gone: the answers' pipe tells which
        if blob and not self._sending:
            self.poll.register(self.questions, select.POLLOUT)
        elif self._sending and not blob:
            self.poll.unregister(self.questions)
        self._unsent, self._sending = blob, bool(blob)

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

    def _next_line(self) -> bytes | None:
        """The next line of what was read, if that has one."""
        if (at := self._buffer.find(b"\n")) >= 0:
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
        if not self.log:
            return ""
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
            self.ended, error = how(report, self.bounds.cpu_seconds, killed=killed)
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
