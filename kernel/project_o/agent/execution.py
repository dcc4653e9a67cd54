"""How a tool's call is carried out: here, in a copy of this process that is killed in time, or in the sandbox.

A plain tool runs here. One with a timeout runs in a copy of the kernel: it sees all variables and changes none. An
unsafe one runs in the sandbox, without files and network, until a person approves it as it is; a changed tool has to
be approved again.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import AgentError, SandboxError, UsageError
from ..lisp.specs import AgentSpec, ToolSpec, canonical
from ..values import Program

if TYPE_CHECKING:
    from ..runtimes import LispRuntime
    from ..sandbox import Sandbox

_STAND_IN = "unsafe-call"
ProgramOf = Callable[[AgentSpec, Mapping[str, ToolSpec]], Program]
"""Makes the program of an agent, with what of the notebook it uses."""


class Execution:
    """Carries out calls of tools. ``in_copy`` is called first in a copy of the process."""

    def __init__(self, program_of: ProgramOf, in_copy: Callable[[], None] = lambda: None) -> None:
        self.in_copy = in_copy
        self._program_of = program_of
        self._approved: set[str] = set()
        self._lock = threading.Lock()
        self._box: tuple[Sandbox, LispRuntime] | None = None

    def approve(self, tool: ToolSpec) -> None:
        """Let an unsafe tool run in this process, as it is now, for the life of this kernel."""
        self._approved.add(tool.digest)

    def is_approved(self, tool: ToolSpec) -> bool:
        """Whether the tool, as it is now, runs outside the sandbox."""
        return not tool.unsafe or tool.digest in self._approved

    def ready(self, tools: Mapping[str, ToolSpec]) -> Mapping[str, ToolSpec]:
        """The tools as a turn is given them: those that do not simply run here are carried out by ``carry_out``."""
        return {
            name: self._ready(tool) if tool.unsafe or tool.timeout_seconds else tool for name, tool in tools.items()
        }

    def _ready(self, tool: ToolSpec) -> ToolSpec:
        def run(**arguments: Any) -> Any:
            return self.carry_out(tool, arguments)

        run.__wrapped__ = tool.run  # type: ignore[attr-defined]  # for the line of an error
        return replace(tool, run=run)

    def carry_out(self, tool: ToolSpec, arguments: Mapping[str, Any]) -> Any:
        """The tool's value for arguments that fit. Raises what it raises, and AgentError where it is ended."""
        if not self.is_approved(tool):
            return self._in_sandbox(tool, arguments)
        if tool.timeout_seconds:
            return in_copy(tool, arguments, self.in_copy)
        return tool.run(**arguments)

    # ------------------------------------------------------------------ in the sandbox

    def _in_sandbox(self, tool: ToolSpec, arguments: Mapping[str, Any]) -> Any:
        advice = f"%agent approve {tool.name} lets it run in the notebook's own process, as it is now"
        seconds = tool.timeout_seconds or limits.TRIAL_WALL_SECONDS
        try:
            given = json.loads(json.dumps(dict(arguments), allow_nan=False))
            runtime, box = self._opened()
            artifact = runtime.build(self._program_of(stand_in(tool), {canonical(tool.name): tool}))
            job = runtime.opener(box)(artifact)
        except (UsageError, SandboxError, TypeError, ValueError) as error:
            raise AgentError(f"{tool.name} is unsafe and cannot go into the sandbox: {error}. {advice}") from error
        try:
            answer = job.ask(artifact.program.name, ["call", given], seconds=seconds)
        finally:
            job.close()
        if not answer.ok:
            raise AgentError(
                f"the tool {tool.name} failed in the sandbox ({answer.ended or 'it raised'}): {answer.error}. It is "
                f"unsafe, so it has no files and no network there; {advice}"
            )
        return json.loads(str(answer.value))

    def _opened(self) -> tuple[LispRuntime, Sandbox]:
        from ..runtimes import LispRuntime
        from ..sandbox import Sandbox

        with self._lock:
            if self._box is None:
                self._box = Sandbox(wall_seconds=limits.TOOL_SECONDS_MAX), LispRuntime()
            return self._box[1], self._box[0]


def stand_in(tool: ToolSpec) -> AgentSpec:
    """An agent whose body is one call of the tool, with the arguments of its message; it answers in JSON."""
    body = f'(do (import json) (json.dumps (use "{tool.name}" #** arguments)))'
    source = f"(defagent {_STAND_IN} :tools [{tool.name}] {body})"
    return AgentSpec(_STAND_IN, tools=(tool.name,), body=lambda: None, source=source, language="lisp")


# ------------------------------------------------------------------ in a copy


class _Told:
    """Where the copy puts what the tool returned."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def result(self, value: Any) -> None:
        """Called from the copy."""
        self.values.append(value)


def in_copy(tool: ToolSpec, arguments: Mapping[str, Any], first: Callable[[], None]) -> Any:
    """The tool's value, from a copy of this process that is killed with all its children when its time is over.

    Raises AgentError where it is killed, where it dies, and where it raises.
    """
    from ..evolution.forked import carry_out
    from ..evolution.forked_copy import Step

    told = _Told()
    work = partial(_work, tool, arguments)
    file = getattr(getattr(tool.run, "__code__", None), "co_filename", "")
    outcome = carry_out([Step(tool.name, work, file)], told, seconds=tool.timeout_seconds, first=first)
    if outcome.failures:
        raise AgentError(f"the tool {tool.name} failed{outcome.failures[0].reason}")
    if outcome.ended or not told.values:
        late = outcome.seconds >= tool.timeout_seconds
        how = f"took longer than its {tool.timeout_seconds:g} s and was killed" if late else "died"
        raise AgentError(f"the tool {tool.name} {how}: give it less to do, or a longer :timeout")
    return told.values[0]


def _work(tool: ToolSpec, arguments: Mapping[str, Any], program: Any) -> None:
    program.result(tool.run(**arguments))
