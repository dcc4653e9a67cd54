"""The order of the stages, and nothing else.

    cell -> Program -> Artifact -> Trial -> Deployment
    name -> Proposal -> Artifact -> Trial -> Measurement -> Verdict -> State -> Deployment

``Flow`` joins rooms that do not know one another: a language's reading of a source, the compiler, the sandbox, the
search, the history, and the registry of what serves. A room is imported by the first stage that needs it: every
kernel makes a flow as it starts, and most cells need none of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager, nullcontext
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import limits
from .errors import DeployError, EvolutionError, HistoryError, UsageError, warn

if TYPE_CHECKING:
    from .deploy import NativeModule, Registry
    from .deploy.registry import Release
    from .evolution import Counterexamples, Run
    from .history import History
    from .runtimes import Runtime
    from .runtimes.seam import Subject, Version
    from .values import Artifact, Deployment, Mode, Program, Progress, State

COUNTEREXAMPLES = "counterexamples.json"


class Flow:
    """What joins the rooms for one kernel or one script. ``history`` is None where nothing is recorded.

    ``runtimes`` are those of the languages that rooms above this one bring.
    """

    def __init__(self, history: History | None = None, runtimes: Sequence[Runtime] = ()) -> None:
        self._history = history
        self._more_runtimes = tuple(runtimes)
        self._targets: dict[str, Any] = {}
        self._untried: set[str] = set()
        self._stops: set[threading.Event] = set()
        self._counterexamples: dict[str, Counterexamples] = {}
        self.forbidden: Callable[[], str] = lambda: ""
        """Why nothing may change itself now, in words; "" where it may."""
        self.unsandboxed: Callable[[], bool] = lambda: False
        """Whether the user takes the risk of new texts that were judged below sandbox level L2."""
        self.quick: Callable[[], bool] = lambda: True
        """Whether a native cell may be served by a build that is not optimised until the optimised one is there."""
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
    def registry(self) -> Registry:
        """What serves each name."""
        return self._registry()

    def _registry(self) -> Registry:
        from .deploy import Registry

        own = partial(self._open, own=True)
        return Registry(self._open, refusal=self._refusal, open_cell=own, improved=self._stage_ledger)

    def _refusal(self, release: Release, cell: Program | None) -> str:
        """A new text serves in this process only if it was judged where the sandbox holds, or the user takes the risk.

        The user's own text with other values of its parameters is the user's own text.
        """
        from .languages import tools_for
        from .sandbox import shared

        program = release.program
        if cell is not None and tools_for(program.language).only_settings(program, cell):
            return ""
        level = release.level or shared().level
        if level in limits.SERVING_LEVELS or self.unsandboxed():
            return ""
        return (
            f"a new text of {program.name} may serve only where it was judged at sandbox level L2 or above, and this "
            f"was {level}: `project-o doctor` shows why; %config ProjectO.serve_unsandboxed = True takes the risk"
        )

    @cached_property
    def runtimes(self) -> tuple[Runtime, ...]:
        """How the programs of each language are built, tried and served."""
        from .deploy import PythonFunction
        from .runtimes import LispRuntime, NativeRuntime, PythonRuntime

        return (NativeRuntime(), LispRuntime(), PythonRuntime(PythonFunction), *self._more_runtimes)

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
        links: Sequence[str] = (),
        tests: bool = False,
        fresh: bool = False,
    ) -> NativeModule:
        """Compile a native cell and serve it under its name: the given one, else that of its first function.

        An evolved version that was accepted for exactly this cell goes on serving unless ``fresh`` is given.

        Raises CompileError, ToolchainMissing, UsageError; then what served before goes on serving.
        """
        from . import languages, toolchain
        from .deploy import NativeModule
        from .runtimes.native import ISOLATE, LINK

        tools = languages.tools_for(language)
        options = (*((ISOLATE,) if isolate else ()), *(LINK + library for library in links))
        name = name or next(iter(tools.signatures(source)), "cell")
        program = tools.program(name, source, mode=mode, options=options)
        (self._untried.discard if trial else self._untried.add)(program.digest)
        if tests:
            toolchain.run_tests(program)
        self._remember_deployments()
        slot, _ = self.registry.serve_cell(program, fresh=fresh)
        self._stage_ledger()
        return NativeModule(slot)

    def _stage_ledger(self) -> None:
        if self._history is not None:
            self._history.stage(self.registry.ledger())

    def build(self, program: Program) -> Artifact:
        """Program -> Artifact, from the cache where it is there. Raises CompileError, ToolchainMissing."""
        return self._runtime(program.language).build(program)

    def _open(self, program: Program, *, own: bool = False) -> Version:
        trial = program.digest not in self._untried
        return self._runtime(program.language).version(program, trial=trial, quick=own and self.quick())

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
        proposer: str = "search",
        objective: str = "time",
        inputs: Any = None,
        function: str | None = None,
        executor: Executor | None = None,
        progress: Callable[[Progress], None] | None = None,
        stop: threading.Event | None = None,
        plot: Callable[[Run], Any] | None = None,
        reference: Callable[..., Any] | None = None,
        tests: Any = None,
        relations: Sequence[Any] = (),
        scenario: Callable[[Any], Any] | None = None,
    ) -> Run:
        """Search for a better version of ``target`` and judge it. What serves is not changed: ``run.accept()`` does.

        ``reference`` says what is right in place of what serves. ``tests`` are functions ``test_...(program)``, in a
        list, a dict or a class; "cell" means the test blocks of the text itself. ``relations`` are "permutation:xs",
        "scaling:x", "idempotence", or functions ``relation(call, args) -> bool``. ``scenario(program)`` is run by the
        finalists, in a forked copy of this process: what it writes to files is written.
        """
        from .evolution import Task, run_evolution
        from .history.redact import holds_no_secret
        from .sandbox import shared

        self._allow_change()
        name, wanted = self._named(target)
        program, box = self.registry.releases(name)[-1].program, shared()
        task = Task(
            program=program,
            build=self.build,
            box=box,
            open_job=self._runtime(program.language).opener(box),
            evaluator=evaluator,
            objective=objective,
            function=function or wanted,
            inputs=inputs,
            reference=reference,
            tests=tests,
            relations=tuple(relations),
            scenario=scenario,
            kept=self._counterexamples_of(name),
            observed=self.registry.slot(name).observed.of(function or wanted or "", holds_no_secret),
        )
        stop = stop or threading.Event()
        with self._under_way(target, stop):
            run = run_evolution(
                task,
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
            )
        return run.with_state(self._commit_verdict(run))

    def _counterexamples_of(self, name: str) -> Counterexamples:
        """On what earlier candidates of this program failed: in this kernel, and in those before it."""
        from .evolution import Counterexamples
        from .history.newest import newest

        if name not in self._counterexamples:
            self._counterexamples[name] = Counterexamples(newest(self._history, f"programs/{name}/{COUNTEREXAMPLES}"))
        return self._counterexamples[name]

    @contextmanager
    def _under_way(self, target: Any, stop: threading.Event) -> Iterator[None]:
        """A run can be stopped from outside, and an agent says meanwhile that it is evolving."""
        self._stops.add(stop)
        try:
            with getattr(target, "evolving", nullcontext)():
                yield
        finally:
            self._stops.discard(stop)

    def halt(self) -> int:
        """Stop the runs under way, as Ctrl-C does: what they found stays. How many there were."""
        stops = tuple(self._stops)
        for stop in stops:
            stop.set()
        return len(stops)

    def _allow_change(self) -> None:
        if why := self.forbidden():
            raise EvolutionError(why)

    def _named(self, target: Any) -> tuple[str, str | None]:
        from .deploy import NativeFunction, NativeModule

        if isinstance(target, NativeFunction):
            return target.slot.name, target.__name__
        if isinstance(target, NativeModule):
            return target.slot.name, None
        if isinstance(target, str):
            slot = self.registry.slot(target)
            return slot.name, None if target == slot.name else target
        runtime, subject = self._subject(target)
        self._serve_subject(runtime, subject, target)
        return subject.program.name, subject.function

    def _subject(self, target: Any) -> tuple[Runtime, Subject]:
        for runtime in self.runtimes:
            if (subject := runtime.subject(target)) is not None:
                return runtime, subject
        raise UsageError(f"a {type(target).__name__} cannot be evolved: name a function, a native module, or an agent")

    def _serve_subject(self, runtime: Runtime, subject: Subject, target: Any) -> None:
        self._remember_deployments()
        slot, _ = self.registry.serve_cell(subject.program)
        self._targets[slot.name] = target
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

    def _commit_verdict(self, run: Run) -> State | None:
        if self._history is None or not self._history.enabled:
            return None
        path, source = run.best.files[0]
        summary = "accepted" if run.verdict.accepted else "stopped" if run.stopped else "no improvement"
        folder = f"programs/{run.program.name}"
        files = {f"{folder}/candidate/{path}": source, f"{folder}/run.json": run.to_json()}
        if kept := self._counterexamples_of(run.program.name):
            files[f"{folder}/{COUNTEREXAMPLES}"] = kept.to_json()
        return self._history.note("evolve", run.program.name, f"{summary}: {run.headline}", run.facts(), files)

    # ------------------------------------------------------------------ Deployment

    def accept(self, run: Run) -> Deployment:
        """Serve the winner of a run. Raises DeployError where the verdict was to reject, EvolutionError where
        evolution is off."""
        self._allow_change()
        if not run.verdict.accepted:
            why = run.verdict.reasons[-1]
            raise DeployError(f"{run.program.name} was not improved ({why}): run longer, or widen a domain")
        if run.program.name in self._targets:
            self._runtime(run.program.language).reach(self._targets[run.program.name])
        return self._released(
            self.registry.accept(run.best, run.state.id if run.state else "", run.program.digest, run.verdict.level),
            "promote",
            run.headline,
            run.facts(),
        )

    def rollback(self, name: str, state: str | None = None) -> Deployment:
        """Serve what served before, or what served at ``state``. Raises DeployError, HistoryError."""
        if state is None:
            deployment = self.registry.rollback(name)
        else:
            deployment = self._put_back(self.registry.slot(name).name, self.history.resolve(state))
        return self._released(deployment, "rollback", f"{deployment.digest[:10]} serves again", {})

    def _put_back(self, name: str, state: State) -> Deployment:
        from .deploy import LEDGER

        then = self._registry()
        then.remember(self.history.read(state, LEDGER))
        if name not in then.remembered():
            raise DeployError(f"nothing served {name} at {state.short}: `%o history {name}` lists its states")
        return self.registry.put(then.remembered()[name], "rollback", state.id)

    def _released(self, deployment: Deployment, kind: str, summary: str, facts: Mapping[str, str]) -> Deployment:
        self._bind(deployment.name)
        if self._history is not None and self._history.enabled:
            program = {"O-Program": deployment.digest[:16], "O-Language": deployment.language}
            state = self._history.note(kind, deployment.name, summary, {**facts, **program}, self.registry.ledger())
            self.registry.mark(deployment.name, state.id)
        elif self._history is not None:
            self._history.stage(self.registry.ledger())
        return self.registry.current(deployment.name)

    def _bind(self, name: str) -> None:
        """Let the user's own object of that name follow what serves."""
        if name in self._targets:
            slot = self.registry.slot(name)
            self._runtime(slot.version.artifact.program.language).bind(self._targets[name], slot)

    def restore(self, text: str, to: Path | None = None) -> dict[str, Any]:
        """Put the notebook and what served at a state back. Python variables stay as they are."""
        from .deploy import LEDGER

        restored = self.history.restore(text, str(to) if to else None)
        served, refused = [], []
        if LEDGER in restored.files:
            then = self._registry()
            then.remember(restored.files[LEDGER])
            for name, release in then.remembered().items():
                try:
                    self.registry.put(release, "restored", restored.source.id)
                except DeployError as error:
                    refused.append(f"{name}: {error}")
                    continue
                served.append(name)
                self._bind(name)
            self.history.stage(self.registry.ledger())
        return restored.told(served, refused)

    def serving(self, name: str | None = None) -> tuple[Deployment, ...]:
        """What serves each name, or one name, here or as soon as its cell is run. Raises DeployError."""
        self._remember_deployments()
        found = {deployment.name: deployment for deployment in (*self.registry.waiting(), *self.registry.serving())}
        if name is None:
            return tuple(found[key] for key in sorted(found))
        return (found[name] if name in found else self.registry.current(name),)

    def _remember_deployments(self) -> None:
        """Take in what served in the notebook's last kernel; its cells serve it again when they are run."""
        if self._remembers or self._history is None:
            return
        from .deploy import LEDGER
        from .history.newest import newest

        self._remembers = True
        try:
            if ledger := newest(self._history, LEDGER):
                self.registry.remember(ledger)
        except DeployError as error:
            warn(f"what served in the last kernel is not known: {error}")
