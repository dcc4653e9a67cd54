"""What all loaded libraries share, and how a library's bytes are mapped: each time anew."""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from mmap import mmap
from pathlib import Path
from typing import Any

from .. import abi
from ..config import cache_directory
from ..errors import ToolchainError
from ..values import Artifact
from .guard import guard_path

_CDEF = """
void *dlopen(const char *path, int flags);
void *dlsym(void *library, const char *name);
int dlclose(void *library);
char *dlerror(void);
"""
_STDERR = 2


class _Host:
    """What all libraries share: cffi, the dynamic linker, the guard, and fault records to write into."""

    def __init__(self) -> None:
        from cffi import FFI

        self.ffi = FFI()
        self.ffi.cdef(_CDEF + abi.GUARD_CDEF)
        self.cast, self.from_buffer = self.ffi.cast, self.ffi.from_buffer
        self.address_type = self.ffi.typeof("uintptr_t")
        # SAFETY: the C library of this very process; the four prototypes are POSIX.
        self.linker = self.ffi.dlopen(None)
        # Looked up here, because the first look-up of a function would erase what dlerror has to say.
        self.dlopen, self.dlsym = self.linker.dlopen, self.linker.dlsym
        self.dlclose, self.dlerror = self.linker.dlclose, self.linker.dlerror
        # SAFETY: compiled from our own guard.c, whose prototypes are GUARD_CDEF; it is never unmapped, not even when
        # the interpreter ends and closes what it has opened, because its signal handlers and its timer stay.
        self.guard = self.ffi.dlopen(guard_path(), os.RTLD_NOW | os.RTLD_LOCAL | os.RTLD_NODELETE)
        self._guard_call = self.guard.o_guard_call
        self.on_panic = self.ffi.addressof(self.guard, "o_guard_panic")
        self.guard_address = self.address_of(self.ffi.addressof(self.guard, "o_guard_call"))
        self.guard.o_guard_terminal(_terminal())
        self._records = threading.local()
        # On the path of every call: a type that is resolved once.
        self._cells_type = self.ffi.typeof("uint64_t[]")

    def address_of(self, pointer: Any) -> int:
        """A pointer as a number."""
        # SAFETY: nothing is read through it here.
        return int(self.cast(self.address_type, pointer))

    def new_cells(self, content: Any) -> Any:
        """An array of cells, from a count or from a list."""
        return self.ffi.new(self._cells_type, content)

    def call(self, function: Any, args: Any, ret: Any, record: Any, text: Any, limit: int = 0) -> int:
        """The guarded call; on the main thread Ctrl-C reaches it whenever it is pressed, and a limit in nanoseconds.

        One that came before the call is in the interpreter's flags, which an endless native loop never looks at. The
        guard then calls nothing, and the interpreter looks at its flags on its way round this loop.
        """
        while True:
            if limit:
                self.guard.o_guard_limit(limit)
            status = int(self._guard_call(function, args, ret, record, text))
            if status != abi.STATUS_LOOK:
                return status

    def take_record(self) -> Any:
        """A fault record for one call; the thread's own where no outer call has it."""
        records = self._records.__dict__.setdefault("free", [])
        return records.pop() if records else self.ffi.new("struct o_fault *")

    def give_record(self, record: Any) -> None:
        """The record may be used by the thread's next call."""
        self._records.free.append(record)


def _terminal() -> int:
    """Where a last word is read even if this process cannot pass it on any more; -1 where that is the descriptor 2."""
    try:
        descriptor = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return -1
    return descriptor if descriptor > _STDERR else -1


@lru_cache(maxsize=1)
def host() -> _Host:
    """The one host of this process. Raises ToolchainMissing, ToolchainError where there can be no guard."""
    return _Host()


def opened_bytes(data: bytes | mmap, artifact: Artifact) -> Any:
    """dlopen under a path that was never used: under a known path the linker would return the old library.

    Raises ToolchainError.
    """
    _open_beside(artifact)
    try:
        with _in_memory(data) as path:
            return _opened(path, artifact.program.name)
    except OSError as error:
        raise ToolchainError(
            f"{artifact.program.name} cannot be loaded ({error}): free some space, or set TMPDIR"
        ) from None


def opened_file(artifact: Artifact) -> Any:
    """dlopen of the artifact's own file, which was never loaded here and will not be written. Raises ToolchainError."""
    _open_beside(artifact)
    return _opened(artifact.path, artifact.program.name)


def _opened(path: str, name: str) -> Any:
    shared = host()
    # SAFETY: the bytes are a build of ours with a matching hash; RTLD_LOCAL keeps its names to itself.
    handle = shared.dlopen(path.encode(), os.RTLD_NOW | os.RTLD_LOCAL)
    if handle == shared.ffi.NULL:
        reason = shared.ffi.string(shared.dlerror()).decode("utf-8", "replace").replace(path, name)
        raise ToolchainError(f"{name} cannot be loaded: {reason}. Name the libraries it needs with `--link`")
    return handle


def _open_beside(artifact: Artifact) -> None:
    for needed in sorted(Path(artifact.path).parent.glob("lib*-*.so")):
        _open_shared(str(needed))


def _put_away(link: Path) -> str:
    """Remove a copy in our cache that is of no use; what to do next. Its builds are then found to be incomplete."""
    copy = link.resolve()
    if not copy.is_relative_to(cache_directory().resolve()):
        return "mend it, and run the cell again"
    copy.unlink(missing_ok=True)
    return "its copy in the cache was damaged and is removed, run the cell again"


@lru_cache(maxsize=16)
def _open_shared(path: str) -> None:
    """Load a library that builds need and the system does not have, once and for good; the linker finds it by name."""
    shared = host()
    # SAFETY: our own copy of a compiler's standard library.
    if shared.dlopen(path.encode(), os.RTLD_NOW | os.RTLD_LOCAL) == shared.ffi.NULL:
        reason = shared.ffi.string(shared.dlerror()).decode("utf-8", "replace")
        raise ToolchainError(f"{Path(path).name} cannot be loaded ({reason}): {_put_away(Path(path))}")


_numbers = itertools.count(1)


@contextmanager
def _in_memory(data: bytes | mmap) -> Iterator[str]:
    """A path behind which the bytes are, once: a memory file where the system has them, else a file. Raises OSError.

    The number of a descriptor is used again, and so the same path: each has another spelling, for which nothing has to
    be made in a folder. ``/`` and ``/.`` spell the two digits.
    """
    try:
        memory = os.memfd_create("project-o-cell", os.MFD_CLOEXEC)
    except (OSError, AttributeError):
        with tempfile.TemporaryDirectory(prefix="project-o-load-") as folder:
            path = Path(folder) / f"{uuid.uuid4().hex}.so"
            path.write_bytes(data)
            yield str(path)
        return
    try:
        with open(memory, "wb", closefd=False) as file:
            file.write(data)
        spelled = f"{next(_numbers):b}".replace("1", "/.").replace("0", "/")
        yield f"/proc/self/fd{spelled}/{memory}"
    finally:
        os.close(memory)
