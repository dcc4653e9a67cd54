"""Artifact -> loaded library -> guarded call, in this process: through cffi, or by an entry for the dispatcher."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from .. import abi
from ..errors import InterfaceError, ToolchainError
from ..values import Artifact, NativeFunction
from . import elf
from .faults import AFRESH, fault_error, over_time, result_error
from .host import host, opened_bytes, opened_file
from .server_lines import remembered
from .sources import LINK_PREFIX, NOGIL, timeout_seconds

_THREAD_MAKERS = frozenset({"pthread_create", "thrd_create", "clone"})


class Loaded:
    """One dlopen of a library's bytes; closes itself when its last user is gone.

    ``prefix`` begins the symbols of its functions; ``handle`` is that of a build which is mapped already, for good, or
    by who asks.
    """

    def __init__(
        self,
        artifact: Artifact,
        data: bytes | mmap,
        line_offset: int = 0,
        *,
        prefix: str = "o_cell_",
        handle: Any = None,
    ) -> None:
        self._host = host()
        self._artifact, self._line_offset = artifact, line_offset
        self.faulted = False
        # Until it is known to be safe to unmap, it is not.
        self.may_close = False
        self.handle = handle or opened_bytes(data, artifact)
        self.makes_threads = any(symbol.name in _THREAD_MAKERS for symbol in elf.Library(data).symbols)
        # What it shares with others, or links to, may wait for another thread of Python.
        self.always_releases = any(item == NOGIL or item.startswith(LINK_PREFIX) for item in artifact.program.options)
        self.text = self._host.ffi.new("uint64_t[2]")
        self.functions = {item.name: self._symbol(prefix + item.name) for item in artifact.interface.functions}
        # SAFETY: the two prototypes are those of root.zig, from which every library is made.
        self.free = self._host.ffi.cast("void (*)(uint64_t)", self._symbol("o_free"))
        set_panic = self._host.ffi.cast(
            "void (*)(void (*)(const char *, size_t, uintptr_t))", self._symbol("o_set_panic")
        )
        set_panic(self._host.on_panic)
        if self._host.guard.o_guard_text(self.free, self.text) != 0:
            raise ToolchainError(f"{artifact.program.name}: the loaded library cannot be found in memory")
        self._host.guard.o_guard_name(self.text, artifact.program.name.encode("utf-8", "replace"))
        self.may_close = True

    def _symbol(self, name: str) -> Any:
        address = self._host.dlsym(self.handle, name.encode())
        if address == self._host.ffi.NULL:
            raise ToolchainError(f"the library has no {name}: clear the cache with `project-o cache --clear`")
        return address

    def ended(self, name: str, stopped: bool, told: bytes) -> BaseException:  # noqa: FBT001 - called from C
        """The exception for a call of the function ``name`` that gave no result.

        ``told`` is the record of the fault if the guard ``stopped`` it, else the error's own name.
        """
        if not stopped:
            return result_error(self._artifact, name, told.decode("utf-8", "replace"))
        fault = abi.fault_from_bytes(told)
        if fault["kind"] == "interrupted" and fault["message"]:
            return over_time(self._artifact, name, fault, line_offset=self._line_offset)
        if fault["kind"] == "interrupted":
            return KeyboardInterrupt(f"{name} was interrupted")
        if fault["kind"] == "signal":
            self.may_close = False  # what a fault has left behind is not worth running its last code
            self.faulted = True
        return fault_error(self._artifact, name, fault, line_offset=self._line_offset, aftermath=AFRESH)

    def __del__(self) -> None:
        # A running native thread would continue in unmapped memory; such a library stays.
        if getattr(self, "may_close", False):
            self._host.dlclose(self.handle)


class Library:
    """A build that is loaded into this process, and calls into it that end in exceptions instead of crashes.

    After a hardware fault the next call finds the library loaded afresh, because its globals may be torn.
    Raises ToolchainError where the library cannot be loaded.
    """

    def __init__(self, artifact: Artifact, *, line_offset: int = 0) -> None:
        self.artifact = artifact
        self._line_offset = line_offset
        self._entries = {item.name: _Entry(item) for item in artifact.interface.functions}
        self._lock = threading.RLock()  # a collection inside may end the last version of this very library
        self._code: tuple[Loaded, Any] | None = None
        self._fast: dict[str, Any] = {}
        self._limit = int(timeout_seconds(artifact.program) * 1e9)
        # A server's library may have many megabytes, in a file of its own that nobody writes or loads again: it is
        # mapped as it is. One of the cache has some kilobytes, and may be gone from there the next time.
        self._lasts = remembered(artifact.path) is not None
        try:
            self._data = _mapped(artifact.path) if self._lasts else Path(artifact.path).read_bytes()
        except OSError as error:
            raise ToolchainError(
                f"{artifact.program.name}: its build is gone from the cache ({error.strerror}): run the cell again"
            ) from None
        self._loaded: Loaded | None = self._opened()

    def _opened(self) -> Loaded:
        handle = opened_file(self.artifact) if self._lasts else None
        self._lasts = False  # after a fault it is loaded afresh, and that path is known
        return Loaded(self.artifact, self._data, self._line_offset, handle=handle)

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call a function; arrays are passed without a copy and stay alive until it returns.

        Raises InterfaceError for arguments that do not fit, NativeResultError for an error it returns, NativePanic,
        NativeFault, and KeyboardInterrupt.
        """
        entry = self._entries.get(name)
        if entry is None:
            known = ", ".join(self._entries)
            raise InterfaceError(f"{self.artifact.program.name} has no function {name}: there are {known}")
        keep: list[Any] = []
        return self._run(self._current(), entry, entry.pack(args, lambda array, _writable: placed(array, keep)))

    def entry(self, name: str) -> Any:
        """How the dispatcher calls the function ``name`` of this library, until it is retired; None if it cannot."""
        module, loaded = abi.dispatch.made(), self._loaded
        if module is None or loaded is None or loaded.faulted or loaded.makes_threads or self._limit:
            return None
        with self._lock:
            if self._code is None or self._code[0] is not loaded:
                self._code = loaded, _code(module, loaded)
                self._fast = {}
            if name not in self._fast:
                self._fast[name] = _dispatched(module, self._code[1], loaded, self._entries[name].function)
            return self._fast[name]

    def retire(self) -> None:
        """No new call finds its way in through the dispatcher. Whoever serves a library retires it at its own end."""
        with self._lock:
            code, self._code, self._fast = self._code, None, {}
        if code is not None:
            code[1].retire()

    def _torn(self, loaded: Loaded) -> None:
        """What is loaded met a hardware fault: nobody calls it again."""
        self.retire()

    def __del__(self) -> None:
        if (code := getattr(self, "_code", None)) is not None:
            code[1].retire()

    def _current(self) -> Loaded:
        # One read: a swap by another thread cannot come between the test and the use.
        loaded = self._loaded
        if loaded is not None and not loaded.faulted:
            return loaded
        with self._lock:
            if self._loaded is None or self._loaded.faulted:
                self._loaded = self._opened()
            return self._loaded

    def _run(self, loaded: Loaded, entry: _Entry, cells: list[int]) -> Any:
        shared = host()
        function = entry.function
        args = shared.new_cells(cells or 1)
        ret = shared.new_cells(entry.result_cells)
        record = shared.take_record()
        threads = _thread_count() if loaded.makes_threads else 0
        # SAFETY: the address is that of this function's shim, the cells are laid out by its own description, and
        # ``loaded`` is held by this frame, so that it stays mapped until the call is over.
        status = shared.call(loaded.functions[function.name], args, ret, record, loaded.text, self._limit)
        if loaded.makes_threads and _thread_count() > threads:
            loaded.may_close = False
        if status == abi.STATUS_STOPPED:
            fault = bytes(shared.ffi.buffer(record))
            shared.give_record(record)
            error = loaded.ended(function.name, True, fault)
            if loaded.faulted:
                self._torn(loaded)
            raise error
        shared.give_record(record)
        if status in abi.STATUS_ERRORS:
            raise loaded.ended(function.name, False, _copy(ret[0], ret[1]))
        try:
            return abi.unpack(function, ret, _copy)
        finally:
            handle = ret[entry.handle_cell]
            if handle:
                loaded.free(handle)


