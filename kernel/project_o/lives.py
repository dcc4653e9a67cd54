"""The words of an agent's life as they are shown: what happened to it, what it remembers, what it recalls and why.

Frozen, as those of ``values``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened to an agent. ``kind`` is turn, feedback, or the kind of a state that is about the agent.

    ``when`` is in seconds since the epoch, None where it was not kept. Of ``seconds`` a turn was ``acting_seconds`` in
    tools. ``state`` is the id of the state that holds the whole of it, "" for none; feedback is ``about`` the turn
    whose id begins so.
    """

    kind: str
    what: str
    when: float | None = None
    state: str = ""
    path: tuple[str, ...] = ()
    seconds: float = 0.0
    acting_seconds: float = 0.0
    tools: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    error: str = ""
    thumb: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """A remembered text and what is known of it. Times are seconds since the epoch; ``uses`` counts recalls."""

    id: str
    text: str
    source: str = ""
    when: float = 0.0
    last_used: float = 0.0
    uses: int = 0
    scope: str = ""
    importance: float = 1.0
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A text that fits a question. ``parts`` are (what, how much) and add up to ``score``; ``shared`` are the words
    that stand in both."""

    kept: Kept
    score: float
    parts: tuple[tuple[str, float], ...] = ()
    shared: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MemoryLook:
    """A memory as it is: the last ``kept`` of ``count`` blocks, newest first, or the answers to a ``question``.

    ``suppressed`` fitted as well as the last that was found, and lost by age alone. ``superseded`` are (old text, new
    text, or "" where that is gone), ``forgotten`` (text, when) of what had to leave.
    """

    name: str
    count: int
    capacity: int
    finds_by: str
    kept: tuple[Kept, ...] = ()
    question: str = ""
    found: tuple[Found, ...] = ()
    suppressed: tuple[Found, ...] = ()
    superseded: tuple[tuple[str, str], ...] = ()
    forgotten: tuple[tuple[str, float], ...] = ()
