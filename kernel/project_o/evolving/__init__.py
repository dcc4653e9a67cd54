"""Runs of evolution as the flow makes them: what a user says of one, what stops it, what is kept of it.

``Wishes`` are the words of ``evolve`` and ``%evolve``; ``Runs`` are those under way and what the history holds of
earlier ones; ``InPlace`` puts a candidate where the notebook's later cells look for it. ``files`` has runs of what
lies in files: a program, and an evaluator in OpenEvolve's form or in our own.
"""

from __future__ import annotations

import difflib
import inspect
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import HistoryWarning, UsageError, a_kind
from ..evolution.goals import parsed_guards
from ..evolution.kept import Counterexamples
from ..evolution.plausible import ALLOWABLE
from ..evolution.scenario import Cells, Scenario
from ..languages import FILES

if TYPE_CHECKING:
    from ..deploy.handles import Slot
    from ..evolution import Run
    from ..evolution.forked_copy import Step
    from ..evolution.journal import TrialJournal
    from ..evolution.task import Task
    from ..history import History
    from ..values import Artifact, Program, State, Verdict

LATER = "later"
"""The scenario of the notebook's own later cells."""
COUNTEREXAMPLES = "counterexamples.json"

LaterCells = Callable[[str, str], tuple[Sequence["Step"], Sequence[str]]]
"""(the program's name, the text of its cell or "") -> the cells behind that one, and of each other why it is not run.

Raises UsageError where the cell that defines it is not known."""


@dataclass(frozen=True)
class Wishes:
    """What a user says of a run, in the words of ``Flow.evolve``; ``fields`` are those of a task."""

    evaluator: Callable[[Any], Mapping[str, float]] | None = None
    objective: str | Sequence[str] = "time"
    guards: Mapping[str, float | str | None] | Sequence[str] = ()
    allowed: Sequence[str] = ()
    inputs: Any = None
    reference: Callable[..., Any] | None = None
    tests: Any = None
    relations: Sequence[Any] = ()
    scenario: Any = None
    to: str = ""
    islands: int = 1
    grid: str | Sequence[str] = ()

    @classmethod
    def of(cls, evaluator: Any, words: Mapping[str, Any]) -> Wishes:
        """From the keywords of ``evolve``. Raises UsageError for one that is none."""
        known = [name for name in cls.__dataclass_fields__ if name != "evaluator"]
        if unknown := [word for word in words if word not in known]:
            close = difflib.get_close_matches(unknown[0], known, 1)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
            raise UsageError(f"evolve has no option {unknown[0]}: {hint}")
        return cls(evaluator, **words)

    def fields(self, regression: float) -> dict[str, Any]:
        """As a task takes them; ``regression`` is the share that a guard may lose where none is said.

        Raises UsageError for what cannot be meant.
        """
        aims = [self.objective] if isinstance(self.objective, str) else list(self.objective)
        if not aims:
            raise UsageError("objective is empty: name a metric, or several, or leave it out for time")
        words = [self.guards] if isinstance(self.guards, str) else self.guards
        guards = words if isinstance(words, Mapping) else parsed_guards(words, regression)
        return {
            "evaluator": self._function("evaluator", self.evaluator),
            "objective": aims[0],
            "also": tuple(aims[1:]),
            "guards": guards,
            "guard_regression": regression,
            "allowed": self._allowed(),
            "inputs": self.inputs,
            "reference": self._function("reference", self.reference),
            "tests": self.tests,
            "relations": (self.relations,) if _is_one(self.relations) else tuple(self.relations),
            "islands": self.islands,
            "grid": self.axes,
        }

    @property
    def axes(self) -> tuple[str, ...]:
        """The descriptors of the grid, also where one is given as a text."""
        return (self.grid,) if isinstance(self.grid, str) else tuple(self.grid)

    def _allowed(self) -> frozenset[str]:
        named = [self.allowed] if isinstance(self.allowed, str) else list(self.allowed)
        if unknown := [name for name in named if name not in ALLOWABLE]:
            raise UsageError(f"{unknown[0]!r} is no defect that can be allowed: there are {', '.join(ALLOWABLE)}")
        return frozenset(named)

    @staticmethod
    def _function(word: str, given: Any) -> Any:
        if given is None or callable(given):
            return given
        raise UsageError(f"{word} is {a_kind(given)}, and has to be a function")


def _is_one(relations: Any) -> bool:
    return isinstance(relations, str) or callable(relations)


