"""From what a model wrote to a program's new text, in any language.

Two forms are read. SEARCH/REPLACE blocks, of which each names lines that are there exactly once:

    <<<<<<< SEARCH
    lines as they are
    =======
    lines as they shall be
    >>>>>>> REPLACE

and else one fenced block of code, which is the new content of the EVOLVE block, or the whole text. Of a program of
several files each block has the name of its file in the line before it; one that has none is looked for in all of them.
Whatever else an answer holds is its reason. What cannot be used is said in words that the model is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ... import limits
from ...errors import UsageError
from ...languages import FILES, tools_for, trouble
from ...languages.blocks import END, START
from ...languages.scan import split_lines
from ...languages.several import Part, changed, parts, parts_of, same_files
from ...values import Program

SEARCH, MIDDLE, REPLACE = "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE"
_SEARCH = re.compile(r"^\s*<{5,9} ?SEARCH\s*$")
_MIDDLE = re.compile(r"^\s*={5,9}\s*$")
_REPLACE = re.compile(r"^\s*>{5,9} ?REPLACE\s*$")
_FENCE = re.compile(r"^\s*(`{3,}|~{3,})\s*([^\s`~]*?)(?:[ :]+([^\s`]+))?\s*$")
_BEFORE_NAME = re.compile(r"^(?:(?:#+|[-*>]|//|;+)\s+)?[*`]*(?:(?:file(?:name)?|path)[*`]*:)?\s*", re.IGNORECASE)
_LIKE_NAME = re.compile(r"\S*[\\/]\S*|[\w.-]*\w\.\w{1,8}")
_HIDDEN = re.compile(r"\[redacted [0-9a-f]{8}\]")


class Unusable(Exception):  # noqa: N818 - it tells what happened, and never leaves this room
    """An answer that is no proposal; the text says why, for the model to read."""


class _Absent(Unusable):
    """What a block looks for is not in a file at all."""


@dataclass(frozen=True, slots=True)
class _Edit:
    """The lines to look for, those in their place, and the file that was named for them, "" where none was."""

    name: str
    search: list[str]
    replace: list[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A new text, by which form, and the reason that was given for it."""

    source: str
    form: str
    reason: str


def read(reply: str, parent: Program) -> Answer:
    """The text that ``reply`` proposes in the place of the parent's. Raises Unusable."""
    files = {part.name: part for part in parts_of(parent)}
    names = tuple(files) if parent.language == FILES else ()
    try:
        edits, rest = _edits(reply, names)
        if edits:
            texts, form = _edited(files, edits), "edits"
        else:
            blocks, rest = _fenced(reply, names)
            if not blocks:
                raise Unusable(f"it holds neither a {SEARCH} block nor a fenced block of code")
            texts, form = _whole(files, blocks), "whole block"
        source = changed(parent, texts)
        _check(parent, source)
    except UsageError as error:
        raise Unusable(str(error)) from None
    return Answer(source, form, " ".join(rest.split())[: limits.HYPOTHESIS_CHARACTERS_MAX])


# ------------------------------------------------------------------ which file


def _name(line: str, names: Sequence[str]) -> str:
    """The file that a line names and does nothing else, in the ways in which models write it; "" where it is none."""
    word = _BEFORE_NAME.sub("", line.strip()).strip("*`\"': ")
    if word in names:
        return word
    return word.removeprefix("./") if names and _LIKE_NAME.fullmatch(word) else ""


def _mentioned(line: str, names: Sequence[str]) -> str:
    """As ``_name``, or the only one of the files whose name stands in the line."""
    found = [name for name in names if re.search(rf"(?<![\w/.-]){re.escape(name)}(?![\w/-])", line)]
    return _name(line, names) or (found[0] if len(found) == 1 else "")


def _known(name: str, files: Mapping[str, Part], what: str) -> None:
    if name and name not in files:
        raise Unusable(
            f"{what} is for the file {name!r}, and the program's files are {', '.join(files)}: none can be added, "
            "removed or renamed"
        )


def _at(part: Part) -> str:
    """How a file is named in front of what was wrong with it: not at all where it is the only one."""
    return f"{part.name}: " if part.lines else ""


