"""Two threads that call one native function at a time each, or one thread that makes all of the calls.

A visit gives the time of one call, from the first thread's start to the last one's end, by the number of all calls:
where the threads run side by side on two processors, half of what one thread takes.
"""

from __future__ import annotations

import ctypes
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..harness import Sample, UnavailableError, Visit, expect
from .compilers import shared_library
from .edit import wait_until_optimised

CALLS = 400
TURNS = 20_000
LENGTH = 20_000
ZIG = """pub fn mixed(count: u64) u64 {
    var x: u64 = 1;
    for (0..count) |_| x = (x *% 6364136223846793005 +% 1442695040888963407) ^ (x >> 29);
    return x;
}
pub fn folded(values: []const u64) u64 {
    var x: u64 = 1;
    for (values) |value| x = (x *% 6364136223846793005 +% value) ^ (x >> 29);
    return x;
}
"""
C = """unsigned long mixed(unsigned long count) {
    unsigned long x = 1;
    for (unsigned long k = 0; k < count; k++) x = (x * 6364136223846793005UL + 1442695040888963407UL) ^ (x >> 29);
    return x;
}
"""
_MASK = (1 << 64) - 1


def _mixed(count: int) -> int:
    x = 1
    for _ in range(count):
        x = (x * 6364136223846793005 + 1442695040888963407 & _MASK) ^ (x >> 29)
    return x


def _visits(call: Callable[[Any], Any], argument: Any, answer: int, threads: int) -> Iterator[Visit]:
    def turns(count: int) -> None:
        for _ in range(count):
            call(argument)

    def visit() -> Sample:
        workers = [threading.Thread(target=turns, args=(CALLS // threads,)) for _ in range(threads)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        took = time.perf_counter() - began
        expect("what comes out", answer, int(call(argument)))
        return {"wall": took / CALLS}

    yield visit


@contextmanager
def zig_threads(threads: int, nogil: bool = False, large: bool = False) -> Iterator[Visit]:
    """A native cell's function. ``large`` calls it with an array of 160 kB, which lets other threads run by itself."""
    from project_o import zig

    module = zig(ZIG, f"threads_{nogil}_{large}", nogil=nogil, mode="fast")
    _wait_until_optimised(module)
    if large:
        values = np.full(LENGTH, 1442695040888963407, np.uint64)
        yield from _visits(module.folded, values, _mixed(LENGTH), threads)
    else:
        yield from _visits(module.mixed, TURNS, _mixed(TURNS), threads)


def _wait_until_optimised(module: Any) -> None:
    module.mixed(1)
    module.folded(np.ones(1, np.uint64))
    wait_until_optimised(module)
    module.mixed(1)
    module.folded(np.ones(1, np.uint64))


@contextmanager
def numba_threads(threads: int) -> Iterator[Visit]:
    """``@njit(nogil=True)``."""
    try:
        from numba import njit, uint64
    except ImportError:
        raise UnavailableError("numba is not installed") from None

    @njit(uint64(uint64), nogil=True)
    def mixed(count: Any) -> Any:
        x = uint64(1)
        for _ in range(count):
            x = (x * uint64(6364136223846793005) + uint64(1442695040888963407)) ^ (x >> uint64(29))
        return x

    yield from _visits(mixed, TURNS, _mixed(TURNS), threads)


@contextmanager
def ctypes_threads(threads: int) -> Iterator[Visit]:
    """gcc -O3 and ``ctypes``, which lets other threads run in each call."""
    with tempfile.TemporaryDirectory(prefix="o-benchmark-threads-") as folder:
        mixed = ctypes.CDLL(str(shared_library(C, Path(folder) / "mixed.so"))).mixed
        mixed.restype, mixed.argtypes = ctypes.c_ulong, [ctypes.c_ulong]
        yield from _visits(mixed, TURNS, _mixed(TURNS), threads)
