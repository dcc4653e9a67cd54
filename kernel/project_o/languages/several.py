"""A program of several files as one text, and whatever may be asked of a text, asked of each file in its own language.

    @@@ file: main.py
    its text

    @@@ file: parts/kernel.zig
    its text

``Program.source`` writes it, ``parts`` takes it apart again, byte for byte: a text in which a line begins like that
is refused, so that nobody can add a file by writing one. Whoever edits a text (a model's answer, an edit of a syntax
tree, another number, crossover) so edits any of the files, and need not know that there are several.

Only what stands in EVOLVE blocks may change: a file that has none stays as it is. The language of a file is known by
the end of its name; one that our grammar cannot read, and every other, is a text with blocks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TypeVar

from .. import limits
from ..errors import UsageError
from ..values import DATA, FILE_LINE, Parameter, Program, Scalar
from .blocks import END, START, Block
from .scan import Signature, split_lines
from .table import FILES, LANGUAGES, Tools, tools_for

TEXT = "text"
OPENER = "#"
Answer = TypeVar("Answer")
_HEAD = re.compile(rf"(?:\A|\n){re.escape(FILE_LINE)}([^\n]*)\n")
_LIKE_HEAD = re.compile(rf"(?:\A|\n){re.escape(FILE_LINE)}")
_PLAIN = re.compile(r"[^\x00-\x1f\x7f\\:*?\"<>|]+")
_BY_SUFFIX = {tools.suffix: tools.name for tools in LANGUAGES.values()}


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a program. Its text begins at the character ``start`` of the whole, below ``lines`` lines."""

    name: str
    text: str
    language: str
    start: int
    lines: int

    @property
    def tools(self) -> Tools:
        """What may be asked of its language."""
        return tools_for(self.language)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Its EVOLVE blocks. Raises UsageError that names the file and the line of a malformed marker."""
        try:
            return self.tools.blocks(self.text)
        except UsageError as error:
            raise _of(self.name, error) from None


@lru_cache(maxsize=64)
def parts(source: str) -> tuple[Part, ...]:
    """The files of a text that ``Program.source`` wrote. Raises UsageError for another."""
    heads = list(_HEAD.finditer(source))
    if not heads or heads[0].start():
        raise UsageError(f"the text of several files begins with a line '{FILE_LINE}NAME'")
    found: list[Part] = []
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        text = source[head.end() : following.start() if following else len(source)]
        if _LIKE_HEAD.search(text):
            raise UsageError(f"{head[1]}: a line begins with '{FILE_LINE.strip()}', as another file does: leave it out")
        lines = len(split_lines(source[: head.end()]))
        found.append(Part(head[1], text, language_of(head[1], text), head.end(), lines))
    return tuple(found)


def parts_of(program: Program) -> tuple[Part, ...]:
    """The files of any program that may be edited: all of several, else its text alone."""
    if program.language == FILES:
        return parts(program.source)
    name, text = program.files[0]
    return (Part(name, text, program.language, 0, 0),)


def changed(program: Program, texts: Mapping[str, str]) -> str:
    """``program.source`` with these texts in the place of its own, by the names of their files."""
    if program.language != FILES:
        return texts.get(program.files[0][0], program.source)
    files = tuple((name, texts.get(name, text)) for name, text in program.files)
    return replace(program, files=files).source


@lru_cache(maxsize=256)
def language_of(name: str, text: str) -> str:
    """The language of a file by the end of its name; of one that our grammar cannot read "text", but for Python."""
    language = _BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), TEXT)
    if language not in ("python", TEXT):
        try:
            tools_for(language).program("file", text)
            tools_for(language).blocks(text)
        except UsageError:
            return TEXT
    return language


def language_in(program: Program, name: str) -> str:
    """The language of one of a program's files, which its name and its first text say, whatever became of that."""
    if program.language != FILES:
        return program.language
    return language_of(name, dict(program.files)[name])


def languages_of(program: Program) -> tuple[str, ...]:
    """The languages of what may be changed, each once."""
    return tuple(dict.fromkeys(part.language for part in parts_of(program) if program.language != FILES or part.blocks))


def place(language: str, source: str, line: int) -> str:
    """A line, 1-based, of a text in words: of several files with the file's name, and counted there."""
    if language != FILES:
        return f"line {line}"
    part = next(part for part in reversed(parts(source)) if part.lines < line)
    return f"{part.name}, line {line - part.lines}"


def program(name: str, files: Iterable[tuple[str, str]]) -> Program:
    """A program of these files, the first of them the one that is run.

    Raises UsageError for a name that is none or stands there twice, too much text, a malformed marker or declaration,
    and where no file says with an EVOLVE block what may change.
    """
    every = tuple(files)
    if not 0 < len(every) <= limits.PROGRAM_FILES_MAX:
        raise UsageError(f"{name} has {len(every)} files, and may have from 1 to {limits.PROGRAM_FILES_MAX}")
    if len({file.casefold() for file, _ in every}) < len(every):
        raise UsageError(f"{name}: two of its files have one name: {', '.join(file for file, _ in every)}")
    size = sum(len(text.encode("utf-8", "surrogatepass")) for _, text in every)
    if size > limits.SOURCE_BYTES_MAX:
        raise UsageError(f"the files of {name} have {size:,} bytes, and may have {limits.SOURCE_BYTES_MAX:,} together")
    made = Program(name, FILES, tuple((checked_name(file), text) for file, text in every))
    made = with_source(made, made.source)
    if not blocks(made.source):
        raise UsageError(
            f"{name} has several files and says in none of them what may change: put {START} and {END} in comments "
            "around that"
        )
    return made


