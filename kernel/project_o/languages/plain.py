"""Any other language: a text whose EVOLVE blocks are known by their markers alone, and that nobody here reads further.

A marker stands on a line of its own, behind whatever begins a comment there. Parameters cannot be declared: what is a
constant only a parser knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import UsageError
from ..values import Mode, Program, Scalar
from . import blocks as _blocks
from .scan import Comment, Signature, split_lines

OPENER = ""
FILE = "program.txt"

_MARKER = re.compile(r"^\W*(EVOLVE[-_ ]BLOCK[-_ ](?:START|END)\b.*)$", re.IGNORECASE)


def program(name: str, source: str, *, mode: Mode = "safe", options: tuple[str, ...] = ()) -> Program:
    """A text as a program. Raises UsageError with the line of a malformed marker."""
    blocks(source)
    return Program(name, "text", ((FILE, source),), (), mode, options)


def with_source(old: Program, source: str) -> Program:
    """The same program with another text. Raises UsageError as ``program`` does."""
    blocks(source)
    return old.with_source(source, ())


def with_settings(old: Program, settings: Mapping[str, Scalar]) -> Program:
    """The same program; there is nothing to set. Raises UsageError where something is to be."""
    if settings:
        raise UsageError(f"no parameter is called {next(iter(settings))}: this language declares none")
    return old


def signatures(source: str) -> dict[str, Signature]:
    """None: nobody here knows its functions. Raises UsageError with the line of a malformed marker."""
    blocks(source)
    return {}


def blocks(source: str) -> tuple[_blocks.Block, ...]:
    """The EVOLVE blocks. Raises UsageError with the line of a malformed marker."""
    lines = (line.rstrip("\r\n") for line in split_lines(source))
    marked = ((number, match) for number, line in enumerate(lines, 1) if (match := _MARKER.match(line)))
    return _blocks.find(tuple(Comment(match[1], number, 0) for number, match in marked))


def normalised(source: str) -> str:
    """The text without what stands at the ends of its lines, and without empty ones."""
    return "\n".join(line.rstrip() for line in split_lines(source) if line.strip())
