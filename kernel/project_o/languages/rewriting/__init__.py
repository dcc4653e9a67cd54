"""Changes of a text that need no model: each a small edit that leaves every other byte as it was.

edits.py            what an edit is, and what it makes of a text
python_tree.py      places in a Python text, and how a changed piece is written in the text's own indentation
python_same.py      operators that should keep the meaning: another way to say the same, mostly a faster one
python_arrays.py    such operators for numpy
python_calls.py     such operators from a table of equivalent library calls, equivalences.py
python_other.py     operators that change the meaning: constants, operators, order of statements
tree_text.py        a Zig or Rust text with its tree, as tree-sitter reads it
tree_loops.py       Zig and Rust: the order of loops, tiles
zig_vectors.py      sums in lanes; rust_vectors.py the same for Rust
tree_other.py       Zig and Rust: what changes the meaning
lisp_text.py        a Lisp text and its forms; lisp_same.py and lisp_other.py its operators

An operator is a function from a read text to its edits, in the text's order; whether an edit keeps the meaning is not
believed, but tried. To add one: write it beside the others, and add it to ``OPERATORS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from ...values import Program
from ..several import languages_of, parts
from ..table import FILES
from . import (
    lisp_other,
    lisp_same,
    python_arrays,
    python_calls,
    python_other,
    python_same,
    rust_vectors,
    tree_loops,
    tree_other,
    zig_vectors,
)
from .edits import Edit, Operator
from .lisp_text import LispText
from .python_tree import Spans, Text
from .tree_text import TreeText

OPERATORS: dict[str, tuple[Operator, ...]] = {
    "python": (*python_arrays.OPERATORS, *python_calls.OPERATORS, *python_same.OPERATORS, *python_other.OPERATORS),
    "lisp": (*lisp_same.OPERATORS, *lisp_other.OPERATORS),
    "zig": (*zig_vectors.OPERATORS, *tree_loops.OPERATORS, *tree_other.OPERATORS),
    "rust": (*rust_vectors.OPERATORS, *tree_loops.OPERATORS, *tree_other.OPERATORS),
}
"""By language, the more promising ones first."""

_READ: dict[str, Callable[[str], Any]] = {
    "lisp": LispText.read,
    "zig": partial(TreeText.read, "zig"),
    "rust": partial(TreeText.read, "rust"),
}


def has_operators(program: Program) -> bool:
    """Whether there are operators for the language of a program, or of one of its files that may be changed."""
    return any(language in OPERATORS for language in languages_of(program))


def edits(language: str, source: str, within: Spans = ()) -> tuple[Edit, ...]:
    """Every edit of a text, by operator and then by place; none for a text that cannot be parsed.

    ``within`` are the lines that may be changed: what lies far from them is not looked at, in Python, where most of a
    long text's time goes. Some edits of other lines are there all the same.
    """
    if language == FILES:
        return tuple(_of_each(source, within))
    operators = OPERATORS.get(language, ())
    text = Text.read(source, within) if language == "python" else _READ[language](source) if operators else None
    if text is None:
        return ()
    body = source.encode("utf-8", "surrogatepass")
    every = (edit for operator in operators for edit in operator(text))
    return tuple(edit for edit in every if body[edit.start : edit.end] != edit.new.encode("utf-8", "surrogatepass"))


def _of_each(source: str, within: Spans) -> Iterator[Edit]:
    """The edits of the files that have blocks, which is where several files may be changed."""
    for part in parts(source):
        if not part.blocks:
            continue
        bytes_before = len(source[: part.start].encode("utf-8", "surrogatepass"))
        last = part.lines + part.text.count("\n") + 1
        spans = tuple(
            (first - part.lines, end - part.lines) for first, end in within if part.lines < first and end <= last
        )
        for edit in edits(part.language, part.text, spans):
            yield replace(
                edit, line=edit.line + part.lines, start=edit.start + bytes_before, end=edit.end + bytes_before
            )


__all__ = ["OPERATORS", "Edit", "Operator", "edits", "has_operators"]
