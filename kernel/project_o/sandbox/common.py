"""The sandboxes that everything in a process may use: one with default bounds, and one for locked builds."""

from __future__ import annotations

import atexit
import os
import threading
from typing import Any

from .. import limits
from .box import Sandbox

_lock = threading.Lock()
_shared: dict[str, Sandbox] = {}


def shared() -> Sandbox:
    """The process-wide sandbox with default bounds, made on first use and closed at the end of the process."""
    return _made("default")


def shared_builder() -> Sandbox:
    """The same with the bounds of locked builds."""
    return _made(
        "builder",
        wall_seconds=limits.LOCKED_BUILD_WALL_SECONDS,
        cpu_seconds=limits.LOCKED_BUILD_CPU_SECONDS,
        memory_bytes=limits.LOCKED_BUILD_MEMORY_BYTES,
    )


def _made(name: str, **bounds: Any) -> Sandbox:
    with _lock:
        found = _shared.get(name)
        if found is None or found._closed:
            found = _shared[name] = Sandbox(**bounds)
        return found


@atexit.register
def _close_shared() -> None:
    for box in _shared.values():
        if box._owner == os.getpid():
            box.close()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _shared.clear()


os.register_at_fork(after_in_child=_after_fork)