def _code(module: Any, loaded: Loaded) -> Any:
    shared = host()
    # SAFETY: the function of a module that is never unloaded, with the guard's own prototype.
    shared.guard.o_guard_on_long(shared.ffi.cast("void (*)(const struct o_fault *)", module.let_go()))
    # SAFETY: the addresses are those of the guard, which is never closed, and of a library that its keeper keeps.
    return module.Code(loaded, shared.guard_address, shared.address_of(loaded.free), *loaded.text)


def _dispatched(module: Any, code: Any, loaded: Loaded, function: NativeFunction) -> Any:
    plan = abi.plan(function)
    if plan is None:
        return None
    address = host().address_of(loaded.functions[function.name])
    # SAFETY: as above; the plan is made from the function's own description.
    return module.Entry(
        code, function.name, address, plan.parameters, plan.results, plan.make, plan.handle_cell,
        loaded.always_releases, plan.arrays,
    )  # fmt: skip


def load(artifact: Artifact, *, line_offset: int = 0) -> Library:
    """Load a build into this process. Raises ToolchainError."""
    return Library(artifact, line_offset=line_offset)


def _mapped(path: str) -> bytes | mmap:
    with open(path, "rb") as file:
        return mmap(file.fileno(), 0, access=ACCESS_READ)


class _Entry:
    """A function, and what each of its calls needs."""

    __slots__ = ("converters", "function", "handle_cell", "result_cells")

    def __init__(self, function: NativeFunction) -> None:
        self.function = function
        self.converters: tuple[abi.Converter, ...] | None = None
        self.result_cells = abi.result_cells(function)
        self.handle_cell = abi.handle_cell(function)

    def pack(self, args: Sequence[Any], place: abi.Place) -> list[int]:
        if self.converters is None:
            self.converters = abi.converters(self.function)
        return abi.pack_with(self.converters, self.function, args, place)


def placed(array: Any, keep: list[Any]) -> int:
    """The address of an array, which ``keep`` keeps alive."""
    shared = host()
    keep.append(array)
    if not array.flags.c_contiguous:
        return int(array.__array_interface__["data"][0])
    # SAFETY: only the address is taken; ``keep`` holds the array until the call has returned.
    return int(shared.cast(shared.address_type, shared.from_buffer(array)))


def _copy(address: int, size: int) -> bytes:
    shared = host()
    # SAFETY: the shim says that this many bytes are there, and the call's memory is released only afterwards.
    return bytes(shared.ffi.buffer(shared.ffi.cast("char *", address), size))


def _thread_count() -> int:
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - on the path of a call
    except OSError:
        return 0
