"""The dispatcher: one C file, compiled once for each Python and numpy, that makes calls without Python code.

A wheel for one Python and one machine brings it compiled (``make wheel``). Else it needs the headers of the running
interpreter (``Python.h``; numpy brings its own), and a C compiler: the one that CC names, ``cc``, ``gcc`` or ``clang``,
else the pinned Zig's ``zig cc``. It is compiled in the background while the first cell is, and kept in the cache. Where
it cannot be made every call goes through cffi, with the same results and messages; ``status`` says which way calls go,
and why. ``PROJECT_O_DISPATCHER=off`` asks for cffi.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
import threading
from dataclasses import dataclass
from importlib import machinery, metadata, util
from pathlib import Path
from types import ModuleType

from .. import abi
from ..config import setting
from ..errors import ToolchainError, ToolchainMissing
from . import cache
from . import dispatcher_source as source
from .compiler import Job, build_folder, run
from .places import locate
from .sources import machine_facts

_LAST_WORDS_CHARACTERS = 500
_PORTABLE = "calls go through cffi"


@dataclass(frozen=True, slots=True)
class Status:
    """Whether the dispatcher is there, and in words: how it was made, or why it is not."""

    made: bool
    how: str
    todo: str = ""


class _Dispatcher:
    """The one dispatcher of this process, from the wish to have it to the module in ``abi.dispatch``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._wanted: bool | None = None
        self._passed_over = ""
        self.status = Status(False, f"not made yet: {_PORTABLE}")

    def prepare(self) -> None:
        """Load it if a wheel brought it or the cache has it, else begin to compile it in the background.

        Cheap when done before.

        Raises UsageError for a setting that cannot be meant.
        """
        if self._wanted is None:
            self._wanted = bool(setting("dispatcher").value)
        with self._lock:
            if self._thread is not None or not self._wanted:
                return
            # No daemon: a script that ends sooner waits for it, once, and the next one finds it in the cache.
            self._thread = threading.Thread(target=self._make, name="project-o-dispatcher")
            if self._load_shipped():
                return
            entry = self._cached()
            if entry is not None:
                self._load(entry, "from the cache")
            elif self._can_compile():
                self.status = Status(False, f"being compiled: {_PORTABLE} until then")
                self._thread.start()

    def allow(self, wanted: bool) -> None:  # noqa: FBT001 - the one thing it says
        """Whether calls may go through the dispatcher; takes effect with the next call."""
        self._wanted = wanted
        if (module := abi.dispatch.made()) is not None:
            module.enable(wanted)

    def wait(self, seconds: float) -> Status:
        """The status, once the compilation has ended or the time is up."""
        self.prepare()
        if self._thread is not None and self._thread.ident is not None:
            self._thread.join(seconds)
        return self.told()

    def told(self) -> Status:
        """The status as it is now."""
        if self._wanted is False:
            return Status(False, f"off (PROJECT_O_DISPATCHER, %config ProjectO.dispatcher): {_PORTABLE}")
        if self._passed_over:
            return Status(self.status.made, f"{self.status.how} ({self._passed_over})", self.status.todo)
        return self.status

    # ------------------------------------------------------------------ making it

    def _can_compile(self) -> bool:
        """Where it cannot be made, that is the status."""
        missing = _obstacle()
        if missing is not None:
            self.status = missing
        return missing is None

    def _cached(self) -> cache.Entry | None:
        return None if _obstacle(headers=False) is not None else cache.find(_key())

    def _make(self) -> None:
        try:
            compiler = _compiler()
            entry = cache.publish(_key(), _compile(compiler), {"dispatcher": True})
            self._load(entry, f"compiled by {Path(compiler[0]).name}")
        except ToolchainError as error:
            self.status = Status(False, f"{error}: {_PORTABLE}", "see the message; cells work all the same")

    def _load_shipped(self) -> bool:
        """Whether the one that a wheel brought serves. It needs no compiler and no headers."""
        path, self._passed_over = source.shipped()
        if path is None:
            return False
        try:
            module = _imported(str(path))
            # Of a numpy that is not imported yet the version has to do: importing it takes longer than most cells.
            if "numpy" in sys.modules:
                module.load_numpy()
        except (ImportError, RuntimeError, SystemError) as error:
            self._passed_over = f"that of the wheel does not load: {error}"
            return False
        self._serve(module, "from the wheel")
        return True

    def _load(self, entry: cache.Entry, how: str) -> None:
        try:
            module = _imported(str(entry.library))
        except ImportError as error:
            self.status = Status(False, f"it does not load ({error}): {_PORTABLE}", "`project-o cache --clear`")
            return
        self._serve(module, how)

    def _serve(self, module: ModuleType, how: str) -> None:
        module.enable(self._wanted is not False)
        abi.dispatch.put(module)
        self.status = Status(True, how)


def _obstacle(*, headers: bool = True) -> Status | None:
    """Why there can be no dispatcher here; None where there can."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return Status(False, f"it is written for CPython with its lock: {_PORTABLE}")
    if headers and source.python_headers() is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return Status(
            False,
            f"this Python has no Python.h: {_PORTABLE}",
            f"install its headers (python{version}-dev or python3-devel), and calls take a tenth of the time",
        )
    if source.numpy_headers() is None:
        return Status(False, f"this numpy has no headers: {_PORTABLE}", "install numpy from its wheel")
    return None


def _key() -> str:
    facts = (sys.version, sysconfig.get_config_var("EXT_SUFFIX") or "", metadata.version("numpy"), *machine_facts())
    return hashlib.sha256("\0".join((source.digest(), *facts)).encode()).hexdigest()


def _compiler() -> tuple[str, ...]:
    """The start of a command line. Raises ToolchainMissing."""
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        if name and (path := shutil.which(name)) is not None:
            return (path,)
    try:
        return (str(locate()), "cc")
    except ToolchainMissing as missing:
        raise ToolchainMissing(f"there is no C compiler, and {missing}") from None


def _compile(compiler: tuple[str, ...]) -> bytes:
    python, numpy = source.python_headers(), source.numpy_headers()
    assert python is not None, "asked for before"
    assert numpy is not None, "asked for before"
    folder = build_folder()
    try:
        for name in source.FILES:
            (folder / name).write_text(source.text(name), "utf-8")
        command = source.command(compiler, python, numpy, "dispatch.so")
        # A compiler may be a script; the Zig one keeps its own cache.
        environment = {
            "ZIG_GLOBAL_CACHE_DIR": str(cache.compiler_cache()),
            "ZIG_LOCAL_CACHE_DIR": str(folder / "cache"),
        }
        finished = run(Job(command, folder, environment))
        if finished.code != 0:
            words = finished.errors.strip()[-_LAST_WORDS_CHARACTERS:]
            raise ToolchainError(f"the dispatcher does not compile with {compiler[0]} ({words})")
        return (folder / "dispatch.so").read_bytes()
    except OSError as error:
        raise ToolchainError(f"the dispatcher cannot be built ({error})") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _imported(path: str) -> ModuleType:
    """The module. Raises ImportError."""
    loader = machinery.ExtensionFileLoader(source.NAME, path)
    spec = util.spec_from_file_location(source.NAME, path, loader=loader)
    assert spec is not None
    # SAFETY: our own C, compiled for this interpreter and numpy: both are in the key of a cache's entry. A wheel's has
    # the interpreter in its name, is whole and of these very texts by its digests, and fits a range of numpys.
    module = util.module_from_spec(spec)
    loader.exec_module(module)
    return module


_the = _Dispatcher()
prepare, allow, wait, status = _the.prepare, _the.allow, _the.wait, _the.told
