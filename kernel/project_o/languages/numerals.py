"""The numbers that stand in a text, where they may be changed: inside its EVOLVE blocks, and in no string or comment.

Python is read by its own tokenizer. Of every other language it is enough to know what begins a comment: a number in a
place that was no number makes a candidate that does not compile, and costs that candidate.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..errors import UsageError
from .scan import split_lines
from .several import parts
from .table import FILES, tools_for

_DECIMAL = re.compile(r"\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?")
_WHERE = re.compile(
    r"""(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?P<number>(?<![\w.])\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?(?![\w.]))"""
)
_COMMENTS = {"python": "#", "zig": "//", "rust": "//", "lisp": ";", "text": ""}
_ANY_COMMENT = re.compile(r"^\s*(?:#|//|;|--|%)|\s//|\s(?:#|--|%)\s")


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number in a text, from the characters ``start`` to ``end``, on a line that is counted from 1.

    ``place`` says in a few characters what stands around it.
    """

    start: int
    end: int
    value: int | float
    line: int
    place: str


def numerals(language: str, source: str) -> tuple[Numeral, ...]:
    """Those that may be changed, in their order; none of a text that cannot be read."""
    try:
        if language == FILES:
            return tuple(_of_each(source))
        blocks = tools_for(language).blocks(source)
        spans = list(_python(source) if language == "python" else _other(language, source))
    except (UsageError, tokenize.TokenError, SyntaxError):
        return ()
    found = []
    for start, end, line in spans:
        if blocks and not any(block.first < line < block.last for block in blocks):
            continue
        if (value := _value(source[start:end])) is not None:
            found.append(Numeral(start, end, value, line, _place(source, start, end)))
    return tuple(found)


def _of_each(source: str) -> Iterator[Numeral]:
    """Those of the files that have blocks."""
    for part in parts(source):
        for item in numerals(part.language, part.text) if part.blocks else ():
            yield replace(item, start=item.start + part.start, end=item.end + part.start, line=item.line + part.lines)


def spelled(value: float, like: Numeral) -> str:
    """A value as the numeral's kind is written. Not negative: its sign is no part of a numeral."""
    assert value >= 0, "a sign stands before a numeral"
    if isinstance(like.value, int):
        return str(round(value))
    text = f"{value:.6g}"
    return text if any(sign in text for sign in ".en") else f"{text}.0"


def _python(source: str) -> Iterator[tuple[int, int, int]]:
    starts = [0]
    for line in split_lines(source):
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(source, newline="").readline):
        if token.type == tokenize.NUMBER:
            row, column = token.start
            yield starts[row - 1] + column, starts[row - 1] + token.end[1], row


def _other(language: str, source: str) -> Iterator[tuple[int, int, int]]:
    opener, at = _COMMENTS.get(language, ""), 0
    for row, line in enumerate(split_lines(source), 1):
        told = line.find(opener) if opener else -1
        if not opener and (match := _ANY_COMMENT.search(line)):
            told = match.start()
        for match in _WHERE.finditer(line if told < 0 else line[:told]):
            if match["number"]:
                yield at + match.start(), at + match.end(), row
        at += len(line)


def _value(text: str) -> int | float | None:
    """A decimal number; masks and the like, in other bases, are left as they are."""
    if not _DECIMAL.fullmatch(text):
        return None
    plain = text.replace("_", "")
    if plain.isdecimal():
        return int(plain) if len(plain) < 16 else None
    return float(plain)


def _place(source: str, start: int, end: int) -> str:
    line_start = source.rfind("\n", 0, start) + 1
    line_end = source.find("\n", end)
    before = source[max(line_start, start - 24) : start].lstrip()
    after = source[end : line_end if 0 <= line_end < end + 8 else end + 8].rstrip()
    return f"{before}{source[start:end]}{after}"
