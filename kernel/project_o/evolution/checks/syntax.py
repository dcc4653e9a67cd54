"""Whether a candidate can be read at all, and left alone what it may not change. No build, and mostly no process.

What is hostile to a parser costs its candidate only: size first, since nesting deep enough to end a parser's process
needs a long text; then characters; then the parser, whose complaints are the finding.
"""

from __future__ import annotations

import re

from ...errors import CompileError, ToolchainError, UsageError
from ...languages import trouble
from ...values import CheckStage, Finding
from .build import evidence_of, first_diagnostic
from .seam import Subject, failed, inconclusive, passed
from .text import as_set, cell_line, changed_files, language_spoken, named, size_allowed, source_line

NATIVE = ("zig", "rust")
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")


class Syntax:
    """The stage "syntax"."""

    stage: CheckStage = "syntax"

    def run(self, subject: Subject) -> Finding:
        """Size, characters, the parser, and what stands outside the EVOLVE blocks."""
        for name, text in changed_files(subject):
            found = self._characters(subject, name, text) or self._parsed(subject, name, text)
            if found is not None:
                return found
        if subject.only_settings or subject.trusted:
            return passed("syntax")
        if subject.task.crosses(subject.program):  # what serves has no blocks that would bound another language's text
            return self._native(subject)
        try:
            subject.task.tools.inside_blocks(as_set(subject), subject.program.source)
        except UsageError as error:
            return failed("syntax", str(error), str(error))
        return self._native(subject)

    def _characters(self, subject: Subject, name: str, text: str) -> Finding | None:
        size, most = len(text.encode("utf-8", "surrogatepass")), size_allowed(subject.incumbent)
        if size > most and not subject.trusted:
            return failed(
                "syntax", f"{name} has {size:,} bytes, and a proposed text may have {most:,} here: shorten it"
            )
        bad = _NO_TEXT.search(text)
        if bad is None:
            return None
        line = cell_line(subject.program, name, text.count("\n", 0, bad.start()) + 1)
        what = "a zero byte" if bad[0] == "\0" else "a character that is not Unicode text"
        return failed("syntax", f"line {line}: {what}: remove it")

    def _parsed(self, subject: Subject, name: str, text: str) -> Finding | None:
        language = language_spoken(subject, name)
        try:
            found = None if language in NATIVE else trouble(language, text)
        except (RecursionError, MemoryError):
            return failed("syntax", f"{name} is nested deeper than {language.capitalize()}'s parser goes")
        if found is None:
            return None
        at = named(subject.program, name)
        line = f"{at}{', ' if at else ''}line {cell_line(subject.program, name, found[0])}"
        return failed("syntax", f"{line}: {found[1]}", f"{line}: {found[1]}\n    {source_line(text, found[0])}")

    def _native(self, subject: Subject) -> Finding:
        """Our grammars are not exactly the compilers' own, so where one gives up the compiler's parser is asked."""
        language = subject.program.language
        if language not in NATIVE or all(trouble(language, text) is None for _, text in changed_files(subject)):
            return passed("syntax")
        from ... import toolchain

        try:
            errors = toolchain.syntax_errors(subject.program)
        except CompileError as error:
            return failed("syntax", first_diagnostic(error), evidence_of(error))
        except ToolchainError as error:
            return inconclusive("syntax", f"our own parser cannot read it, and the compiler's was not asked: {error}")
        if not errors:
            return passed("syntax")
        told = CompileError(errors[0].message, errors, language)
        return failed("syntax", first_diagnostic(told), evidence_of(told))
