"""Workflows: steps that are carried out once each, whatever happens in between.

A workflow is a plain function. What it does in ``step`` is written down as it ends; when the workflow is carried out
again with the same journal, a step that has ended gives its value and is not done again. So conditions, loops and
branches are the language's own, and a run goes on from the last step that ended: after an error, Ctrl-C, or a kill.
(Burckhardt et al., "Durable Functions", OOPSLA 2021.)

What stands outside of steps is done again: it should depend on nothing but arguments and steps.
"""

from __future__ import annotations

import contextvars
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .. import limits
from ..errors import AgentError, a_kind
from .specs import WorkflowSpec


class Journal(Protocol):
    """Where steps that ended are written down. Used from several threads."""

    def found(self, key: str) -> tuple[bool, Any]:
        """Whether the step has ended, and its value."""

    def ended(self, key: str, value: Any, attempts: int, seconds: float) -> None:
        """A step has ended."""


class InMemory:
    """A journal that is forgotten with the run."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def found(self, key: str) -> tuple[bool, Any]:
        """Whether the step has ended, and its value."""
        return key in self.values, self.values.get(key)

    def ended(self, key: str, value: Any, attempts: int, seconds: float) -> None:
        """A step has ended."""
        self.values[key] = value


@dataclass
class _Scope:
    """A workflow under way, or one branch of it: ``path`` stands in front of its steps' keys."""

    workflow: str
    journal: Journal
    path: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    stopped: threading.Event = field(default_factory=threading.Event)
    last: Any = None

    def key(self, name: str) -> str:
        """Steps of one name are told apart by how often it came before."""
        count = self.counts[name] = self.counts.get(name, 0) + 1
        if sum(self.counts.values()) > limits.WORKFLOW_STEPS_MAX:
            raise AgentError(
                f"workflow {self.workflow} has come to {limits.WORKFLOW_STEPS_MAX:,} steps: does its loop end?"
            )
        return f"{self.path}{name}" if count == 1 else f"{self.path}{name}#{count}"


_scope: contextvars.ContextVar[_Scope | None] = contextvars.ContextVar("project_o_workflow", default=None)


def carry_out(spec: WorkflowSpec, arguments: Mapping[str, Any], journal: Journal) -> Any:
    """The workflow's value; that of its last step where it returns None. Raises what its steps raise."""
    scope = _Scope(spec.name, journal)
    token = _scope.set(scope)
    try:
        value = spec.run(**arguments)
    finally:
        scope.stopped.set()
        _scope.reset(token)
    return scope.last if value is None else value


def step(name: str, work: Callable[[], Any], *, retries: int = 0, pause: float = 0.0) -> Any:
    """The value of ``work()``, once: as JSON gives it back, a list for a tuple.

    ``retries`` more attempts are made where it raises, the first ``pause`` seconds later, each pause twice as long.
    Raises AgentError outside a workflow, for a value that JSON has not, and where the last attempt raised.
    """
    scope = _scope.get()
    if scope is None:
        raise AgentError("no workflow is under way: step and parallel work in the body of a defworkflow")
    key = scope.key(name)
    done, value = scope.journal.found(key)
    if not done:
        value = _worked(scope, key, work, retries, pause)
    scope.last = value
    return value


def _worked(scope: _Scope, key: str, work: Callable[[], Any], retries: int, pause: float) -> Any:
    started = time.perf_counter()
    for attempt in range(1, retries + 2):
        if scope.stopped.is_set():
            raise AgentError(f"workflow {scope.workflow} has ended: its step {key} is not begun any more")
        try:
            value = kept(scope.workflow, key, work())
            break
        except Exception as error:
            if attempt > retries:
                tried = f" after {attempt} attempts" if retries else ""
                raise AgentError(
                    f"step {key} of workflow {scope.workflow} failed{tried}: {type(error).__name__}: {error}. What "
                    "ended before it is kept: resume goes on from there"
                ) from error
            scope.stopped.wait(pause * 2 ** (attempt - 1))
    scope.journal.ended(key, value, attempt, time.perf_counter() - started)
    return value


def kept(workflow: str, key: str, value: Any) -> Any:
    """A value as a later kernel will find it. Raises AgentError for one that JSON has not, or that is too large."""
    try:
        text = json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise AgentError(
            f"step {key} of {workflow} has {a_kind(value)} that cannot be kept for a later kernel: "
            "use text, numbers, lists and dicts with text as keys"
        ) from None
    if len(text) > limits.ANSWER_BYTES_MAX:
        raise AgentError(
            f"step {key} of {workflow} has {len(text):,} characters, and at most {limits.ANSWER_BYTES_MAX:,} are "
            "kept: write them to a file, and return its name"
        )
    return json.loads(text)


def parallel(*branches: Callable[[], Any]) -> list[Any]:
    """The values of all branches, each in a thread of its own. What the first of them raised is raised when all ended.

    Raises AgentError outside a workflow, and for more branches than ``limits.WORKFLOW_BRANCHES_MAX``.
    """
    scope = _scope.get()
    if scope is None:
        raise AgentError("no workflow is under way: step and parallel work in the body of a defworkflow")
    if len(branches) > limits.WORKFLOW_BRANCHES_MAX:
        raise AgentError(
            f"{len(branches)} branches at once, and at most {limits.WORKFLOW_BRANCHES_MAX} are: use a loop"
        )
    path = scope.key("parallel")
    values: list[Any] = [None] * len(branches)
    errors: list[BaseException | None] = [None] * len(branches)

    def run(index: int) -> None:
        _scope.set(_Scope(scope.workflow, scope.journal, f"{path}/{index + 1}/", stopped=scope.stopped))
        try:
            values[index] = branches[index]()
        except BaseException as error:  # noqa: BLE001 - it is raised below, in the thread that waits
            errors[index] = error

    threads = [
        threading.Thread(target=contextvars.copy_context().run, args=(run, index), daemon=True)
        for index in range(len(branches))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        if error is not None:
            raise error
    scope.last = values
    return values
