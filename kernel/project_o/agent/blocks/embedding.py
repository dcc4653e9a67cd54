"""Blocks with their vectors, and a store whose vectors are all of one embedder."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from .block import Block
from .schema import TAUGHT_SINCE
from .seam import BlockStore, Entry

if TYPE_CHECKING:
    import numpy as np

    from ..embedders import Embedder

_AT_ONCE = 1_000
Item = TypeVar("Item")


def entries(blocks: Sequence[Block], embedder: Embedder) -> list[Entry]:
    """Each block with its vector; those that were corrected, without one, behind the others."""
    live = [block for block in blocks if not block.superseded_by]
    vectors = embedder.blocks([block.text for block in live]) if live else ()
    found = [Entry(block, vector) for block, vector in zip(live, vectors, strict=True)]
    return found + [Entry(block, None) for block in blocks if block.superseded_by]


def ready(store: BlockStore, embedder: Embedder) -> None:
    """The vectors that are kept are this embedder's: made anew, some at a time, where they are another's."""
    if store.embedder() != embedder.id:
        taught = store.taught()
        store.embed_anew(_anew(store.blocks(), embedder), embedder.id)
        teach_again(store, embedder, taught)


def teach(store: BlockStore, embedder: Embedder, taught: Iterable[tuple[str, str]]) -> None:
    """Let blocks be found by questions, as (block, question)."""
    for block, question in taught:
        store.teach(block, question, embedder.blocks([question])[0])


def teach_again(store: BlockStore, embedder: Embedder, taught: Iterable[tuple[str, str]]) -> None:
    """What was taught before, where the store's version of the schema can be taught."""
    if store.version() >= TAUGHT_SINCE:
        teach(store, embedder, taught)


def _anew(blocks: Iterable[Block], embedder: Embedder) -> Iterator[tuple[str, np.ndarray]]:
    for batch in batches(blocks):
        yield from ((entry.block.id, entry.vector) for entry in entries(batch, embedder) if entry.vector is not None)


def batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items, some at a time: so many as one call of an embedder, or one transaction, is worth."""
    rest = iter(items)
    while batch := list(itertools.islice(rest, _AT_ONCE)):
        yield batch
