"""A compiler's errors, pointing at the cell's own lines: text with a caret, HTML with the range underlined."""

from __future__ import annotations

from .. import limits
from ..errors import CompileError
from ..values import Diagnostic
from . import style
from .display import Display, Part, group, page
from .markup import tag
from .parts import Tone, left_out, line, title
from .text import clean, columns, counted, expand

_TONES: dict[str, Tone] = {"error": "bad", "warning": "warn", "note": "accent"}

NO_BREAK_SPACE = "\u00a0"
"""Stands for the place behind the last character, where compilers report what is missing."""


def show_compile_error(error: CompileError, *, cell: str = "cell") -> Display:
    """Every diagnostic as ``cell:LINE:COL: error: message`` with its source line; ``cell`` names the source."""
    shown = error.diagnostics[: limits.DIAGNOSTICS_SHOWN_MAX]
    message = clean(error).strip()
    first, _, rest = message.partition("\n")
    return page(
        title(error.language, error.what, "bad", _counts(error.diagnostics)),
        line(first) if first and not shown else None,
        line(rest) if rest and not shown else None,
        *(diagnostic_part(diagnostic, cell) for diagnostic in shown),
        left_out(len(error.diagnostics) - len(shown)),
    )


def _counts(diagnostics: tuple[Diagnostic, ...]) -> str:
    severities = [diagnostic.severity for diagnostic in diagnostics]
    found = [(kind, severities.count(kind)) for kind in ("error", "warning", "note")]
    return ", ".join(counted(number, kind) for kind, number in found if number)


def diagnostic_part(diagnostic: Diagnostic, cell: str = "cell") -> Part:
    """One diagnostic with its source line, its caret, and its notes below it."""
    place = f"{clean(cell)}:{diagnostic.line}:{diagnostic.column}" if diagnostic.line else clean(cell)
    message = clean(diagnostic.message)
    head = Part(
        f"{place}: {diagnostic.severity}: {message}",
        tag(
            "p",
            tag("code", f"{place}: ", style=style.CODE),
            tag("span", diagnostic.severity, style=style.badge(_TONES.get(diagnostic.severity, ""))),
            f": {message}",
            style="margin:6px 0 0;white-space:pre-wrap",
        ),
    )
    notes = [diagnostic_part(item, cell) for item in diagnostic.notes[: limits.DIAGNOSTICS_SHOWN_MAX]]
    return group([head, _source_part(diagnostic), *notes])


def _source_part(diagnostic: Diagnostic) -> Part | None:
    """The source line with the range marked: by carets below it in text, by an underline in HTML."""
    if not diagnostic.source_line.strip():
        return None
    before, marked, after = _split(diagnostic)
    number = str(diagnostic.line) if diagnostic.line else ""
    source = f" {number} | {before}{marked}{after}"
    if not diagnostic.column:
        return Part(source, tag("pre", source, style=style.PRE))
    carets = " " * columns(before) + "^" * max(1, columns(marked))
    look = f"text-decoration:underline 2px {style.BAD};text-underline-offset:3px;background:{style.BAD_BAND}"
    html = tag(
        "pre",
        tag("span", f" {number} | ", style=style.FAINT),
        before,
        tag("u", marked or NO_BREAK_SPACE, style=look),
        after,
        style=f"{style.PRE};padding-bottom:8px",
    )
    return Part(f"{source}\n {' ' * len(number)} | {carets}", html)


def _split(diagnostic: Diagnostic) -> tuple[str, str, str]:
    """The source line before, within and after the marked range, tabs as spaces throughout."""
    raw = diagnostic.source_line.rstrip("\r\n")
    start = min(max(0, diagnostic.column - 1), len(raw))
    end = min(len(raw), start + max(1, diagnostic.width))
    before = expand(raw[:start])
    upto = expand(raw[:end])
    whole = expand(raw)
    return clean(before), clean(upto[len(before) :]), clean(whole[len(upto) :])
