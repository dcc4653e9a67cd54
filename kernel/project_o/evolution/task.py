"""What is evolved and what it takes: the seams to the compiler, the sandbox and the user's evaluator."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from .. import limits
from ..errors import EvolutionError, SandboxError
from ..languages import Tools, tools_for
from ..languages.covered import Covering
from ..languages.tried import Trying
from ..languages.typed import TypedModule
from ..values import Artifact, NativeFunction, Program
from .kept import Counterexamples
from .scenario import Scenario
from .seal import Seal

if TYPE_CHECKING:
    import numpy as np

    from ..sandbox import Answers, Asking
    from .executors import Parcel
    from .foreign import ForeignTask

TIME = "time"
SCORE = "score"

Evaluator = Callable[[Any], Mapping[str, float]]


class Answer(Protocol):
    """What a job says to one question; see ``sandbox``."""

    @property
    def ok(self) -> bool:
        """The function returned a value."""

    @property
    def value(self) -> Any:
        """What it returned."""

    @property
    def ended(self) -> str:
        """How the process ended, or "" while it lives."""

    @property
    def error(self) -> str:
        """What went wrong, or ""."""

    @property
    def error_name(self) -> str:
        """The name of an error value that the function returned, or of what it raised, or ""."""

    @property
    def meant(self) -> bool:
        """The error is an answer, and not what an input outside of the function's domain brought about."""

    @property
    def wall_seconds(self) -> float:
        """On the parent's clock."""

    @property
    def cpu_seconds(self) -> float:
        """Of the child, read by the parent."""

    @property
    def written(self) -> tuple[tuple[int, Any], ...]:
        """The writable arrays after the call, by argument index; of a Python function, what it changed."""

    @property
    def shares(self) -> bool:
        """The result lies in the arguments, and changes when they do."""


def nothing() -> None:
    """What there is to do in a copy of a process without a front end."""


