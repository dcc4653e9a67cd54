"""Calls into a native library, on the sandboxed side: cells in, cells out, results copied into shared memory."""

from __future__ import annotations

import ctypes
import itertools
import os
from typing import Any

from ..abi import STATUS_ERROR, STATUS_OK, STATUS_STOPPED
from . import locks, policy
from .arena import aligned
from .guarded import Guard
from .near import Near
from .process_state import ROUNDING, rounding
from .quick import Answering

ERROR_NAME_BYTES_MAX = 256
_WORD = (1 << 64) - 1


class _Entry:
    """One function: its symbol and the cells it needs, made once."""

    def __init__(self, library: ctypes.CDLL, guard: Guard | None, name: str, facts: dict[str, Any]) -> None:
        # SAFETY: every function of the interface is int32_t(uint64_t *args, uint64_t *ret) by the shim ABI.
        symbol = getattr(library, f"o_cell_{name}")
        symbol.restype = ctypes.c_int32
        symbol.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self.call = symbol if guard is None else guard.wrap(symbol)
        self.cells = (ctypes.c_uint64 * max(1, facts["ret"]))()
        self.handle: int = facts["handle"]
        self.slices: list[tuple[int, int, list[int]]] = facts["slices"]


class NativeWorker:
    """A loaded library. Its constructors have run under the ``files`` stage; from here on it is ``strict``."""

    def __init__(self, arena: int, question: dict[str, Any]) -> None:
        self.arena = arena
        self.usual = rounding()
        # SAFETY: the library is untrusted, and so is this whole process: it is locked before this line.
        self.library = ctypes.CDLL(question["path"], mode=os.RTLD_NOW | os.RTLD_LOCAL)
        self.guard = Guard(question["guard"], self.library) if question["guard"] else None
        self.entries = {
            name: _Entry(self.library, self.guard, name, facts) for name, facts in question["functions"].items()
        }
        # SAFETY: void o_free(uint64_t handle) by the shim ABI.
        self.free = self.library.o_free
        self.free.restype = None
        self.free.argtypes = [ctypes.c_uint64]
        self.pending: tuple[list[tuple[int, int]], dict[str, Any], int] | None = None
        self.quick = Answering(self)
        if question["seal"]:
            locks.apply_seccomp(policy.Filter("strict", denied=tuple(question["denied"])))

    def call(self, question: dict[str, Any]) -> dict[str, Any]:
        """Call the symbol ``repeat`` times; answer the status and the cells of the last call."""
        entry = self.entries[question["fn"]]
        cells = question["cells"]
        # SAFETY: both arrays outlive the calls, and the callee writes at most len(entry.cells) of them.
        args = (ctypes.c_uint64 * max(1, len(cells)))(*cells)
        ret = entry.cells
        arg_at, ret_at = ctypes.addressof(args), ctypes.addressof(ret)
        symbol = entry.call
        status = STATUS_OK
        fences = [self.arena + offset for offset in question["fences"]]
        for address in fences:
            locks.fence(address, closed=True)
        for round_ in range(question["repeat"]):
            if round_ and ret[entry.handle]:
                self.free(ret[entry.handle])
            ret[entry.handle] = 0
            status = symbol(arg_at, ret_at)
            if status != STATUS_OK:
                break
        for address in fences:
            locks.fence(address, closed=False)
        reply = self.told(entry, status, question["tail"], question["room"])
        if rounding() != self.usual:
            reply["touched"] = [ROUNDING]
        return reply

    def told(self, entry: _Entry, status: int, tail: int, room: int) -> dict[str, Any]:
        """What to answer after a call: its result is in the entry's cells."""
        if status != STATUS_OK:
            return self._failure(entry, status)
        handle = entry.cells[entry.handle]
        results, copies, end = self._result(entry, tail)
        reply = {"ok": True, "status": STATUS_OK, "cells": results}
        if end - tail > room:
            self.pending = (copies, reply, handle)
            return {"ok": True, "need": end - tail}
        return self._copy(copies, reply, handle, tail)

    def each(self, question: dict[str, Any]) -> dict[str, Any]:
        """Call the symbol once with each of ``calls``; answer the cells of all results, or how the first failure was.

        The arguments of a call are read before it, so that they lie as near to the processor as in a repeated call.
        """
        entry, calls = self.entries[question["fn"]], question["calls"]
        width = len(calls[0]) if calls else 0
        # SAFETY: as above; all of them outlive the calls.
        args = (ctypes.c_uint64 * max(1, width * len(calls)))(*itertools.chain.from_iterable(calls))
        near = Near(self.arena, question["spans"])
        ret, ret_at, symbol = entry.cells, ctypes.addressof(entry.cells), entry.call
        arg_at, tail = ctypes.addressof(args), question["tail"]
        end = tail + question["room"]
        results: list[list[int]] = []
        for number in range(len(calls)):
            if near.any:
                near.read(number)
            ret[entry.handle] = 0
            status = symbol(arg_at + 8 * width * number, ret_at)
            if status != STATUS_OK:
                return self._failure(entry, status)
            if not entry.slices and not ret[entry.handle]:
                results.append(ret[:])
                continue
            cells, copies, following = self._result(entry, tail)
            if following > end:
                return {"ok": False, "error": "there is no room for the results of so many calls"}
            self._copy(copies, {}, ret[entry.handle], tail)  # at once: the next call may write where this result lies
            results.append(cells)
            tail = following
        return {"ok": True, "status": STATUS_OK, "cells": results}

    def _failure(self, entry: _Entry, status: int) -> dict[str, Any]:
        ret = entry.cells
        if status == STATUS_ERROR:
            # SAFETY: with this status the two first cells are the address and length of a constant string.
            name = ctypes.string_at(ret[0], min(ret[1], ERROR_NAME_BYTES_MAX)).decode("utf-8", "replace")
            return {"ok": False, "status": status, "name": name, "error": name}
        if status == STATUS_STOPPED and self.guard is not None:
            return {"ok": False, "status": status, "fault": self.guard.report(), "error": "fault"}
        return {"ok": False, "status": status, "error": f"the function ended with status {status}"}

    def _result(self, entry: _Entry, at: int) -> tuple[list[int], list[tuple[int, int]], int]:
        """The cells of a result, what they point to (to be copied from ``at`` on, so that the kernel's side can read
        it), and where that ends."""
        cells = list(entry.cells)
        copies: list[tuple[int, int]] = []
        for cell, item_bytes, flags in entry.slices:
            if not all(cells[flag] & 1 for flag in flags):
                continue
            size = cells[cell + 1] * item_bytes
            copies.append((cells[cell], size))
            cells[cell] = (self.arena + at) & _WORD
            at += aligned(size)
        return cells, copies, at

    def fetch(self, question: dict[str, Any]) -> dict[str, Any]:
        """There is room now: copy what waited."""
        assert self.pending is not None
        (copies, reply, handle), self.pending = self.pending, None
        return self._copy(copies, reply, handle, question["tail"])

    def _copy(self, copies: list[tuple[int, int]], reply: dict[str, Any], handle: int, tail: int) -> dict[str, Any]:
        at = self.arena + tail
        for address, size in copies:
            # SAFETY: the callee says that ``size`` bytes are there; if not, it is this process that ends.
            ctypes.memmove(at, address, size)
            at += aligned(size)
        if handle:
            self.free(handle)
        return reply
