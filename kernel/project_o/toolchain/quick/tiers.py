"""A cell's own text -> the version that serves it at once, and the optimised one that takes its place.

The quick build begins at once, the optimised one when that may have answered a first call; the one that is there first
serves. Where that is the quick one, the optimised build takes its place between two calls, as soon as it is there, its
trial on the calls seen so far passed, and it answered them as the quick one did. Where it did not, the quick build goes
on serving, and says so.

A text that keeps something between calls is never served by a build that will be replaced: of it
the quick build is asked for errors only.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
import warnings
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ... import limits
from ...abi import copied, interface_from_json
from ...errors import NativeError, SandboxError, ToolchainError
from ...values import Artifact, NativeFunction, Program
from .. import cache, underway
from ..build import TOOLCHAIN, Names, build, found, named, quick_rust, recipe_of
from ..compiler import Runner
from ..guard import guard_path
from ..halves import apart
from ..recipe import Recipe
from ..rust.recipe import RustRecipe
from ..server_lines import Functions, forget, remember
from ..version import Version, asked
from .agreement import difference
from .desk import FLAGS, Built, desk
from .later import Later
from .server import ServerTrouble

if TYPE_CHECKING:
    from ...sandbox import Answer, Early, Sandbox


@dataclass(frozen=True, slots=True)
class Text:
    """What only the text of a cell knows: see ``build.Names`` and ``server_lines.Functions``; why it may keep something
    between two calls, "" where it does not. The first is asked for where there is something to compile, the last two
    while the compiler is at work.
    """

    names: Callable[[], Names]
    functions: Callable[[], Functions]
    keeps: Callable[[], str]


@dataclass(frozen=True, slots=True)
class How:
    """How the versions of a cell serve, whichever build they are of."""

    box: Sandbox | None
    isolate: bool
    trial: bool

    def version(self, artifact: Artifact, early: Future[Early | None] | None = None) -> Version:
        """The build as it serves for good."""
        return Version(artifact, box=self.box, isolate=self.isolate, trial=self.trial, early=early)

    def early(self) -> Early | None:
        """A process for the first trial, made while the compiler is at work; None where none is wanted or to be had."""
        if self.box is None or self.isolate or not self.trial:
            return None
        try:
            return self.box.early(guard_path())
        except SandboxError:
            return None

    def early_soon(self) -> Future[Early | None]:
        """The same, made by another thread: in a notebook it is the next cell that asks for it."""
        soon: Future[Early | None] = Future()

        def make() -> None:
            try:
                soon.set_result(self.early())
            except BaseException as error:  # noqa: BLE001 - told to whoever asks for the result
                soon.set_exception(error)

        threading.Thread(target=make, name="project-o-early", daemon=True).start()
        return soon


def open_cell(program: Program, text: Text, how: How) -> Version:
    """The version that serves a cell's own text: of the build that is in the cache, else of the one that is there
    first.

    Raises CompileError, ToolchainMissing, ToolchainError, UsageError, KeyboardInterrupt.
    """
    known = found(program, text.names)
    if known is not None:
        return how.version(known)
    names = text.names()
    wanted = recipe_of(program, lines=False)
    if wanted.libraries or getattr(wanted, "crates", ()):  # what a compiler is started with, or has to fetch
        return how.version(build(program, names=names))
    quick = _Zig(wanted, names) if isinstance(wanted, Recipe) else _Rust(program, names)
    early, later, kept, called = how.early_soon(), None, Future[str](), threading.Event()
    try:
        later = _begun(program, wanted, names, kept, early, quick.result, called)
        functions, keeps = text.functions(), text.keeps()
        kept.set_result(keeps)
        optimised = _first(quick.result, later.result, keeps)
    except BaseException:
        quick.abandon()
        if later is not None:
            _stop(wanted.key, later)
        if not kept.done():
            kept.set_result("nobody knows")
        early.add_done_callback(_close_early)
        raise
    if optimised is not None:
        quick.discard()
        return how.version(optimised, early)
    return QuickVersion(quick.artifact(program, names, functions), later, how, early, called)


class _Zig:
    """A quick build by the compiler server."""

    def __init__(self, wanted: Recipe, names: Names) -> None:
        self._wanted = wanted = replace(wanted, lines=True)
        self._order = desk().order(wanted, names)
        self.result: Future[Any] = self._order.result
        self.discard, self.abandon = self._order.discard, self._order.abandon

    def artifact(self, program: Program, names: Names, functions: Functions) -> Artifact:
        """The build as others know it."""
        built: Built = self.result.result()
        remember(built.path, functions)
        return Artifact(
            program=program,
            key=hashlib.sha256(f"quick\0{self._wanted.key}".encode()).hexdigest(),
            path=str(built.path),
            interface=named(interface_from_json(built.description), names, self._wanted.line_offset),
            toolchain=TOOLCHAIN,
            flags=(*FLAGS, *self._wanted.shown_flags),
            size_bytes=built.size_bytes,
            seconds=built.seconds,
            cached=False,
        )


class _Rust:
    """A quick build by a compiler of its own, without optimisation."""

    def __init__(self, program: Program, names: Names) -> None:
        later = Later(lambda runner: quick_rust(program, names, runner))
        self.result: Future[Any] = later.result
        self.discard = self.abandon = later.stop

    def artifact(self, _program: Program, _names: Names, _functions: Functions) -> Artifact:
        """The build."""
        built: Artifact = self.result.result()
        return built


def _first(quick: Future[Any], optimised: Future[Artifact], keeps: str) -> Artifact | None:
    """The optimised build where it is there first, or has to serve; None where the quick one serves.

    The cell's own errors count, whichever way found them first.
    """
    waiting: set[Future[Any]] = {quick, optimised}
    while True:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        if optimised in done:
            error = optimised.exception()
            if error is None or not waiting or not _is_ours(error):
                return optimised.result()
        if quick in done:
            error = quick.exception()
            if error is None and (not keeps or not waiting):
                return None
            if error is not None and not _is_ours(error):
                raise error
            if not waiting:
                return optimised.result()


def _is_ours(error: BaseException) -> bool:
    """Whether a build failed for a reason that the other way of building need not share."""
    return type(error) in (ToolchainError, ServerTrouble)


# ------------------------------------------------------------------------------- the optimised build

_lock = threading.Lock()
_latest: dict[str, tuple[str, Later]] = {}
"""By the program's name: the key and the build that was begun last."""


