"""Long texts become blocks that overlap, so that a sentence at a border is whole in one of them."""

from __future__ import annotations

from collections.abc import Callable

from ... import limits
from ...errors import AgentError
from .block import Block, block_id


def text_to_keep(text: str, memory: str, redact: Callable[[str], str]) -> str:
    """A text as a memory of that name keeps it. Raises AgentError for no text, or one too long."""
    if not isinstance(text, str) or not text.strip():
        raise AgentError(f"{memory} remembers texts: give it one, not {text!r:.40}")
    kept = redact(storable(text).strip())
    if len(kept) > limits.MEMORY_TEXT_CHARACTERS_MAX:
        raise AgentError(
            f"a text of {len(kept):,} characters is too long to remember, at most "
            f"{limits.MEMORY_TEXT_CHARACTERS_MAX:,}: remember its parts, or a summary"
        )
    return kept


def storable(text: str) -> str:
    """A text as UTF-8 can hold it: half a surrogate pair is a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


_BREAKS = ("\n\n", "\n", ". ", " ")
"""Where a block would rather end, best first."""


def split(text: str, size: int, overlap: int) -> list[tuple[int, str]]:
    """The blocks of a text as (start, piece): at most ``size`` characters, each beginning ``overlap`` before the end
    of the one before, at a word where there is one. Every character is in a block, at its own place."""
    found, start = [], 0
    while len(text) - start > size:
        end = _end(text, start, size)
        found.append((start, text[start:end]))
        start = _begin(text, start, end, overlap)
    found.append((start, text[start:]))
    return found


def named(text: str, size: int, overlap: int) -> list[tuple[str, int, str]]:
    """The same with ids: that of the text where it is one block, else of the text's id and the piece's place."""
    document, pieces = block_id(text), split(text, size, overlap)
    if len(pieces) == 1:
        return [(document, 0, text)]
    return [(block_id(f"{document} {start} {piece}"), start, piece) for start, piece in pieces]


def joined(pieces: list[Block]) -> str:
    """The text that blocks were cut from."""
    text = ""
    for block in sorted(pieces, key=lambda block: block.start):
        text = text[: block.start] + block.text
    return text


def _end(text: str, start: int, size: int) -> int:
    """The last good place to break in the second half of what fits."""
    for mark in _BREAKS:
        at = text.rfind(mark, start + size // 2, start + size)
        if at >= 0:
            return at + len(mark)
    return start + size


def _begin(text: str, start: int, end: int, overlap: int) -> int:
    """Where the next block begins: ``overlap`` back, or at the next word from there; always further than the last."""
    at = max(start + 1, end - overlap)
    space = text.find(" ", at, end)
    return space + 1 if overlap and space >= 0 else at if overlap else end
