"""How well a memory's strategy answers questions: the objective of an evolved strategy, computed anew each time.

A question counts as answered where the passage that it is about stands, whole, within the first ``characters`` of what
is recalled: small blocks leave room for more of them, large ones hold more of the passage. The candidate gives
settings and nothing else; texts, questions and the count stay with whoever judges.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from ..lisp.specs import MemorySpec
from .blocks.ranking import Ranking
from .following import with_settings
from .memory import Memory

Asked = Sequence[tuple[str, str]]


class Retrieval:
    """Texts and questions with the passages that answer them. Memories are built once for each way to cut the texts.

    ``spec`` is what the settings of a strategy are put into.
    """

    def __init__(
        self, texts: Sequence[str], asked: Asked, *, characters: int = 2_000, spec: MemorySpec | None = None
    ) -> None:
        self.texts = tuple(texts)
        self.asked = tuple(asked)
        self.characters = characters
        self._spec = spec or MemorySpec("judged", capacity=1_000_000)
        self._built: dict[tuple[int, int], Memory] = {}

    def halves(self, seed: int) -> tuple[Asked, Asked]:
        """The questions in two: those that a search may see, and those that it is judged by."""
        order = random.Random(seed).sample(self.asked, len(self.asked))
        return tuple(order[::2]), tuple(order[1::2])

    def answered(self, settings: Mapping[str, Any]) -> tuple[bool, ...]:
        """For each question, whether these settings answer it. Raises UsageError for settings that cannot be."""
        spec = with_settings(self._spec, settings)
        memory = self._built.get((spec.block, spec.overlap))
        if memory is None:
            memory = self._built[spec.block, spec.overlap] = Memory(spec)
            memory.remember_all(self.texts)
        memory.define(spec)
        # Not through ``recall``, which counts uses: to be judged is no use.
        ranking = Ranking(memory.store, memory.embedder, spec.ranking, 0.0)
        top = max(1, 2 * self.characters // spec.block)
        found = []
        for question, passage in self.asked:
            room, answered = self.characters, False
            for item in ranking.best(question, top, None):
                room -= len(item.block.text)
                answered = answered or (room >= 0 and passage in item.block.text)
            found.append(answered)
        return tuple(found)

    def score(self, settings: Mapping[str, Any], asked: Asked | None = None) -> float:
        """The share of questions that are answered; of ``asked`` alone where it is given."""
        wanted = set(self.asked if asked is None else asked)
        found = [hit for pair, hit in zip(self.asked, self.answered(settings), strict=True) if pair in wanted]
        return sum(found) / len(found)