@dataclass(frozen=True)
class Task:
    """A program, how it is built and opened, and what makes one version better than another.

    ``build`` turns a program into an artifact or raises CompileError: locked where its text is not the user's ``own``.
    ``build_own`` builds with the user's rights what the user vouches for, ``build_ahead`` for a first look: such a
    build is not what would serve. Without ``open_job`` the artifact is opened
    with ``box.native``. The objective is ``"time"`` of ``function`` on ``inputs`` (a tuple of arguments, or a list
    of such tuples), or, with an ``evaluator``, one of the metrics that it returns.

    ``reference`` is a Python function that says what is right, in place of the incumbent. ``observed`` are arguments
    of calls that were made, whose neighbours candidates are asked where ``inputs`` says nothing. ``kept`` are inputs on
    which earlier candidates failed: they are asked first, and new ones join them. ``tests`` are the user's own (see
    ``checks.tests``), ``relations`` what must hold between answers (``checks.relations``), ``scenario`` what the
    finalists must go through (``checks.integration``): a function of the program, or cells.

    ``also`` are more objectives beside the first, and ``guards`` says of other metrics by what share they may become
    worse (see ``goals``), ``guard_regression`` where it says none. ``allowed`` names the defects of ``plausible`` that
    are said and reject nothing. ``in_copy`` is called first in each forked copy of this process. ``typed`` gives a
    program as a type checker reads it, None where it has no annotations; ``covering`` opens builds whose lines are
    counted, or raises NotMeasured; ``trying`` opens a process in which many texts of a build are tried on the same
    calls. ``repairing``: the tests fail now, and what passes them is better. ``parcel`` packs the task for other
    processes. ``lessons`` are the versions that were released and taken back: (digest of the text, the text, why).

    With ``foreign`` the scores are those of an evaluator in OpenEvolve's form, which ``open_job`` opens; an
    ``evaluator`` beside it judges the leader, of the task that ``own_task`` makes. ``numbers``: those in the text are
    searched too, where nothing is declared. ``islands`` and ``grid`` say how the archive is kept (see ``islands``).

    Candidates are written in the language ``to`` where it says one: ``translations`` of the program, or, where there
    are none for the reason ``untranslated``, ``templates``, which nobody made from the program.
    """

    program: Program
    build: Callable[[Program], Artifact]
    box: Any = None
    evaluator: Evaluator | None = None
    objective: str = TIME
    function: str | None = None
    inputs: Any = None
    open_job: Callable[[Artifact], Asking] | None = None
    reference: Callable[..., Any] | None = None
    observed: tuple[tuple[Any, ...], ...] = ()
    kept: Counterexamples = field(default_factory=Counterexamples)
    tests: Any = None
    relations: tuple[Any, ...] = ()
    scenario: Scenario | None = None
    also: tuple[str, ...] = ()
    guards: Mapping[str, float | str | None] = field(default_factory=dict)
    guard_regression: float = limits.GUARD_REGRESSION_MAX
    allowed: frozenset[str] = frozenset()
    in_copy: Callable[[], None] = nothing
    typed: Callable[[Program], TypedModule | None] | None = None
    covering: Callable[[Artifact], Covering] | None = None
    trying: Callable[[Artifact, Sequence[Sequence[Any]]], Trying] | None = None
    repairing: bool = False
    parcel: Callable[..., Parcel] | None = None
    build_own: Callable[[Program], Artifact] | None = None
    build_ahead: Callable[[Program], Artifact] | None = None
    own: Callable[[Program], bool] | None = None
    lessons: tuple[tuple[str, str, str], ...] = ()
    foreign: ForeignTask | None = None
    own_task: Callable[[], Task] | None = None
    numbers: bool = False
    islands: int = 1
    grid: tuple[str, ...] = ()
    to: str = ""
    translations: tuple[Program, ...] = ()
    templates: tuple[Program, ...] = ()
    untranslated: str = ""
    seal: Seal = field(default_factory=Seal)

    def crosses(self, program: Program) -> bool:
        """Whether it is a translation: of another language than what serves now."""
        return bool(self.to) and program.language == self.to

    @property
    def tools(self) -> Tools:
        """What may be asked of the program's language."""
        return tools_for(self.program.language)

    @property
    def level(self) -> str:
        """The sandbox level that holds for candidates; ``L0`` where nobody says."""
        return str(getattr(self.box, "level", "L0"))

    def open(self, artifact: Artifact, *, guarded: bool = True) -> Asking:
        """A process of its own for this build.

        A guarded one tells a panic by its message and outlives it; an unguarded one calls without the guard's
        microseconds, which would make every two versions look more alike.
        """
        if self.open_job is not None and not self.crosses(artifact.program):
            return self.open_job(artifact)
        from .. import toolchain

        guard = toolchain.guard_path() if guarded else None
        job: Asking = self.box.native(artifact.path, artifact.interface, guard_path=guard)
        return job

    def function_of(self, artifact: Artifact) -> NativeFunction:
        """The function to measure. Raises EvolutionError where it must be named, or is not there."""
        functions = artifact.interface.functions
        names = ", ".join(item.name for item in functions) or "none"
        if self.function:
            try:
                return artifact.interface.function(self.function)
            except KeyError:
                raise EvolutionError(
                    f"{self.program.name} has no function {self.function}: name one of {names} with --function"
                ) from None
        if len(functions) != 1:
            raise EvolutionError(
                f"{self.program.name} has {len(functions)} functions: say with --function which to measure, of {names}"
            )
        return functions[0]

    def samples(self) -> tuple[tuple[Any, ...], ...]:
        """The user's inputs as argument tuples; empty where none were given. Raises EvolutionError for another form."""
        if self.inputs is None:
            return ()
        if isinstance(self.inputs, tuple):
            return (self.inputs,)
        if isinstance(self.inputs, list) and self.inputs and all(isinstance(item, tuple) for item in self.inputs):
            return tuple(self.inputs)
        raise EvolutionError(
            f"--inputs must be a tuple of arguments, or a list of such tuples, not {type(self.inputs).__name__}: "
            "write (a, b), and (a,) for one argument"
        )


class Stopped(Exception):  # noqa: N818 - it tells what happened, and never leaves this room
    """The run was stopped while this was under way."""


KILLED = ("helper", "setup", "signal SIGKILL")
"""How a process ends that somebody else ended: nothing of ours, no answer of its own, and none of its limits."""


