"""Whether calls of a version keep memory: tried in a copy of this process, whose memory is nobody else's.

In the process itself nobody can tell: what a call returns may be kept by whoever called it. So the calls are made again
in a copy, on arguments that were seen before, and what they return is dropped.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import struct
import time
import warnings
from collections.abc import Callable
from typing import Any

from .. import limits
from .health import resident_bytes

_WARM_CALLS = 4


def growth(call: Callable[[], Any]) -> int | None:
    """By how many bytes one call makes a process grow, on average; None where that could not be found out in time."""
    source, sink = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking beside threads: the copy calls, and ends
        child = os.fork()
    if child == 0:
        try:
            os.close(source)
            os.write(sink, struct.pack("q", _grown(call)))
        finally:
            os._exit(0)  # nothing of this process's own runs a second time: no handler, no buffer, no thread
    os.close(sink)
    try:
        deadline = time.monotonic() + limits.HEALTH_LEAK_SECONDS
        ready = select.select([source], [], [], max(0.0, deadline - time.monotonic()))[0]
        data = os.read(source, 8) if ready else b""
    finally:
        os.close(source)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return struct.unpack("q", data)[0] // limits.HEALTH_LEAK_CALLS if len(data) == 8 else None


def _grown(call: Callable[[], Any]) -> int:
    for _ in range(_WARM_CALLS):
        call()
    _give_back()
    before = resident_bytes()
    for _ in range(limits.HEALTH_LEAK_CALLS):
        call()
    _give_back()
    return resident_bytes() - before


def _give_back() -> None:
    """What is free goes back to the system: else what is kept may come out of that, and nothing is seen to grow."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):  # another C library than glibc
        # SAFETY: it takes a number, and gives back only pages that no allocation holds.
        ctypes.CDLL(None).malloc_trim(0)


def leak(old: Callable[[], Any], new: Callable[[], Any]) -> str:
    """In words by how much more the new one keeps; "" where it does not."""
    after = growth(new)
    if after is None or after < limits.HEALTH_LEAK_BYTES:
        return ""
    before = growth(old)
    if before is None or after < 4 * max(0, before) + limits.HEALTH_LEAK_BYTES:
        return ""
    return f"each of its calls keeps {after / 1024:,.0f} KiB of memory, and {max(0, before) / 1024:,.0f} KiB before it"
