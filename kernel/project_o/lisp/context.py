"""The turn that a body runs in: whoever carries out the turn offers ``Services``, and the forms of a body use them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from ..errors import AgentError, UsageError


class Services(Protocol):
    """What a body may ask for while it answers one message."""

    @property
    def message(self) -> str:
        """The message, as it was written."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The arguments given by name, with ``_`` in their names."""

    def has_tool(self, name: str) -> bool:
        """Whether the agent may use this tool."""

    def use(self, name: str, args: Mapping[str, Any], /) -> Any:
        """Call a tool with named arguments. Raises AgentError for a tool or arguments that are not there."""

    def respond(self, prompt: str) -> str:
        """Ask the language model. Raises ModelMissing where none is configured."""

    def remember(self, text: str) -> None:
        """Keep a text in the agent's memory. Raises AgentError where it has none."""

    def recall(self, query: str, top: int | None = None) -> list[str]:
        """The texts that fit ``query`` best, best first. Raises AgentError where the agent has no memory."""


_current: ContextVar[Services | None] = ContextVar("project_o_turn", default=None)


def current() -> Services:
    """The services of the turn under way. Raises AgentError outside a turn."""
    found = _current.get()
    if found is None:
        raise AgentError("no turn is under way: message, get-arg, recall and the like work in the body of a defagent")
    return found


@contextmanager
def running(services: Services) -> Iterator[Services]:
    """A turn: ``current`` returns ``services`` inside, also in threads that copy the context. Turns may nest."""
    token = _current.set(services)
    try:
        yield services
    finally:
        _current.reset(token)


def body_of(function: Callable[..., Any]) -> Callable[[], Any]:
    """A Python function as the body of an agent: it takes what it names of message, arguments and turn.

    Raises UsageError for other parameters.
    """
    names = list(inspect.signature(function).parameters)
    unknown = [name for name in names if name not in ("message", "arguments", "turn")]
    if unknown:
        raise UsageError(
            f"the body {function.__name__} takes {', '.join(unknown)}: it may take message, arguments and turn, "
            "and asks for a named argument with get_arg"
        )

    def run() -> Any:
        turn = current()
        found = {"turn": turn, "message": turn.message, "arguments": dict(turn.arguments)}
        return function(**{name: found[name] for name in names})

    run.__wrapped__ = function  # type: ignore[attr-defined]  # so that an error finds the function's own lines
    return run
