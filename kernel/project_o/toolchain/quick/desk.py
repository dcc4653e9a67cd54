"""The compiler servers of this process, and the thread that talks to them.

``order`` asks for a quick build; its ``result`` is the library, or why there is none: CompileError with the cell's
errors, or ServerTrouble, which says nothing about the cell. Orders are served one after another. A server starts with
the first one, ends after a while without any, and is started anew where it misbehaved or has grown; after repeated
trouble only some time later. It is never the only way: whoever orders builds the other way as well.

One server is enough where all cells have one mode and import nothing. What a server is started with it cannot change:
cells of several kinds, edited in turn, have a few of them.
"""

from __future__ import annotations

import atexit
import itertools
import os
import queue
import shutil
import tempfile
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from ... import limits
from ...errors import ProjectOError, ToolchainError
from .. import cache, elf
from ..build import Names, described, failed
from ..compiler import Finished
from ..places import locate, template
from ..recipe import CELL_PATH, Recipe
from ..server_lines import forget
from ..sources import CELL_FOLDER, HOST_FOLDER, write_file
from .exports import write_mended
from .server import Server, ServerTrouble

FLAGS = ("-fno-llvm", "-fno-lld", "-fincremental")
"""Beside those of the program's mode, so that a text finds itself compiled in the same mode, with the same checks, by
either build: what the compiler's own backend makes in milliseconds."""

_PREFIX = "project-o-quick-"
_ROOT = "quick.zig"


@dataclass(frozen=True, slots=True)
class Built:
    """A quick build: a file of its own, what it says of its interface, its size, and how long the compiler took."""

    path: Path
    description: dict[str, Any]
    size_bytes: int
    seconds: float


class Order:
    """A quick build that somebody waits for."""

    def __init__(self, recipe: Recipe, names: Names) -> None:
        self.recipe, self.names = recipe, names
        self.result: Future[Built] = Future()
        self.wanted = True
        self._abandoned = 0.0

    def discard(self) -> None:
        """The other build was first: this one may come to its end, which makes the server ready, and is removed."""
        self.wanted = False
        self.result.add_done_callback(_discard)

    def abandon(self) -> None:
        """Nobody waits any more, and it may have no end: a little while, and the server is ended."""
        self._abandoned = self._abandoned or time.monotonic()
        self.discard()

    @property
    def abandoned(self) -> bool:
        """Whether it may have no end."""
        return self._abandoned > 0

    def is_over(self) -> bool:
        """Whether that little while is over, too."""
        return self.abandoned and time.monotonic() - self._abandoned > limits.SERVER_GRACE_SECONDS


@dataclass(slots=True)
class _Held:
    """A server, what it was started with, and the files that it has."""

    server: Server
    shape: tuple[str, ...]
    helpers: bool
    written: tuple[tuple[str, str], ...] = ()


def _shape(recipe: Recipe) -> tuple[str, ...]:
    """What a server is started with, and cannot change: the mode, and the programs that came along."""
    return recipe.imports(recipe.flags) or recipe.flags


def _discard(result: Future[Built]) -> None:
    if result.exception() is None:
        forget(result.result().path)


