"""Builds that are under way in this process, by their key: whoever needs one that another thread makes waits for it."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_making: dict[str, _Making] = {}


class _Making:
    """One build. ``waiting`` counts those who need it beside whoever began it."""

    __slots__ = ("done", "waiting")

    def __init__(self) -> None:
        self.done = threading.Event()
        self.waiting = 0


@contextmanager
def making(key: str) -> Iterator[None]:
    """Around a build: others find it under way. Where two begin the same one, the first is waited for."""
    mine = _Making()
    with _lock:
        _making.setdefault(key, mine)
    try:
        yield
    finally:
        with _lock:
            if _making.get(key) is mine:
                del _making[key]
        mine.done.set()


def wait_for(key: str) -> bool:
    """Wait until the build of this key has ended, however it did; False where none is under way."""
    with _lock:
        found = _making.get(key)
        if found is None:
            return False
        found.waiting += 1
    try:
        found.done.wait()
    finally:
        with _lock:
            found.waiting -= 1
    return True


def needed(key: str) -> bool:
    """Whether anybody waits for the build of this key."""
    with _lock:
        found = _making.get(key)
        return found is not None and found.waiting > 0


def _after_fork() -> None:
    """The threads that build are the parent's."""
    global _lock
    _lock = threading.Lock()
    _making.clear()


os.register_at_fork(after_in_child=_after_fork)
