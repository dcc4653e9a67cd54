"""A module in this process: a build, the context it works on, and how another build takes that over."""

from __future__ import annotations

import struct
import sys
from collections.abc import Sequence
from mmap import mmap
from typing import Any

from ... import abi, limits
from ...errors import DeployError, NativeFault
from ..faults import AFRESH, fault_error
from ..load import Library, Loaded, placed
from .build import Built
from .turns import Turns

_VERSION = struct.Struct("<III4xQ")
_mapped: dict[str, Any] = {}
"""The handles of builds that can never be unmapped, by their keys: one that comes back is not mapped again."""


class _Opened(Loaded):
    """One dlopen of a module, and its context: ``begin`` makes one, or that of another build is put into it."""

    def __init__(self, built: Built, data: bytes | mmap) -> None:
        self.built = built
        self.context = 0
        self.before: tuple[_Opened, ...] = ()
        stays = built.manifest.language == "rust"
        super().__init__(built.artifact, data, prefix=built.prefix, handle=_mapped.get(built.artifact.key))
        if stays:
            self.may_close = False
            _mapped[built.artifact.key] = self.handle

    def says(self, function: str) -> str:
        """What a function of the ABI says that gives a text and looks at no context."""
        ffi = self._host.ffi
        # SAFETY: a prototype of native/abi/o.h; the text is a constant of the library or of this thread.
        said = ffi.cast("const char *(*)(void *)", self._symbol(function))(ffi.NULL)
        return str(ffi.string(said).decode("utf-8", "replace"))

    def version(self) -> tuple[str, str]:
        """The version and the git hash, as o_get_version_struct has them."""
        ffi = self._host.ffi
        # SAFETY: as above; the struct is a constant of the library.
        found = ffi.cast("char *(*)(void)", self._symbol("o_get_version_struct"))()
        major, minor, patch, address = _VERSION.unpack(ffi.buffer(found, _VERSION.size))
        hash_ = ffi.string(ffi.cast("char *", address)).decode("ascii", "replace")
        return f"{major}.{minor}.{patch}", str(hash_)

    def can_reload(self) -> bool:
        """Whether this build hands its state over, and takes one over."""
        # SAFETY: as above.
        return bool(self._host.ffi.cast("int32_t (*)(void)", self._symbol("o_can_reload"))())

    def begin(self) -> None:
        """Make a context. Raises NativePanic, NativeFault, DeployError."""
        place = self._host.ffi.new("void **")
        status = self._guarded("o_init", place)
        if status != 0:
            raise DeployError(f"{self.built.manifest.name} could not make its state: {self._why(status)}")
        # SAFETY: an address as a number, which native code only gets back.
        self.context = int(self._host.ffi.cast("uintptr_t", place[0]))

    def take_over(self, other: _Opened) -> None:
        """Take the context of another build; its code stays mapped where the state may point into it.

        Raises NativePanic, NativeFault, DeployError where the module's own hook does not do it.
        """
        # SAFETY: the context of a build with the same layout, and no call is under way.
        status = self._guarded("o_reload", self._host.ffi.cast("void *", other.context))
        if status != 0:
            raise DeployError(f"{self.built.manifest.name} does not take the state over: {self._why(status)}")
        self.context, other.context = other.context, 0
        if '"pointers":true' in self.built.layout and other.may_close:
            self.before = (*other.before, other)
            other.before = ()

    def _why(self, status: int) -> str:
        return self.says("o_get_last_error") or f"status {status}"

    def _guarded(self, function: str, argument: Any) -> int:
        """Call a function of the ABI that takes one pointer."""
        shared = self._host
        record = shared.take_record()
        # SAFETY: int32_t (*)(void *) by native/abi/o.h. The guard passes a second pointer, which in the calling
        # conventions that it is written for is a register nobody looks at.
        status = shared.call(
            self._symbol(function),
            shared.ffi.cast("uint64_t *", argument),
            shared.new_cells(abi.ERROR_RESULT_CELLS),
            record,
            self.text,
        )
        fault = abi.fault_from_bytes(bytes(shared.ffi.buffer(record))) if status == abi.STATUS_STOPPED else None
        shared.give_record(record)
        if fault is None:
            return status
        if fault["kind"] == "interrupted":
            raise KeyboardInterrupt(f"{function} of {self.built.manifest.name} was interrupted")
        raise fault_error(self.built.artifact, function, fault, aftermath=AFRESH)

    def __del__(self) -> None:
        context, self.context = getattr(self, "context", 0), 0
        try:
            if context and not sys.is_finalizing():
                # SAFETY: this build's own context, given back once, by its last user.
                self._guarded("o_shutdown", self._host.ffi.cast("void *", context))
        finally:
            super().__del__()


