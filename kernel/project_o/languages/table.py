"""The one table of languages.

To add one more: write a module with the functions of ``Tools`` (copy ``python.py``, it is the shortest), name its
comment signs, and add one line to ``LANGUAGES``. Nothing else in the project asks which language it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ..errors import UsageError
from ..values import Mode, Program, Scalar
from . import lisp, python, rust, zig
from .blocks import Block, inside_blocks
from .scan import Signature


class MakeProgram(Protocol):
    """``program(name, source, mode=..., options=...)`` of a language."""

    def __call__(self, name: str, source: str, *, mode: Mode = "safe", options: tuple[str, ...] = ()) -> Program:
        """The program of this source. Raises UsageError naming the line."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What the rest of the project may ask of a language. ``comment`` begins a comment, ``suffix`` ends a file name."""

    name: str
    comment: str
    suffix: str
    program: MakeProgram
    with_source: Callable[[Program, str], Program]
    with_settings: Callable[[Program, Mapping[str, Scalar]], Program]
    signatures: Callable[[str], dict[str, Signature]]
    blocks: Callable[[str], tuple[Block, ...]]
    normalised: Callable[[str], str]
    reads: re.Pattern[str] | None = None
    """The words with which a text has its compiler read files or the environment, wherever they stand: what looks like
    a comment or a string to us may not be one to the compiler."""

    def only_settings(self, program: Program, cell: Program) -> bool:
        """Whether a program is the text of ``cell`` with other values of its declared parameters."""
        if program.source == cell.source:
            return True
        if [item.name for item in program.parameters] != [item.name for item in cell.parameters]:
            return False
        try:
            back = self.with_settings(program, {item.name: item.value for item in cell.parameters})
        except UsageError:
            return False
        return self.normalised(back.source) == self.normalised(self.with_settings(cell, {}).source)

    def refuse_reads(self, program: Program, cell: Program) -> None:
        """Raise UsageError for a text that is no person's own and has its compiler read files or the environment.

        A build has its user's rights; ``cell`` is the user's own text, which may do as it likes.
        """
        if self.reads is None or self.only_settings(program, cell):
            return
        known = dict(cell.files[1:])
        for path, text in program.files:
            if known.get(path) == text:
                continue  # a text that came along with the cell is its user's own
            found = self.reads.search(text)
            if found is not None:
                line = text.count("\n", 0, found.start()) + 1
                raise UsageError(
                    f"{path}, line {line}: {found[0]} lets a build read files or the environment, which a proposed text"
                    " may not; leave the word out, in comments too"
                )

    def inside_blocks(self, old: str, new: str) -> None:
        """Raise UsageError, naming the line, if ``new`` differs from ``old`` outside the EVOLVE blocks of ``old``."""
        inside_blocks(old, new, self.blocks)


LANGUAGES: dict[str, Tools] = {
    "zig": Tools(
        "zig", zig.OPENER, ".zig", zig.program, zig.with_source, zig.with_settings, zig.signatures, zig.blocks,
        zig.normalised, zig.READS,
    ),
    "rust": Tools(
        "rust", rust.OPENER, ".rs", rust.program, rust.with_source, rust.with_settings, rust.signatures, rust.blocks,
        rust.normalised, rust.READS,
    ),
    "python": Tools(
        "python", python.OPENER, ".py", python.program, python.with_source, python.with_settings, python.signatures,
        python.blocks, python.normalised,
    ),
    "lisp": Tools(
        "lisp", lisp.OPENER, ".hy", lisp.program, lisp.with_source, lisp.with_settings, lisp.signatures, lisp.blocks,
        lisp.normalised,
    ),
}  # fmt: skip


def tools_for(language: str) -> Tools:
    """The tools of a language. Raises UsageError if there are none."""
    if language not in LANGUAGES:
        raise UsageError(f"no language is called {language!r}: there are {', '.join(LANGUAGES)}")
    return LANGUAGES[language]
