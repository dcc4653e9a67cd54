"""From what a model wrote to a program's new text, in any language.

Two forms are read. SEARCH/REPLACE blocks, of which each names lines that are there exactly once:

    <<<<<<< SEARCH
    lines as they are
    =======
    lines as they shall be
    >>>>>>> REPLACE

and else one fenced block of code, which is the new content of the EVOLVE block, or the whole text.
Whatever else an answer holds is its reason. What cannot be used is said in words that the model is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ... import limits
from ...errors import UsageError
from ...languages import tools_for, trouble
from ...languages.blocks import END, START, Block
from ...languages.scan import split_lines
from ...values import Program

SEARCH, MIDDLE, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
_SEARCH = re.compile(r"^\s*<{5,9} ?SEARCH\s*$")
_MIDDLE = re.compile(r"^\s*={5,9}\s*$")
_REPLACE = re.compile(r"^\s*>{5,9} ?REPLACE\s*$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})\s*([\w+#.-]*)\s*$")
_HIDDEN = re.compile(r"\[redacted [0-9a-f]{8}\]")


class Unusable(Exception):  # noqa: N818 - it tells what happened, and never leaves this room
    """An answer that is no proposal; the text says why, for the model to read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A new text, by which form, and the reason that was given for it."""

    source: str
    form: str
    reason: str


def read(reply: str, parent: Program) -> Answer:
    """The text that ``reply`` proposes in the place of the parent's. Raises Unusable."""
    edits, rest = _edits(reply)
    if edits:
        source, form = _edited(parent, edits), "edits"
    else:
        blocks, rest = _fenced(reply)
        if not blocks:
            raise Unusable(f"it holds neither a {SEARCH} block nor a fenced block of code")
        source, form = _replaced(parent, max(blocks, key=len)), "whole block"
    _check(parent, source)
    return Answer(source, form, " ".join(rest.split())[: limits.HYPOTHESIS_CHARACTERS_MAX])


# ------------------------------------------------------------------ SEARCH/REPLACE


def _edits(reply: str) -> tuple[list[tuple[list[str], list[str]]], str]:
    """(lines to look for, lines in their place) of each block, and what stands outside. Raises Unusable."""
    found: list[tuple[list[str], list[str]]] = []
    outside: list[str] = []
    search: list[str] | None = None
    replace: list[str] | None = None
    for line in reply.splitlines():
        if _SEARCH.match(line):
            if search is not None:
                raise Unusable(f"a {SEARCH} stands inside a block: end each with {REPLACE}")
            search = []
        elif search is not None and replace is None and _MIDDLE.match(line):
            replace = []
        elif search is not None and _REPLACE.match(line):
            if replace is None:
                raise Unusable(f"a block has no line {MIDDLE} between {SEARCH} and {REPLACE}")
            found.append(_trimmed(search, replace))
            search = replace = None
        elif search is None:
            if _REPLACE.match(line):
                raise Unusable(f"a {REPLACE} stands without {SEARCH} before it")
            if not _FENCE.match(line):
                outside.append(line)
        else:
            (search if replace is None else replace).append(line)
    if search is not None:
        raise Unusable(f"its last block has no {REPLACE}: the answer ends too early")
    return found, "\n".join(outside)


def _trimmed(search: list[str], replace: list[str]) -> tuple[list[str], list[str]]:
    """Without the empty lines around what is looked for, and as many around what takes its place."""
    for end in (0, -1):
        while len(search) > 1 and not search[end].strip():
            del search[end]
            if replace and not replace[end].strip():
                del replace[end]
    return search, replace


def _edited(parent: Program, edits: Sequence[tuple[list[str], list[str]]]) -> str:
    newline = "\r\n" if "\r\n" in parent.source else "\n"
    source = parent.source
    for number, (search, replace) in enumerate(edits, 1):
        if not any(line.strip() for line in search):
            raise Unusable(f"block {number} looks for nothing: name lines that are there")
        lines = split_lines(source)
        at, shift = _found(lines, search, tools_for(parent.language).blocks(source), number)
        new = [_shifted(line, shift) + newline for line in replace]
        last = at + len(search) == len(lines)
        if new and last and not lines[-1].endswith(("\n", "\r")):
            new[-1] = new[-1].removesuffix(newline)
        source = "".join([*lines[:at], *new, *lines[at + len(search) :]])
    return source


