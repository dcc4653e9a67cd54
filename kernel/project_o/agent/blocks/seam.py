"""What a store of blocks does. SQLite is the one there is; a server with vectors of its own can be another.

A store keeps and finds; it embeds nothing, redacts nothing and decides nothing: vectors come from the caller, and so
does the choice of what leaves. Every change is kept when its call returns. To add one more: write a class with these
methods, and let ``tests/agent/test_memory_store.py`` run over it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .block import Block, Forgotten

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True, slots=True)
class Entry:
    """A block to be kept, and its vector, float32. One that was corrected has none: nothing finds it."""

    block: Block
    vector: np.ndarray | None


class BlockStore(Protocol):
    """Blocks by id. A call returns when what it says is kept; several processes may use what is behind it."""

    def add(self, entries: Sequence[Entry]) -> None:
        """Keep blocks; one whose id is there already is left as it is."""

    def get(self, ids: Iterable[str]) -> dict[str, Block]:
        """Those of the ids that are there."""

    def of_document(self, document: str) -> list[Block]:
        """The pieces of a text, in their order."""

    def blocks(self, prefix: str = "", *, superseded: bool | None = False) -> Iterator[Block]:
        """The blocks in the order they came, without loading them all; None: the superseded ones too."""

    def count(self) -> int:
        """How many blocks can be recalled."""

    def nearest(self, vector: np.ndarray, count: int, scope: str | None = None) -> list[tuple[str, float]]:
        """The exact ``count`` best by dot product as (id, score), best first. ``scope``: of it and of everybody."""

    def matching(self, query: str, count: int, scope: str | None = None) -> list[str]:
        """The ids of blocks that share words with the query, best first by BM25."""

    def rarity(self, features: Iterable[int]) -> dict[int, int]:
        """In how many blocks each feature occurs."""

    def touch(self, ids: Sequence[str], now: float) -> None:
        """These were recalled."""

    def change(self, block: Block) -> None:
        """Keep another scope, importance, source or pin of a block that is there."""

    def supersede(self, old: Sequence[str], entries: Sequence[Entry]) -> None:
        """Keep ``entries`` in place of ``old``, in one step: no search finds the old ones from then on."""

    def remove(self, ids: Sequence[str], now: float) -> None:
        """Take blocks out; they are listed as forgotten."""

    def least(self, count: int) -> list[Block]:
        """Who leaves first: not pinned, least important, least used, longest unused."""

    def forgotten(self) -> list[Forgotten]:
        """What had to leave, oldest first."""

    def replace(self, entries: Iterable[Entry], forgotten: Sequence[Forgotten], embedder: str) -> None:
        """Hold these instead of everything, in one step; nothing is taught then."""

    def embedder(self) -> str:
        """What made the vectors, "" before the first."""

    def embed_anew(self, vectors: Iterable[tuple[str, np.ndarray]], embedder: str) -> None:
        """Other vectors for all blocks, in one step; nothing is taught then."""

    def teach(self, block: str, question: str, vector: np.ndarray) -> None:
        """A question that this block answers: it is found by its vector, too."""

    def taught(self) -> list[tuple[str, str]]:
        """What was taught, as (block, question)."""

    def facts(self) -> Mapping[str, str]:
        """Notes of the caller beside the blocks."""

    def note(self, name: str, value: str) -> None:
        """Keep a note."""

    def version(self) -> int:
        """Of the schema."""

    def migrate(self, version: int) -> None:
        """Be of another version of the schema, up or down, with the same data. Raises AgentError, and stays then."""

    def copy_to(self, place: str) -> BlockStore:
        """The same in another place; this one is closed."""

    def close(self) -> None:
        """Let go of what it holds."""
