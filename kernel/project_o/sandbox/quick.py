"""The quick way of a call into a process that is isolated for good: its cells lie in the shared memory, and a few bytes
on the pipes say when.

The question is ``!NUMBER TAIL ROOM ID``, the answer ``!`` where the function returned and its result points to nothing;
whatever else there is to say is an answer like any other. Only the ``isolate`` profile is asked so: it holds the user's
own code, and nothing of it is measured.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .. import abi
from ..values import NativeFunction
from . import locks

if TYPE_CHECKING:
    from .arena import Arena
    from .native import NativeWorker

MARK = b"!"
PLAIN = b"!\n"
_CELLS_MAX = 512
_RESULT_AT = 8 * _CELLS_MAX
HEADER_BYTES = 2 * _RESULT_AT
"""At the start of the arena: the cells of the arguments, then those of the result."""


class Asked:
    """One function, as the kernel's side asks for it."""

    def __init__(self, function: NativeFunction, number: int) -> None:
        self.function = function
        self.number = number
        self.converters = abi.converters(function)
        count = abi.result_cells(function)
        self.fits = count <= _CELLS_MAX and sum(map(_cells_of, function.parameters)) <= _CELLS_MAX
        self._result = struct.Struct(f"={count}Q")

    def put(self, arena: Arena, args: Sequence[Any]) -> tuple[list[tuple[Any, int]], int]:
        """Lay the arguments out; the arrays that are written with their places, and where free memory begins.

        Raises InterfaceError, SandboxError.
        """
        written: list[tuple[Any, int]] = []
        end = HEADER_BYTES

        def place(array: Any, writable: bool) -> int:  # noqa: FBT001 - the signature of abi.Place
            nonlocal end
            at = first = end
            if array.size:
                first, end = arena.put(at, array)
                if writable:
                    written.append((array, at))
            return arena.base + first

        cells = abi.pack_with(self.converters, self.function, args, place)
        arena.grow(end)
        arena.pack(struct.Struct(f"={len(cells)}Q"), 0, cells)
        return written, end

    def value(self, arena: Arena) -> Any:
        """What the function returned, where that points to nothing."""
        return abi.unpack(self.function, arena.unpack(self._result, _RESULT_AT), _nothing)


def _cells_of(parameter: tuple[str, Any]) -> int:
    return abi.argument_cell_count(parameter[1])


def _nothing(address: int, size: int) -> bytes:
    del address, size
    return b""


class Answering:
    """The other side: the functions by their number."""

    def __init__(self, worker: NativeWorker) -> None:
        self._worker = worker
        self._entries = tuple(worker.entries.values())
        # SAFETY: the kernel's side has made the arena larger than its header before it asks.
        self._result = (ctypes.c_uint64 * _CELLS_MAX).from_address(worker.arena + _RESULT_AT)

    def answer(self, line: bytes) -> dict[str, Any] | None:
        """Make the call. None: it is answered; else what is to be said."""
        number, tail, room, name = line[1:].split()
        entry, result = self._entries[int(number)], self._result
        result[entry.handle] = 0
        status = entry.call(self._worker.arena, self._worker.arena + _RESULT_AT)
        if status == abi.STATUS_OK and not entry.slices and not result[entry.handle]:
            os.write(locks.FD_ANSWERS, PLAIN)
            return None
        entry.cells[:] = result[: len(entry.cells)]
        return {**self._worker.told(entry, status, int(tail), int(room)), "id": name.decode()}