def _found(lines: Sequence[str], search: Sequence[str], blocks: Sequence[Block], number: int) -> tuple[int, str]:
    """Where the lines stand, and what is in front of each there that is not in the search. Raises Unusable."""
    bare = [line.rstrip() for line in lines]
    wanted = [line.rstrip() for line in search]
    for shift in _shifts(bare, wanted):
        moved = [_shifted(line, shift) for line in wanted]
        places = [k for k in range(len(bare) - len(moved) + 1) if bare[k : k + len(moved)] == moved]
        inside = [k for k in places if not blocks or any(b.first <= k and k + len(moved) < b.last for b in blocks)]
        if len(inside) == 1:
            return inside[0], shift
        if len(inside) > 1:
            raise Unusable(
                f"the lines that block {number} looks for are there {len(inside)} times: name more around them"
            )
        if places:
            raise Unusable(
                f"the lines that block {number} looks for stand outside the EVOLVE blocks: change only what is between "
                f"{START} and {END}"
            )
    raise Unusable(
        f"the lines that block {number} looks for are not in the program: copy them as they are; the first is "
        f"{search[0].strip()[:80]!r}"
    )


def _shifts(lines: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """What may stand in front of every line of a block that was written with less indentation than is there."""
    first = next(line for line in wanted if line)
    found = {line[: len(line) - len(first)] for line in lines if line.endswith(first)}
    return ["", *sorted(item for item in found if item and not item.strip())]


def _shifted(line: str, shift: str) -> str:
    return shift + line if line.strip() else line


# ------------------------------------------------------------------ whole blocks


def _fenced(reply: str) -> tuple[list[str], str]:
    """The fenced blocks, and what stands outside. Raises Unusable where one is not closed."""
    blocks: list[str] = []
    outside: list[str] = []
    fence, inside = "", [""]
    for line in reply.splitlines():
        mark = _FENCE.match(line)
        if not fence and mark:
            fence, inside = mark[1], []
        elif fence and mark and mark[1].startswith(fence) and not mark[2]:
            blocks.append("\n".join(inside) + "\n")
            fence = ""
        else:
            (inside if fence else outside).append(line)
    if fence:
        raise Unusable("its block of code is not closed: the answer ends too early")
    return [block for block in blocks if block.strip()], "\n".join(outside)


def _replaced(parent: Program, text: str) -> str:
    """The parent with what was written in the place of its block, or of all of it. Raises Unusable."""
    tools = tools_for(parent.language)
    if "\r\n" in parent.source:
        text = text.replace("\n", "\r\n")
    blocks = tools.blocks(parent.source)
    if not blocks:
        return text if parent.source.endswith("\n") else text.rstrip("\r\n")
    given = _bodies(parent, text)
    if given is None:
        given = [text]
    if len(given) != len(blocks):
        raise Unusable(
            f"the program has {len(blocks)} EVOLVE blocks, and the answer {len(given)}: use {SEARCH} blocks, or write "
            f"all of them with their {START} and {END}"
        )
    lines = split_lines(parent.source)
    parts, at = [], 0
    for block, body in zip(blocks, given, strict=True):
        parts += [*lines[at : block.first], body]
        at = block.last - 1
    return "".join([*parts, *lines[at:]])


def _bodies(parent: Program, text: str) -> list[str] | None:
    """What the answer writes between markers; None where it holds none."""
    if START not in text and END not in text:
        return None
    try:
        blocks = tools_for("text").blocks(text)
    except UsageError as error:
        raise Unusable(str(error)) from None
    if not blocks:
        raise Unusable(f"its {START} and {END} need lines of their own")
    lines = split_lines(text)
    return ["".join(lines[block.first : block.last - 1]) for block in blocks]


def _check(parent: Program, source: str) -> None:
    """Raises Unusable for a text that is none, or not allowed."""
    tools = tools_for(parent.language)
    most = len(parent.source) + limits.PROPOSED_SOURCE_BYTES_MAX
    if len(source) > most:
        raise Unusable(f"the new program has {len(source):,} characters, and may have {most:,}: write less")
    if new := set(_HIDDEN.findall(source)) - set(_HIDDEN.findall(parent.source)):
        raise Unusable(f"it repeats {min(new)}, which stands for what you were not told: leave those lines as they are")
    try:
        found = trouble(parent.language, source)
        if found is not None:
            raise Unusable(f"the new program cannot be read: line {found[0]}: {found[1]}")
        tools.inside_blocks(parent.source, source)
        if tools.normalised(source) == tools.normalised(parent.source):
            raise Unusable("it changes nothing")
    except UsageError as error:
        raise Unusable(str(error)) from None
    except (RecursionError, MemoryError):
        raise Unusable("the new program is nested too deeply") from None
