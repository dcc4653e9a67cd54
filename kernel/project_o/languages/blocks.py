"""EVOLVE blocks: the comments ``EVOLVE-BLOCK-START`` and ``EVOLVE-BLOCK-END`` bound what a proposer may change.

Enforced, not asked for: ``inside_blocks`` compares everything outside byte for byte, marker lines included.
A source without markers may be changed anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ..errors import UsageError
from .scan import Comment, split_lines

START = "EVOLVE-BLOCK-START"
END = "EVOLVE-BLOCK-END"

_MARKER = re.compile(r"\s*(EVOLVE[-_ ]BLOCK[-_ ](?:START|END))\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Block:
    """The lines between two markers. ``first`` and ``last`` are the markers' own lines, 1-based."""

    first: int
    last: int


def find(comments: tuple[Comment, ...]) -> tuple[Block, ...]:
    """The blocks that these comments bound, in order.

    Raises UsageError with the line of a marker that is misspelt, nested, or without its partner.
    """
    found: list[Block] = []
    opened = 0
    for comment in comments:
        marker = _MARKER.match(comment.text)
        if marker is None:
            continue
        word = marker.group(1)
        if word not in (START, END):
            raise UsageError(f"line {comment.line}: {word} is not a marker: write {START} or {END}")
        if word == START:
            if opened:
                raise UsageError(f"line {comment.line}: {START} inside the block of line {opened}: blocks do not nest")
            opened = comment.line
        else:
            if not opened:
                raise UsageError(f"line {comment.line}: {END} without {START} before it")
            if comment.line == opened:
                raise UsageError(f"line {comment.line}: {START} and {END} need lines of their own")
            found.append(Block(opened, comment.line))
            opened = 0
    if opened:
        raise UsageError(f"line {opened}: {START} has no {END} after it")
    return tuple(found)


def outside(source: str, blocks: tuple[Block, ...]) -> list[tuple[int, str]]:
    """The parts that must stay: (first line, text) before, between and after the blocks, with the marker lines."""
    lines = split_lines(source)
    parts = []
    begin = 0
    for block in blocks:
        parts.append((begin + 1, "".join(lines[begin : block.first])))
        begin = block.last - 1
    parts.append((begin + 1, "".join(lines[begin:])))
    return parts


def inside_blocks(old: str, new: str, blocks: Callable[[str], tuple[Block, ...]]) -> None:
    """Raise UsageError if ``new`` differs from ``old`` outside the EVOLVE blocks of ``old``.

    ``blocks`` is the language's own parser, so that markers in strings do not count. The error names the first
    line of ``new`` that was not to be touched.
    """
    bounds = blocks(old)
    if not bounds:
        return
    kept, given = outside(old, bounds), outside(new, blocks(new))
    if len(kept) != len(given):
        raise UsageError(
            f"the source must keep its {len(kept) - 1} EVOLVE blocks, the changed one has {len(given) - 1}: "
            f"change only the lines between {START} and {END}"
        )
    for (_, before), (first, after) in zip(kept, given, strict=True):
        if before != after:
            line = first + _first_difference(before, after)
            raise UsageError(f"line {line}: changed outside the EVOLVE blocks: change only what is between the markers")


def _first_difference(before: str, after: str) -> int:
    pairs = list(zip(split_lines(before), split_lines(after), strict=False))
    return next((index for index, (left, right) in enumerate(pairs) if left != right), len(pairs))
