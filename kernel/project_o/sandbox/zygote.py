"""The warm process from which jobs are forked. It never runs a byte of what they run.

It is started by exec with a clean environment, in a session of its own, so that an interrupt of the notebook
(killpg on the kernel's group) does not reach it. It watches three things: the control socket (a job is wanted,
or the kernel has closed it), the kernel's process (a forked copy of the kernel may hold the socket open), and
its children. It never waits for one job, so one job cannot hold up another.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import math
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from .. import limits
from . import locks, scratch, worker
from .profiles import PROFILES, Profile
from .spare import Spare
from .supervise import END_SIGNAL, supervised
from .watch import Watched

MESSAGE_BYTES_MAX = 1 << 17
DESCRIPTORS_A_JOB = 6
STANDARD_MODULES = (
    "abc array ast base64 bisect calendar cmath collections collections.abc colorsys contextlib copy csv ctypes "
    "dataclasses datetime decimal difflib encodings.ascii encodings.idna encodings.latin_1 encodings.utf_16 "
    "encodings.utf_32 enum fractions functools graphlib hashlib heapq hmac html io inspect itertools json keyword "
    "locale math numbers operator pprint queue random re reprlib secrets statistics string struct textwrap threading "
    "time timeit tokenize traceback types typing unicodedata warnings weakref zlib zoneinfo"
)
NUMPY_MODULES = ("numpy", "numpy.linalg", "numpy.fft", "numpy.random", "numpy.polynomial", "numpy.ma")


class _Job(NamedTuple):
    """A living child: the socket on which its end is told, what it is, what is watched of it."""

    control: socket.socket
    profile: Profile
    watched: Watched | None

    def end(self, pid: int) -> None:
        """Have it killed, by the parent that it has, or here."""
        _kill(pid, END_SIGNAL if self.profile.supervised else signal.SIGKILL)


class Zygote:
    """The loop. ``control`` brings jobs; ``kernel`` is a pidfd of the process that started us."""

    def __init__(self, control: socket.socket, kernel: int) -> None:
        self.control = control
        self.kernel = kernel
        self.pid = os.getpid()
        self.jobs: dict[int, _Job] = {}
        self.ended: dict[int, dict[str, Any]] = {}
        self.stopped: dict[int, str] = {}
        self.look_at = 0.0
        self.places: set[str] = set()
        self._order = b"{}"
        self.spare: Spare | None = None
        self.spare_from, self.rest_from = math.inf, 0.0
        self.wake, wake_in = socket.socketpair()
        self.wake.setblocking(False)
        wake_in.setblocking(False)
        self._wake_in = wake_in
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_in.fileno(), warn_on_full_buffer=False)
        self.poll = select.poll()
        for fd in (control.fileno(), kernel, self.wake.fileno()):
            self.poll.register(fd, select.POLLIN)

    def serve(self) -> None:
        """Until the kernel closes the socket or ends; then every child is killed."""
        while True:
            watching = any(job.watched for job in self.jobs.values())
            ready = {fd for fd, _ in self.poll.poll(self._rest(watching=watching))}
            if self.kernel in ready or (self.control.fileno() in ready and not self._start()):
                break
            with contextlib.suppress(BlockingIOError):
                self.wake.recv(4096)
            for pid, job in self.jobs.items():
                if job.control.fileno() in ready and pid not in self.ended:  # the kernel has let go of this job
                    job.end(pid)
            if watching:
                self._watch()
            self._reap()
            self._keep_one_ready()
        for pid, job in self.jobs.items():
            job.end(pid)
        self._dismiss()
        deadline = time.monotonic() + 2.0
        while self.jobs and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.001)
        if select.select([self.kernel], [], [], 0)[0]:  # it was killed: nobody else takes these away
            for place in self.places:
                scratch.remove(place)
                with contextlib.suppress(OSError):  # others work there, or it is where our namespace begins
                    Path(place).parent.rmdir()

    def _start(self) -> bool:
        """Fork one job. False when the kernel has closed the socket."""
        message, descriptors, _, _ = socket.recv_fds(self.control, MESSAGE_BYTES_MAX, DESCRIPTORS_A_JOB)
        if not message:
            return False
        config, self._order = json.loads(message), message
        questions, answers, log, arena, control_fd, *snapshot = descriptors
        self.places.update(config.get("places", ()))
        given = (questions, answers, log, arena, *snapshot)
        spare, self.spare = self.spare, None
        if PROFILES[config["profile"]].supervised or spare is None or not spare.start(message, given):
            self.spare = spare if PROFILES[config["profile"]].supervised else None
            pid = self._fork(config, given)
        else:
            pid = spare.pid
        control = socket.socket(fileno=control_fd)
        for fd in given:
            os.close(fd)
        watched = Watched(config) if config.get("tree") or config.get("scratch_bytes") else None
        self.jobs[pid] = _Job(control, PROFILES[config["profile"]], watched)
        self.poll.register(control, 0)  # only its hang-up is of interest
        pidfd = os.pidfd_open(pid)
        with contextlib.suppress(OSError):  # the kernel let go already: its hang-up is seen in the next round
            socket.send_fds(control, [b"started"], [pidfd])  # its number may be another one on the kernel's side
        os.close(pidfd)
        # Not now, if there will be a rest to do it in: a fork takes a millisecond of the processor on which the job has
        # just been woken.
        now = time.monotonic()
        rested = now - self.rest_from > limits.SPARE_ENDED_SECONDS
        self.spare_from = now + limits.SPARE_STARTED_SECONDS if rested else now
        return True

    def _fork(self, config: dict[str, Any], given: Sequence[int]) -> int:
        if config["profile"] == "strict":
            locks.prepare(config)
        pid = os.fork()
        if pid == 0:
            if config["profile"] == "strict":
                worker.rehearse()
            self._become(config, given)
        return pid

    def _rest(self, *, watching: bool) -> float | None:
        """Milliseconds until something is to be done though nobody asks."""
        ends = [limits.WATCH_SECONDS] if watching else []
        due = min(math.inf if watching else self.spare_from, self.spare.until if self.spare is not None else math.inf)
        if due < math.inf:
            ends.append(max(0.0, due - time.monotonic()) + 0.0001)
        return 1000 * min(ends) if ends else None

    def _keep_one_ready(self) -> None:
        """Have somebody wait for the next job while this one is at work, and nobody where none has come for a while.

        Not while a job is looked at: what it writes in the milliseconds that a fork takes would be seen too late.
        """
        now = time.monotonic()
        if now >= self.spare_from and not any(job.watched for job in self.jobs.values()):
            self.spare_from = math.inf
            if self.spare is None:
                self.spare = Spare.fork(self._become, (MESSAGE_BYTES_MAX, DESCRIPTORS_A_JOB))
                self._rehearse()
            self.spare.until = now + limits.SPARE_SECONDS
        elif self.spare is not None and now > self.spare.until:
            self._dismiss()

    def _rehearse(self) -> None:
        """Take an order that nobody gave, and forget it: each page that is written to after a fork is copied, and that
        would be in the time of the next one."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            socket.send_fds(ours, [self._order], [self.kernel, self.kernel])
            message, descriptors, _, _ = socket.recv_fds(theirs, MESSAGE_BYTES_MAX, DESCRIPTORS_A_JOB)
            json.loads(message)
            for fd in descriptors:
                os.close(fd)
            self.poll.register(theirs, 0)
            self.poll.unregister(theirs)
            os.close(os.pidfd_open(self.pid))
            socket.send_fds(ours, [b"started"], [self.kernel])
            json.dumps({"code": 0, "cpu_seconds": 0.1, "peak_bytes": 1, "why": ""}).encode()

    def _dismiss(self) -> None:
        """Nobody asked in time: who waited goes, and can no longer be chosen."""
        spare, self.spare = self.spare, None
        if spare is not None:
            spare.close()
            _kill(spare.pid)

    def _watch(self) -> None:
        """End each job that takes more than it may, and remember why. Once in a while, whatever else happens."""
        now = time.monotonic()
        if now < self.look_at:
            return
        for pid, job in self.jobs.items():
            if job.watched and pid not in self.ended and (why := job.watched.excess(pid)):
                self.stopped[pid] = why
                job.end(pid)
        # However long a look takes, half of the time at least is the jobs' own.
        self.look_at = time.monotonic() + max(limits.WATCH_SECONDS, time.monotonic() - now)

    def _become(self, config: dict[str, Any], descriptors: Sequence[int]) -> NoReturn:
        """The child's first steps, before anything is believed. Does not return."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            locks.take_descriptors(*descriptors)
            if PROFILES[config["profile"]].supervised:
                supervised(self.pid)
            else:
                locks.die_with(self.pid)
            locks.process_name("o-job")
            worker.run(config)
        finally:
            os._exit(worker.EXIT_SETUP)

    def _reap(self) -> None:
        """Collect the dead, end what they left behind, then tell the kernel: it hears of an end when all is gone."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            if self.spare is not None and pid == self.spare.pid:
                self.spare = None
            if pid in self.jobs:
                self.ended[pid] = {
                    "code": os.waitstatus_to_exitcode(status),
                    "cpu_seconds": usage.ru_utime + usage.ru_stime,
                    "peak_bytes": usage.ru_maxrss * 1024,
                    "why": self.stopped.pop(pid, ""),
                }
        if any(self.jobs[pid].profile.descendants for pid in self.ended) and self._orphans():
            return  # their SIGCHLD brings us back
        for pid, report in self.ended.items():
            job = self.jobs.pop(pid)
            self.poll.unregister(job.control)
            with contextlib.suppress(OSError):
                job.control.send(json.dumps(report).encode())
            job.control.close()
        if self.ended and not self.jobs:
            self.rest_from = time.monotonic()
            self.spare_from = min(self.spare_from, self.rest_from + limits.SPARE_ENDED_SECONDS)
        self.ended.clear()

    def _orphans(self) -> bool:
        """Kill the processes that fell to us from ended jobs; whether there were any."""
        with open(f"/proc/self/task/{self.pid}/children", "rb") as f:
            children = [int(word) for word in f.read().split()]
        spare = self.spare.pid if self.spare is not None else 0
        strangers = [
            pid for pid in children if pid not in self.jobs and pid != spare and _session(pid) not in self._living()
        ]
        for pid in strangers:
            _kill(pid)
        return bool(strangers)

    def _living(self) -> set[int]:
        return self.jobs.keys() - self.ended.keys()