# ------------------------------------------------------------------ SEARCH/REPLACE


def _edits(reply: str, names: Sequence[str]) -> tuple[list[_Edit], str]:
    """The blocks, and what stands outside. Raises Unusable."""
    found: list[_Edit] = []
    outside: list[str] = []
    search: list[str] | None = None
    replace: list[str] | None = None
    name = ""
    for line in reply.splitlines():
        if _SEARCH.match(line):
            if search is not None:
                raise Unusable(f"a {SEARCH} stands inside a block: end each with {REPLACE}")
            search, name = [], _name(outside[-1], names) if outside else ""
            if name:
                outside.pop()
        elif search is not None and replace is None and _MIDDLE.match(line):
            replace = []
        elif search is not None and _REPLACE.match(line):
            if replace is None:
                raise Unusable(f"a block has no line {MIDDLE} between {SEARCH} and {REPLACE}")
            found.append(_Edit(name, *_trimmed(search, replace)))
            search = replace = None
        elif search is None:
            if _REPLACE.match(line):
                raise Unusable(f"a {REPLACE} stands without {SEARCH} before it")
            if (mark := _FENCE.match(line)) is None:
                outside += [line] if line.strip() else []
            elif word := _name(mark[3] or mark[2], names):
                outside.append(word)
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


def _edited(files: Mapping[str, Part], edits: Sequence[_Edit]) -> dict[str, str]:
    """The texts of the files after the edits, each made on what those before it left."""
    texts = {name: part.text for name, part in files.items()}
    for number, edit in enumerate(edits, 1):
        _known(edit.name, files, f"block {number}")
        if not any(line.strip() for line in edit.search):
            raise Unusable(f"block {number} looks for nothing: name lines that are there")
        name, at, shift = _place(files, texts, edit, number)
        lines = split_lines(texts[name])
        newline = "\r\n" if "\r\n" in files[name].text else "\n"
        new = [_shifted(line, shift) + newline for line in edit.replace]
        last = at + len(edit.search) == len(lines)
        if new and last and not lines[-1].endswith(("\n", "\r")):
            new[-1] = new[-1].removesuffix(newline)
        texts[name] = "".join([*lines[:at], *new, *lines[at + len(edit.search) :]])
    return texts


def _place(files: Mapping[str, Part], texts: Mapping[str, str], edit: _Edit, number: int) -> tuple[str, int, str]:
    """In which file, and where in it as ``_found`` says. Raises Unusable."""
    found: list[tuple[str, int, str]] = []
    why: list[Unusable] = []
    for name in [edit.name] if edit.name else files:
        try:
            found.append((name, *_found(files[name], texts[name], edit.search, number)))
        except Unusable as error:
            why.append(error)
    if len(found) > 1:
        raise Unusable(
            f"the lines that block {number} looks for are in {' and in '.join(name for name, *_ in found)}: write the "
            "file's name in the line before the block"
        )
    if not found:
        others = [error for error in why if not isinstance(error, _Absent)]
        raise others[0] if others else why[0] if len(why) == 1 else _absent("the files", edit.search, number)
    return found[0]


def _found(part: Part, text: str, search: Sequence[str], number: int) -> tuple[int, str]:
    """Where the lines stand, and what is in front of each there that is not in the search. Raises Unusable."""
    bare = [line.rstrip() for line in split_lines(text)]
    wanted = [line.rstrip() for line in search]
    blocks = part.tools.blocks(text)
    anywhere = not blocks and not part.lines  # of several files one without a block stays as it is
    for shift in _shifts(bare, wanted):
        moved = [_shifted(line, shift) for line in wanted]
        places = [k for k in range(len(bare) - len(moved) + 1) if bare[k : k + len(moved)] == moved]
        inside = [k for k in places if anywhere or any(b.first <= k and k + len(moved) < b.last for b in blocks)]
        if len(inside) == 1:
            return inside[0], shift
        if len(inside) > 1:
            raise Unusable(
                f"{_at(part)}the lines that block {number} looks for are there {len(inside)} times: name more around "
                "them"
            )
        if places:
            raise Unusable(
                f"{_at(part)}the lines that block {number} looks for stand outside the EVOLVE blocks: change only what "
                f"is between {START} and {END}"
            )
    raise _absent(part.name if part.lines else "the program", search, number)


