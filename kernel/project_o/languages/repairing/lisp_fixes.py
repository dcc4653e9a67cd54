"""All single repairs of a Lisp text, form by form: the same templates as for Python, where Lisp has them."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from ...errors import UsageError
from ..forms import Form, parse
from ..rewriting.edits import Edit
from ..scan import split_lines

_INTEGER = re.compile(r"-?[0-9]+\Z")
_GROUPS = {
    "comparison": ("<", "<=", ">", ">=", "=", "!="),
    "operator": ("+", "-", "*", "/", "//", "%"),
    "callee": ("min", "max", "first", "last", "any", "all", "in", "not-in", "is", "is-not"),
    "and, or": ("and", "or"),
    "method": (".append", ".extend", ".startswith", ".endswith", ".upper", ".lower", ".split", ".strip", ".find"),
}
_PAIRED = {
    "if": "when", "when": "unless", "unless": "when", "sorted": "reversed", "len": "sum", "sum": "len", "inc": "dec",
    "dec": "inc", "in": "not-in", "not-in": "in",
}  # fmt: skip
_SPECIAL = (
    "setv",
    "setx",
    "let",
    "defn",
    "defagent",
    "deftool",
    "defmemory",
    "fn",
    "import",
    "require",
    "defmacro",
    "quote",
)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_!?*+./<>=-]*\Z")
_WRAPPERS = ("len", "str", "int", "sorted", "abs", "list", "set", "sum", "not")
MATERIAL_CHARACTERS_MAX = 60


def lisp_fixes(source: str) -> Iterator[Edit]:
    """Edits of every form inside of a definition; none of what cannot be read."""
    try:
        text = _Text(source)
    except UsageError:
        return
    for form, parents in text.inside:
        if form.kind == "atom":
            yield from _atoms(text, form, parents)
        if form.kind in ("(", "["):
            yield from _forms(text, form, parents)
        yield from _exchanged(text, form, parents)


@dataclass
class _Text:
    """A source with its forms, and what is in them."""

    source: str

    def __post_init__(self) -> None:
        self.forms = parse(self.source).forms
        self._starts = [0]
        for line in split_lines(self.source):
            self._starts.append(self._starts[-1] + len(line))

    @cached_property
    def inside(self) -> list[tuple[Form, tuple[Form, ...]]]:
        """Every form below a definition's name, with the forms that it is in, the innermost last."""
        found: list[tuple[Form, tuple[Form, ...]]] = []

        def walk(form: Form, parents: tuple[Form, ...]) -> None:
            found.append((form, parents))
            for child in form.children:
                walk(child, (*parents, form))

        for form in self.forms:
            if form.kind == "(" and form.children and form.children[0].text in _SPECIAL:
                for child in form.children[2:]:
                    walk(child, (form,))
        return found

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What stands anywhere but at the head of a form, and is a name."""
        found = [
            form.text
            for form, parents in self.inside
            if form.kind == "atom" and _NAME.match(form.text) and not _is_head(form, parents)
        ]
        return tuple(dict.fromkeys(found))

    @cached_property
    def material(self) -> tuple[str, ...]:
        """Short forms and atoms, as they stand."""
        found = [
            self.of(form)
            for form, parents in self.inside
            if form.kind in ("(", "atom", "string")
            and not _is_head(form, parents)
            and not self.of(form).startswith(":")
        ]
        short = [text for text in found if len(text) <= MATERIAL_CHARACTERS_MAX and "\n" not in text]
        return tuple(sorted(dict.fromkeys((*short, "0", "1", "[]", '""', "None", "True", "False")), key=len))

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        """What is asked in it, each also denied."""
        found = []
        for form, parents in self.inside:
            head = form.children[0].text if form.kind == "(" and form.children else ""
            asked = head in (*_GROUPS["comparison"], "not", "in", "not-in") or (
                bool(parents)
                and _place(form, parents[-1]) == 1
                and _head(parents[-1]) in ("if", "when", "unless", "while")
            )
            if asked and len(self.of(form)) <= MATERIAL_CHARACTERS_MAX:
                found += [self.of(form), f"(not {self.of(form)})"]
        found += [text for name in self.names for text in (f"(not {name})", name)]
        return tuple(dict.fromkeys(found))

    def of(self, form: Form) -> str:
        """A form as it stands."""
        return self.source[form.start : form.end]

    def edit(self, template: str, form: Form, new: str, last: Form | None = None) -> Edit:
        """Another text in the place of a form, or of neighbours."""
        end = (last or form).end
        old = self.source[form.start : end]
        begin = len(self.source[: form.start].encode("utf-8", "surrogatepass"))
        line = bisect.bisect_right(self._starts, form.start)
        why = f"{_short(old)} becomes {_short(new)}" if new else f"without {_short(old)}"
        return Edit(template, line, begin, begin + len(old.encode("utf-8", "surrogatepass")), new, why, keeps=False)


def _head(form: Form) -> str:
    return form.children[0].text if form.kind == "(" and form.children else ""


def _place(form: Form, parent: Form) -> int:
    return next((place for place, child in enumerate(parent.children) if child is form), -1)


def _is_head(form: Form, parents: tuple[Form, ...]) -> bool:
    return bool(parents) and parents[-1].kind == "(" and _place(form, parents[-1]) == 0


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _atoms(text: _Text, form: Form, parents: tuple[Form, ...]) -> Iterator[Edit]:
    if _INTEGER.match(form.text):
        value = int(form.text)
        for other in dict.fromkeys((value + 1, value - 1, 0, 1, -value, 2 * value, 10 * value)):
            if other != value:
                yield text.edit("off by one" if abs(other - value) == 1 else "constant", form, str(other))
    elif form.text in ("True", "False"):
        yield text.edit("constant", form, "False" if form.text == "True" else "True")
    elif _is_head(form, parents):
        for template, group in _GROUPS.items():
            if form.text in group:
                for other_name in group:
                    if other_name != form.text:
                        yield text.edit(template, form, other_name)
        if form.text in _PAIRED:
            yield text.edit("callee", form, _PAIRED[form.text])
    elif _NAME.match(form.text):
        for name in text.names:
            if name != form.text:
                yield text.edit("variable", form, name)


def _forms(text: _Text, form: Form, parents: tuple[Form, ...]) -> Iterator[Edit]:
    head, parts = _head(form), form.children
    first = 1 if form.kind == "(" else 0
    for place in range(first, len(parts)):
        for later in range(place + 1, min(len(parts), place + 4)):
            between = text.source[parts[place].end : parts[later].start]
            swapped = text.of(parts[later]) + between + text.of(parts[place])
            template = "wrong branch" if head == "if" and place == 2 else "swapped arguments"
            yield text.edit(template, parts[place], swapped, parts[later])
    if head == "if" and len(parts) == 4:
        yield text.edit("wrong branch", form, text.of(parts[2]))
        yield text.edit("wrong branch", form, text.of(parts[3]))
    if head in ("if", "when", "unless", "while", "and", "or", "cond"):
        yield from _conditions(text, parts)
    if head == "not" and len(parts) == 2:
        yield text.edit("sign", form, text.of(parts[1]))
    if head not in _SPECIAL and form.kind == "(":
        for part in parts[1:]:
            if len(parts) <= 3:
                yield text.edit("missing call", form, text.of(part))
            if len(parts) > 2:
                yield text.edit("argument", part, "")
        for one in text.material[:40]:
            yield text.edit("argument", parts[-1], f"{text.of(parts[-1])} {one}")
    if parents and head != "setv" and _head(parents[-1]) not in ("setv", "let", "if"):
        yield text.edit("delete", form, "None")


def _conditions(text: _Text, parts: list[Form]) -> Iterator[Edit]:
    asked = parts[1:] if parts[0].text in ("and", "or") else parts[1::2] if parts[0].text == "cond" else parts[1:2]
    for part in asked:
        own = text.of(part)
        yield text.edit("wrong branch", part, f"(not {own})")
        for condition in text.conditions:
            if condition != own:
                yield text.edit("guard", part, f"(and {condition} {own})")
                yield text.edit("guard", part, f"(or {condition} {own})")
                yield text.edit("condition", part, condition)


def _exchanged(text: _Text, form: Form, parents: tuple[Form, ...]) -> Iterator[Edit]:
    """Something else of the text in a form's place, or the form as a part of something more."""
    if _is_head(form, parents) or form.kind not in ("(", "atom", "string") or form.text.startswith(":"):
        return
    if parents and _head(parents[-1]) in ("setv", "setx") and _place(form, parents[-1]) == 1:
        return
    own = text.of(form)
    for other in text.material:
        if other not in own:
            yield text.edit("expression", form, other)
    for sign in ("+", "-"):
        yield text.edit("off by one", form, f"({sign} {own} 1)")
    for wrapper in _WRAPPERS:
        yield text.edit("missing call", form, f"({wrapper} {own})")
    if form.kind != "(":
        return
    for other in text.material:
        if len(other) <= 24 and other != own:
            for made in (f"(+ {own} {other})", f"(+ {other} {own})", f"(- {own} {other})", f"(* {own} {other})"):
                yield text.edit("missing term", form, made)
            yield text.edit("missing statement", form, f"{other} {own}" if other.startswith("(") else own)
    for condition in text.conditions[:40]:
        for value in ("None", "0", '""', "[]"):
            yield text.edit("missing guard", form, f"(if {condition} {own} {value})")