def _kill(pid: int, number: int = signal.SIGKILL) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)  # a child of ours that we have not reaped: the number cannot be another's


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return 0


def _preload(names: tuple[str, ...] | list[str]) -> None:
    for name in names:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _preload_for_user(names: list[str]) -> dict[str, str]:
    """Load what the user's programs import, with the user's rights; which modules could not be loaded, and why."""
    failed = {}
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - a module may raise anything; whoever asked for it is told
            failed[name] = f"{type(error).__name__}: {error}"[: limits.ERROR_TEXT_CHARACTERS_MAX]
    return failed


def main(control_fd: int, kernel: int, modules: list[str], folder: str) -> None:
    """Load what jobs will need, say so, serve. ``modules`` are those that the user's programs import.

    ``folder`` is where jobs may write: when the kernel was killed, nobody else takes away what is there.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    locks.process_control(locks.PR_SET_DUMPABLE, 0)
    locks.process_control(locks.PR_SET_CHILD_SUBREAPER, 1)
    locks.process_name("o-zygote")
    os.chdir("/")
    _preload(STANDARD_MODULES.split())
    _preload(NUMPY_MODULES)
    failed = _preload_for_user(modules)
    time.localtime()  # reads the time zone's file, which a job cannot
    from . import level  # noqa: F401 - the probe's code must be here before the fork

    control = socket.socket(fileno=control_fd)
    zygote = Zygote(control, kernel)
    gc.collect()
    gc.freeze()
    facts = {"numpy": "numpy" in sys.modules, "landlock": locks.landlock_version(), "failed": failed}
    own = os.pidfd_open(os.getpid())
    socket.send_fds(control, [json.dumps(facts).encode()], [own])
    os.close(own)
    zygote.serve()
    scratch.remove(folder)
