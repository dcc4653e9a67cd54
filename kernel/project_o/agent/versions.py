"""What evolution may do with an agent: run on it, let a version of it serve, take that back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from ..errors import AgentError
from ..lisp.specs import AgentSpec, MemorySpec, ToolSpec, canonical
from .beside import Beside, Split
from .definition import Definition, Evolved, with_body
from .tools import python_tool

if TYPE_CHECKING:
    from ..runtimes import PythonAgent
    from ..values import Program
    from .agent import Agent
    from .agents import Agents
    from .states import Machine


class Versions:
    """The part of an agent that versions of it are put into; see ``Agent`` for the rest."""

    _house: Agents
    _machine: Machine
    _spec: AgentSpec
    _own: dict[str, ToolSpec]
    _written: tuple[AgentSpec, dict[str, ToolSpec]] | None
    _beside: Beside | None

    @property
    def name(self) -> str:
        """As it was defined."""
        return self._spec.name

    @property
    def spec(self) -> AgentSpec:
        """The plain value that it is made of."""
        return self._spec

    def refuse_during_turn(self) -> None:
        """Raises AgentError unless the agent is idle."""
        if self._machine.state != "idle":
            raise AgentError(
                f"{self._spec.name} is {self._machine.state} and cannot be defined anew now: define it again when that "
                "has ended"
            )

    @contextmanager
    def evolving(self) -> Iterator[None]:
        """While a run on this agent goes on; messages are refused meanwhile. Raises AgentError during a turn."""
        self._machine.check("evolving")
        try:
            self._machine.move("evolving")
            yield
        finally:
            self._machine.rest()

    def serve(self, program: Program) -> None:
        """Be what a version of its Lisp defines: one that was accepted, or taken back.

        Raises LispError, and AgentError during a turn.
        """
        self.refuse_during_turn()
        self._become(Definition(*self._house.version(program, self)))

    def evolved(self, body: Evolved, tools: Mapping[str, Evolved]) -> None:
        """Be what a version of its Python defines: functions with their texts, tools by name; all else stays.

        Raises AgentError during a turn.
        """
        self.refuse_during_turn()
        self._become(self._of_python(body, tools))

    def _of_python(self, body: Evolved, tools: Mapping[str, Evolved]) -> Definition:
        spec, own = self.written
        made = {canonical(name): python_tool(function, name, text) for name, (function, text) in tools.items()}
        return Definition(with_body(spec, *body), {**own, **made})

    def serve_beside(self, split: Split | None, program: Program | None = None, *python: Any) -> None:
        """Let a version, of Lisp or of Python as ``evolved`` takes it, answer some conversations; None: let none."""
        self._beside = None
        if split is not None:
            made = Definition(*self._house.version(program, self)) if program else self._of_python(*python)
            self._beside = Beside(split, made, cast("Agent", self))

    def as_written(self) -> None:
        """Be what the user wrote, where a version serves. Raises AgentError during a turn."""
        self.refuse_during_turn()
        self._spec, self._own = self.written
        self._written = None

    def _become(self, made: Definition) -> None:
        """Be a version: turns, memory, model and state stay."""
        self._written = self.written
        self._spec, self._own = made.spec, dict(made.own)
        if self._spec.memory:
            self._house.memory(self._spec.memory)

    @property
    def written(self) -> tuple[AgentSpec, dict[str, ToolSpec]]:
        """What the user wrote, whatever serves: the definition, and tools that are only the agent's own."""
        return self._written or (self._spec, self._own)

    @property
    def is_current(self) -> bool:
        """Whether its name still means this agent."""
        return any(agent is self for agent in self._house)

    @property
    def program(self) -> Program:
        """The agent as a program, as the user wrote it: its own text first, then what that uses.

        Raises UsageError for what cannot be sent into the sandbox, and for an agent of Python without a body.
        """
        spec, own = self.written
        if spec.language == "python":
            return self.python_agent().program
        from ..runtimes import agent_program

        return agent_program(
            spec,
            tools=self._house.tools_of(spec, own),
            memory=self._memory_spec(spec),
            helpers=self._house.specs.helpers,
            namespace=self._house.namespace,
            is_secret=self._house.is_secret,
        )

    def python_agent(self) -> PythonAgent:
        """What its runtime needs of an agent that was made in Python. Raises UsageError as ``program``."""
        from ..runtimes import PythonAgent

        spec, own = self.written
        return PythonAgent(spec, self._house.tools_of(spec, own), self._memory_spec(spec), self._house.is_secret)

    def _memory_spec(self, spec: AgentSpec) -> MemorySpec | None:
        return self._house.specs.memory(spec.memory) if spec.memory else None