class Jobs:
    """The open processes of a run, so that stopping the run can end them all at once. Safe to share between threads."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._lock = threading.Lock()
        self._open: set[Handle] = set()
        self._stopped = False
        self.killed = 0
        """How many processes somebody else has ended so far."""

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called."""
        return self._stopped

    def open(self, artifact: Artifact, *, guarded: bool = True) -> Handle:
        """A handle on a fresh process. Raises Stopped once the run is stopped."""
        handle = Handle(self, artifact, guarded=guarded)
        with self._lock:
            if self._stopped:
                raise Stopped
            self._open.add(handle)
        return handle

    def start(self, artifact: Artifact, *, guarded: bool) -> Asking:
        """A process, for the handles. Raises Stopped once the run is stopped."""
        if self._stopped:
            raise Stopped
        try:
            return self._task.open(artifact, guarded=guarded)
        except SandboxError:
            self.killed += 1
            raise

    def forget(self, handle: Handle) -> None:
        """The handle is closed."""
        with self._lock:
            self._open.discard(handle)

    def stop(self) -> None:
        """End every process and refuse new ones. Questions under way fail."""
        with self._lock:
            self._stopped = True
            handles = list(self._open)
        for handle in handles:
            handle.close()


class Handle:
    """A process that is started when it is first asked, and again after it died of an answer."""

    def __init__(self, jobs: Jobs, artifact: Artifact, *, guarded: bool) -> None:
        self._jobs = jobs
        self._guarded = guarded
        self._job: Asking | None = None
        self._processor: int | None = None
        self.artifact = artifact

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(
        self,
        name: str,
        args: Sequence[Any],
        *,
        repeat: int = 1,
        offset_bytes: int = 0,
        seconds: float | None = None,
        fenced: bool = False,
    ) -> Answer:
        """One answer; of native code with its arrays against pages that nobody may touch, where ``fenced``.

        Raises Stopped when the run was stopped meanwhile, InterfaceError for unfit arguments.
        """
        from ..sandbox import NativeJob

        def put(job: Asking) -> Answer:
            if fenced and isinstance(job, NativeJob):
                return job.ask(name, args, seconds=seconds, fenced=True)
            return job.ask(name, args, repeat=repeat, offset_bytes=offset_bytes, seconds=seconds)

        return self._asked(put)

    def ask_each(
        self, name: str, calls: Sequence[Sequence[Any]], *, offset_bytes: int = 0, seconds: float | None = None
    ) -> Answers:
        """One call with each of several sets of arguments, timed together. Raises as ``ask`` does."""
        found: list[Answers] = []

        def put(job: Asking) -> Answer:
            found.append(job.ask_each(name, calls, seconds=seconds, offset_bytes=offset_bytes))
            return found[0].whole

        self._asked(put)
        return found[0]

    def _asked(self, put: Callable[[Asking], Answer]) -> Answer:
        """What ``put`` is answered by the process, which is started where there is none."""
        job = self._job
        if job is None:
            job = self._job = self._jobs.start(self.artifact, guarded=self._guarded)
            if self._jobs.stopped:  # while it started, so that nobody else knew of it
                self.close()
                raise Stopped
            if self._processor is not None and (pid := getattr(job, "pid", 0)):
                with contextlib.suppress(OSError):  # it is gone, or the processor is: then it runs where it runs
                    os.sched_setaffinity(pid, {self._processor})
        try:
            answer = put(job)
        except SandboxError:
            if self._jobs.stopped:  # it was closed under our hands
                raise Stopped from None
            raise
        if self._jobs.stopped:
            raise Stopped
        self._jobs.killed += answer.ended in KILLED
        if not answer.ok and not answer.error_name:
            # Whoever panicked or faulted may have left anything behind: the next question meets a fresh process.
            job.close()
            self._job = None
        return answer

    def used_seconds(self) -> float:
        """CPU seconds of the process so far, its loading included; 0 where there is none, or it is not known."""
        return float(getattr(self._job, "cpu_seconds", 0.0))

    def stay_on(self, processor: int) -> None:
        """The processes that are started from now on run on this processor only."""
        self._processor = processor

    def renew(self) -> int:
        """The next question meets a fresh process. The peak resident bytes of the one until now; 0 if not known."""
        job, self._job = self._job, None
        if job is None:
            return 0
        job.close()
        return int(getattr(job, "peak_memory_bytes", 0))

    def close(self) -> None:
        """End the process; closing twice is allowed."""
        job, self._job = self._job, None
        self._jobs.forget(self)
        if job is not None:
            job.close()


def generator(seed: int, *purpose: object) -> np.random.Generator:
    """A generator of its own for each purpose: what one part draws never shifts what another draws."""
    import numpy as np

    words = hashlib.sha256("\0".join(str(item) for item in purpose).encode()).digest()
    return np.random.default_rng([seed, *(int.from_bytes(words[k : k + 4], "little") for k in range(0, 16, 4))])
