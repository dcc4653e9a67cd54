"""A Lisp text and its forms: places in bytes, and which forms are calls, bodies and loops."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ...errors import UsageError
from ..forms import Form, parse
from .edits import Edit

BODIES = {
    "do": 1, "when": 2, "unless": 2, "for": 2, "while": 2, "let": 2, "defn": 3, "fn": 2, "defagent": 2, "deftool": 3,
    "with": 2, "try": 1,
}  # fmt: skip
"""Where the statements of a form begin, counting its head as 0."""
SPECIAL = frozenset(
    {*BODIES, "if", "cond", "setv", "setx", "import", "require", "lfor", "gfor", "sfor", "dfor", "quote", "global",
     "defmacro", "defclass", "match", "except", "finally", "else", "return", "break", "continue", ".", "del", "cut"}
)  # fmt: skip
"""Heads whose parts are no arguments."""


@dataclass(frozen=True)
class LispText:
    """``source`` and its forms."""

    source: str
    top: tuple[Form, ...]

    @classmethod
    def read(cls, source: str) -> LispText | None:
        """None for what cannot be read."""
        try:
            return cls(source, tuple(parse(source).forms))
        except (UsageError, RecursionError):
            return None

    @cached_property
    def forms(self) -> tuple[Form, ...]:
        """Every form, those that are quoted left out: they are data."""
        found: list[Form] = []
        waiting = list(reversed(self.top))
        while waiting:
            form = waiting.pop()
            if form.kind in ("'", "`", "#^"):
                continue
            found.append(form)
            waiting.extend(reversed(form.children))
        return tuple(found)

    def calls(self) -> Iterator[tuple[str, Form, list[Form]]]:
        """(head, form, the other parts) of every form in round brackets that begins with a word."""
        for form in self.forms:
            if form.kind == "(" and form.children and form.children[0].kind == "atom":
                yield form.children[0].text, form, form.children[1:]

    def text(self, form: Form) -> str:
        """What stands there."""
        return self.source[form.start : form.end]

    def line(self, form: Form) -> int:
        """Its line, counted from 1."""
        return self.source.count("\n", 0, form.start) + 1

    def edit(self, operator: str, form: Form, new: str, why: str, *, keeps: bool = False) -> Edit:
        """Another text in the place of a form."""
        return self._between(operator, form, form.end, new, why, keeps=keeps)

    def exchanged(self, operator: str, first: Form, second: Form, why: str, *, keeps: bool = False) -> Edit:
        """Two forms change places; what is between them stays."""
        new = self.text(second) + self.source[first.end : second.start] + self.text(first)
        return self._between(operator, first, second.end, new, why, keeps=keeps)

    def _between(self, operator: str, first: Form, end: int, new: str, why: str, *, keeps: bool) -> Edit:
        said = " ".join(why.split())[:70]
        return Edit(operator, self.line(first), self._byte(first.start), self._byte(end), new, said, keeps)

    def _byte(self, offset: int) -> int:
        return offset if self._ascii else len(self.source[:offset].encode("utf-8", "surrogatepass"))

    @cached_property
    def _ascii(self) -> bool:
        return self.source.isascii()


def words(form: Form) -> set[str]:
    """Every word in a form."""
    found, waiting = set(), [form]
    while waiting:
        one = waiting.pop()
        waiting += one.children
        if one.kind == "atom":
            found.add(one.text)
    return found


def neighbours(parts: list[Form]) -> Iterator[tuple[Form, Form]]:
    """Arguments that follow each other, neither of them a keyword or its value."""
    named = {k for k, part in enumerate(parts) if part.text.startswith(":")}
    named |= {k + 1 for k in named}
    for k, (first, second) in enumerate(itertools.pairwise(parts)):
        if k not in named and k + 1 not in named:
            yield first, second
