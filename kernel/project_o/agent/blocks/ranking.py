"""Which blocks answer a question best. Age and importance break ties, and what they suppress is listed."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from ... import limits
from ...errors import AgentError
from .block import Block, Recalled, Recollection

if TYPE_CHECKING:
    import numpy as np

    from ..embedders import Embedder
    from .seam import BlockStore

_DIGITS = 6
"""Scores that agree to so many are a tie."""
_FUSED_FROM = 60
"""Of reciprocal rank fusion: Cormack, Clarke and Buettcher, 2009."""
_SMALL = 5e-4
"""A part of a score that is not shown with three digits."""


class Ranking:
    """One question's. ``kind`` is sum or fused; ``now`` is the time that ages are counted from."""

    def __init__(self, store: BlockStore, embedder: Embedder, kind: str, now: float) -> None:
        self._store = store
        self._embedder = embedder
        self._kind = kind
        self.now = now

    def best(self, query: str, top: int, scope: str | None, without: Collection[str] = ()) -> Recollection:
        """The ``top`` best, best first, as if those ``without`` were not there."""
        wanted = _wanted(top) + len(without)
        vector = self._question(query)
        scores = dict(self._store.nearest(vector, wanted, scope))
        values = scores if self._kind == "sum" else self._fused(scores, self._store.matching(query, wanted, scope))
        blocks = self._store.get(name for name in values if name not in without)
        order = sorted(blocks.values(), key=lambda block: self._key(block, values[block.id]))
        found = [Recalled(block, values[block.id]) for block in order]
        last = round(found[top - 1].score, _DIGITS) if len(found) >= top else None
        return Recollection(found[:top], tuple(item for item in found[top:] if round(item.score, _DIGITS) == last))

    def parts(self, query: str, top: int, found: Sequence[Recalled]) -> list[tuple[tuple[str, float], ...]]:
        """What the scores of ``best`` are made of, as (what, how much), for each of ``found``: its words and its
        meaning; what it was taught, where a taught question is nearer; its place by shared words, where that counts."""
        fused, vector = self._kind != "sum", self._question(query)
        by_words = self._store.matching(query, _wanted(top), None) if fused else []
        places = {name: _FUSED_FROM / (_FUSED_FROM + place) / 2 for place, name in enumerate(by_words)}
        made = []
        for item in found:
            place = places.get(item.block.id, 0.0)
            words, meaning = self._embedder.halves(vector, item.block.text)
            nearness = (item.score - place) * (2 if fused else 1)
            if abs(nearness) < _SMALL:  # found by its place alone
                words = meaning = 0.0
            taught = nearness - words - meaning
            parts = [("words", words), ("meaning", meaning), ("teaching", taught if taught > _SMALL else 0.0)]
            kept = [(what, much / 2 if fused else much) for what, much in parts if abs(much) >= _SMALL]
            made.append((*kept, ("place", place)) if fused else tuple(kept))
        return made

    def _question(self, query: str) -> np.ndarray:
        return self._embedder.question(query, self._store.rarity, self._store.count())

    def meant(self, description: str, memory: str) -> Block:
        """The one block that a description fits, and no other nearly as well. Raises AgentError, naming the others."""
        found = self.best(description, limits.MEMORY_CANDIDATES_MIN, None)
        said = set(description.casefold().split())
        whole = [item for item in found if said <= set(item.block.text.casefold().split())]
        if len(whole) == 1:  # it says everything that the description says, and no other does
            return whole[0].block
        if not found or found[0].score < limits.MEMORY_MEANT_SCORE_MIN:
            raise AgentError(f"{memory} remembers nothing like {description!r:.80}: remember the new text instead")
        if len(found) > 1 and found[1].score > limits.MEMORY_MEANT_MARGIN * found[0].score:
            both = " or ".join(repr(item.block.text[:80]) for item in found[:2])
            raise AgentError(f"{memory}: {description!r:.80} may mean {both}: give one of them, or its id")
        return found[0].block

    def _fused(self, scores: dict[str, float], by_words: list[str]) -> dict[str, float]:
        """Half the cosine, half the place among those that share words: at most 1."""
        places = {name: _FUSED_FROM / (_FUSED_FROM + place) for place, name in enumerate(by_words)}
        names = {**scores, **places}
        return {name: (scores.get(name, 0.0) + places.get(name, 0.0)) / 2 for name in names}

    def _key(self, block: Block, score: float) -> tuple[float, float, float]:
        return (-round(score, _DIGITS), -self.strength(block), -block.when)

    def strength(self, block: Block) -> float:
        """What is left of a block's importance: half after ``MEMORY_HALF_LIFE_SECONDS`` without use, never below a
        tenth, more for what was used often."""
        idle = max(0.0, self.now - max(block.last_used, block.when))
        left: float = max(limits.MEMORY_STRENGTH_MIN, 0.5 ** (idle / limits.MEMORY_HALF_LIFE_SECONDS))
        return block.importance * left * (1.0 + math.log1p(block.uses))


def _wanted(top: int) -> int:
    """How many candidates are looked at for the ``top`` best."""
    return max(limits.MEMORY_CANDIDATES_MIN, 4 * top)
