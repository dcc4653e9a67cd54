"""What ``multiprocessing`` shares between processes, in a folder of their own: an evaluator has no /dev/shm.

There its files would lie beside those of everybody else, without a bound, and stay. This file stands alone: its text
is the ``sitecustomize`` module of every Python that an evaluator starts. What is patched is what C has there:
semaphores (``_multiprocessing``), named memory (``_posixshmem``), and where arrays look for room.
"""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

FOLDER_VARIABLE, NO_PROCESSES_VARIABLE = "PROJECT_O_OWN_MEMORY", "PROJECT_O_NO_PROCESSES"
_SEMAPHORE_BYTES = 64  # sem_t has 32 where pointers have 8
_SHORT_SECONDS = 0.05
RECURSIVE_MUTEX = 0


def _path(name: str) -> str:
    return os.path.join(os.environ[FOLDER_VARIABLE], name.lstrip("/").replace("/", "_"))  # noqa: PTH118 - stands alone


class SemLock:
    """As the class of this name in ``_multiprocessing``: a semaphore of the C library, in a file that is mapped."""

    SEM_VALUE_MAX = (1 << 31) - 1

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> None:  # noqa: FBT001 - C's own
        if kind not in (0, 1) or not 0 <= value <= maxvalue:
            raise ValueError("unrecognized kind" if kind not in (0, 1) else "semaphore or lock value out of range")
        fd = os.open(_path(name), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, _SEMAPHORE_BYTES)
            self._map(fd)
            # SAFETY: the mapping is as large as a semaphore, writable, and kept by this object.
            self._libc.sem_init(self._at, 1, value)
        finally:
            os.close(fd)
            if unlink:
                os.unlink(_path(name))  # noqa: PTH108 - stands alone
        self.kind, self.maxvalue = kind, maxvalue
        self.name: str | None = None if unlink else name
        self._held, self._owner = 0, 0

    def _map(self, fd: int) -> None:
        import ctypes
        import mmap

        self._memory = mmap.mmap(fd, _SEMAPHORE_BYTES)
        self._cell = (ctypes.c_char * _SEMAPHORE_BYTES).from_buffer(self._memory)
        # SAFETY: the C library of this process; every call below gets the address of the mapping above.
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._at = ctypes.c_void_p(ctypes.addressof(self._cell))
        self.handle: int = ctypes.addressof(self._cell)

    @classmethod
    def _rebuild(cls, _handle: int, kind: int, maxvalue: int, name: str) -> SemLock:
        self = cls.__new__(cls)
        fd = os.open(_path(name), os.O_RDWR | os.O_CLOEXEC)
        try:
            self._map(fd)
        finally:
            os.close(fd)
        self.kind, self.maxvalue, self.name = kind, maxvalue, name
        self._held, self._owner = 0, 0
        return self

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:  # noqa: FBT001, FBT002 - C's own
        """Take it. False where it was not to be had in time."""
        import threading
        import time

        if self.kind == RECURSIVE_MUTEX and self._is_mine():
            self._held += 1
            return True
        # SAFETY: as in __init__; the library is called without the interpreter's lock, and a signal ends the wait.
        got: bool = self._libc.sem_trywait(self._at) == 0
        if not got and block:
            end = None if timeout is None else time.monotonic() + max(0.0, timeout)
            while not (got := self._wait(end)):
                if end is not None and time.monotonic() >= end:
                    break
        if got:
            self._held += 1
            self._owner = threading.get_ident()
        return got

    def _wait(self, end: float | None) -> bool:
        """Wait for a while; a thread that waits in C for ever would see no signal's handler."""
        import ctypes
        import time

        left = _SHORT_SECONDS if end is None else max(0.0, min(_SHORT_SECONDS, end - time.monotonic()))
        until = time.time_ns() + int(left * 1e9)
        moment = (ctypes.c_long * 2)(until // 1_000_000_000, until % 1_000_000_000)
        # SAFETY: struct timespec is two longs; it lives until the call returns.
        return bool(self._libc.sem_timedwait(self._at, ctypes.byref(moment)) == 0)

    __enter__ = acquire

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Give it back."""
        if self.kind == RECURSIVE_MUTEX:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._held > 1:
                self._held -= 1
                return
        elif self._get_value() >= self.maxvalue:
            raise ValueError("semaphore or lock released too many times")
        self._held -= 1
        # SAFETY: as in __init__.
        self._libc.sem_post(self._at)

    def _get_value(self) -> int:
        import ctypes

        value = ctypes.c_int()
        # SAFETY: as in __init__; the number is written to a local.
        self._libc.sem_getvalue(self._at, ctypes.byref(value))
        return max(0, value.value)

    def _count(self) -> int:
        return self._held

    def _is_mine(self) -> bool:
        import threading

        return self._held > 0 and self._owner == threading.get_ident()

    def _is_zero(self) -> bool:
        return self._get_value() == 0

    def _after_fork(self) -> None:
        self._held = 0


def _remove(name: str) -> None:
    os.unlink(_path(name))  # noqa: PTH108 - stands alone


def _semaphores(module: ModuleType) -> None:
    module.SemLock, module.sem_unlink = SemLock, _remove  # type: ignore[attr-defined]


def _named_memory(module: ModuleType) -> None:
    def shm_open(path: str, flags: int, mode: int = 0o777) -> int:
        return os.open(_path(path), flags | os.O_CLOEXEC, mode)

    module.shm_open, module.shm_unlink = shm_open, _remove  # type: ignore[attr-defined]


def _arrays(module: ModuleType) -> None:
    module.Arena._dir_candidates = []


_PATCHES: dict[str, Callable[[ModuleType], None]] = {
    "_multiprocessing": _semaphores,
    "_posixshmem": _named_memory,
    "multiprocessing.heap": _arrays,
}


class _Finder:
    """Finds those modules as the others do, and patches them once they are loaded."""

    @classmethod
    def find_spec(cls, name: str, path: Sequence[str] | None = None, target: Any = None) -> Any:
        if name not in _PATCHES:
            return None
        for finder in sys.meta_path:
            spec = None if finder is cls else finder.find_spec(name, path, target)
            if spec is not None and spec.loader is not None:
                spec.loader = _Loader(spec.loader, _PATCHES[name])  # type: ignore[assignment] # what is called is there
                return spec
        return None


class _Loader:
    def __init__(self, loader: Any, patch: Callable[[ModuleType], None]) -> None:
        self._loader, self._patch = loader, patch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._patch(module)


def install(folder: str) -> None:
    """From here on processes share memory below ``folder``, which exists."""
    os.environ[FOLDER_VARIABLE] = folder
    sys.meta_path.insert(0, _Finder)
    for name, patch in _PATCHES.items():
        if name in sys.modules:
            patch(sys.modules[name])


if __name__ == "sitecustomize" and FOLDER_VARIABLE in os.environ:
    install(os.environ[FOLDER_VARIABLE])
    if NO_PROCESSES_VARIABLE in os.environ:  # it would fail where /proc is closed; those who can do without it, do
        sys.modules["psutil"] = None  # type: ignore[assignment]
