"""What an agent is: a spec, and tools that are only its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..lisp.context import body_of
from ..lisp.specs import AgentSpec, ToolSpec
from .meaning import with_meaning
from .shadow import Around
from .tools import source_of

Evolved = tuple[Callable[..., Any], str]
"""A function of a version, and its text."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What answers a turn. ``ended`` is told how it went: "" or what it failed with, the message, the reply.

    ``around`` stands between the turn and what it asks for; ``after`` is called when the turn is kept.
    """

    spec: AgentSpec
    own: Mapping[str, ToolSpec]
    ended: Callable[[str, str, str], None] = lambda _problem, _message, _reply: None
    around: Around = field(default_factory=Around)
    after: Callable[[], None] = lambda: None


def with_body(spec: AgentSpec, function: Callable[..., Any], text: str = "") -> AgentSpec:
    """The agent with a Python function as its body. Raises UsageError where that takes what no body is given."""
    tool = with_meaning(ToolSpec("body", "", (), function, source=text or source_of(function)))
    return replace(spec, body=body_of(function), source=tool.source, normal=tool.normal)


def sources_of(spec: AgentSpec) -> dict[str, str]:
    """The text of an agent as a file, for the history."""
    return {f"agent.{'hy' if spec.language == 'lisp' else 'py'}": spec.source} if spec.source else {}
