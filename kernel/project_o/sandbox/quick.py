"""The quick way of a call into a process that is isolated for good: all of it lies in the shared memory.

The kernel's side lays out the cells, then writes the call's number; the other side makes the call, and writes that
number where answers are looked for. Either looks for a few microseconds before it sleeps, and says that it does: then a
line ``!`` on its pipe wakes it. Who looks at a moment at which the other one goes to sleep may ring in vain or not at
all, so a bell is a reason to look and nothing else, and nobody sleeps for long without looking. An answer that is more
than that all went well is a line as any other, whose id is the number.

Only the ``isolate`` profile is asked so: it holds the user's own code, and nothing of it is measured.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .. import abi, limits
from ..errors import InterfaceError
from ..values import NativeFunction, NativeType
from . import locks

if TYPE_CHECKING:
    from .arena import Arena
    from .bounds import Reply
    from .channel import Channel
    from .native import NativeWorker

MARK = b"!"
BELL = b"!\n"
_CELLS_MAX = 512
_SHARES_WORK_MAX = 1000
"""How hard numpy looks for a common element of two arrays whose bounds overlap."""
_RESULT_AT = 8 * _CELLS_MAX
# What one side writes and the other looks at has a cache line of its own.
ASKED, FUNCTION, TAIL, ROOM = range(2 * _CELLS_MAX, 2 * _CELLS_MAX + 4)
KERNEL_SLEEPS = 2 * _CELLS_MAX + 8
ANSWERED = 2 * _CELLS_MAX + 16
WORKER_SLEEPS = 2 * _CELLS_MAX + 24
HEADER_BYTES = 8 * (2 * _CELLS_MAX + 32)
"""At the start of the arena: the cells of the arguments, then those of the result, then the words above."""


def _looks() -> bool:
    # Other processors than x86 may show what was written in another order, and one alone runs only one of the two.
    alone = hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) == 1
    return platform.machine() in ("x86_64", "AMD64") and not alone


class Patience:
    """How often to look before sleeping. Where that was in vain, which it is for long calls, for rare ones, and where
    others keep the processors busy, it is left out for the next call, then for more and more of them."""

    def __init__(self, looks: int) -> None:
        self._looks = looks if _looks() else 0
        self._left_out = self._skip = 0

    def take(self) -> int:
        """How often, this time."""
        if self._skip:
            self._skip -= 1
            return 0
        return self._looks

    def worth(self, was: bool) -> None:  # noqa: FBT001 - the one thing it says
        """What came of it: whether what was looked for was seen."""
        self._left_out = 0 if was else min(2 * self._left_out + 1, limits.ISOLATE_LOOKS_LEFT_OUT_MAX)
        self._skip = self._left_out


class Asked:
    """One function, as the kernel's side asks for it."""

    def __init__(self, function: NativeFunction, number: int) -> None:
        self.function = function
        self.number = number
        self.converters = abi.converters(function)
        count = abi.result_cells(function)
        given = sum(map(_cells_of, function.parameters))
        self._writes = any(_is_written(kind) for _, kind in function.parameters)
        self.fits = count <= _CELLS_MAX and given <= _CELLS_MAX
        self._arguments = struct.Struct(f"={given}Q")
        self._result = struct.Struct(f"={count}Q")

    def put(self, arena: Arena, args: Sequence[Any]) -> tuple[list[tuple[Any, int]], int]:
        """Lay the arguments out; the arrays that are written with their places, and where free memory begins.

        Raises InterfaceError, SandboxError.
        """
        written: list[tuple[Any, int]] = []
        read: list[Any] = []
        end = HEADER_BYTES

        def place(array: Any, writable: bool) -> int:  # noqa: FBT001 - the signature of abi.Place
            nonlocal end
            at = first = end
            if array.size:
                if self._writes:
                    _check_apart(self.function, array, [other for other, _ in written])
                    _check_apart(self.function, array, read if writable else [])
                    read.append(array)
                first, end = arena.put(at, array)
                if writable:
                    written.append((array, at))
            return arena.base + first

        cells = abi.pack_with(self.converters, self.function, args, place)
        arena.grow(end)
        arena.pack(self._arguments, 0, cells)
        return written, end

    def value(self, arena: Arena) -> Any:
        """What the function returned, where that points to nothing."""
        return abi.unpack(self.function, arena.unpack(self._result, _RESULT_AT), _nothing)


def _is_written(kind: NativeType) -> bool:
    below = [item for _, item in kind.fields] + ([kind.child] if kind.child else [])
    return (kind.kind in ("slice", "matrix", "view") and not kind.const) or any(map(_is_written, below))