def _absent(where: str, search: Sequence[str], number: int) -> _Absent:
    return _Absent(
        f"the lines that block {number} looks for are not in {where}: copy them as they are; the first is "
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


def _fenced(reply: str, names: Sequence[str]) -> tuple[list[tuple[str, str]], str]:
    """(file or "", text) of the fenced blocks, and what stands outside. Raises Unusable where one is not closed."""
    blocks: list[tuple[str, str]] = []
    outside: list[str] = []
    fence, name, inside = "", "", [""]
    for line in reply.splitlines():
        mark = _FENCE.match(line)
        if not fence and mark:
            fence, inside = mark[1], []
            name = _name(mark[3] or mark[2], names) or (_mentioned(outside[-1], names) if outside else "")
        elif fence and mark and mark[1].startswith(fence) and not mark[2] and not mark[3]:
            blocks.append((name, "\n".join(inside) + "\n"))
            fence = ""
        elif fence:
            inside.append(line)
        elif line.strip():
            outside.append(line)
    if fence:
        raise Unusable("its block of code is not closed: the answer ends too early")
    return [(name, text) for name, text in blocks if text.strip()], "\n".join(outside)


def _whole(files: Mapping[str, Part], blocks: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The texts of the files with what was written in the place of their blocks. Raises Unusable."""
    texts = {name: part.text for name, part in files.items()}
    given: dict[str, str] = {}
    for name, text in blocks:
        _known(name, files, "a block of code")
        if name in given and name:
            raise Unusable(f"{name} is written twice: write one block of code for each file")
        given |= {name: text} if name else {}
    if not given:
        changeable = [name for name, part in files.items() if part.blocks or not part.lines]
        if len(changeable) > 1:
            raise Unusable(
                f"it does not say of which file its block of code is: write the name, of {', '.join(changeable)}, in "
                "the line before it"
            )
        given = {changeable[0]: max((text for _, text in blocks), key=len)}
    return texts | {name: _replaced(files[name], text) for name, text in given.items()}


def _replaced(part: Part, text: str) -> str:
    """A file with what was written in the place of its block, or of all of it. Raises Unusable."""
    if "\r\n" in part.text:
        text = text.replace("\n", "\r\n")
    blocks = part.blocks
    if not blocks and part.lines:
        raise Unusable(f"{_at(part)}it has no EVOLVE block, and must stay as it is: change only what is in one")
    if not blocks:
        return text if part.text.endswith("\n") else text.rstrip("\r\n")
    given = _bodies(text)
    if given is None:
        given = [text]
    if len(given) != len(blocks):
        what = part.name if part.lines else "the program"
        raise Unusable(
            f"{what} has {len(blocks)} EVOLVE blocks, and the answer {len(given)}: use {SEARCH} blocks, or write "
            f"all of them with their {START} and {END}"
        )
    lines = split_lines(part.text)
    made, at = [], 0
    for block, body in zip(blocks, given, strict=True):
        made += [*lines[at : block.first], body]
        at = block.last - 1
    return "".join([*made, *lines[at:]])


def _bodies(text: str) -> list[str] | None:
    """What the answer writes between markers; None where it holds none."""
    if START not in text and END not in text:
        return None
    blocks = tools_for("text").blocks(text)
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
        old, texts = parts_of(parent), [source]
        if parent.language == FILES:
            texts = [part.text for part in parts(source)]
            same_files([part.name for part in old], [part.name for part in parts(source)])
        for part, text in zip(old, texts, strict=True):
            found = trouble(part.language, text) if text != part.text else None
            if found is not None:
                raise Unusable(f"{_at(part)}the new program cannot be read: line {found[0]}: {found[1]}")
        tools.inside_blocks(parent.source, source)
        tools.with_source(parent, source)
        if tools.normalised(source) == tools.normalised(parent.source):
            raise Unusable("it changes nothing")
    except (RecursionError, MemoryError):
        raise Unusable("the new program is nested too deeply") from None
