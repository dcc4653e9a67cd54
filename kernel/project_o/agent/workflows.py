"""Workflows as objects: called, they run; resumed, they go on from the last step that ended, in this kernel or a later.

    workflows/NAME/RUN.jsonl    what was asked, each step as it ended, and how the run did: one line each

Each step is committed to the history before the next begins, so a kill loses the steps under way and nothing else.
"""

from __future__ import annotations

import inspect
import json
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import AgentError, HistoryError, warn
from ..lisp.specs import ToolSpec, WorkflowSpec, bound_arguments, canonical
from ..lisp.workflow import carry_out, kept
from .store import slug

if TYPE_CHECKING:
    from ..history import History

WORKFLOWS = "workflows/"
FORMAT = 1
UNDER_WAY, FINISHED = "", "finished"


@dataclass
class WorkflowRun:
    """One run. ``steps`` are the values of those that ended, by key, in order; ``ended`` is "" while it goes on or
    where it was cut off, "finished", or what it failed with."""

    id: str
    workflow: str
    digest: str
    arguments: Mapping[str, Any]
    when: float
    steps: dict[str, Any] = field(default_factory=dict)
    ended: str = UNDER_WAY
    lines: list[str] = field(default_factory=list, repr=False)

    def __post_init__(self) -> None:
        if not self.lines:
            first = {"format": FORMAT, "run": self.id, "workflow": self.workflow, "digest": self.digest}
            self.lines.append(_line({**first, "arguments": self.arguments, "when": self.when}))


class Runs:
    """The runs of all workflows of a kernel, and of earlier ones where a history keeps them. Any thread may use it."""

    def __init__(self, history: History | None) -> None:
        self._history = history
        self._lock = threading.RLock()
        self._runs: dict[str, dict[str, WorkflowRun]] = {}

    def of(self, workflow: str) -> tuple[WorkflowRun, ...]:
        """The runs of one workflow, oldest first."""
        with self._lock:
            name = canonical(workflow)
            if name not in self._runs:
                self._runs[name] = {run.id: run for run in sorted(self._read(name), key=lambda run: run.when)}
            return tuple(self._runs[name].values())

    def begin(self, spec: WorkflowSpec, arguments: Mapping[str, Any]) -> WorkflowRun:
        """A new run. Raises AgentError for arguments that a later kernel could not be given."""
        self.of(spec.name)
        given = kept(spec.name, "with its arguments", dict(arguments))
        run = WorkflowRun(uuid.uuid4().hex[:8], spec.name, spec.digest, given, time.time())
        with self._lock:
            self._runs[canonical(spec.name)][run.id] = run
        return run

    def ended(self, run: WorkflowRun, how: str) -> None:
        """The run has ended, or was cut off: "" leaves it to be resumed."""
        run.ended = how
        if how:
            self.write(run, {"ended": how, "when": time.time()}, f"{run.workflow} {how}")

    def write(self, run: WorkflowRun, entry: Mapping[str, Any], summary: str) -> None:
        """One more line of a run, committed where a history is kept."""
        with self._lock:
            run.lines.append(_line(entry))
            if self._history is None or not self._history.enabled:
                return
            path = f"{WORKFLOWS}{slug(run.workflow)}/{run.id}.jsonl"
            facts = {"run": run.id, **{name: str(entry[name]) for name in ("step", "attempts") if name in entry}}
            self._history.note("workflow", run.workflow, summary[:200], facts, {path: "".join(run.lines)})

    def _read(self, name: str) -> list[WorkflowRun]:
        if self._history is None or not self._history.enabled:
            return []
        try:
            newest = next(iter(self._history.states(1)), None)
            files = self._history.files(newest, f"{WORKFLOWS}{slug(name)}/") if newest else {}
            self._history.stage(files)  # the tree of this kernel's lane may not have them
        except HistoryError as error:
            warn(f"what workflows did in the last kernel is not known: {error}")
            return []
        return [run for path, text in files.items() if (run := _run_of(path, text)) is not None]