def _check_apart(function: NativeFunction, array: Any, others: Sequence[Any]) -> None:
    """Arrays that share memory are two copies on the other side, and what is written to one is not in the other."""
    import numpy as np

    for other in others:
        if np.may_share_memory(array, other) and _shares(array, other):
            raise InterfaceError(
                f"{function.name}: two arrays share memory, one of them is written, and an isolated call has copies of "
                "both: pass a .copy()"
            )


def _shares(array: Any, other: Any) -> bool:
    import numpy as np

    try:
        # numpy's stub knows two of all the numbers that it takes.
        return bool(np.shares_memory(array, other, max_work=_SHARES_WORK_MAX))  # type: ignore[arg-type]
    except np.exceptions.TooHardError:
        return True


def _cells_of(parameter: tuple[str, Any]) -> int:
    return abi.argument_cell_count(parameter[1])


def _nothing(address: int, size: int) -> bytes:
    del address, size
    return b""


class Asking:
    """The kernel's side of the words. It may be used by one thread at a time."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._patience = Patience(limits.ISOLATE_LOOKS_ASKING_MAX)
        self._number = 0

    def ask(self, function: int, tail: int, seconds: float) -> Reply | None:
        """Have the function with that number called. None where it went well, else the answer."""
        channel = self._channel
        self._number = number = self._number + 1
        try:
            told = self._told(number, function, tail, seconds)
        except BaseException:
            channel.end("interrupted")  # Ctrl-C in the notebook: the answer will never be read
            raise
        return None if told is None else channel.answered(told, str(number))

    def _told(self, number: int, function: int, tail: int, seconds: float) -> bytes | None:
        """None where it went well, else the answer's line: an empty one where the process is gone."""
        channel, words = self._channel, self._channel.arena.words
        words[FUNCTION], words[TAIL], words[ROOM] = function, tail, channel.arena.size - tail
        words[ASKED] = number
        looks = self._patience.take()
        if rung := bool(words[WORKER_SLEEPS]) or not looks:
            channel.ring()
        for _ in range(looks):
            if words[ANSWERED] == number:
                self._patience.worth(True)
                return None
        if looks:
            self._patience.worth(False)
        if not rung:
            channel.ring()  # it may have gone to sleep at the very moment
        deadline, pause = time.monotonic() + seconds, limits.ISOLATE_SLEEP_SECONDS_MIN
        words[KERNEL_SLEEPS] = 1
        while words[ANSWERED] != number:
            told = channel.woken(min(pause, max(0.0, deadline - time.monotonic())))
            if told is not None:
                break
            if channel.ended:
                return b""
            if time.monotonic() >= deadline and words[ANSWERED] != number:
                channel.end("wall-time", "it took longer than its time limit")
                return b""
            pause = min(2 * pause, limits.ISOLATE_SLEEP_SECONDS_MAX)
        else:
            told = None
        words[KERNEL_SLEEPS] = 0
        return told


class Answering:
    """The other side: the functions by their number."""

    def __init__(self, worker: NativeWorker) -> None:
        self._worker = worker
        self._entries = tuple(worker.entries.values())
        # SAFETY: the kernel's side has made the arena larger than its header before it asks.
        self._result = (ctypes.c_uint64 * _CELLS_MAX).from_address(worker.arena + _RESULT_AT)
        # SAFETY: as above.
        header = (ctypes.c_ubyte * HEADER_BYTES).from_address(worker.arena)
        self._words = memoryview(header).cast("B").cast("Q")
        self._patience = Patience(limits.ISOLATE_LOOKS_ANSWERING_MAX)
        self._seen = 0

    def serve(self, write: Callable[[dict[str, Any]], None]) -> None:
        """Make the calls that are asked for, and those that come soon after; ``write`` what more there is to say."""
        self._words[WORKER_SLEEPS] = 0
        while self._is_asked():
            reply = self._answer()
            if reply is not None:
                write(reply)

    def _is_asked(self) -> bool:
        words, seen = self._words, self._seen
        looks = self._patience.take()
        for _ in range(looks):
            if words[ASKED] != seen:
                self._patience.worth(True)
                return True
        if looks:
            self._patience.worth(False)
        words[WORKER_SLEEPS] = 1
        if words[ASKED] == seen:
            return False
        words[WORKER_SLEEPS] = 0
        return True

    def _answer(self) -> dict[str, Any] | None:
        words, result = self._words, self._result
        self._seen = number = words[ASKED]
        entry = self._entries[words[FUNCTION]]
        result[entry.handle] = 0
        status = entry.call(self._worker.arena, self._worker.arena + _RESULT_AT)
        if status == abi.STATUS_OK and not entry.slices and not result[entry.handle]:
            words[ANSWERED] = number
            if words[KERNEL_SLEEPS]:
                os.write(locks.FD_ANSWERS, BELL)
            return None
        entry.cells[:] = result[: len(entry.cells)]
        return {**self._worker.told(entry, status, words[TAIL], words[ROOM]), "id": str(number)}
