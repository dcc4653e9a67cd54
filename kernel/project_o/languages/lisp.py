"""Lisp (Hy), through a reader of our own that keeps every byte: Hy's prints forms back without comments and layout."""

from __future__ import annotations

import ast
import bisect
import itertools
import json
import re
from collections.abc import Iterator, Mapping

from ..values import Mode, Program, Scalar
from . import blocks as _blocks
from . import domains
from .forms import Form, parse
from .scan import Comment, Constant, Scan, Signature, declared, rewrite, split_lines

OPENER = ";"
FILE = "cell.hy"

_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|[0-9]+)")
_FLOAT = re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?")
_DEFINITIONS = {"defagent": ("message", "**arguments"), "deftool": (), "defworkflow": (), "defn": ()}
_BINDERS = ("setv", "setx", "let")


def program(name: str, source: str, *, mode: Mode = "safe", options: tuple[str, ...] = ()) -> Program:
    """A cell, or one agent of it, as a program with its declared parameters.

    ``(setv k 3) ; o: 1 2 3`` declares one, and so do values of ``let`` and of keywords, as in ``:top 5 ; o: 3 5``, and
    ``(defparam k 3 :domain [1 2 3])``.
    Raises UsageError naming the line of a bad declaration or of what cannot be read.
    """
    parameters = tuple(parameter for parameter, _ in declared(_scan(source), OPENER, FILE))
    return Program(name, "lisp", ((FILE, source),), parameters, mode, options)


def with_source(old: Program, source: str) -> Program:
    """The same program with another text. Raises UsageError as ``program`` does."""
    return old.with_source(source, tuple(parameter for parameter, _ in declared(_scan(source), OPENER, FILE)))


def with_settings(old: Program, settings: Mapping[str, Scalar]) -> Program:
    """The same program with parameters set; all other bytes stay. Raises UsageError for an undeclared name or value."""
    return with_source(old, rewrite(old.source, declared(_scan(old.source), OPENER, FILE), settings, spell))


def signatures(source: str) -> dict[str, Signature]:
    """The agents, tools and functions at the top level whose names do not begin with an underscore.

    Names are spelt as Python does, with ``_``. An agent takes a message, and arguments by name.
    """
    text, places = parse(source), _Places(source)
    found: dict[str, Signature] = {}
    for form in text.forms:
        parts = form.children
        if form.kind != "(" or len(parts) < 2 or parts[0].text not in _DEFINITIONS or parts[1].kind != "atom":
            continue
        name = parts[1].text.replace("-", "_")
        if not name.startswith("_"):
            given = _DEFINITIONS[parts[0].text] or tuple(_parameters(parts[2:3]))
            found[name] = Signature(given, _doc(parts[2:]), places.line(parts[1].start))
    return found


def blocks(source: str) -> tuple[_blocks.Block, ...]:
    """The EVOLVE blocks. Raises UsageError with the line of a malformed marker."""
    return _blocks.find(_scan(source).comments)


def normalised(source: str) -> str:
    """The tokens alone: two sources with the same text here differ in comments, discarded forms and layout only."""
    return "\n".join(token for form in parse(source).forms for token in _tokens(form))


def spell(value: Scalar, kind: domains.Kind) -> str:
    """A value as Lisp writes it."""
    if kind == "float":
        return repr(float(value))
    return json.dumps(value, ensure_ascii=False) if kind == "string" else str(value)


# ------------------------------------------------------------------------------- what the forms say


def _scan(source: str) -> Scan:
    text = parse(source)
    places = _Places(source)
    comments = tuple(
        Comment(source[start:end].lstrip(";").rstrip("\r"), places.line(start), places.byte(start))
        for start, end in text.comments
    )
    constants = sorted(_constants(text.forms, places), key=lambda item: item.start)
    domains_of = [_domain(form, source, places) for form in text.forms]
    comments += tuple(comment for comment in domains_of if comment is not None)
    return Scan(tuple(sorted(comments, key=lambda item: item.start)), tuple(constants))


