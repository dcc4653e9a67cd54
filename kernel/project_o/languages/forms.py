"""Lisp text as nested forms with their character spans, comments beside them. Nothing is lost, nothing evaluated.

What it knows of Hy's syntax: brackets, strings with prefixes and holes, bracket strings ``#[[...]]``, discards
``#_``, the marks for quoting, unpacking and annotating, and that everything else up to a delimiter is an atom.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..errors import UsageError
from ..limits import LISP_NESTING_FORMS_MAX

CLOSERS = {"(": ")", "[": "]", "{": "}", "#(": ")", "#{": "}"}
_MARKS = {"'": 1, "`": 1, "~": 1, "~@": 1, "#_": 1, "#*": 1, "#**": 1, "#^": 2}
"""Marks, and how many forms each one takes."""

_TOKEN = re.compile(
    r"""(?P<space>[ \t\n\r\f\v]+) | (?P<comment>;[^\n]*) | (?P<bracket>\#\[(?P<delimiter>[^\[\]]*)\[)
      | (?P<open>\#[({]|[(\[{]) | (?P<close>[)\]}]) | (?P<mark>~@|\#\*\*|\#\*|\#_|\#\^|['`~])
      | (?P<atom>[^ \t\n\r\f\v()\[\]{};"'`~]*)(?P<quote>")? """,
    re.VERBOSE,
)


@dataclass(slots=True)
class Form:
    """One form. ``kind`` is its opening bracket or mark, else "atom" or "string"; ``text`` that of an atom or string.

    ``start`` and ``end`` are character offsets.
    """

    kind: str
    start: int
    end: int = 0
    text: str = ""
    children: list[Form] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Text:
    """The forms of a source in order, and its comments as (start, end) offsets, in order."""

    forms: list[Form]
    comments: tuple[tuple[int, int], ...]


def parse(source: str) -> Text:
    """The forms of ``source``. Raises UsageError with the line of what is not closed, or closes nothing."""
    root = Form("", 0)
    opened = [root]
    comments: list[tuple[int, int]] = []
    at = source.find("\n") if source.startswith("#!") else 0
    at = len(source) if at < 0 else at
    while at < len(source):
        match = _TOKEN.match(source, at)
        assert match is not None, "every character begins a token"
        begin, at = at, match.end()
        if match["comment"]:
            comments.append((begin, at))
        elif match["open"] or match["mark"]:
            opened.append(Form(match["open"] or match["mark"], begin))
            if len(opened) > LISP_NESTING_FORMS_MAX + 1:
                raise _refusal(source, begin, f"forms are nested deeper than {LISP_NESTING_FORMS_MAX}")
        elif match["close"]:
            _close(source, opened, match["close"], at)
        elif match["bracket"]:
            at = _bracket_end(source, begin, at, match["delimiter"])
            _finish(opened, Form("string", begin, at, source[begin:at]))
        elif match["quote"]:
            at = _string_end(source, begin, at, holes="f" in match["atom"] or "t" in match["atom"])
            _finish(opened, Form("string", begin, at, source[begin:at]))
        elif not match["space"]:
            _finish(opened, Form("atom", begin, at, source[begin:at]))
    if len(opened) > 1:
        last = opened[-1]
        what = f"a '{CLOSERS[last.kind]}' is missing" if last.kind in CLOSERS else f"nothing follows '{last.kind}'"
        raise _refusal(source, last.start, f"the form that begins here is not closed: {what}")
    return Text(root.children, tuple(comments))


def _close(source: str, opened: list[Form], sign: str, end: int) -> None:
    form = opened[-1]
    if form.kind not in CLOSERS:
        why = f"'{form.kind}' has nothing behind it" if form.kind else f"this '{sign}' closes nothing"
        raise _refusal(source, end - 1, why)
    if CLOSERS[form.kind] != sign:
        where = _line_of(source, form.start)
        raise _refusal(source, end - 1, f"a '{sign}' where the '{form.kind}' of line {where} must be closed first")
    opened.pop()
    form.end = end
    _finish(opened, form)


def _finish(opened: list[Form], form: Form) -> None:
    """A form is whole: so may be the marks in front of it. What is discarded is left out."""
    while True:
        above = opened[-1]
        if form.kind != "#_":
            above.children.append(form)
        if above.kind not in _MARKS or len(above.children) < _MARKS[above.kind]:
            return
        opened.pop()
        above.end = form.end
        form = above


def _bracket_end(source: str, begin: int, at: int, delimiter: str) -> int:
    closing = f"]{delimiter}]"
    end = source.find(closing, at)
    if end < 0:
        raise _refusal(source, begin, f"the string that begins here is not closed: '{closing}' is missing")
    return end + len(closing)


def _string_end(source: str, begin: int, at: int, *, holes: bool) -> int:
    """Behind the closing quote. In a string with holes, ``{(f "x")}`` may hold strings of its own."""
    depth: list[str] = []  # what is open inside: "{" for a hole, '"' for a string in a hole
    while at < len(source):
        sign = source[at]
        inside = bool(depth) and depth[-1] == "{"
        if sign == "\\" and not inside:
            at += 1
        elif sign == '"':
            if inside:
                depth.append('"')
            elif depth:
                depth.pop()
            else:
                return at + 1
        elif sign == "{" and (inside or (holes and not depth)):
            if not inside and source[at + 1 : at + 2] == "{":
                at += 1
            else:
                depth.append("{")
        elif sign == "}" and inside:
            depth.pop()
        at += 1
    raise _refusal(source, begin, "the string that begins here is not closed: a '\"' is missing")


def _line_of(source: str, offset: int) -> int:
    return source.count("\n", 0, offset) + 1


def _refusal(source: str, offset: int, why: str) -> UsageError:
    return UsageError(f"line {_line_of(source, offset)}: this is not Lisp: {why}")
