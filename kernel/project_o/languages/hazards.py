"""What a text of Zig or Rust uses that a proposed one should not: found among its tokens, with the reason.

It is lint, for an honest author: the sandbox is the wall. Words that have a compiler read files or the environment are
looked for wherever they stand, in comments and strings too, since what looks like one to us may not be one to the
compiler. Everything else is looked for among the tokens; in a text that our grammar cannot read, among all words.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from . import rust_hazards, zig_hazards
from .tokens import Token, tokens


@dataclass(frozen=True, slots=True)
class Hazard:
    """One use. ``what`` names it as a rule would; ``reads`` marks what the compiler itself would read or assemble.

    ``denied`` is False for what is worth telling and no reason to reject: an honest fast program uses it.
    """

    line: int
    what: str
    reason: str
    denied: bool = True
    reads: bool = False


_READS: dict[str, re.Pattern[str]] = {"zig": zig_hazards.READS, "rust": rust_hazards.READS}
_FOUND: dict[str, Callable[[list[Token]], Iterable[tuple[int, str]]]] = {
    "zig": zig_hazards.found,
    "rust": rust_hazards.found,
}
_REASONS = {"zig": zig_hazards.REASONS, "rust": rust_hazards.REASONS}
_REPORTED = {"zig": zig_hazards.REPORTED, "rust": rust_hazards.REPORTED}
_WORDS = re.compile(r"\w+|@\w+|::|[^\w\s]")
READING = "lets a build read files or the environment, or assemble what it likes; leave the word out, in comments too"


def hazards(language: str, source: str) -> tuple[Hazard, ...]:
    """What stands in a text of Zig or Rust, in the order of its lines, each once a line. Other languages: nothing."""
    if language not in _FOUND:
        return ()
    return tuple(sorted(set(_all(language, source)), key=lambda item: (item.line, item.what)))


def _all(language: str, source: str) -> Iterator[Hazard]:
    for match in _READS[language].finditer(source):
        yield Hazard(source.count("\n", 0, match.start()) + 1, match[0], READING, denied=True, reads=True)
    stream, whole = tokens(language, source)
    if not whole:
        stream = list(_words(source))
    for line, what in _FOUND[language](stream):
        if what in _REPORTED[language]:
            yield Hazard(line, what, _REPORTED[language][what], denied=False)
        else:
            yield Hazard(line, what, _REASONS[language].get(what) or _REASONS[language][""])


def _words(source: str) -> Iterator[Token]:
    line, end = 1, 0
    for match in _WORDS.finditer(source):
        line += source.count("\n", end, match.start())
        end = match.start()
        yield Token(match[0], line)
