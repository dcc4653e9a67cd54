"""Where builds work: in memory where there is room for several, since a compiler's cache is hundreds of small files."""

from __future__ import annotations

import atexit
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from .. import limits
from .folder import Folder
from .scratch import remove

MEMORY = "/dev/shm"
WORK = "work"
"""The folder of a build in which its compiler works."""
_lock = threading.Lock()
_folder: Folder | None = None


def shared_folder() -> str:
    """The folder in memory below which this process' builds work, made on first use; "" where there is no room."""
    global _folder
    with _lock:
        if not _has_room():
            return ""
        if _folder is None or _folder.owner != os.getpid():
            with suppress(OSError):
                _folder = Folder(MEMORY)
        return _folder.path if _folder is not None and _folder.owner == os.getpid() else ""


def _has_room() -> bool:
    try:
        facts = os.statvfs(MEMORY)
    except OSError:
        return False
    return facts.f_bavail * facts.f_frsize >= limits.BUILD_MEMORY_FREE_BYTES_MIN and os.access(MEMORY, os.W_OK)


@contextmanager
def place(shared: str, name: str = "") -> Iterator[str]:
    """An empty folder below ``shared`` for one build, gone afterwards, of that name where it is free; "" where there
    is none."""
    with at(shared, name) as path:
        if path:
            yield path
            return
    path = ""
    with suppress(OSError):
        path = tempfile.mkdtemp(prefix="o-build-", dir=shared) if shared else ""
    try:
        yield path
    finally:
        if path:
            remove(path)


@contextmanager
def at(shared: str, name: str) -> Iterator[str]:
    """An empty folder of just this name below ``shared``, gone afterwards; "" where it is not to be had."""
    path = f"{shared}/{name}" if shared and name else ""
    try:
        if path:
            os.mkdir(path, 0o700)  # noqa: PTH102 - beside the other calls of os
    except OSError:
        path = ""
    try:
        yield path
    finally:
        if path:
            remove(path)


@atexit.register
def _close() -> None:
    if _folder is not None:
        _folder.close()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
