"""``Agent``: a name that answers messages. Lisp's ``defagent`` and ``Agent(...)`` in Python make the same object."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import AgentError, ProjectOError, UsageError
from ..lisp.context import running
from ..lisp.functions import tool_options
from ..lisp.replies import reply_of
from ..lisp.specs import AgentSpec, MemorySpec, Spec, ToolSpec, canonical
from ..values import Turn
from . import agents as house
from .beside import Beside
from .definition import Definition, sources_of, with_body
from .meaning import with_meaning
from .memory import Memory
from .preferences import learn_answer
from .reply import Reply
from .states import Listener, Machine, StateName
from .tools import python_tool
from .turn import OpenTurn, described, facts, problem_of
from .versions import Versions

if TYPE_CHECKING:
    from ..models import Model
    from ..values import State

OnTurn = Callable[[Turn], None]


class Agent(Versions):
    """An agent with tools, a memory and a model.

    ``doc`` is its system prompt; ``tools`` are functions, tools, or names of tools; ``memory`` is the name of one,
    a ``MemorySpec``, or True for one of its own; ``model`` is ``provider:name``, a Model, or "" for the configured
    one; ``version`` is yours to count. ``body`` is a function
    that answers instead of the model, as the forms of ``defagent`` do: it takes what it
    names of ``message``, ``arguments`` and ``turn``. Raises UsageError, and AgentError where an agent of this name
    is in the middle of a turn.
    """

    def __init__(
        self,
        name: str,
        doc: str = "",
        *,
        tools: Sequence[ToolSpec | Callable[..., Any] | str] = (),
        memory: MemorySpec | str | bool | None = None,
        model: str | Model = "",
        version: str = "",
        body: Callable[..., Any] | None = None,
    ) -> None:
        self._own: dict[str, ToolSpec] = {}
        self._given_model: Model | None = None if isinstance(model, str) else model
        self._house = house.current()
        names = [tool if isinstance(tool, str) else self._own_tool(tool).name for tool in tools]
        spec = AgentSpec(
            name=name,
            doc=inspect.cleandoc(doc),
            tools=tuple(names),
            memory=self._memory_name(MemorySpec(name) if memory is True else memory or None),
            model=model if isinstance(model, str) else model.name,
            version=version,
        )
        self._begin(with_meaning(spec))
        if body is not None:
            self._spec = with_body(spec, body)
        self._house.adopt(self)

    @classmethod
    def of_spec(cls, spec: AgentSpec, agents: house.Agents) -> Agent:
        """The agent that a ``defagent`` form defines."""
        made = cls.__new__(cls)
        made._own, made._given_model, made._house = {}, None, agents
        made._begin(spec)
        return made

    def _begin(self, spec: AgentSpec) -> None:
        self._spec = spec
        self._written: tuple[AgentSpec, dict[str, ToolSpec]] | None = None
        self._beside: Beside | None = None
        self._machine = Machine(spec.name)
        self._turn_lock = threading.Lock()
        self._turn_thread = 0
        self._turns: list[Turn] = []
        self._states: list[str] = []
        self._on_turn: list[OnTurn] = []

    def _own_tool(self, function: Callable[..., Any], options: Mapping[str, Any] | None = None) -> ToolSpec:
        name = getattr(function, "__name__", "")
        tool = python_tool(function, options=tool_options(name, **options) if options else None)
        self._own[canonical(tool.name)] = tool
        return tool

    def _memory_name(self, memory: MemorySpec | str | None) -> str:
        if not memory:
            return ""
        spec = memory
        if isinstance(spec, str) and not self._house.specs.has("memory", spec):
            spec = MemorySpec(spec)
        return self._house.memory(spec).name

    # ------------------------------------------------------------------ what it is

    @property
    def doc(self) -> str:
        """Its system prompt."""
        return self._spec.doc

    @property
    def state(self) -> StateName:
        """``idle``, ``thinking``, ``acting`` or ``evolving``."""
        return self._machine.state

    @property
    def tools(self) -> dict[str, ToolSpec]:
        """Its tools by name. Raises AgentError where one that it names is not defined."""
        return {tool.name: tool for tool in self._house.tools_of(self._spec, self._own).values()}

    @property
    def memory(self) -> Memory | None:
        """What it remembers; None for an agent without a memory. Raises AgentError where it is not defined."""
        return self._house.memory(self._spec.memory) if self._spec.memory else None

    @property
    def further(self) -> list[Spec]:
        """The parameters and workflows that its own text, or that of its tools, names."""
        return self._house.named_in(self._spec, self.tools.values())

    @property
    def turns(self) -> tuple[Turn, ...]:
        """The last turns, oldest first, at most ``limits.TURNS_KEPT_MAX``."""
        return tuple(self._turns)

    @property
    def digest(self) -> str:
        """SHA-256 over what the agent is: equal for a Lisp and a Python definition that mean the same."""
        import hashlib

        parts = [self._spec.digest, *(tool.digest for tool in self.tools.values())]
        if self._spec.memory:
            parts.append(self._house.specs.memory(self._spec.memory).digest)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def __repr__(self) -> str:
        tools = f", tools {', '.join(self._spec.tools)}" if self._spec.tools else ""
        memory = f", memory {self._spec.memory}" if self._spec.memory else ""
        return f"<agent {self.name}: {self.state}{tools}{memory}>"

    # ------------------------------------------------------------------ defining it further

    def tool(self, function: Callable[..., Any] | None = None, **options: Any) -> Any:
        """A decorator: the function becomes a tool of this agent and stays the function it is.

        ``options`` are ``unsafe``, ``timeout`` and ``effects``, as those of ``project_o.agent.tool``.
        """
        if function is None:
            return lambda given: self.tool(given, **options)
        self.as_written()
        tool = self._own_tool(function, options)
        if canonical(tool.name) not in map(canonical, self._spec.tools):
            self._spec = replace(self._spec, tools=(*self._spec.tools, tool.name))
        self._house.changed(self)
        return function

    def body(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A decorator: the function answers the messages. It takes what it names of message, arguments and turn."""
        self.as_written()
        self._spec = with_body(self._spec, function)
        self._house.changed(self)
        return function

    def define(self, spec: AgentSpec) -> None:
        """Become what another form defines; turns, memory and state stay. Raises AgentError during a turn."""
        self.refuse_during_turn()
        self._own, self._given_model, self._written, self._spec = {}, None, None, spec
        if spec.memory:
            self._house.memory(spec.memory)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener(before, after)`` when the state changes; the returned function ends that."""
        return self._machine.listen(listener)

    # ------------------------------------------------------------------ messages

    def __call__(self, message: str, **arguments: Any) -> Reply:
        """Answer a message. Raises AgentError, ModelMissing, ModelError; whatever happens, the agent is idle again."""
        try:
            return self.answer(message, arguments)
        except ProjectOError as error:
            # What happened is in the message and its cause; the frames below this one are ours.
            raise error.with_traceback(None) from error.__cause__

    def answer(
        self, message: str, arguments: Mapping[str, Any] | None = None, on_text: Callable[[str], None] | None = None
    ) -> Reply:
        """Answer a message; ``on_text`` receives what the model says, as it comes.

        A message from another thread waits for the turn under way. Raises AgentError for an empty message, for one
        from inside the agent's own turn, and while a run on the agent goes on.
        """
        if not isinstance(message, str):
            raise AgentError(f"a message to {self.name} is text, not {type(message).__name__}: put str(...) around it")
        if not message.strip():
            raise AgentError(f"the message to {self.name} is empty: say what it is to answer")
        with self._turn():
            now = self._chosen(message, arguments or {})
            turn = self._open(now, message, arguments or {}, on_text=on_text)
            reply, value, problem = "", None, ""
            self._machine.check("thinking")
            end = self._machine.listen(turn.moved)
            try:
                self._machine.move("thinking")
                with self._house.store.together(), running(turn):
                    value = self._answer(turn, now.around.body(now.spec.body))
                reply = reply_of(self.name, value)
            except BaseException as error:
                problem, reply = problem_of(error), turn.text
                raise
            finally:
                now.ended(problem, message, reply)
                self._machine.rest()
                end()
                kept = turn.turn(reply, problem)
                self._keep(kept)
                now.after()
            return Reply(reply, kept, value)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        me = threading.get_ident()
        if self._turn_thread == me:
            raise AgentError(f"{self.name} cannot send a message to itself in the middle of its own turn")
        if not self._turn_lock.acquire(timeout=limits.AGENT_WAIT_SECONDS_MAX):
            raise AgentError(
                f"{self.name} was busy with another message for {limits.AGENT_WAIT_SECONDS_MAX:.0f} s: "
                "interrupt that one"
            )
        self._turn_thread = me
        try:
            yield
        finally:
            self._turn_thread = 0
            self._turn_lock.release()

    def _chosen(self, message: str, arguments: Mapping[str, Any]) -> Definition:
        serving = Definition(self._spec, self._own)
        return serving if self._beside is None else self._beside.chosen(serving, message, arguments)

    def _open(self, now: Definition, message: str, arguments: Mapping[str, Any], **further: Any) -> OpenTurn:
        spec, given, around = now.spec, self._given_model, now.around
        return OpenTurn(
            spec.name,
            spec.doc,
            message,
            arguments,
            tools=around.tools(self._house.execution.ready(self._house.tools_of(spec, now.own))),
            memory=around.memory(self._house.memory(spec.memory) if spec.memory else None),
            model=around.model(lambda: given if given is not None else self._house.model(spec.model)),
            redact=self._house.redact,
            calls=self._house.calls,
            **{"machine": self._machine, "past": self.turns, **further},
        )

    def _answer(self, turn: OpenTurn, body: Callable[[], Any] | None) -> Any:
        if body is None:
            return turn.converse()
        try:
            return body()
        except ProjectOError:
            raise
        except Exception as error:
            where = getattr(body, "__wrapped__", body)
            raise AgentError(f"the body of {self.name} raised {described(error, where)}") from error

    def _keep(self, turn: Turn) -> None:
        state = self._house.store.turn(turn, facts(turn), sources_of(self._spec))
        self._house.log(turn, state.id if state else "")
        self._turns.append(turn)
        self._states.append(state.id if state else "")
        del self._turns[: -limits.TURNS_KEPT_MAX], self._states[: -limits.TURNS_KEPT_MAX]

    def feedback(self, value: str, why: str = "", turn: Turn | None = None) -> State | None:
        """Say ``up`` or ``down`` about a turn, the last one by default, and why. It is kept in the history.

        Returns the state that holds it, None where nothing is recorded. Raises UsageError, and AgentError where there
        was no turn yet.
        """
        if value not in ("up", "down"):
            raise UsageError(f"feedback is up or down, not {value!r}: %agent feedback {self.name} up because ...")
        if not self._turns:
            raise AgentError(f"{self.name} has not answered anything in this kernel yet: send it a message first")
        place = next((k for k, one in enumerate(self._turns) if one is turn), len(self._turns) - 1)
        turn, state = self._turns[place], self._states[place]
        memory = self.memory
        if value == "up" and memory is not None:
            learn_answer(memory, turn.message, turn.reply)
        entry = {"value": value, "why": why, "turn": state[:10], "message": turn.message, "reply": turn.reply}
        return self._house.store.feedback(self.name, entry)
