"""An agent that stands alone, as a candidate does: its memory begins empty; it has no history and no language model.

Lisp and Python programs become the same one, in a sandboxed process or in this one. No Hy is needed here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import AgentError, ModelMissing
from .context import body_of, running
from .embedding import rank
from .replies import reply_of
from .specs import canonical

_NO_MODEL = (
    "a candidate has no language model: agents are searched by what their own body does; "
    "let the body answer the evaluator's messages without llm-respond"
)


class Standing:
    """Calling it answers one message.

    ``body`` is called without arguments inside the turn, ``tools`` by their canonical names with named arguments.
    ``memory`` is its capacity, and how many texts a recall returns; None for an agent without one.
    """

    def __init__(
        self,
        name: str,
        body: Callable[[], Any] | None,
        tools: Mapping[str, Callable[..., Any]],
        memory: tuple[int, int] | None,
    ) -> None:
        self.name = name
        self.body = body
        self.tools = tools
        self.memory = memory
        self.remembered: list[str] = []

    def __call__(self, message: str, arguments: Mapping[str, Any] | None = None) -> str:
        """The reply to a message. Raises whatever the body raises, and AgentError for a value that is no reply."""
        with running(Turn(self, message, arguments or {})) as turn:
            return reply_of(self.name, self.body() if self.body is not None else turn.respond(message))


class Turn:
    """The services of one message to an agent that stands alone; see ``context.Services``."""

    def __init__(self, agent: Standing, message: str, arguments: Mapping[str, Any]) -> None:
        self.message = message
        self.arguments = {canonical(str(name)): value for name, value in arguments.items()}
        self._agent = agent

    def has_tool(self, name: str) -> bool:
        """Whether the agent names this tool."""
        return canonical(name) in self._agent.tools

    def use(self, name: str, args: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        """Call a tool. Raises AgentError for one that the agent does not name."""
        if not self.has_tool(name):
            known = ", ".join(self._agent.tools) or "none"
            raise AgentError(f"{self._agent.name} has no tool {name}: it has {known}")
        return self._agent.tools[canonical(name)](**{**(args or {}), **named})

    def respond(self, prompt: str) -> str:
        """Raises ModelMissing."""
        raise ModelMissing(_NO_MODEL)

    def converse(self) -> str:
        """Raises ModelMissing."""
        raise ModelMissing(_NO_MODEL)

    def remember(self, text: str) -> None:
        """Keep a text, each once; the oldest goes when the memory is full. Raises AgentError without a memory."""
        capacity, _, remembered = self._memory()
        if text in remembered:
            remembered.remove(text)
        remembered.append(text)
        del remembered[:-capacity]

    def recall(self, query: str, top: int | None = None) -> list[str]:
        """The remembered texts that have something in common with ``query``, nearest first."""
        _, most, remembered = self._memory()
        found = rank(query, remembered, top or most)
        return [remembered[index] for index, nearness in found if nearness > 0]

    def _memory(self) -> tuple[int, int, list[str]]:
        if self._agent.memory is None:
            raise AgentError(f"{self._agent.name} has no memory: give it one with :memory NAME, in Python memory=NAME")
        return *self._agent.memory, self._agent.remembered


def standing(
    name: str, function: Callable[..., Any], tools: Mapping[str, Callable[..., Any]], memory: tuple[int, int] | None
) -> Standing:
    """The agent whose body is a Python function. Raises UsageError where that takes what no body is given."""
    return Standing(name, body_of(function), tools, memory)