class _Journal:
    """A run's steps, for the workflow that is carried out."""

    def __init__(self, runs: Runs, run: WorkflowRun) -> None:
        self._runs = runs
        self._run = run

    def found(self, key: str) -> tuple[bool, Any]:
        """Whether the step has ended, and its value."""
        return key in self._run.steps, self._run.steps.get(key)

    def ended(self, key: str, value: Any, attempts: int, seconds: float) -> None:
        """A step has ended: it is written down before anything else happens."""
        self._run.steps[key] = value
        entry = {"step": key, "value": value, "attempts": attempts, "seconds": round(seconds, 6)}
        self._runs.write(self._run, entry, f"{self._run.workflow}: {key}")


class Workflow:
    """A workflow by its name. Calling it begins a run; ``resume`` goes on with the last one that was cut off."""

    def __init__(self, spec: WorkflowSpec, runs: Runs) -> None:
        self.spec = spec
        self._runs = runs
        self.__name__ = canonical(spec.name)
        self.__doc__ = spec.doc
        self.__signature__ = inspect.signature(spec.run)

    @property
    def name(self) -> str:
        """As it was defined."""
        return self.spec.name

    @property
    def as_tool(self) -> ToolSpec:
        """What an agent that names it among its tools is given."""
        return self.spec.as_tool(self)

    @property
    def digest(self) -> str:
        """SHA-256 over what it is: equal for a Lisp and a Python definition that mean the same."""
        return self.spec.digest

    @property
    def runs(self) -> tuple[WorkflowRun, ...]:
        """Its runs, oldest first, those of earlier kernels included."""
        return self._runs.of(self.name)

    def __repr__(self) -> str:
        open_runs = sum(run.ended != FINISHED for run in self.runs)
        return f"<workflow {self.name}: {len(self.runs)} runs, {open_runs} to resume>"

    def __call__(self, *args: Any, **named: Any) -> Any:
        """A new run's value. Raises AgentError where a step fails, TypeError for arguments that do not fit."""
        return self._carry_out(self._runs.begin(self.spec, bound_arguments(self.spec.run, args, named)))

    def resume(self, run: str = "") -> Any:
        """Go on with a run by its id, the last one that did not finish by default; its value.

        Raises AgentError where there is none, and where the workflow was changed since.
        """
        chosen = [one for one in self.runs if one.ended != FINISHED and one.id.startswith(run)]
        if not chosen:
            what = f"run {run} of {self.name} is" if run else f"no run of {self.name} is"
            raise AgentError(f"{what} there to be resumed: begin one with {canonical(self.name)}(...)")
        if chosen[-1].digest != self.digest:
            raise AgentError(
                f"{self.name} has changed since run {chosen[-1].id} began, and its steps may not be the same: begin a "
                "new run, or define it as it was"
            )
        return self._carry_out(chosen[-1])

    def _carry_out(self, run: WorkflowRun) -> Any:
        how = UNDER_WAY  # where Ctrl-C or a kill ends it
        try:
            value = carry_out(self.spec, run.arguments, _Journal(self._runs, run))
            how = FINISHED
        except Exception as error:
            how = f"failed: {error}"
            raise
        finally:
            self._runs.ended(run, how)
        return value


def _line(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, ensure_ascii=False) + "\n"


def _run_of(path: str, text: str) -> WorkflowRun | None:
    """What the lines say; those behind one that cannot be read do not count."""
    try:
        lines = text.splitlines(keepends=True)
        first = json.loads(lines[0])
        if first["format"] != FORMAT:
            raise ValueError(f"its format is {first['format']}, and this version reads {FORMAT}")
        run = WorkflowRun(
            first["run"], first["workflow"], first["digest"], first["arguments"], first["when"], lines=lines[:1]
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        warn(f"{path} cannot be read ({error}): that run cannot be resumed")
        return None
    for number, line in enumerate(lines[1:], 2):
        try:
            entry = json.loads(line)
        except ValueError:
            warn(f"{path} is cut off in line {number}: that run can be resumed from what stands above it")
            break
        run.lines.append(line)
        if "step" in entry:
            run.steps[entry["step"]] = entry["value"]
        run.ended = entry.get("ended", UNDER_WAY)
    return run
