"""The one table of languages.

To add one more: write a module with the functions of ``Tools`` (copy ``python.py``, it is the shortest), name its
comment signs, and add one line to ``LANGUAGES``. Nothing else in the project asks which language it has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ..errors import UsageError
from ..values import DATA, Mode, Program, Scalar
from . import lisp, plain, python, rust, zig
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

    def only_settings(self, program: Program, cell: Program) -> bool:
        """Whether a program is the text of ``cell`` with other values of its declared parameters, and nothing else.

        Byte for byte but for how the values are spelled: what follows from it is decided before anything is compiled,
        and what looks like a comment to us may not be one to the compiler.
        """
        if _around(program) != _around(cell):
            return False
        if program.source == cell.source:
            return True
        if [item.name for item in program.parameters] != [item.name for item in cell.parameters]:
            return False
        try:
            return self._spelled(program, cell) == self._spelled(cell, cell)
        except UsageError:
            return False

    def _spelled(self, program: Program, cell: Program) -> str:
        """The text with the values of ``cell``, each in our own spelling."""
        others = {
            item.name: next(value for value in item.domain if value != item.value)
            for item in cell.parameters
            if len(item.domain) > 1
        }
        values = {item.name: item.value for item in cell.parameters}
        return self.with_settings(self.with_settings(program, others), values).source

    def inside_blocks(self, old: str, new: str) -> None:
        """Raise UsageError, naming the line, if ``new`` differs from ``old`` outside the EVOLVE blocks of ``old``."""
        inside_blocks(old, new, self.blocks)


def _around(program: Program) -> tuple[object, ...]:
    """What a program has beside its text and its data."""
    return program.language, program.options, tuple(item for item in program.files[1:] if item[0] != DATA)


LANGUAGES: dict[str, Tools] = {
    "zig": Tools(
        "zig", zig.OPENER, ".zig", zig.program, zig.with_source, zig.with_settings, zig.signatures, zig.blocks,
        zig.normalised,
    ),
    "rust": Tools(
        "rust", rust.OPENER, ".rs", rust.program, rust.with_source, rust.with_settings, rust.signatures, rust.blocks,
        rust.normalised,
    ),
    "python": Tools(
        "python", python.OPENER, ".py", python.program, python.with_source, python.with_settings, python.signatures,
        python.blocks, python.normalised,
    ),
    "lisp": Tools(
        "lisp", lisp.OPENER, ".hy", lisp.program, lisp.with_source, lisp.with_settings, lisp.signatures, lisp.blocks,
        lisp.normalised,
    ),
    "text": Tools(
        "text", plain.OPENER, ".txt", plain.program, plain.with_source, plain.with_settings, plain.signatures,
        plain.blocks, plain.normalised,
    ),
}  # fmt: skip


FILES: Literal["files"] = "files"
"""What a program of several files has in the place of a language: each of them has its own (see ``several``)."""


def tools_for(language: str) -> Tools:
    """The tools of a language, or of several files. Raises UsageError if there are none."""
    if language == FILES:
        from .several import TOOLS

        return TOOLS
    if language not in LANGUAGES:
        raise UsageError(f"no language is called {language!r}: there are {', '.join(LANGUAGES)}")
    return LANGUAGES[language]


def names_of(program: Program) -> dict[str, tuple[tuple[str, ...], str, int]]:
    """Of each function of a native program its parameters' names, its documentation, and its line in the source.

    Neither is in a library: they are read from the text.
    """
    found = tools_for(program.language).signatures(program.source)
    return {name: (tuple(item.parameters), item.doc, item.line) for name, item in found.items()}