def _domain(form: Form, source: str, places: _Places) -> Comment | None:
    """The domain of a ``defparam`` as the comment behind its value that would say the same."""
    parts = form.children
    if form.kind != "(" or len(parts) < 4 or parts[0].text != "defparam":
        return None
    for key, value in itertools.pairwise(parts[3:]):
        if key.text != ":domain":
            continue
        words = [item.text for item in value.children]
        if value.kind == "string":
            words = [str(_literal(value)[1])]
        words = [word.lower() if word in ("True", "False") else word for word in words]
        end = parts[2].end
        return Comment(f" o: {' '.join(words)}", places.line(end - 1), places.byte(end))
    return None


class _Places:
    """From character offsets to lines (1-based) and byte offsets."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._plain = source.isascii()
        self._starts = [0]
        for line in split_lines(source):
            self._starts.append(self._starts[-1] + len(line))

    def line(self, offset: int) -> int:
        return max(1, bisect.bisect_right(self._starts, offset, hi=max(1, len(self._starts) - 1)))

    def byte(self, offset: int) -> int:
        return offset if self._plain else len(self._source[:offset].encode("utf-8", "surrogatepass"))


def _constants(forms: list[Form], places: _Places) -> Iterator[Constant]:
    waiting = list(forms)
    while waiting:
        form = waiting.pop()
        waiting += form.children
        for name, value in _bindings(form):
            kind, content = _literal(value)
            yield Constant(
                name.text.removeprefix(":"),
                kind,
                content,
                places.byte(value.start),
                places.byte(value.end),
                places.line(name.start),
                places.line(value.end - 1),
            )


def _bindings(form: Form) -> Iterator[tuple[Form, Form]]:
    """The names that a form binds to values, and its keywords with theirs."""
    parts = form.children
    for key, value in itertools.pairwise(parts):
        if key.kind == "atom" and len(key.text) > 1 and key.text[0] == ":" and form.kind in "({":
            yield key, value
    if form.kind == "(" and len(parts) > 2 and parts[0].text == "defparam" and parts[1].kind == "atom":
        yield parts[1], parts[2]
    if form.kind != "(" or len(parts) < 2 or parts[0].text not in _BINDERS:
        return
    pairs = parts[1].children if parts[0].text == "let" and parts[1].kind == "[" else parts[1:]
    for target, value in zip(pairs[::2], pairs[1::2], strict=False):
        name = target.children[-1] if target.kind == "#^" and target.children else target
        if name.kind == "atom":
            yield name, value


def _literal(form: Form) -> tuple[domains.Kind | None, Scalar]:
    if form.kind == "string" and form.text[0] in '"r':
        try:
            value = ast.literal_eval(form.text)
        except (SyntaxError, ValueError):
            return None, ""  # with a line's end in it, say
        return ("string", value) if isinstance(value, str) else (None, "")
    if form.kind != "atom":
        return None, ""
    if form.text in ("True", "False"):
        return "bool", form.text == "True"
    digits = re.sub("[_,]", "", form.text)
    if _INTEGER.fullmatch(digits):
        prefixed = digits.lstrip("+-")[:2].lower() in ("0x", "0o", "0b")
        return "int", int(digits, 0 if prefixed else 10)
    if _FLOAT.fullmatch(digits):
        return "float", float(digits)
    return None, ""


def _tokens(form: Form) -> Iterator[str]:
    if form.kind in ("atom", "string"):
        yield form.text
        return
    yield form.kind
    for part in form.children:
        yield from _tokens(part)
    if form.kind in "([{" or form.kind in ("#(", "#{"):
        yield "end"


def _parameters(found: list[Form]) -> Iterator[str]:
    for item in found[0].children if found and found[0].kind == "[" else []:
        named = item
        while named.kind == "#^" and named.children:
            named = named.children[-1]
        if named.kind == "[" and named.children:
            named = named.children[0]
        while named.kind == "#^" and named.children:
            named = named.children[-1]
        if named.kind == "atom" and named.text not in ("*", "/"):
            yield named.text.replace("-", "_")


def _doc(parts: list[Form]) -> str:
    behind = parts[1:] if parts and parts[0].kind == "[" else parts
    if not behind or behind[0].kind != "string" or (parts is not behind and len(behind) < 2):
        return ""
    kind, value = _literal(behind[0])
    return str(value) if kind == "string" else behind[0].text.strip('"')
