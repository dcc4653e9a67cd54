"""Lisp forms as values, templates with holes, and macros made of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from ..forms import CLOSERS, Form

HOLE = "hole"
_MARKED = ("'", "`", "~", "~@", "#_")
_TAKEN_APART = ("#*", "#**", "#^")
BINDERS = frozenset({"let", "setv", "setx", "for", "fn", "defn", "lfor", "gfor", "sfor", "dfor", "with", "except",
                     "try", "import", "require", "global", "nonlocal", "del", "defclass", "match"})  # fmt: skip
"""Forms that give names a meaning: what stands in them would have to be made new by each use of a macro."""
NEVER = frozenset({"deftool", "defagent", "defmemory", "defparam", "defworkflow", "defmacro", "when->", "cond", "else",
                   "finally", "quote", "quasiquote", "unquote", "do-mac", "eval-when-compile", "return", "yield",
                   "await", "break", "continue", "unpack-iterable", "unpack-mapping", "annotate", "."})  # fmt: skip
"""What a macro does not begin with: definitions, and words that mean something only where they stand."""


@dataclass(frozen=True, slots=True)
class Tree:
    """A form without its place. ``kind`` is its bracket or mark, "atom", "string" or "hole", by its number."""

    kind: str
    text: str = ""
    parts: tuple[Tree, ...] = ()
    size: int = 1

    @property
    def head(self) -> str:
        """The name that a list begins with, "" where it begins with none."""
        named = self.kind == "(" and self.parts and self.parts[0].kind == "atom"
        return self.parts[0].text if named else ""

    def walk(self) -> Iterator[Tree]:
        """It and all in it."""
        yield self
        for part in self.parts:
            yield from part.walk()


def tree(form: Form) -> Tree:
    """A form as a value."""
    return made(form.kind, form.text, tuple(tree(part) for part in form.children))


def made(kind: str, text: str, parts: tuple[Tree, ...]) -> Tree:
    """With its size."""
    return Tree(kind, text, parts, 1 + sum(part.size for part in parts))


def printed(form: Tree, hole: str = "~h") -> str:
    """As text; ``hole`` stands before the number of a hole."""
    if form.kind == HOLE:
        return f"{hole}{form.text}"
    if form.kind in ("atom", "string"):
        return form.text
    inside = " ".join(printed(part, hole) for part in form.parts)
    return f"{form.kind}{inside}{CLOSERS[form.kind]}" if form.kind in CLOSERS else f"{form.kind}{inside}"


@dataclass(frozen=True)
class Macro:
    """``(name hole0 hole1 ...)`` stands for the template."""

    name: str
    template: Tree

    @cached_property
    def holes(self) -> int:
        """How many there are."""
        return 1 + max((int(part.text) for part in self.template.walk() if part.kind == HOLE), default=-1)

    @property
    def source(self) -> str:
        """Its definition."""
        names = " ".join(f"h{k}" for k in range(self.holes))
        return f"(defmacro {self.name} [{names}]\n  `{printed(self.template)})"

    @property
    def size(self) -> int:
        """Of its definition, in nodes: the form, its word, its name, its parameters, the quote, the template."""
        marks = sum(part.kind == HOLE for part in self.template.walk())
        return 4 + self.holes + 1 + self.template.size + marks

    def call_size(self, bound: dict[str, Tree]) -> int:
        """Of a call."""
        return 2 + sum(item.size for item in bound.values())


def in_common(one: Tree, other: Tree) -> Tree | None:
    """The template that both are cases of; None where they have no list with the same word in common."""
    holes: dict[tuple[Tree, Tree], Tree] = {}

    def joined(a: Tree, b: Tree) -> Tree:
        if a == b:
            return a
        same = a.kind == b.kind and a.parts and len(a.parts) == len(b.parts)
        if same and (a.kind != "(" or a.parts[0] == b.parts[0]):
            return made(a.kind, a.text, tuple(map(joined, a.parts, b.parts)))
        return holes.setdefault((a, b), Tree(HOLE, str(len(holes))))

    found = joined(one, other)
    return None if found.kind == HOLE else found


def bound_by(template: Tree, form: Tree) -> dict[str, Tree] | None:
    """What stands in each hole where the form is a case of the template; None where it is none."""
    bound: dict[str, Tree] = {}

    def fits(pattern: Tree, given: Tree) -> bool:
        if pattern.kind == HOLE:
            return bound.setdefault(pattern.text, given) == given
        if pattern.kind != given.kind or pattern.text != given.text or len(pattern.parts) != len(given.parts):
            return False
        return all(map(fits, pattern.parts, given.parts))

    return bound if fits(template, form) and all(map(can_be_passed, bound.values())) else None


def locals_of(forms: Iterable[Tree]) -> frozenset[str]:
    """The names that mean something only inside a form: parameters, and what a binder names."""
    found = {"message", "arguments"}
    for form in forms:
        for part in form.walk():
            if part.head in ("deftool", "defn", "fn", "defmacro"):
                found |= {name for item in part.parts[1:3] if item.kind == "[" for name in _atoms(item)}
            elif part.head in BINDERS:
                found |= {name for item in part.parts[1:] for name in _atoms(item)[:1]}
                found |= {name for item in part.parts[1:2] if item.kind == "[" for name in _atoms(item)}
    return frozenset(found)


def _atoms(form: Tree) -> list[str]:
    return [part.text for part in form.walk() if part.kind == "atom"]


def opened(template: Tree, local: Collection[str]) -> Tree:
    """The template with a hole for each local name: a macro that named one would take it from wherever it is used."""
    places: dict[str, Tree] = {}
    count = 1 + max((int(part.text) for part in template.walk() if part.kind == HOLE), default=-1)

    def look(part: Tree) -> Tree:
        if part.kind == "atom" and part.text.split(".")[0] in local:
            return places.setdefault(part.text, Tree(HOLE, str(count + len(places))))
        return made(part.kind, part.text, tuple(map(look, part.parts))) if part.parts else part

    return look(template)


def can_be_passed(form: Tree) -> bool:
    """Whether it can be an argument of a macro: a keyword would be read as the name of one."""
    return not (form.kind == "atom" and form.text.startswith(":")) and form.kind not in (*_MARKED, *_TAKEN_APART)


def is_allowed(template: Tree) -> bool:
    """Whether a macro may stand for it: nothing in it binds a name, so that it can capture none, and none is quoted."""
    if not template.head or template.head in NEVER or template.head.startswith((".", ":")):
        return False
    heads = {part.head for part in template.walk()}
    marks = any(part.kind in (*_MARKED, "#^") for part in template.walk())
    text = any(part.kind == "string" and part.text[:1] in "ft#" for part in template.walk())
    return not heads & BINDERS and not marks and not text
