"""What a text uses beyond computing, which a proposed one should not: found in its tokens or forms, with the reason.

It is lint, for an honest author: the sandbox is the wall. Zig and Rust are looked at token by token, without comments
and strings; a text that our grammar cannot read, word by word. Python and Lisp are read by the sandbox's own lint.

To add one: a line in the table of its language, ``REASONS`` for what is denied and ``REPORTED`` for what is told alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from . import python_hazards, rust_hazards, zig_hazards
from .tokens import Token, tokens


@dataclass(frozen=True, slots=True)
class Hazard:
    """One use. ``what`` names it as the tables do.

    ``denied`` is False for what is worth telling and no reason to reject: an honest fast program uses it. ``reads``
    marks what its compiler would read, which is not there where a proposed text is compiled, whoever used it before.
    """

    line: int
    what: str
    reason: str
    denied: bool = True
    reads: bool = False


_FOUND: dict[str, Callable[[list[Token]], Iterable[tuple[int, str]]]] = {
    "zig": zig_hazards.found,
    "rust": rust_hazards.found,
}
_REASONS = {"zig": zig_hazards.REASONS, "rust": rust_hazards.REASONS}
_REPORTED = {"zig": zig_hazards.REPORTED, "rust": rust_hazards.REPORTED}
_READS = {"zig": zig_hazards.READS, "rust": rust_hazards.READS}
_WORDS = re.compile(r'"(?:std|builtin|o)"|\w+|@\w+|::|[^\w\s]')
READING = "a proposed text is compiled where no files and no environment are: pass what it reads as an argument"


def hazards(language: str, source: str) -> tuple[Hazard, ...]:
    """What stands in a text, in the order of its lines, each once a line. A language without tables: nothing."""
    found = _native(language, source) if language in _FOUND else python_hazards.found(language, source)
    return tuple(sorted(set(_told(language, found)), key=lambda item: (item.line, item.what)))


def _native(language: str, source: str) -> Iterable[tuple[int, str]]:
    stream, whole = tokens(language, source)
    return _FOUND[language](stream if whole else list(_words(source)))


def _told(language: str, found: Iterable[tuple[int, str]]) -> Iterator[Hazard]:
    reasons = _REASONS.get(language, python_hazards.REASONS)
    reported = _REPORTED.get(language, python_hazards.REPORTED)
    for line, what in found:
        if what in _READS.get(language, ()):
            yield Hazard(line, what, READING, reads=True)
        elif what in reported:
            yield Hazard(line, what, reported[what], denied=False)
        else:
            yield Hazard(line, what, reasons.get(what) or reasons[""])


def _words(source: str) -> Iterator[Token]:
    line, end = 1, 0
    for match in _WORDS.finditer(source):
        line += source.count("\n", end, match.start())
        end = match.start()
        yield Token(match[0], line)
