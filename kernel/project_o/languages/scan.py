"""What a language's parser finds in a source, and what follows from it in every language.

A parser yields comments and constants; here they are paired into declared parameters, and constants are
rewritten by their byte spans so that every other byte stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..errors import UsageError
from ..values import Parameter, Scalar
from . import domains

_DECLARES = re.compile(r"\s*o:(?:\s+(.*?))?\s*", re.DOTALL)
_MAY_DECLARE = re.compile(r"[/*!]\s*o:")
_LINE_END = re.compile(r"(?<=\n)|(?<=\r)(?!\n)")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment without its opening signs. ``line`` is 1-based, ``start`` its byte offset."""

    text: str
    line: int
    start: int


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant with a plain value. ``start`` and ``end`` are the byte span of the value.

    ``line`` is where the declaration begins and ``last_line`` where it ends, 1-based. ``kind`` is None where the
    value is no plain literal.
    """

    name: str
    kind: domains.Kind | None
    value: Scalar
    start: int
    end: int
    line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function's author wrote: parameter names, documentation, and the line (1-based) of its name."""

    parameters: tuple[str, ...]
    doc: str
    line: int


@dataclass(frozen=True, slots=True)
class Scan:
    """Comments in order, and constants in order, of one source."""

    comments: tuple[Comment, ...]
    constants: tuple[Constant, ...]


def split_lines(source: str) -> list[str]:
    """The lines with their ends (LF, CR LF or CR), so that joining them gives ``source`` back."""
    return [line for line in _LINE_END.split(source) if line]


def may_declare(source: str) -> bool:
    """Whether a text of a language whose comments begin with slashes may declare a parameter at all: most do not, and
    need not be parsed to know that.
    """
    return _MAY_DECLARE.search(source) is not None


def declared(scan: Scan, opener: str, file: str = "") -> list[tuple[Parameter, Constant]]:
    """Each ``o:`` comment with the constant that ends on its line.

    Raises UsageError with the line of a comment that declares nothing, or of a name declared twice.
    """
    found: dict[str, tuple[Parameter, Constant]] = {}
    for comment in scan.comments:
        match = _DECLARES.fullmatch(comment.text)
        if match is None:
            continue
        before = [item for item in scan.constants if item.last_line == comment.line and item.end <= comment.start]
        if not before:
            raise UsageError(
                f"line {comment.line}: '{opener} o:' declares nothing: it must follow a constant on the same line"
            )
        constant = before[-1]
        if constant.kind is None:
            raise UsageError(
                f"line {comment.line}: parameter {constant.name} must be a plain number, bool, string or enum literal"
            )
        if constant.name in found:
            first = found[constant.name][0].line
            raise UsageError(
                f"line {comment.line}: parameter {constant.name} is declared already in line {first}: rename one"
            )
        domain = domains.parse(match.group(1) or "", constant.kind, constant.value, constant.name, comment.line)
        found[constant.name] = (Parameter(constant.name, constant.value, domain, constant.line, file), constant)
    return list(found.values())


def rewrite(
    source: str,
    declarations: list[tuple[Parameter, Constant]],
    settings: Mapping[str, Scalar],
    spell: Callable[[Scalar, domains.Kind], str],
) -> str:
    """``source`` with the named constants set. A value that is the current one keeps its own spelling.

    Raises UsageError for a name that is not declared or a value outside its domain.
    """
    known = {parameter.name: (parameter, constant) for parameter, constant in declarations}
    edits = []
    for name, value in settings.items():
        if name not in known:
            listed = ", ".join(known) or "none"
            raise UsageError(f"no parameter is called {name}: declared are {listed}")
        parameter, constant = known[name]
        if not any(same(value, item) for item in parameter.domain):
            raise UsageError(f"parameter {name} cannot be {value!r}: its values are {list(parameter.domain)}")
        if not same(value, parameter.value):
            assert constant.kind is not None, "declared() takes plain literals only"
            edits.append((constant.start, constant.end, spell(value, constant.kind)))
    body = source.encode("utf-8", "surrogatepass")
    for start, end, text in sorted(edits, reverse=True):
        body = body[:start] + text.encode("utf-8") + body[end:]
    return body.decode("utf-8", "surrogatepass")


def same(left: Scalar, right: Scalar) -> bool:
    """Equal, and not merely equal as ``True == 1`` is."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)
