"""An agent and its memory as values to be shown: what happened, what is remembered, what a question finds and why."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import limits
from ..lives import Found, Kept, MemoryLook, Moment
from ..values import State, Turn
from .blocks.block import Block, Recalled
from .blocks.ranking import Ranking
from .blocks.splitting import storable
from .memory import Memory

if TYPE_CHECKING:
    from ..history import History
    from .agent import Agent

_WORD = re.compile(r"\w+")
_KINDS = {"agent": "turn"}
"""What the history calls a turn."""


def moments(agent: Agent, history: History | None) -> tuple[Moment, ...]:
    """What happened to an agent, oldest first: of all kernels, where a history is kept, else the turns of this one.

    At most ``limits.MOMENTS_READ_MAX``. Raises HistoryError where the history cannot be read.
    """
    if history is None or not history.enabled:
        return tuple(map(_of_turn, agent.turns))
    history.flush()
    states = history.states(limits.MOMENTS_READ_MAX, scope=agent.name)
    return tuple(_of_state(state) for state in reversed(states) if state.kind != "cell")


def look(memory: Memory, question: str = "") -> MemoryLook:
    """A memory as it is; with a question also what it would recall by its own settings, and why. Nothing counts as
    used by that. Raises AgentError, ModelError where vectors cannot be made."""
    found, suppressed = _found(memory, question) if question.strip() else ((), ())
    newest = deque(memory.store.blocks(), maxlen=limits.MEMORY_ROWS_MAX)
    embedder = memory.embedder
    by = f"{embedder.id}, {embedder.weight:g} by meaning, {memory.spec.ranking}"
    return MemoryLook(
        memory.name,
        len(memory),
        memory.spec.capacity,
        by,
        tuple(_kept(block) for block in reversed(newest)),
        question.strip(),
        found,
        suppressed,
        _superseded(memory),
        tuple((one.text, one.when) for one in reversed(memory.forgotten)),
    )


def _found(memory: Memory, question: str) -> tuple[tuple[Found, ...], tuple[Found, ...]]:
    best = memory.peek(question)
    if not best:
        return (), ()
    ranking = Ranking(memory.store, memory.embedder, memory.spec.ranking, 0.0)
    everything: list[Recalled] = [*best, *best.suppressed]
    parts = ranking.parts(storable(question), memory.spec.top, everything)
    asked = _words(question)
    made = tuple(
        Found(_kept(one.block), one.score, made_of, tuple(word for word in asked if word in _words(one.block.text)))
        for one, made_of in zip(everything, parts, strict=True)
    )
    return made[: len(best)], made[len(best) :]


def _words(text: str) -> dict[str, None]:
    return dict.fromkeys(_WORD.findall(text.casefold()))


def _kept(block: Block) -> Kept:
    return Kept(
        block.id,
        block.text,
        block.source,
        block.when,
        block.last_used,
        block.uses,
        block.scope,
        block.importance,
        block.pinned,
    )


def _superseded(memory: Memory) -> tuple[tuple[str, str], ...]:
    """What was corrected, the last first, and the first piece of what it became."""
    old = deque(memory.store.blocks(superseded=True), maxlen=limits.MEMORY_ROWS_MAX)
    new = memory.store.get({block.superseded_by for block in old})
    return tuple((block.text, _text_of(new.values(), block.superseded_by)) for block in reversed(old))


def _text_of(blocks: Iterable[Block], name: str) -> str:
    return next((block.text for block in blocks if block.id == name), "")


def _of_turn(turn: Turn) -> Moment:
    return Moment(
        "turn",
        turn.message,
        path=turn.states,
        seconds=turn.seconds,
        acting_seconds=sum(use.seconds for use in turn.uses),
        tools=len(turn.uses),
        tokens_in=turn.usage.input_tokens,
        tokens_out=turn.usage.output_tokens,
        dollars=turn.usage.dollars,
        error=turn.error,
    )


def _of_state(state: State) -> Moment:
    facts = dict(state.facts)

    def number(name: str) -> float:
        try:
            return float(facts.get(name, 0))
        except ValueError:
            return 0.0  # a fact of another version: it is shown without that number

    return Moment(
        _KINDS.get(state.kind, state.kind),
        state.summary,
        state.when,
        state.id,
        tuple(facts.get("states", "").split()),
        number("seconds"),
        number("acting"),
        int(number("calls")) or len(facts.get("tools", "").split()),
        int(number("tokens_in")),
        int(number("tokens_out")),
        number("dollars"),
        facts.get("error", ""),
        facts.get("value", "") if state.kind == "feedback" else "",
        facts.get("turn", "") if state.kind == "feedback" else "",
    )
