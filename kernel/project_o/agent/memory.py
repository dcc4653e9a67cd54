"""What an agent remembers: texts with where and when they came from, found again by meaning and by words.

The same text twice is one block. Past its capacity the block that was used least, and among those longest ago,
leaves; what left is listed in ``forgotten``, never dropped in silence. Nothing is kept that looks like a secret.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .. import limits
from ..errors import AgentError
from ..lisp.specs import MemorySpec

if TYPE_CHECKING:
    from .embedders import Embedder, Index


@dataclass(frozen=True, slots=True)
class Block:
    """One remembered text. ``id`` is a hash of it; times are seconds since the epoch; ``uses`` counts recalls."""

    id: str
    text: str
    source: str = ""
    when: float = 0.0
    last_used: float = 0.0
    uses: int = 0


@dataclass(frozen=True, slots=True)
class Recalled:
    """A block and how well it fits a question: ``score`` is a cosine, at most 1."""

    block: Block
    score: float


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A block that had to leave for another, and when."""

    id: str
    text: str
    when: float


def block_id(text: str) -> str:
    """Sixteen hexadecimal digits of a text's SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


class Memory:
    """The memory of one agent, or of several that name the same one. Safe to use from any thread.

    ``changed`` is called with the ids of the blocks that came, left or were used, whenever that happens outside
    ``quietly``; ``embedder`` chooses the vectors, and is asked for when they are first needed.
    """

    def __init__(
        self,
        spec: MemorySpec,
        *,
        redact: Callable[[str], str] = lambda text: text,
        changed: Callable[[Memory, frozenset[str]], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.spec = spec
        self._redact = redact
        self._changed = changed
        self._clock = clock
        self._lock = threading.RLock()
        self._blocks: dict[str, Block] = {}
        self._forgotten: list[Forgotten] = []
        self._index: Index | None = None

    # ------------------------------------------------------------------ what is there

    @property
    def name(self) -> str:
        """As it was defined."""
        return self.spec.name

    def __getattr__(self, name: str) -> Any:
        """What it was defined with: ``capacity``, ``top``, ``digest`` and the like are the spec's."""
        if name.startswith("_") or name == "spec":
            raise AttributeError(name)
        return getattr(self.spec, name)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """What is remembered, oldest first."""
        with self._lock:
            return tuple(self._blocks.values())

    @property
    def forgotten(self) -> tuple[Forgotten, ...]:
        """What had to leave, oldest first; the last ``limits.FORGOTTEN_LISTED_MAX`` of them."""
        with self._lock:
            return tuple(self._forgotten)

    @property
    def embedder(self) -> Embedder:
        """What makes the vectors; its ``id`` and ``dimension`` are kept with them."""
        with self._lock:
            return self._indexed().embedder

    @property
    def embedder_or_none(self) -> Embedder | None:
        """The embedder where vectors were needed already, else None: keeping texts needs none."""
        with self._lock:
            return self._index.embedder if self._index else None

    def __len__(self) -> int:
        return len(self._blocks)

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)

    def __contains__(self, text: str) -> bool:
        return block_id(text.strip()) in self._blocks

    def __repr__(self) -> str:
        return f"<memory {self.name}: {len(self)} of {self.spec.capacity} texts>"

    # ------------------------------------------------------------------ remember, recall, forget

    def remember(self, text: str, source: str = "") -> Block:
        """Keep a text. The same text again is the same block. Raises AgentError for no text, or one too long."""
        if not isinstance(text, str) or not text.strip():
            raise AgentError(f"{self.name} remembers texts: give it one, not {text!r:.40}")
        kept = self._redact(text.strip())
        if len(kept) > limits.MEMORY_TEXT_CHARACTERS_MAX:
            raise AgentError(
                f"a text of {len(kept):,} characters is too long to remember, at most "
                f"{limits.MEMORY_TEXT_CHARACTERS_MAX:,}: remember its parts, or a summary"
            )
        name = block_id(kept)
        with self._lock:
            known = self._blocks.get(name)
            if known is not None:
                return known
            left = self._make_room(1)
            now = self._clock()
            block = self._blocks[name] = Block(name, kept, source, now, now)
            if self._index is not None:
                self._index.add(name, kept)
        self._tell(frozenset({name, *left}))
        return block

    def recall(self, query: str, top: int | None = None) -> list[Recalled]:
        """The blocks that fit best, best first, the newer one where two fit alike. At most ``top``."""
        with self._lock:
            now, found = self._clock(), self.peek(query, top)
            for place, (block, score) in enumerate((item.block, item.score) for item in found):
                used = self._blocks[block.id] = replace(block, uses=block.uses + 1, last_used=now)
                found[place] = Recalled(used, score)
        self._tell(frozenset(item.block.id for item in found))
        return found

    def peek(self, query: str, top: int | None = None, without: Collection[str] = ()) -> list[Recalled]:
        """What ``recall`` would find, were the blocks ``without`` not there; it does not count as used."""
        if top is not None and (type(top) is not int or top < 1):
            raise AgentError(f"{self.name}: a recall returns from 1 text on, not {top!r}")
        with self._lock:
            if not self._blocks or not query.strip():
                return []
            scores = self._indexed().scores(query)
            order = sorted(
                (item for item in scores if item[1] > 0.0 and item[0] not in without),
                key=lambda item: (-round(item[1], 6), -self._blocks[item[0]].when),
            )
            return [Recalled(self._blocks[name], score) for name, score in order[: top or self.spec.top]]

    def forget(self, text: str) -> bool:
        """Take one text out, given as itself or by its id; whether it was there."""
        with self._lock:
            name = text if text in self._blocks else block_id(self._redact(text.strip()))
            there = name in self._blocks
            if there:
                self._drop(name)
        if there:
            self._tell(frozenset({name}))
        return there

    # ------------------------------------------------------------------ keeping and bringing back

    def load(self, blocks: Iterable[Block], forgotten: Iterable[Forgotten] = ()) -> None:
        """Hold these instead of what is there: what an earlier kernel kept, or a state that was restored."""
        with self._lock:
            self._blocks = {block.id: block for block in sorted(blocks, key=lambda block: block.when)}
            self._forgotten = list(forgotten)[-limits.FORGOTTEN_LISTED_MAX :]
            self._index = None
            self._make_room(0)

    def define(self, spec: MemorySpec) -> frozenset[str]:
        """Go on under another definition of the same name: vectors are made anew where they have to be."""
        with self._lock:
            remade = (spec.embedding, spec.weight) != (self.spec.embedding, self.spec.weight)
            self.spec = spec
            if remade:
                self._index = None
            left = self._make_room(0)
        self._tell(left)
        return left

    # ------------------------------------------------------------------ inside

    def _indexed(self) -> Index:
        if self._index is None:
            from .embedders import Index, embedder_for

            self._index = Index(embedder_for(self.spec))
            self._index.extend((block.id, block.text) for block in self._blocks.values())
        return self._index

    def _make_room(self, coming: int) -> frozenset[str]:
        """Let the least used leave, the longest unused among them first, until ``coming`` more fit."""
        over = len(self._blocks) + coming - self.spec.capacity
        if over <= 0:
            return frozenset()
        least = sorted(self._blocks.values(), key=lambda block: (block.uses, block.last_used, block.when))[:over]
        for block in least:
            self._drop(block.id)
        return frozenset(block.id for block in least)

    def _drop(self, name: str) -> None:
        block = self._blocks.pop(name)
        self._forgotten.append(Forgotten(block.id, block.text, self._clock()))
        del self._forgotten[: -limits.FORGOTTEN_LISTED_MAX]
        if self._index is not None:
            self._index.remove(name)

    def _tell(self, names: frozenset[str]) -> None:
        if names and self._changed is not None:
            self._changed(self, names)