class Desk:
    """See the module."""

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[Order | None] = queue.SimpleQueue()
        self._owner = os.getpid()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._held: list[_Held] = []  # the one that was asked last is the last
        self._asked: _Held | None = None
        self._folder: Path | None = None
        self._numbers = itertools.count()
        self._helpers = False
        self._failures = 0
        self._not_before = 0.0
        self._closed = False

    def order(self, recipe: Recipe, names: Names) -> Order:
        """Ask for a build of this recipe."""
        order = Order(recipe, names)
        with self._lock:
            if self._closed:
                order.result.set_exception(ServerTrouble("this process ends"))
                return order
            self._orders.put(order)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="project-o-quick", daemon=True)
                self._thread.start()
        return order

    @property
    def server(self) -> Server | None:
        """The one that was asked last, where there is one: for those who look after it."""
        there = tuple(self._held)
        return there[-1].server if there else None

    # ------------------------------------------------------------------ the thread

    def _work(self) -> None:
        while True:
            try:
                order = self._orders.get(timeout=limits.SERVER_IDLE_SECONDS)
            except queue.Empty:
                self._end_all()
                continue
            if order is None:
                self._end_all()
                return
            if order.abandoned or (not order.wanted and self._found(order.recipe) is not None):
                order.result.set_exception(ServerTrouble("nobody waits for it"))
                continue
            try:
                self._serve(order)
                self._renew_grown(order)
            finally:  # whatever befalls this thread, nobody waits for ever
                if not order.result.done():
                    order.result.set_exception(ServerTrouble("its thread has ended"))

    def _serve(self, order: Order) -> None:
        try:
            built = self._build(order)
        except ServerTrouble as trouble:
            self._end(self._asked)
            if not order.abandoned:
                self._failures += 1
                self._not_before = time.monotonic() + self._pause()
            order.result.set_exception(trouble)
        except ProjectOError as error:  # of the cell
            self._failures = 0
            order.result.set_exception(error)
        except Exception as error:  # noqa: BLE001 - a full disk, a folder that is gone: this way is closed, the other is open
            self._end(self._asked)
            order.result.set_exception(ServerTrouble(f"{type(error).__name__}: {error}"))
        else:
            self._failures = 0
            order.result.set_result(built)

    def _pause(self) -> float:
        """How long no other server is started: once is nothing, then twice as long each time."""
        if self._failures < 2:
            return 0.0
        return min(limits.SERVER_RESTART_SECONDS_MAX, float(2 ** (self._failures - 2)))

    def _build(self, order: Order) -> Built:
        began = time.monotonic()
        self._asked = None
        while True:
            held = self._asked = self._chosen(order.recipe)
            self._write(held, order.recipe)
            most = limits.SERVER_UPDATE_SECONDS if held.server.updates else limits.SERVER_START_SECONDS
            errors, library = held.server.update(most, order.is_over)
            if library is None:
                raise self._error(order, errors, time.monotonic() - began)
            with open(library, "rb") as file:
                # Written in place by the next update, which is this thread's to ask for.
                data = mmap(file.fileno(), 0, access=ACCESS_READ)
            image = elf.Library(data)
            if held.helpers or not elf.missing_helpers(image):
                break
            # The compiler's own runtime is linked in from now on: it makes every library some times larger.
            self._helpers = True
            self._end(held)
        description = described(image, order.recipe, order.names, "zig")
        path = self._home() / f"{next(self._numbers)}.so"
        write_mended(path, library, data, [item["name"] for item in description["functions"]])
        return Built(path, description, len(data), time.monotonic() - began)

    def _found(self, recipe: Recipe) -> _Held | None:
        shape = _shape(recipe)
        return next((held for held in self._held if held.shape == shape), None)

    def _chosen(self, recipe: Recipe) -> _Held:
        held = self._found(recipe)
        if held is None:
            for oldest in self._held[: max(0, len(self._held) - limits.SERVERS_MAX + 1)]:
                self._end(oldest)
            held = _Held(self._begin(recipe), _shape(recipe), self._helpers)
        else:
            self._held.remove(held)
        self._held.append(held)
        return held

    def _error(self, order: Order, errors: str, seconds: float) -> Exception:
        """What the cell's author can mend; anything else is our own trouble."""
        error = failed(Finished(1, errors, seconds), order.recipe, order.names)
        found = getattr(error, "diagnostics", ())
        if any(item.line for item in found):
            return error
        return ServerTrouble(f"an error that is not the cell's: {error}")

    def _begin(self, recipe: Recipe) -> Server:
        if time.monotonic() < self._not_before:
            raise ServerTrouble("it has failed several times, and is tried again later")
        try:
            zig = locate()
        except ToolchainError as error:
            raise ServerTrouble(str(error)) from None
        folder = self._home() / f"server-{next(self._numbers)}"
        folder.mkdir()
        ours = (*recipe.flags, *FLAGS)
        # fmt: off
        command = (
            str(zig), "build-lib", "-dynamic", "--name", "cell", "--color", "off", "--listen=-", "-lc",
            "-fno-ubsan-rt", "-fcompiler-rt" if self._helpers else "-fno-compiler-rt",
            "--cache-dir", "cache", "--global-cache-dir", str(cache.compiler_cache()),
            *ours, "--dep", "cell", f"-Mroot={HOST_FOLDER}/{_ROOT}",
            *ours, *recipe.needs(), f"-Mcell={CELL_PATH}",
            *ours, f"-Mo={HOST_FOLDER}/o.zig",
            *recipe.imports(ours),
        )
        # fmt: on
        return Server(command, folder, self._home())

    def _write(self, held: _Held, recipe: Recipe) -> None:
        """Put the program's files in place, each as a new file: the compiler looks at sizes, times and numbers."""
        server = held.server
        if not server.updates:
            recipe.write(server.folder)
            write_file(server.folder / HOST_FOLDER / _ROOT, template(_ROOT))
            held.written = recipe.files
            return
        before, wanted = dict(held.written), dict(recipe.files)
        for name in before.keys() - wanted.keys():
            (server.folder / name).unlink()
        for name, text in wanted.items():
            if before.get(name) != text:
                fresh = server.folder / f"{CELL_FOLDER}.{next(self._numbers)}"
                write_file(fresh, text)
                (server.folder / name).parent.mkdir(parents=True, exist_ok=True)
                fresh.replace(server.folder / name)
        held.written = recipe.files

    def _renew_grown(self, order: Order) -> None:
        """A server that has grown ends; a new one is made ready with the same text, while nobody waits."""
        held = self._asked
        if held is None or held not in self._held:
            return
        server = held.server
        if server.resident_bytes < limits.SERVER_RESIDENT_BYTES_MAX and server.updates < limits.SERVER_UPDATES_MAX:
            return
        self._end(held)
        again = Order(order.recipe, order.names)
        self._serve(again)
        _discard(again.result)

    def _end(self, held: _Held | None) -> None:
        if held is not None and held in self._held:
            self._held.remove(held)
            held.server.close()
            shutil.rmtree(held.server.folder, ignore_errors=True)

    def _end_all(self) -> None:
        for held in tuple(self._held):
            self._end(held)

    def _home(self) -> Path:
        if self._folder is None or not self._folder.is_dir():
            self._folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        return self._folder

    # ------------------------------------------------------------------ the end

    def close(self) -> None:
        """End the servers and remove everything; orders after this are refused."""
        with self._lock:
            self._closed = True
            thread, there = self._thread, tuple(self._held)
            self._orders.put(None)
        for held in there:
            held.server.kill()  # wakes the thread, which may be waiting for an answer
        if thread is not None:
            thread.join(limits.SERVER_GRACE_SECONDS)
        for held in tuple(self._held):
            held.server.kill()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def forget(self) -> None:
        """In a forked copy of this process."""
        for held in self._held:
            held.server.forget()


_desk = Desk()


def desk() -> Desk:
    """The desk of this process."""
    return _desk


@atexit.register
def _close() -> None:
    if _desk._owner == os.getpid():
        _desk.close()


def _after_fork() -> None:
    global _desk
    with suppress(OSError):
        _desk.forget()
    _desk = Desk()


os.register_at_fork(after_in_child=_after_fork)
