"""The order of the stages, and nothing else.

    cell -> Program -> Artifact -> Trial -> Deployment
    name -> Proposal -> Artifact -> Trial -> Measurement -> Verdict -> State -> Deployment

``Flow`` joins rooms that do not know one another: a language's reading of a source, the compiler, the sandbox, the
search, the history, and the registry of what serves. A room is imported by the first stage that needs it: every
kernel makes a flow as it starts, and most cells need none of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import limits
from .errors import DeployError, EvolutionError, HistoryError, UsageError, a_kind, warn

if TYPE_CHECKING:
    from .deploy import NativeModule, Registry
    from .deploy.registry import Release
    from .evolution import Run, Task
    from .evolution.forked_copy import Step
    from .evolving import Runs, Wishes
    from .history import History
    from .releases import Releases
    from .runtimes import Runtime
    from .runtimes.seam import Subject, Version
    from .values import Artifact, Deployment, Mode, Program, Progress


def _no_notebook(name: str, _: str) -> tuple[Sequence[Step], Sequence[str]]:
    raise UsageError(f"there are no later cells of {name} here: they are a notebook's, after %load_ext project_o")


class Flow:
    """What joins the rooms for one kernel or one script. ``history`` is None where nothing is recorded.

    ``runtimes`` are those of the languages that rooms above this one bring.
    """

    def __init__(self, history: History | None = None, runtimes: Sequence[Runtime] = ()) -> None:
        self._history = history
        self._more_runtimes = tuple(runtimes)
        self._targets: dict[str, Any] = {}
        self._untried: set[str] = set()
        self.forbidden: Callable[[], str] = lambda: ""
        """Why nothing may change itself now, in words; "" where it may."""
        self.unsandboxed: Callable[[], bool] = lambda: False
        """Whether the user takes the risk of new texts that were judged below sandbox level L2."""
        self.quick: Callable[[], bool] = lambda: True
        """Whether a native cell may be served by a build that is not optimised until the optimised one is there."""
        self.guard_regression: Callable[[], float] = lambda: limits.GUARD_REGRESSION_MAX
        """The share by which a guarded metric may become worse where a run says none."""
        self.later_cells: Callable[[str, str], tuple[Sequence[Step], Sequence[str]]] = _no_notebook
        """See ``evolving.LaterCells``."""
        self.in_copy: Callable[[], None] = lambda: None
        """Called in each copy of this process that runs the user's code."""
        self.names: Mapping[str, Any] = {}
        """What the user has defined, by name."""
        self.page_joined: Callable[[], None] = lambda: None
        """Called, in any thread, when a notebook that shows panels has opened its channel to this kernel."""
        self._remembers = history is None

    @property
    def history(self) -> History:
        """The history. Raises HistoryError where this flow has none."""
        if self._history is None:
            raise HistoryError("nothing is recorded here: the history lives in a notebook, after %load_ext project_o")
        return self._history

    @cached_property
    def runs(self) -> Runs:
        """The runs of this flow."""
        from .evolving import Runs

        return Runs(self._history)

    @cached_property
    def registry(self) -> Registry:
        """What serves each name."""
        from .deploy import Registry

        registry = Registry(self._open, refusal=self._refusal)
        registry.improved = self._keep_ledger
        return registry

    def _keep_ledger(self, _name: str = "") -> None:
        if self._history is not None:
            with self.registry.telling:
                self._history.stage(self.registry.ledger())

    @cached_property
    def releases(self) -> Releases:
        """Canary, promotion, rollback."""
        from .releases import Releases

        allow, reach = self._allow_change, self._reach_name
        return Releases(self.registry, self._history, bind=self._bind, allow=allow, reach=reach, find=self.names.get)

    def _reach_name(self, name: str) -> None:
        if name in self._targets:
            self._home(name).reach(self._targets[name])

    def _home(self, name: str) -> Runtime:  # whatever language serves the name now
        return self._runtime((self.registry.cell(name) or self.registry.releases(name)[-1].program).language)

    def _refusal(self, release: Release, cell: Program | None) -> str:
        """A new text serves in this process only if it was judged where the sandbox holds, or the user takes the risk.

        The user's own text with other values of its parameters is the user's own text.
        """
        from .runtimes.trust import is_own, refusal

        if is_own(release.program, self._cells(cell), release.cell) or self.unsandboxed():
            return ""
        return refusal(release.program, release.level)

    @cached_property
    def runtimes(self) -> tuple[Runtime, ...]:
        """How the programs of each language are built, tried and served."""
        from .deploy import PythonFunction
        from .runtimes import LispRuntime, NativeRuntime, PythonRuntime

        native = NativeRuntime(lambda: self.unsandboxed())  # noqa: PLW0108 - it is given to the flow later
        return (native, LispRuntime(), PythonRuntime(PythonFunction), *self._more_runtimes)

    def _runtime(self, language: str) -> Runtime:
        for runtime in self.runtimes:
            if language in runtime.languages:
                return runtime
        raise UsageError(f"nothing here can run a {language} program")

    # ------------------------------------------------------------------ cell -> Deployment

    def cell(
        self,
        source: str,
        language: str,
        name: str = "",
        *,
        mode: Mode = "safe",
        trial: bool = True,
        isolate: bool = False,
        nogil: bool = False,
        timeout: float = 0.0,
        links: Sequence[str] = (),
        crates: Sequence[str] = (),
        tests: bool = False,
        fresh: bool = False,
    ) -> NativeModule:
        """Compile a native cell and serve it under its name: the given one, else that of its first function.

        ``timeout`` bounds a call in seconds; ``fresh`` drops an evolved version accepted for exactly this cell.
        Raises CompileError, ToolchainMissing, UsageError; then what served before goes on.
        """
        from . import languages, toolchain
        from .deploy import NativeModule, renew, with_imports
        from .runtimes.native import options_of
        from .runtimes.trust import is_own

        tools = languages.tools_for(language)
        options = options_of(isolate=isolate, nogil=nogil, timeout=timeout, links=links, crates=crates)
        name = name or next(iter(tools.signatures(source)), "cell")
        program = with_imports(tools.program(name, source, mode=mode, options=options), self.registry.program)
        (self._untried.discard if trial else self._untried.add)(program.digest)
        if tests:
            if not is_own(program, self._cells(program)):
                raise UsageError(f"{name} imports a text that was proposed: its tests would run with your rights")
            toolchain.run_tests(program)
        self._remember_deployments()
        slot, _ = self.registry.serve_cell(program, fresh=fresh)
        self.releases.served(slot.name)
        renew(self.registry, name)
        self._keep_ledger(name)
        return NativeModule(slot)

    def build(self, program: Program, *, proposed: bool = False) -> Artifact:
        """Program -> Artifact, from the cache where it is there. ``proposed``: the text is not the user's own.

        Raises CompileError, ToolchainMissing, SandboxError where nothing of others' is compiled.
        """
        return self._runtime(program.language).build(program, proposed=proposed)

    def _open(self, release: Release, cell: Program | None) -> Version:
        from .runtimes.crossed import crossed
        from .runtimes.trust import is_own

        program, trial = release.program, release.program.digest not in self._untried
        own = is_own(program, self._cells(cell), release.cell)
        quick = release.origin == "cell" and own and self.quick()
        made = self._runtime(program.language).version(program, trial=trial, proposed=not own, quick=quick)
        return crossed(made, cell, self._runtime)

    def _cells(self, cell: Program | None) -> Callable[[str], Program | None]:
        """The user's own texts by name, where this one is the newest of its name."""
        return lambda name: cell if cell is not None and name == cell.name else self.registry.cell(name)

    # ------------------------------------------------------------------ name -> Verdict -> State

    def evolve(
        self,
        target: Any,
        evaluator: Callable[[Any], Mapping[str, float]] | None = None,
        *,
        trials: int | None = None,
        budget: float | None = None,
        seed: int = 0,
        workers: int = 2,
        proposer: Any = "search",
        executor: Executor | None = None,
        function: str | None = None,
        progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
        plot: Callable[[Run, str], Any] | None = None,
        resume: bool = False,
        replay: dict[str, Any] | None = None,
        **wishes: Any,
    ) -> Run:
        """Search for a better version of ``target`` and judge it. What serves is not changed: ``run.accept()`` does.

        ``resume`` goes on from the trials of a run of the same notebook, program, seed and wishes that was cut off.
        ``wishes`` say what is wanted and what must hold; see ``evolving.Wishes``:
        objective, guards, allowed, inputs, reference, tests, relations, scenario, to.

        Raises UsageError for what cannot be meant, EvolutionError where a run cannot start.
        """
        from .evolution import run_evolution
        from .evolving import Wishes

        self._allow_change()
        wanted = Wishes.of(evaluator, wishes)
        name, own = self._named(target)
        task, stop = self._task(name, function or own, wanted, trials), stop or threading.Event()
        kept = self.runs.journal(task, wanted, seed, proposer, resume=resume)
        with self.runs.under_way(target, stop), kept as journal:
            run = run_evolution(
                task,
                journal=journal,
                trials=trials,
                budget_seconds=budget,
                seed=seed,
                workers=workers,
                proposer=proposer,
                executor=executor,
                progress=progress,
                stop=stop,
                accept=self.accept,
                plot=plot,
                resume=replay,
            )
        return self.runs.kept(run)

    def _task(self, name: str, function: str | None, wanted: Wishes, trials: int | None = None) -> Task:
        """What is evolved under this name. A text that is not the user's own is built in the sandbox."""
        from .evolution import Task
        from .evolving import observed, scenario_of
        from .evolving.away import with_away
        from .evolving.crossing import crossing
        from .runtimes.trust import is_own
        from .sandbox import shared

        def build(candidate: Program) -> Artifact:
            return self.build(candidate, proposed=not is_own(candidate, self.registry.cell))

        slot, cell, box = self.registry.slot(name), self.registry.cell(name), shared()
        program, target = self.registry.releases(name)[-1].program, self._targets.get(name)
        runtime, text = self._runtime(program.language), cell.source if cell is not None else ""
        fields = wanted.fields(self.guard_regression())
        ahead = is_own(program, self.registry.cell) and "size" not in (fields["objective"], *fields["also"])
        task = Task(
            program=program,
            build=build,
            build_own=self.build,
            build_ahead=runtime.ahead(program, trials, build) if ahead else None,
            own=lambda candidate: is_own(candidate, self.registry.cell),
            box=box,
            open_job=runtime.opener(box),
            typed=runtime.typed(box),
            covering=runtime.covering(box),
            trying=runtime.trying(box),
            function=function,
            kept=self.runs.kept_of(name),
            observed=observed(slot, function),
            scenario=scenario_of(wanted.scenario, target, slot, text, lambda: self._bind(name), self.later_cells),
            in_copy=self.in_copy,
            lessons=self.releases.lessons.of(name),
            **fields,
        )
        return crossing(with_away(task, runtime, cell), wanted.to)

    def halt(self) -> int:
        """Stop the runs under way, as Ctrl-C does: what they found stays. How many there were."""
        return self.runs.halt()

    def _allow_change(self) -> None:
        if why := self.forbidden():
            raise EvolutionError(why)

    def _named(self, target: Any) -> tuple[str, str | None]:
        from .deploy import NativeFunction, NativeModule, named

        if isinstance(target, (NativeFunction, NativeModule)):
            return named(target)
        if isinstance(target, str):
            slot = self.registry.slot(target)
            return slot.name, None if target == slot.name else target
        runtime, subject = self._subject(target)
        self._serve_subject(runtime, subject, target)
        return subject.program.name, subject.function

    def _subject(self, target: Any) -> tuple[Runtime, Subject]:
        for runtime in self.runtimes:
            subject = runtime.subject(target)
            if subject is not None:
                return runtime, subject
        raise UsageError(f"{a_kind(target)} cannot be evolved: name a function, a native module, or an agent")

    def _serve_subject(self, runtime: Runtime, subject: Subject, target: Any) -> None:
        self._remember_deployments()
        slot, _ = self.registry.serve_cell(subject.program)
        self._targets[slot.name] = target
        self.releases.served(slot.name)
        if slot.note:  # what was accepted for exactly this text serves again, under the user's own name
            runtime.bind(target, slot)

    def resume(self, target: Any, name: str, whole: bool = True) -> None:  # noqa: FBT001, FBT002 - a word of its caller
        """Let what was accepted for exactly this definition serve again: ``target`` was just defined as ``name``.

        A definition that may not be ``whole`` yet takes the place of no other.
        """
        self._remember_deployments()
        if any(known.name == name for known in (*self.registry.waiting(), *self.registry.serving())):
            runtime, subject = self._subject(target)
            if whole or self.registry.knows_cell(subject.program):
                self._serve_subject(runtime, subject, target)

    # ------------------------------------------------------------------ Deployment

    def accept(self, run: Run) -> Deployment:
        """Serve the winner of a run. Raises DeployError where the verdict was to reject, EvolutionError where
        evolution is off."""
        self._allow_change()
        if not run.verdict.accepted:
            name, why = run.program.name, run.verdict.reasons[-1]
            raise DeployError(f"{name} was not improved ({why}): run longer, or widen a domain")
        self._reach_name(run.program.name)
        before = self.registry.releases(run.program.name)[-1]
        self.registry.accept(run.best, run.state.id if run.state else "", run.program.digest, run.verdict.level)
        facts = {**run.facts(), "by": f"agent: {run.facts().get('O-By', 'search')}", "reason": run.verdict.reasons[-1]}
        return self.releases.released(run.program.name, "promote", run.headline, facts, before=before, better=True)

    def rollback(self, name: str, state: str | None = None) -> Deployment:
        """Serve what served before, or what served at ``state``. Raises DeployError, HistoryError."""
        return self.releases.rollback(name, state)

    def _bind(self, name: str) -> None:
        """Let the user's own object of that name follow what serves."""
        if name in self._targets:
            self._home(name).bind(self._targets[name], self.registry.slot(name))

    def restore(self, text: str, to: Path | None = None) -> dict[str, Any]:
        """Put the notebook and what served at a state back. Python variables stay as they are."""
        from .deploy import LEDGER

        lessons = self.releases.lessons.files(*(one.name for one in self.serving()))
        restored = self.history.restore(text, str(to) if to else None)
        self.history.stage(lessons)  # what was learned since then stays learned
        served, refused = self.releases.put_back(restored.files.get(LEDGER, ""), restored.source.id)
        if LEDGER in restored.files:
            self._keep_ledger()
        return restored.told(served, refused)

    def serving(self, name: str | None = None) -> tuple[Deployment, ...]:
        """What serves each name, or one name, here or as soon as its cell is run. Raises DeployError."""
        self._remember_deployments()
        found = {deployment.name: deployment for deployment in (*self.registry.waiting(), *self.registry.serving())}
        every = [found[key] for key in sorted(found)]
        if name is not None:
            every = [found[name] if name in found else self.registry.current(name)]
        return self.releases.with_canaries(every)

    def _remember_deployments(self) -> None:
        """Take in what served in the notebook's last kernel; its cells serve it again when they are run."""
        if self._remembers or self._history is None:
            return
        from .deploy import LEDGER
        from .deploy.ledgers import joined
        from .history.newest import at_the_ends

        self._remembers = True
        try:
            if ledger := joined(at_the_ends(self._history, LEDGER)):
                self.registry.remember(ledger)
        except DeployError as error:
            warn(f"what served in the last kernel is not known: {error}")
