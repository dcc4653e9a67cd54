"""Which version of an agent answers a turn while a canary of it is under way."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from ..deploy.conversations import Answer
from ..limits import CONVERSATION_TURNS_MAX
from ..lisp.context import running
from ..lisp.replies import reply_of
from ..values import Turn
from .definition import Definition
from .shadow import OnlyOnce, Shadow, Tape
from .states import Machine
from .turn import INTERRUPTED, problem_of

if TYPE_CHECKING:
    from .agent import Agent


class Split(Protocol):
    """Two versions at work beside each other; see ``deploy.conversations``."""

    old: Any
    new: Any

    def version_for(self, conversation: str) -> Any:
        """Which of them answers."""

    @property
    def in_shadow(self) -> bool:
        """Whether the old one answers every turn, and the new one is asked besides."""

    def drawn(self) -> bool:
        """Whether the new one is asked this time."""

    @property
    def new_first(self) -> bool:
        """Whether the new one is asked before the old one this time."""

    def compared(self, message: str, asked: Answer, tried: Answer) -> None:
        """How both of them replied to a message."""

    def answered(self, version: Any, seconds: float, error: str, message: str = "", reply: str = "") -> None:
        """How a turn went."""


_key: ContextVar[str] = ContextVar("project_o_conversation", default="")


@contextmanager
def conversation(key: str) -> Iterator[None]:
    """Messages inside are of one conversation: one version answers all of them."""
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)


class Beside:
    """A new version of an agent beside the one that serves."""

    def __init__(self, split: Split, new: Definition, agent: Agent) -> None:
        self._split = split
        self._new = new
        self._agent = agent

    def chosen(self, serving: Definition, message: str, arguments: Mapping[str, Any]) -> Definition:
        """What answers a turn. The turns before it tell conversations apart that nobody named.

        An agent with a body answers each message by itself; for one whose model sees the turns before, those are one
        conversation as long as any of them is seen.
        """
        if self._split.in_shadow:
            return self._with_shadow(serving, message, arguments) if self._split.drawn() else serving
        turns = len(self._agent.turns)
        key = _key.get() or str(turns if serving.spec.body else turns // CONVERSATION_TURNS_MAX)
        version, began = self._split.version_for(key), time.perf_counter()
        chosen = self._new if version is self._split.new else serving

        def ended(problem: str, message: str, reply: str) -> None:
            if problem != INTERRUPTED:
                self._split.answered(version, time.perf_counter() - began, problem, message, reply)

        return replace(chosen, ended=ended)

    def _with_shadow(self, serving: Definition, message: str, arguments: Mapping[str, Any]) -> Definition:
        """The version that serves answers; the new one is asked the same, by turns before and after it.

        Before it, the new one cannot know what tools gave: where it asks for that, it is asked again afterwards.
        """
        tape, past = Tape(), self._agent.turns
        early = self._tried(Shadow(), message, arguments, past) if self._split.new_first else None
        answers = list[Answer]()

        def ended(problem: str, _: str, reply: str) -> None:
            if problem != INTERRUPTED:
                answers.append(Answer(reply, problem, tape.seconds, tape.asked_model, tape.asked_others))

        def after() -> None:
            for answer in answers:
                tried = early
                if tried is None or tried.withheld:
                    tried = self._tried(Shadow(tape=tape), message, arguments, past)
                self._split.compared(message, answer, tried)

        return replace(serving, around=tape, ended=ended, after=after)

    def _tried(self, shadow: Shadow, message: str, arguments: Mapping[str, Any], past: Sequence[Turn]) -> Answer:
        """What the new version replies in a turn that is not the agent's own: nothing of it is kept."""
        agent, made = self._agent, replace(self._new, around=shadow)
        machine, reply, problem, withheld = Machine(agent.name), "", "", ""
        try:
            turn = agent._open(made, message, arguments, machine=machine, past=past)
            machine.move("thinking")
            with running(turn):
                reply = reply_of(agent.name, agent._answer(turn, shadow.body(made.spec.body)))
        except OnlyOnce as error:
            withheld = str(error)
        except Exception as error:  # noqa: BLE001 - whatever a version raises is what it is compared by
            problem = problem_of(error)
        return Answer(reply, problem, shadow.seconds, shadow.asked_model, shadow.asked_others, withheld)