class Module(Library):
    """A build of a module as it serves. Safe to use from several threads.

    A function that changes the state has it for itself, functions that look at it share it, all others need no turn.
    After a hardware fault the next call finds the library loaded afresh, with a new state.
    """

    def __init__(self, built: Built, before: Module | None = None) -> None:
        """Load a build. With ``before`` it takes the state of that one over, which from then on passes calls on.

        Raises ToolchainError, NativePanic and NativeFault out of the module's own code, and DeployError where the state
        is not handed over: then ``before`` serves on as if nothing had happened.
        """
        self.built = built
        self._turns: Turns = before._turns if before else Turns()
        self._before = before
        self._successor: Module | None = None
        self._unloaded = ""
        super().__init__(built.artifact)
        if before is not None:
            self._take_over(before)
        self._before = None

    def _opened(self) -> _Opened:
        opened = _Opened(self.built, self._data)
        if self._before is None:
            opened.begin()
        return opened

    def _take_over(self, before: Module) -> None:
        name = self.built.manifest.name
        if not self._turns.change(limits.MODULE_TURN_SECONDS):
            raise DeployError(
                f"{name} is in a call for more than {limits.MODULE_TURN_SECONDS:.0f} s: interrupt it, or wait for it"
            )
        try:
            mine, other = self._current(), before._current()
            if self.built.layout and before.built.layout:
                if not (mine.can_reload() and other.can_reload()):
                    raise DeployError(
                        f"{name} does not hand its state over: hot_reload is not true in both builds. "
                        f"`%o reload {name} --fresh` begins with a new one"
                    )
                try:
                    mine.take_over(other)
                except NativeFault:
                    before._forget(other)
                    raise
            else:
                mine.begin()
            before._successor = self
        finally:
            self._turns.changed()

    def replace(self, other: Module) -> None:
        """Pass the calls that still come to ``other`` on to this one, which has a state of its own."""
        other._successor = self

    def close(self, words: str) -> None:
        """End it: calls raise DeployError with these words. The library goes when the calls under way have returned."""
        self._unloaded = words
        with self._lock:
            self._loaded = None

    @property
    def version(self) -> str:
        """As the library itself says it."""
        return self._current().version()[0]

    @property
    def git_hash(self) -> str:
        """As the library itself says it."""
        return self._current().version()[1]

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call a function; see ``Library.call``. Raises DeployError after the module was unloaded."""
        use, entry = self.built.uses.get(name), self._entries.get(name)
        if use is None or entry is None:
            return super().call(name, args)
        keep: list[Any] = []
        cells = entry.pack(args, lambda array, _writable: placed(array, keep))
        with self._turns.looking if use == "looks" else self._turns.changing:
            if self._successor is None:
                opened = self._current()
                return self._run(opened, entry, [opened.context, *cells])
        return self._successor.call(name, args)

    def entry(self, name: str) -> None:
        """None: a call may need its turn, its state, or another build, of which the dispatcher knows nothing."""

    def _current(self) -> _Opened:
        if self._unloaded:
            raise DeployError(self._unloaded)
        opened = super()._current()
        assert isinstance(opened, _Opened)
        return opened

    def _torn(self, loaded: Loaded) -> None:
        if isinstance(loaded, _Opened):
            self._forget(loaded)
        super()._torn(loaded)

    def _forget(self, opened: _Opened) -> None:
        """The state may be torn: it is left where it is, and the next call makes another one."""
        opened.context, opened.may_close = 0, False
        _mapped.pop(self.built.artifact.key, None)
        with self._lock:
            if self._loaded is opened:
                self._loaded = None