def _close_early(made: Future[Early | None]) -> None:
    if made.exception() is None and (early := made.result()) is not None:
        early.close()


def _begun(
    program: Program,
    wanted: Recipe | RustRecipe,
    names: Names,
    keeps: Future[str],
    first: Future[Any],
    quick: Future[Any],
    called: threading.Event,
) -> Later:
    """The optimised build of this text, under way once ``first`` is done, and a first call of the quick build: what
    optimises takes a whole processor. That of an earlier text of the same name is no longer wanted.
    """
    key = wanted.key

    def make(runner: Runner) -> Artifact:
        wait({first})
        if not keeps.result():  # else it is waited for itself
            _give_way(quick, called)
        two = isinstance(wanted, Recipe) and bool(apart(wanted).apart) and not keeps.result()
        return build(program, names=names, runner=runner, halves=quick if two else None, lines=False)

    with _lock:
        before = _latest.get(program.name)
        if before is not None and before[0] == key and not before[1].result.done():
            return before[1]
        if before is not None:
            _stop(*before)
        later = Later(make)
        _latest[program.name] = (key, later)
        return later


def _give_way(quick: Future[Any], called: threading.Event) -> None:
    """Return once a call of the quick build, which is due as soon as that is there, was tried and its answer shown;
    soon enough where that takes long, or nobody calls.
    """
    if wait({quick}, limits.OPTIMISED_WAITS_SECONDS_MAX).done and quick.exception() is None:
        called.wait(limits.CALLED_WAITS_SECONDS_MAX)
        time.sleep(limits.OPTIMISED_PAUSE_SECONDS)


def _after_fork() -> None:
    """What is under way is the parent's."""
    global _lock
    _lock = threading.Lock()
    _latest.clear()


os.register_at_fork(after_in_child=_after_fork)


def _stop(key: str, later: Later) -> None:
    if not underway.needed(key):
        later.stop()


