"""A canary of an agent: whole conversations are of one version, and no turn is answered twice.

An agent uses tools, remembers, and is paid for by the word: a turn that failed is not asked again of the other version,
as a call of a function is. It is counted, and the one who asked is told. In the shadow the new version is asked, too,
but of what happens only once nothing happens again: see ``agent.shadow``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from .canary import Canary
from .handles import Version


@dataclass(frozen=True, slots=True)
class Answer:
    """How one version replied: ``problem`` is what it failed with, ``withheld`` why it was not asked to the end."""

    reply: str
    problem: str
    seconds: float
    asked_model: bool = False
    asked_others: bool = False
    withheld: str = ""


class Conversations(Canary):
    """Two versions of an agent. A conversation is whatever has the same key."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.evidence.why_refused = "in which it asked for what happens only once"

    def version_for(self, conversation: str) -> Version:
        """Which version answers, the same at each turn of a conversation until something is decided."""
        if self.winner is not None:
            return self.winner
        if self.waits_for or self.plan.shadow:
            return self.old
        digest = hashlib.sha256(f"{self.plan.seed} {conversation}".encode("utf-8", "replace")).digest()
        return self.new if int.from_bytes(digest[:8], "big") < self.plan.share * 2**64 else self.old

    def answered(self, version: Version, seconds: float, error: str, message: str = "", reply: str = "") -> None:
        """How a turn went: how long it took, what it failed with or else what was said to which message."""
        if self.waits_for:
            return
        new = version is self.new
        with self._lock:
            if new:
                self.evidence.calls_new += 1
            else:
                self.evidence.calls_old += 1
            key = (self.artifact.program.name, 0)
            if error:
                self.evidence.failed(error, new=new)
            else:
                self.evidence.took(key, seconds, new=new)
                if new or key in self._values:
                    self._measure(key, (message,), reply, new=new)
        self.look()

    # ------------------------------------------------------------------ both at once

    @property
    def in_shadow(self) -> bool:
        """Whether the old version answers every turn, and the new one is asked besides."""
        return self.plan.shadow and self.winner is None and not self.waits_for

    def drawn(self) -> bool:
        """Whether the new version is to be asked this time, by the plan's share."""
        is_drawn = bool(self._table[next(self._numbers) % len(self._table)])
        if not is_drawn:
            self.evidence.calls_old += 1
        return is_drawn

    @property
    def new_first(self) -> bool:
        """Whether the new version is asked before the old one this time: by turns, as the second finds all at hand."""
        return (self.evidence.compared + self.evidence.refused) % 2 == 1

    def compared(self, message: str, asked: Answer, tried: Answer) -> None:
        """How both versions replied to a message.

        What a model says differs from itself, so replies are compared where none was asked, and times where neither
        a tool nor memory was asked either: what a shadow is given was taped.
        """
        if self.winner is not None:
            return
        with self._lock:
            if tried.withheld:
                self.evidence.refused += 1
                self.evidence.calls_old += 1
            else:
                self.evidence.calls_new += 1
                self.evidence.compared += 1
                self._compare_answers(message, asked, tried)
        self.look()

    def _compare_answers(self, message: str, asked: Answer, tried: Answer) -> None:
        name, is_modelled = self.artifact.program.name, asked.asked_model or tried.asked_model
        for answer, new in ((asked, False), (tried, True)):
            if answer.problem:
                self.evidence.failed(answer.problem, new=new)
        if asked.problem or tried.problem:
            return
        if not is_modelled and (how := self._differ(asked.reply, tried.reply)):
            self.evidence.differed(f"{name} {how}")
            return
        if self._is_warm(name, new=True) and not (is_modelled or asked.asked_others or tried.asked_others):
            self.evidence.took_both((name, 0), asked.seconds, tried.seconds)
        self._measured_both((asked.reply, message), (tried.reply, message))