def checked_name(name: str) -> str:
    """The name of a file below its program's folder. Raises UsageError for what leads elsewhere, or is not plain."""
    pieces = name.split("/")
    plain = _PLAIN.fullmatch(name) is not None and not any(item in ("", ".", "..") for item in pieces)
    if not plain or name != name.strip() or len(name) > limits.PROGRAM_NAME_CHARACTERS_MAX or name == DATA:
        raise UsageError(f"{name!r} cannot be the name of a program's file: write a plain one below its folder")
    return name


# ------------------------------------------------------------------ what is asked of every language


def with_source(old: Program, source: str) -> Program:
    """The same program with other texts. Raises UsageError where that has other files, or one is malformed."""
    found = parts(source)
    same_files([name for name, _ in old.files], [part.name for part in found])
    return replace(
        old, files=tuple((part.name, part.text) for part in found), parameters=tuple(_declared(found).values())
    )


def with_settings(old: Program, settings: Mapping[str, Scalar]) -> Program:
    """The same program with parameters set, wherever they are declared. Raises UsageError for an undeclared one."""
    declared = {parameter.name: parameter for parameter in old.parameters}
    if unknown := [name for name in settings if name not in declared]:
        raise UsageError(f"no parameter is called {unknown[0]}: declared are {', '.join(declared) or 'none'}")
    texts = {}
    for part in parts(old.source):
        own = {
            name.removeprefix(f"{part.name}:"): value
            for name, value in settings.items()
            if declared[name].file == part.name
        }
        if own:
            texts[part.name] = part.tools.with_settings(part.tools.program(old.name, part.text), own).source
    return with_source(old, changed(old, texts))


def signatures(source: str) -> dict[str, Signature]:
    """The functions of the first file, which is the one that is used from outside; any other must be readable."""
    every = [_asked(part, part.tools.signatures) for part in parts(source)]
    return every[0]


def blocks(source: str) -> tuple[Block, ...]:
    """The EVOLVE blocks of all files, by the lines of the whole. Raises UsageError naming the file."""
    return tuple(
        Block(block.first + part.lines, block.last + part.lines) for part in parts(source) for block in part.blocks
    )


def normalised(source: str) -> str:
    """What each file says, behind its name, without comments and layout where its language is known."""
    return "\n".join(f"{FILE_LINE}{part.name}\n{_asked(part, part.tools.normalised)}" for part in parts(source))


def inside_blocks(old: str, new: str) -> None:
    """Raise UsageError, naming file and line, if anything but what is in EVOLVE blocks of ``old`` differs."""
    before, after = parts(old), parts(new)
    same_files([part.name for part in before], [part.name for part in after])
    for one, other in zip(before, after, strict=True):
        if one.text == other.text:
            continue
        if not one.blocks:
            raise UsageError(f"{one.name}: it has no EVOLVE block, and must stay as it is: change only what is in one")
        try:
            one.tools.inside_blocks(one.text, other.text)
        except UsageError as error:
            raise _of(one.name, error) from None


def same_files(old: list[str], new: list[str]) -> None:
    """Raise UsageError where the names differ."""
    if old != new:
        raise UsageError(
            f"the program's files are {', '.join(old)}, and not {', '.join(new)}: none can be added, removed, renamed "
            "or moved"
        )


def _declared(found: Iterable[Part]) -> dict[str, Parameter]:
    """The parameters of all files by name; one that several files declare is called FILE:NAME in each but the first."""
    every: dict[str, Parameter] = {}
    for part in found:
        try:
            own = part.tools.program("file", part.text).parameters if part.language != TEXT else ()
        except UsageError as error:
            raise _of(part.name, error) from None
        for item in own:
            name = item.name if item.name not in every else f"{part.name}:{item.name}"
            every[name] = replace(item, name=name, file=part.name)
    return every


def _asked(part: Part, question: Callable[[str], Answer]) -> Answer:
    try:
        return question(part.text)
    except UsageError as error:
        raise _of(part.name, error) from None


def _of(name: str, error: UsageError) -> UsageError:
    return UsageError(f"{name}, {error}" if str(error).startswith("line ") else f"{name}: {error}")


class _Several(Tools):
    """The tools of several files, whose blocks are looked at file by file."""

    def inside_blocks(self, old: str, new: str) -> None:
        inside_blocks(old, new)


TOOLS = _Several(
    FILES, OPENER, "", lambda *_, **__: _no_single_text(), with_source, with_settings, signatures, blocks, normalised
)


def _no_single_text() -> Program:
    raise UsageError("several files are no single text: give evolve the paths of the files, or of their folder")
