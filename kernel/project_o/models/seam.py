"""The one seam to language models: five calls, and the values that cross it.

Everything above (agents, evolution) knows these names and nothing of any provider's library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from ..values import Usage

Role = Literal["system", "user", "assistant", "tool"]
Finish = Literal["stop", "tools", "length", "filter"]


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model sees it. ``parameters`` is a JSON schema of type object (JSON Schema 2020-12)."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model asks for a tool. ``id`` is the provider's, and comes back with the result.

    ``problem`` says, for the model to read, why its arguments could not be read; ``arguments`` is then empty, and the
    call is not to be carried out.
    """

    id: str
    name: str
    arguments: Mapping[str, Any]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    ``calls`` are those an assistant's message asks for; ``call_id`` names the call that a tool's message answers.
    ``grammar``, in GBNF, is what the answer to this message has to match: for servers that take one.
    """

    role: Role
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    grammar: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said. ``calls`` is empty unless it wants tools; ``model`` is the name it answered under.

    ``finish`` is why it ended: ``length`` where it reached its limit of tokens, so that the text is not whole.
    """

    text: str
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = field(default_factory=Usage)
    model: str = ""
    finish: Finish = "stop"

    @property
    def message(self) -> Message:
        """The reply as the assistant's message of the conversation."""
        return Message("assistant", self.text, self.calls)


RunTool = Callable[[ToolCall], str]
"""Carries out one call and returns its result as text; what goes wrong is part of that text, for the model to read.
One that ``HearsRefusals`` is also told of the calls that are not carried out."""


@runtime_checkable
class HearsRefusals(Protocol):
    """Wants to know of calls of a tool that was not offered, or whose arguments could not be read."""

    def refused(self, call: ToolCall, problem: str) -> None:
        """``call`` was not carried out, and the model is told the ``problem``."""


class Model(Protocol):
    """A language model. ``name`` is ``provider:model``. Every call raises ModelError where no usable answer came."""

    name: str

    def chat(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Reply:
        """One answer to a conversation."""

    def stream(self, messages: Sequence[Message], tools: Sequence[ToolSpec] = ()) -> Iterator[str | Reply]:
        """The answer as it comes: pieces of text, and at the end, once, the whole Reply."""

    def tools(
        self,
        messages: Sequence[Message],
        tools: Sequence[ToolSpec],
        run: RunTool,
        on_text: Callable[[str], None] | None = None,
    ) -> Reply:
        """Answer, carrying out the calls it asks for with ``run``, until it asks for none.

        At most ``limits.TOOL_STEPS_MAX`` rounds. ``on_text`` receives the text as it streams. The usage is that of
        all rounds.
        """

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector of floats a text, all of one length."""

    def usage(self) -> Usage:
        """What was asked of this object so far."""
