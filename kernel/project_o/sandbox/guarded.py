"""The crash guard on the sandboxed side: a panic or fault of the library becomes a report, and the process lives."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

from ..abi import FAULT_BYTES, STATUS_LOOK


def prepare(path: str) -> None:
    """Load the guard before the library that it will guard is there."""
    # SAFETY: our own build; what is loaded again by this path is this one.
    _prepared.append(ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_LOCAL))


_prepared: list[ctypes.CDLL] = []


class Guard:
    """The guard library, attached to one library of cells. See ``abi.GUARD_CDEF`` for its interface."""

    def __init__(self, path: str, library: ctypes.CDLL) -> None:
        # SAFETY: the guard is our own build, the library is untrusted; both run in a process that is locked already.
        guard = ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_LOCAL)
        self._call = guard.o_guard_call
        self._call.restype = ctypes.c_int32
        self._call.argtypes = [ctypes.c_void_p] * 5
        self._find_text = guard.o_guard_text
        self._find_text.restype = ctypes.c_int32
        self._find_text.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        self._fault = ctypes.create_string_buffer(FAULT_BYTES)
        self._keep = guard
        # SAFETY: void o_set_panic(void (*)(const char *, size_t, uintptr_t)), the type of o_guard_panic.
        library.o_set_panic.restype = None
        library.o_set_panic.argtypes = [ctypes.c_void_p]
        library.o_set_panic(ctypes.cast(guard.o_guard_panic, ctypes.c_void_p))

    def wrap(self, symbol: Any) -> Callable[[int, int], int]:
        """``symbol`` as a function of (args, ret) that goes through the guard. Raises OSError for a stray symbol."""
        # SAFETY: the address of a symbol of the library, which stays loaded; ``text`` lives as long as the closure.
        address = ctypes.cast(symbol, ctypes.c_void_p)
        text = (ctypes.c_uint64 * 2)()
        if self._find_text(address, ctypes.addressof(text)) != 0:
            raise OSError("a function of the library lies outside of it")
        call, fault_at, text_at = self._call, ctypes.addressof(self._fault), ctypes.addressof(text)

        def guarded(args: int, ret: int, _kept: Any = text) -> int:
            while (status := int(call(address, args, ret, fault_at, text_at))) == STATUS_LOOK:
                pass  # the interpreter looks at its flags on the way round
            return status

        return guarded

    def report(self) -> str:
        """The bytes of the last ``struct o_fault``, as hexadecimal."""
        return self._fault.raw.hex()