class QuickVersion(Version):
    """A quick build as it serves, until ``then`` hands on the optimised one."""

    def __init__(
        self, artifact: Artifact, later: Later, how: How, early: Future[Early | None], called: threading.Event
    ) -> None:
        """``called`` is set when a first call has ended, however it did."""
        super().__init__(artifact, box=how.box, isolate=how.isolate, trial=how.trial, early=early)
        self._later, self._how, self._called = later, how, called
        self._seen: dict[str, tuple[tuple[Any, ...], Answer]] = {}
        self._refusal = ""
        self._early_again: Early | None = None
        if artifact.program.language == "zig":  # all that is left of these files goes with the server
            weakref.finalize(self, _remove, Path(artifact.path), os.getpid()).atexit = False

    @property
    def tier(self) -> str:
        """Which build this is, and why it serves."""
        return f"quick: {self._refusal}" if self._refusal else "quick, until the optimised one is there"

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """As any version; the dispatcher's later calls do not come here."""
        try:
            return super().call(name, args)
        finally:
            self._called.set()

    def witness(self, function: NativeFunction, args: Sequence[Any], answer: Answer) -> None:
        """Remember a call that was tried, for the optimised build to answer."""
        try:
            self._seen[function.name] = (copied(args, [limits.QUICK_COMPARED_BYTES_MAX]), answer)
        except (TypeError, ValueError, RecursionError):
            return  # the optimised build is not asked it

    def then(self, take: Callable[[Version], bool]) -> None:
        """Call ``take`` with the optimised version, in another thread, once it may serve in place of this one."""
        from ...sandbox.afterwards import afterwards

        afterwards(limits.EARLY_AGAIN_SECONDS, self._prepare)
        if self._later.result.done():  # then this very thread would be the one that is called back
            threading.Thread(target=self._hand_on, args=(take,), name="project-o-then", daemon=True).start()
        else:  # in that build's own thread, which this cell began
            self._later.result.add_done_callback(lambda _built: self._hand_on(take))

    def _prepare(self) -> None:
        """While the other compiler is at work: a process in which its build will be asked."""
        if self._seen and not self._later.result.done():
            self._early_again = self._how.early()

    def _hand_on(self, take: Callable[[Version], bool]) -> None:
        try:
            better = self._how.version(self._later.result.result())
            self._refusal = self._objection(better)
            if not self._refusal:
                take(better)
        except Exception as error:  # noqa: BLE001 - the end of a thread: what went wrong is told below
            self._refusal = f"the optimised build failed ({error})"
        if self._refusal and not self._later.stopped:
            # A notebook shows it below the cell that began this thread.
            name = self.artifact.program.name
            said = f"{name} goes on with its build that is not optimised: {self._refusal}"
            warnings.warn_explicit(said, UserWarning, "cell", 1)

    def _objection(self, better: Version) -> str:
        """Why the optimised build may not take this one's place; "" where it may."""
        if better.artifact.interface != self.artifact.interface:
            return "the optimised build offers other functions"
        for name, (args, answer) in tuple(self._seen.items()):
            function = self._functions[name]
            given = self._asked(better.artifact, function, args)
            if given is None:
                continue  # nothing is known, as of a first call that cannot be tried
            try:
                if not better.passed(function, given):
                    continue
            except NativeError as error:
                return f"the optimised build fails where this one did not ({error})"
            text = difference(function, answer, given)
            if not text:
                cache.mark_tried(better.artifact.key, name)
                continue
            again = self._asked(self.artifact, function, args)
            if again is not None and not difference(function, answer, again):
                return f"the optimised build answers differently: {name} {text}"
            # It does not answer itself alike: it looks at a clock, say.
        if self._library is not None:
            better.open()
        return ""

    def _asked(self, artifact: Artifact, function: NativeFunction, args: Sequence[Any]) -> Answer | None:
        """The answer of a build in the sandbox; None where it cannot be asked."""
        if self._how.box is None:
            return None
        early, self._early_again = self._early_again, None
        return asked(self._how.box, early, artifact, function.name, args)


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked copy of this process has versions too, and the files are not its own
        forget(path)