@dataclass
class Runs:
    """The runs of one flow. ``history`` is None where nothing is recorded."""

    history: History | None
    _stops: set[threading.Event] = field(default_factory=set)
    _kept: dict[str, Counterexamples] = field(default_factory=dict)

    @contextmanager
    def under_way(self, target: Any, stop: threading.Event) -> Iterator[None]:
        """A run can be stopped from outside, and an agent says meanwhile that it is evolving."""
        self._stops.add(stop)
        try:
            with getattr(target, "evolving", nullcontext)():
                yield
        finally:
            self._stops.discard(stop)

    @contextmanager
    def journal(
        self, task: Task, wanted: Wishes, seed: int, proposer: Any, *, resume: bool, beside: Any = ()
    ) -> Iterator[TrialJournal | None]:
        """Where the trials of a run are kept as they are made, for ``resume``; None where nothing is recorded.
        ``beside`` is what else makes it another run.

        Raises EvolutionError where the same run of this notebook is to be resumed while it is under way.
        """
        from ..evolution.journal import TrialJournal, mark
        from ..history.places import RUNS

        history = self.history
        if history is None or not history.enabled or not history.make_store():
            if resume:
                text = "nothing is recorded here, so there is no run to resume: it begins anew; see `%o where`"
                warnings.warn(text, HistoryWarning, stacklevel=2)
            yield None
            return
        head = {
            "name": task.program.name,
            "baseline": task.program.digest,
            "seed": seed,
            "proposer": proposer if isinstance(proposer, str) else type(proposer).__qualname__,
            "function": task.function,
            "notebook": history.notebook or history.directory,
            "wishes": mark([*((name, getattr(wanted, name)) for name in Wishes.__dataclass_fields__), beside]),
        }
        kept = TrialJournal(Path(history.store, RUNS), head, history.clean_text, resume=resume)
        try:
            yield kept
        finally:
            kept.close()

    def halt(self) -> int:
        """Stop the runs under way, as Ctrl-C does: what they found stays. How many there were."""
        stops = tuple(self._stops)
        for stop in stops:
            stop.set()
        return len(stops)

    def kept_of(self, name: str) -> Counterexamples:
        """On what earlier candidates of this program failed: in this kernel, and in those before it."""
        from ..history.newest import newest

        if name not in self._kept:
            self._kept[name] = Counterexamples(newest(self.history, f"programs/{name}/{COUNTEREXAMPLES}"))
        return self._kept[name]

    def kept(self, run: Run) -> Run:
        """The run with the state that holds it; each source that is proposed to it becomes a state, too."""
        return replace(run.with_state(self.commit(run)), on_judged=self._proposed)

    def _proposed(self, run: Run, program: Program, verdict: Verdict) -> Verdict:
        """The verdict on a source that a person proposed, with the state that holds both."""
        if self.history is None or not self.history.enabled:
            return verdict
        judged = replace(run, best=program, verdict=verdict)
        summary = f"{'accepted' if verdict.accepted else 'rejected'}: {verdict.reasons[-1]}"
        facts = {**judged.facts(), "O-By": "human"} | ({"O-Run": run.state.id} if run.state else {})
        files = self._kept_files(run.program.name) | texts_of(program, f"programs/{run.program.name}/candidate")
        state = self.history.note("propose", run.program.name, summary, facts, files)
        return replace(verdict, state=state.id)

    def _kept_files(self, name: str) -> dict[str, str | None]:
        kept = self.kept_of(name)
        return {f"programs/{name}/{COUNTEREXAMPLES}": kept.to_json()} if kept else {}

    def commit(self, run: Run) -> State | None:
        """The state that holds a run; None where nothing is recorded."""
        if self.history is None or not self.history.enabled:
            return None
        summary = "accepted" if run.verdict.accepted else "stopped" if run.stopped else "no improvement"
        folder = f"programs/{run.program.name}"
        files = texts_of(run.best, f"{folder}/candidate") | {f"{folder}/run.json": run.to_json()}
        files |= self._kept_files(run.program.name)
        says_itself = run.headline.startswith(summary) or (run.verdict.self_reported and run.best != run.baseline)
        told = run.headline if says_itself else f"{summary}: {run.headline}"
        return self.history.note("evolve", run.program.name, told, run.facts(), files)


def texts_of(program: Program, folder: str) -> dict[str, str | None]:
    """What the history keeps of a program: its text, and of several files each."""
    files = program.files if program.language == FILES else program.files[:1]
    return {f"{folder}/{name}": text for name, text in files}


def observed(slot: Slot, function: str | None) -> tuple[tuple[Any, ...], ...]:
    """Arguments of a call of this function that was made; its name may be left out where the program has only one."""
    from ..history.redact import holds_no_secret

    functions = slot.version.artifact.interface.functions
    name = function or (functions[0].name if len(functions) == 1 else "")
    return slot.observed.of(name, holds_no_secret)


# ------------------------------------------------------------------ the notebook's later cells


class InPlace:
    """A version that passes its calls on to a program that is asked elsewhere."""

    def __init__(self, artifact: Artifact, program: Any) -> None:
        self.artifact, self.program = artifact, program

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call one of its functions."""
        return getattr(self.program, name)(*args)

    @property
    def function(self) -> Callable[..., Any]:
        """The only function, as a Python program has it."""
        (name,) = (item.name for item in self.artifact.interface.functions)
        found: Callable[..., Any] = getattr(self.program, name)
        return found


def scenario_of(
    given: Any, target: Any, slot: Slot, cell: str, bind: Callable[[], None], later: LaterCells
) -> Scenario | None:
    """What the user means by a scenario: a function, or the word ``later``. Raises UsageError.

    ``cell`` is the text of the cell of a native program; any other ``target`` has its own. ``bind`` lets the user's own
    name follow the slot, as it does for an accepted version.
    """
    if given is None or callable(given):
        function: Callable[[Any], Any] | None = given
        return function
    if given != LATER:
        raise UsageError(f"the scenario {given!r} is none: give a function of the program, or the word {LATER}")
    if getattr(target, "spec", None) is not None:
        raise UsageError(
            f"{slot.name} is an agent, and a candidate cannot stand for it in other cells: give a function of the "
            "program as the scenario, as in def scenario(program): assert 'yes' in program('are you there?', {})"
        )
    steps, skipped = later(slot.name, cell if target is None else _source_of(target))
    return Cells(tuple(steps), _placing(slot, bind), tuple(skipped))


def _source_of(target: Any) -> str:
    try:
        return inspect.getsource(inspect.unwrap(target))
    except (OSError, TypeError):
        return ""


def _placing(slot: Slot, bind: Callable[[], None]) -> Callable[[Any], None]:
    def place(program: Any) -> None:
        slot.version = InPlace(slot.version.artifact, program)
        bind()

    return place
