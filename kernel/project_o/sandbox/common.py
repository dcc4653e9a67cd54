"""The one sandbox with default bounds that everything in a process may use."""

from __future__ import annotations

import atexit
import os
import threading

from .box import Sandbox

_lock = threading.Lock()
_shared: Sandbox | None = None


def shared() -> Sandbox:
    """The process-wide sandbox with default bounds, made on first use and closed at the end of the process."""
    global _shared
    with _lock:
        if _shared is None or _shared._closed:
            _shared = Sandbox()
        return _shared


@atexit.register
def _close_shared() -> None:
    if _shared is not None and _shared._owner == os.getpid():
        _shared.close()


def _after_fork() -> None:
    global _shared, _lock
    _lock = threading.Lock()
    _shared = None


os.register_at_fork(after_in_child=_after_fork)
