"""What is kept: a block of text with where and when it came from, and what it stands for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Block:
    """A remembered text, or a piece of one that was longer than a block.

    ``id`` is a hash of the text (of a piece: of its document's id and its place). Times are seconds since the epoch;
    ``uses`` counts recalls. ``importance`` and age break ties and decide who leaves first; ``pinned`` blocks never
    leave. ``scope`` "" is everybody's. ``superseded_by`` is the id of the text that corrected this one.
    """

    id: str
    text: str
    source: str = ""
    when: float = 0.0
    last_used: float = 0.0
    uses: int = 0
    document: str = ""
    start: int = 0
    scope: str = ""
    importance: float = 1.0
    pinned: bool = False
    supersedes: str = ""
    superseded_by: str = ""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A block and how well it fits a question: ``score`` is a cosine, at most 1."""

    block: Block
    score: float


class Recollection(list[Recalled]):
    """What was recalled, best first. ``suppressed`` fitted as well as the last of these and lost by age alone."""

    def __init__(self, found: list[Recalled], suppressed: tuple[Recalled, ...] = ()) -> None:
        super().__init__(found)
        self.suppressed = suppressed


@dataclass(frozen=True, slots=True)
class Forgotten:
    """A block that had to leave for another, and when."""

    id: str
    text: str
    when: float


def block_id(text: str) -> str:
    """Sixteen hexadecimal digits of a text's SHA-256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
