"""A function of the user's in a forked copy of this process, with a program whose calls come back here.

The copy has everything that the user's code may need: modules, variables, open files. What it changes is lost with
it. The program that it is given is a proxy: each call crosses a pipe to this process, which asks the sandbox, so the
copy runs the user's code and nothing else. It has a session of its own, is ended with all its children at its limit of
time, and dies with this process. What it writes outside, to files say, is written.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import io
import os
import pickle
import select
import signal
import socket
import struct
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from .. import limits

_LENGTH = struct.Struct("<Q")
_PDEATHSIG = 1
_MESSAGE_BYTES_MAX = limits.ARENA_BYTES_MAX


@dataclass(frozen=True)
class Outcome:
    """How it went: ``error`` is "" where nothing was raised; ``output`` is what was printed, ``seconds`` wall time."""

    error: str
    output: str
    seconds: float


class Proxy:
    """The program as the copy sees it: its functions as attributes, and callable where there is just one."""

    def __init__(self, names: tuple[str, ...], send: Callable[[Any], Any]) -> None:
        self._names = names
        self._send = send

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name not in self._names:
            raise AttributeError(f"the program has no function {name}: it has {', '.join(self._names)}")

        def call(*args: Any, **named: Any) -> Any:
            return self._ask(name, args, named)

        call.__name__ = name
        return call

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the only function. Raises TypeError where there are several."""
        if len(self._names) != 1:
            raise TypeError(f"the program has {len(self._names)} functions: call one of {', '.join(self._names)}")
        return self._ask(self._names[0], args, named)

    def __dir__(self) -> list[str]:
        return sorted(self._names)

    def _ask(self, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        import numpy as np

        ok, value, arrays = self._send((name, args, named))
        if not ok:
            raise value
        for place, array in arrays:
            np.copyto(args[place], array)
        return value


def carry_out(
    scenario: Callable[[Any], Any],
    program: Any,
    *,
    seconds: float = limits.SCENARIO_SECONDS_MAX,
    stopped: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run ``scenario(proxy of program)`` in a copy of this process; ``program`` answers its calls here.

    ``program`` is a ``Candidate``: its functions are called with whatever the scenario passes.
    """
    here, there = socket.socketpair()
    began = time.monotonic()
    with here:
        sys.stdout.flush()
        with warnings.catch_warnings():
            # A kernel has threads. The copy has only this one, takes no lock of theirs, and has a limit of time.
            warnings.simplefilter("ignore", DeprecationWarning)
            pid = os.fork()
        if pid == 0:
            _child(scenario, tuple(dir(program)), here, there)
        there.close()
        try:
            found = _serve(here, program, began + seconds, stopped)
        finally:
            _end(pid)
    took = time.monotonic() - began
    if found is None:
        ended = f"it was not done after {seconds:.0f} s" if took >= seconds else "its process ended"
        return Outcome(ended, "", took)
    return Outcome(found[0], found[1], took)


# ------------------------------------------------------------------ this process


def _serve(channel: socket.socket, program: Any, until: float, stopped: Callable[[], bool]) -> tuple[str, str] | None:
    """Answer calls until the copy tells its result; None where it ended, or its time was over, before that."""
    while not stopped():
        left = until - time.monotonic()
        if left <= 0:
            return None
        if not select.select([channel], [], [], min(left, limits.STOP_POLL_SECONDS))[0]:
            continue
        message = _receive(channel, until)
        if message is None:
            return None
        if message[0] == "done":
            return str(message[1]), str(message[2])
        if not _send(channel, _answered(program, *message[1:]), until):
            return None
    return None


def _answered(program: Any, name: str, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[bool, Any, Any]:
    import numpy as np

    before = {place: item.copy() for place, item in enumerate(args) if isinstance(item, np.ndarray)}
    try:
        value = getattr(program, name)(*args, **named)
    except Exception as error:  # noqa: BLE001 - what a call raises is raised in the copy, where the scenario meets it
        return False, _plain(error), ()
    changed = [(place, args[place]) for place, old in before.items() if old.tobytes() != args[place].tobytes()]
    return True, value, changed


def _plain(error: Exception) -> Exception:
    """The error without its frames, as something that can cross."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - an exception with a constructor of its own: its words cross
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error.with_traceback(None)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def _send(channel: socket.socket, message: Any, until: float) -> bool:
    body = pickle.dumps(message, protocol=5)
    data = memoryview(_LENGTH.pack(len(body)) + body)
    while data:
        if not select.select([], [channel], [], max(0.0, until - time.monotonic()))[1]:
            return False
        try:
            data = data[channel.send(data) :]
        except OSError:
            return False
    return True


def _receive(channel: socket.socket, until: float) -> Any:
    head = _exactly(channel, _LENGTH.size, until)
    if head is None:
        return None
    (size,) = _LENGTH.unpack(head)
    if size > _MESSAGE_BYTES_MAX:
        return None
    body = _exactly(channel, size, until)
    return None if body is None else pickle.loads(body)  # the copy runs the user's own code, as this process does


def _exactly(channel: socket.socket, size: int, until: float) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        if not select.select([channel], [], [], max(0.0, until - time.monotonic()))[0]:
            return None
        try:
            part = channel.recv(min(size - len(parts), 1 << 20))
        except OSError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)


# ------------------------------------------------------------------ the copy


def _child(
    scenario: Callable[[Any], Any], names: tuple[str, ...], here: socket.socket, there: socket.socket
) -> NoReturn:
    """Never returns: nothing of the kernel above this frame may go on in the copy."""
    code = 1
    try:
        os.setsid()
        _die_with_parent()
        here.close()
        gc.freeze()  # what was inherited is not ours to finalize
        output = _Bounded()
        sys.stdout = sys.stderr = output
        signal.signal(signal.SIGINT, signal.SIG_DFL)

        def send(question: Any) -> Any:
            until = time.monotonic() + 2 * limits.SCENARIO_SECONDS_MAX  # the other side ends it earlier
            _send(there, ("call", *question), until)
            answer = _receive(there, until)
            if answer is None:
                os._exit(1)
            return answer

        error = ""
        try:
            scenario(Proxy(names, send))
        except BaseException as raised:  # noqa: BLE001 - whatever it raises is the result
            error = _told(raised)
        _send(there, ("done", error, output.getvalue()), time.monotonic() + 10.0)
        code = 0
    finally:
        os._exit(code)


def _told(raised: BaseException) -> str:
    """The error, and before it the user's own lines that led to it."""
    frames = [frame for frame in traceback.extract_tb(raised.__traceback__) if frame.filename != __file__]
    words = f"{type(raised).__name__}: {raised}" if str(raised) else type(raised).__name__
    if not frames:
        return words
    last = frames[-1]
    line = f"line {last.lineno}: {last.line}" if last.line else f"line {last.lineno}"
    return f"{line}: {words}"


class _Bounded(io.StringIO):
    """Keeps the beginning of what is printed."""

    def write(self, text: str) -> int:
        left = limits.SCENARIO_OUTPUT_BYTES_MAX - self.tell()
        super().write(text[: max(0, left)])
        return len(text)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        # SAFETY: prctl with this option takes one number and touches no memory of ours.
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
