"""Lisp: small changes of meaning, for programs that somebody scores: what Python has under the same names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..forms import Form
from .edits import Edit
from .lisp_text import BODIES, SPECIAL, LispText, neighbours, words
from .near import near

_COMPARISONS = {"<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "=": ("!=",), "!=": ("=",)}
_ARITHMETIC = {"+": ("-",), "-": ("+",), "*": ("/", "+"), "/": ("*", "//"), "//": ("/",), "%": ("//",)}
_OPPOSITE = {"and": "or", "or": "and", "when": "unless", "unless": "when"}
_EXTREME = {"min": "max", "max": "min"}
_NUMBER = re.compile(r"[0-9]+|[0-9]+\.[0-9]*(?:[eE][+-]?[0-9]+)?")
_SYMMETRIC = frozenset({"+", "*", "=", "!=", "and", "or", "min", "max"})


def constants(text: LispText) -> Iterator[Edit]:
    """A number becomes one of its neighbours, its half or its double; True becomes False."""
    for form in text.forms:
        if form.kind != "atom":
            continue
        if form.text in ("True", "False"):
            yield text.edit("constant", form, "False" if form.text == "True" else "True", f"not {form.text}")
        elif _NUMBER.fullmatch(form.text):
            for other in near(int(form.text) if form.text.isdigit() else float(form.text)):
                yield text.edit("constant", form, repr(other), f"{other!r} instead of {form.text}")


def comparisons(text: LispText) -> Iterator[Edit]:
    """``<`` becomes ``<=`` or ``>``, and so on."""
    yield from _other_heads(text, "comparison", _COMPARISONS)


def arithmetic(text: LispText) -> Iterator[Edit]:
    """``+`` becomes ``-``, and so on."""
    yield from _other_heads(text, "arithmetic", _ARITHMETIC)


def _other_heads(text: LispText, operator: str, table: dict[str, tuple[str, ...]]) -> Iterator[Edit]:
    for head, form, parts in text.calls():
        for other in table.get(head, ()) if len(parts) > 1 else ():
            yield text.edit(operator, form.children[0], other, f"({other} {' '.join(map(text.text, parts))})")


def arguments(text: LispText) -> Iterator[Edit]:
    """Two neighbouring arguments of a call change their places; ``min`` becomes ``max``."""
    for head, form, parts in text.calls():
        if head in _EXTREME:
            yield text.edit("argument", form.children[0], _EXTREME[head], f"{_EXTREME[head]} instead of {head}")
        if head in SPECIAL or head in _SYMMETRIC or head.startswith("."):
            continue
        operator = "arithmetic" if head in _ARITHMETIC else "argument"
        for first, second in neighbours(parts):
            if text.text(first) != text.text(second):
                why = f"{head}: {text.text(second)} before {text.text(first)}"
                yield text.exchanged(operator, first, second, why)


def conditions(text: LispText) -> Iterator[Edit]:
    """``and`` becomes ``or``; a part of it is left out; the branches of ``if`` change places."""
    for head, form, parts in text.calls():
        if head in _OPPOSITE and parts:
            yield text.edit("condition", form.children[0], _OPPOSITE[head], f"{_OPPOSITE[head]} instead of {head}")
        if head in ("and", "or") and len(parts) > 1:
            for k, part in enumerate(parts):
                left = [text.text(one) for one in (*parts[:k], *parts[k + 1 :])]
                new = left[0] if len(left) == 1 else f"({head} {' '.join(left)})"
                yield text.edit("condition", form, new, f"without {text.text(part)}")
        if head == "if" and len(parts) == 3:
            yield text.exchanged("condition", parts[1], parts[2], f"not {text.text(parts[0])}")
        if head == "while" and parts:
            yield text.edit("condition", parts[0], f"(not {text.text(parts[0])})", f"not {text.text(parts[0])}")


def statements(text: LispText) -> Iterator[Edit]:
    """A statement is left out, said twice, or changes places with the next one."""
    for head, form, _ in text.calls():
        block = _statements(head, form)
        for k, node in enumerate(block):
            said = text.text(node)
            following = block[k + 1 :]
            names = _bound(node)
            if node.kind == "(" and following and not any(names & words(later) for later in following):
                yield text.edit("statement", node, "None", f"without: {said}")
            if node.kind == "(" and not names & {"defn", "import"}:
                yield text.edit("statement", node, f"{said} {said}", f"twice: {said}")
            if len(following) > 1 and not names & words(following[0]) and not _bound(following[0]) & words(node):
                yield text.exchanged("statement", node, following[0], f"later: {said}")


def _statements(head: str, form: Form) -> list[Form]:
    """The statements of a form: none of its keywords and their values, and no documentation."""
    parts = form.children[BODIES[head] :] if head in BODIES else []
    while parts and (parts[0].text.startswith(":") or parts[0].kind == "string"):
        parts = parts[2 if parts[0].text.startswith(":") else 1 :]
    return parts


def _bound(form: Form) -> set[str]:
    """The names that a statement binds."""
    if form.kind != "(" or len(form.children) < 2 or form.children[0].text not in ("setv", "defn"):
        return set()
    if form.children[0].text == "defn":
        return {part.text for part in form.children[1:3] if part.kind == "atom"} | {"defn"}
    return {part.text for part in form.children[1::2] if part.kind == "atom"}


OPERATORS = (constants, comparisons, arithmetic, arguments, conditions, statements)
