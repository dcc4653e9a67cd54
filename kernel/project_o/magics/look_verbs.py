"""``%agent log``, ``%agent memory`` and ``%agent metrics``: an agent's conversation, what it remembers, how it went."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..errors import UsageError
from .session import Session


def log(session: Session, words: list[str]) -> Any:
    """``%agent log NAME``: the conversation of this kernel, tool calls folded; the turns are the value."""
    from .. import view
    from ..operations.listing import Listing

    agent = _agent(session, words, "the conversation with whom? %agent log NAME")
    return Listing(agent.turns, lambda turns: view.show_conversation(turns, name=agent.name, state=agent.state))


def memory(session: Session, words: list[str]) -> Any:
    """``%agent memory NAME [QUESTION]``: what an agent remembers, or would recall for a question and why."""
    from .. import view
    from ..agent.looking import look
    from ..operations.listing import Report

    agent = _agent(session, words[:1], "whose memory? %agent memory NAME, or %agent memory NAME QUESTION")
    if agent.memory is None:
        raise UsageError(f"{agent.name} has no memory: define one with (defmemory notes) and give it :memory notes")
    return Report(look(agent.memory, " ".join(words[1:])), view.show_memory)


def metrics(session: Session, words: list[str]) -> Any:
    """``%agent metrics NAME``: its turns, feedback and runs over time, oldest first, as the value."""
    from .. import view
    from ..agent.looking import moments
    from ..operations.listing import Listing

    agent = _agent(session, words, "the metrics of whom? %agent metrics NAME")
    found = moments(agent, session.history)
    return Listing(found, lambda life: view.show_moments(life, name=agent.name, state=agent.state))


VERBS: Mapping[str, Callable[[Session, list[str]], Any]] = {"log": log, "memory": memory, "metrics": metrics}


def _agent(session: Session, words: list[str], usage: str) -> Any:
    if len(words) != 1:
        raise UsageError(usage)
    return session.agents.agent(words[0])
