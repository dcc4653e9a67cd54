"""Lisp: other ways to say the same, some of them faster."""

from __future__ import annotations

from collections.abc import Iterator

from .edits import Edit
from .lisp_text import LispText, words

_LAZY = {"lfor": "gfor", "gfor": "lfor"}
_REDUCERS = frozenset({"sum", "any", "all", "min", "max", "set", "tuple", "sorted", "dict", "frozenset"})


def quicker_expression(text: LispText) -> Iterator[Edit]:
    """``(get (sorted xs) 0)`` -> ``(min xs)``; a list that is made only to be read once; ``(** x 2)``."""
    for head, form, parts in text.calls():
        inner = parts[0] if parts else None
        named = inner.children if inner is not None and inner.kind == "(" and inner.children else []
        if head == "get" and len(parts) == 2 and len(named) == 2 and named[0].text == "sorted":
            name = {"0": "min", "-1": "max"}.get(parts[1].text)
            if name is not None:
                yield text.edit(
                    "quicker expression",
                    form,
                    f"({name} {text.text(named[1])})",
                    f"{name} instead of sorting",
                    keeps=True,
                )
        if head in _REDUCERS and len(parts) == 1 and named and named[0].text in _LAZY:
            other = _LAZY[named[0].text]
            yield text.edit("quicker expression", named[0], other, f"{other} in {head}", keeps=True)
        if head == "**" and len(parts) == 2 and inner is not None and inner.kind == "atom" and parts[1].text == "2":
            new = f"(* {inner.text} {inner.text})"
            yield text.edit("quicker expression", form, new, "a product instead of a power", keeps=True)
        if head == "in" and len(parts) == 2 and parts[1].kind == "[" and len(parts[1].children) > 1:
            new = "#{" + text.source[parts[1].start + 1 : parts[1].end - 1] + "}"
            yield text.edit("quicker expression", parts[1], new, "asked of a set", keeps=True)


def loop_order(text: LispText) -> Iterator[Edit]:
    """``(for [i a] (for [j b] ...))`` -> the inner loop outside."""
    for head, _, parts in text.calls():
        if head != "for" or len(parts) != 2 or parts[0].kind != "[" or len(parts[0].children) != 2:
            continue
        within = parts[1].children if parts[1].kind == "(" else []
        if len(within) < 3 or within[0].text != "for" or within[1].kind != "[" or len(within[1].children) != 2:
            continue
        index, over = parts[0].children[0], within[1].children[1]
        if not words(index) & words(over):
            why = f"{text.text(within[1].children[0])} outside of {text.text(index)}"
            yield text.exchanged("loop order", parts[0], within[1], why, keeps=True)


OPERATORS = (quicker_expression, loop_order)
