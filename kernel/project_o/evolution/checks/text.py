"""What several checks ask of a candidate's text."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ... import limits
from ...errors import UsageError
from ...languages import FILES
from ...languages.several import language_in
from ...values import DATA, Program
from .seam import Subject


def changed_files(subject: Subject) -> Iterator[tuple[str, str]]:
    """The files that are not the incumbent's own, data left out: (name, text)."""
    known = set(subject.incumbent.files)
    return ((name, text) for name, text in subject.program.files if name != DATA and (name, text) not in known)


def first_line(program: Program) -> int:
    """The cell's line at which the text begins, 1 where it has lines of its own."""
    try:
        body = json.loads(dict(program.files).get(DATA, "{}"))
        return int(body["first_line"]) if program.source.count("\n") == body["lines"] else 1
    except (ValueError, KeyError, TypeError):
        return 1


def cell_line(program: Program, name: str, line: int) -> int:
    """A line (1-based) of one of the program's files, as the cell counts."""
    return line + first_line(program) - 1 if name == program.files[0][0] else line


def named(program: Program, name: str) -> str:
    """The name of a file as it is told with a line: "" where there is only one."""
    return name if program.language == FILES else ""


def language_spoken(subject: Subject, name: str) -> str:
    """The language of one of the candidate's files: of several each keeps its own, whatever a text makes of itself; one
    alone may have been translated.
    """
    several = subject.program.language == FILES
    return language_in(subject.incumbent if several else subject.program, name)


def source_line(text: str, line: int) -> str:
    """The text of a line (1-based); "" where there is none."""
    lines = text.split("\n")
    return lines[line - 1].strip() if 0 < line <= len(lines) else ""


def size_allowed(incumbent: Program) -> int:
    """How many bytes a proposed text may have. More than that can end a parser's process by its nesting alone."""
    return len(incumbent.source.encode("utf-8", "surrogatepass")) + limits.PROPOSED_SOURCE_BYTES_MAX


def as_set(subject: Subject) -> str:
    """The incumbent's text with the candidate's settings: what the candidate must be but for what it changed."""
    tools = subject.task.tools
    declared = {item.name for item in subject.incumbent.parameters}
    try:
        found = tools.with_source(subject.incumbent, subject.program.source).parameters
        return tools.with_settings(
            subject.incumbent, {item.name: item.value for item in found if item.name in declared}
        ).source
    except UsageError:  # a value that the incumbent does not declare: then it is a change like any other
        return subject.incumbent.source
