"""The user's own code in a forked copy of this process, with a program whose calls come back here.

The copy has everything that the user's code may need: modules, variables, open files. What it changes is lost with
it. The program that it is given is a proxy: each call crosses a pipe to this process, which asks the sandbox, so the
copy runs the user's code and nothing else. It has a session of its own, is ended with all its children at its limit of
time, and dies with this process. What it writes outside, to files say, is written.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import socket
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import limits
from .forked_copy import Copy, Step
from .messages import packed, receive, send

_forking = threading.Lock()


@dataclass(frozen=True)
class Failure:
    """What a step raised: ``reason`` is the end of a sentence about it (line, text, error), ``trace`` the whole."""

    step: int
    reason: str
    trace: str


@dataclass(frozen=True)
class Outcome:
    """How it went: what failed, what was printed, how often the program was called, and wall time.

    ``ended`` says why the copy told no results, "" where it did; ``step`` is the one that it was at.
    """

    failures: tuple[Failure, ...] = ()
    ended: str = ""
    step: int = 0
    output: str = ""
    calls: int = 0
    seconds: float = 0.0


def carry_out(
    steps: Sequence[Step],
    program: Any,
    *,
    seconds: float = limits.SCENARIO_SECONDS_MAX,
    stopped: Callable[[], bool] = lambda: False,
    begin: Callable[[int], object] = lambda _: None,
    go_on: bool = False,
    first: Callable[[], None] = lambda: None,
) -> Outcome:
    """Run the steps with a proxy of ``program`` in one copy of this process; ``program`` answers its calls here.

    ``program`` is a ``Candidate``: its functions are called with whatever the steps pass. ``begin`` is called here with
    the number of each step before its first call, ``first`` in the copy before all of them. The first failure ends it,
    but not with ``go_on``.
    """
    began = time.monotonic()
    pid, here, printed = _forked(Copy(steps, tuple(dir(program)), first, go_on=go_on))
    with here, _Printed(printed) as output:
        talk = _Talk(here, program, output, began + seconds, begin)
        try:
            found = talk.listen(stopped)
        finally:
            _end(pid)
        output.read()
    took = time.monotonic() - began
    late = f"it was not done after {seconds:.3g} s"
    ended = "" if found is not None else late if took >= seconds else "its process ended"
    return Outcome(found or (), ended, talk.step, output.text, talk.calls, took)


def seconds_allowed(seconds: float) -> float:
    """How long a candidate may take for what took so long with what serves now."""
    allowed = limits.SCENARIO_SLOWER_FACTOR_MAX * seconds
    return min(limits.SCENARIO_SECONDS_MAX, max(limits.SCENARIO_SECONDS_MIN, allowed))


def _forked(copy: Copy) -> tuple[int, socket.socket, int]:
    """The copy's process id, our end of the channel, and what it prints. One at a time: no copy holds another's ends,
    so that the end of one is seen, and what ``catch_warnings`` puts back is the whole process's."""
    with _forking:
        here, there = socket.socketpair()
        printed, prints = os.pipe()
        sys.stdout.flush()
        with warnings.catch_warnings():
            # A kernel has threads. The copy has only this one, takes no lock of theirs, and has a limit of time.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            copy.run(there, prints, (here.fileno(), printed))
        there.close()
        os.close(prints)
        return pid, here, printed


class _Printed:
    """The beginning of what the copy prints, whatever becomes of the copy."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._kept = bytearray()
        os.set_blocking(descriptor, False)

    def __enter__(self) -> _Printed:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)

    @property
    def text(self) -> str:
        """What was kept."""
        return self._kept.decode("utf-8", "replace")

    def read(self) -> bool:
        """Take what is there; whether there may be more one day."""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self.descriptor, 1 << 16):
                self._kept += part[: max(0, limits.SCENARIO_OUTPUT_BYTES_MAX - len(self._kept))]
            return False
        return True


class _Talk:
    """This process's side: it answers calls until the copy tells its results."""

    def __init__(
        self, channel: socket.socket, program: Any, output: _Printed, until: float, begin: Callable[[int], object]
    ) -> None:
        self._channel, self._program, self._output = channel, program, output
        self._until, self._begin = until, begin
        self.step = self.calls = 0

    def listen(self, stopped: Callable[[], bool]) -> tuple[Failure, ...] | None:
        """What failed; None where the copy ended, or its time was over, before it told."""
        poll = select.poll()
        poll.register(self._channel, select.POLLIN)
        poll.register(self._output.descriptor, select.POLLIN)
        while not stopped():
            left = self._until - time.monotonic()
            if left <= 0:
                return None
            ready = {descriptor for descriptor, _ in poll.poll(1000 * min(left, limits.STOP_POLL_SECONDS))}
            if self._output.descriptor in ready and not self._output.read():
                poll.unregister(self._output.descriptor)
            if self._channel.fileno() in ready:
                message = receive(self._channel, self._until)
                if message is None:
                    return None
                if message[0] == "done":
                    return tuple(Failure(*item) for item in message[1])
                if not self._take(message):
                    return None
        return None

    def _take(self, message: tuple[Any, ...]) -> bool:
        """A step begins, or the program is called; whether the copy could be answered."""
        if message[0] == "step":
            self.step = int(message[1])
            self._begin(self.step)
            return True
        self.calls += 1
        return send(self._channel, _answered(self._program, message[1]), self._until)


def _answered(program: Any, question: bytes) -> tuple[bool, Any, Any]:
    """Whether the call returned, what it returned or raised, and the arrays that it wrote."""
    import numpy as np

    try:
        name, args, named = pickle.loads(question)  # the copy runs the user's own code, as this process does
        given: dict[int | str, Any] = {**dict(enumerate(args)), **named}
        before = {place: item.copy() for place, item in given.items() if isinstance(item, np.ndarray)}
        value = getattr(program, name)(*args, **named)
    except Exception as error:  # noqa: BLE001 - what a call raises is raised in the copy, where the user's code meets it
        return False, _plain(error), ()
    changed = [(place, given[place]) for place, old in before.items() if old.tobytes() != given[place].tobytes()]
    return True, value, changed


def _plain(error: Exception) -> Exception:
    """The error without its frames, as something that can cross."""
    try:
        pickle.loads(packed(error))
    except Exception:  # noqa: BLE001 - a class that no name leads to, or what it holds: its words cross
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error.with_traceback(None)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)
