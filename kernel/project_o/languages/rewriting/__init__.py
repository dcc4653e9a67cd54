"""Changes of a text that need no model: each a small edit that leaves every other byte as it was.

edits.py            what an edit is, and what it makes of a text
python_tree.py      places in a Python text, and how a changed piece is written in the text's own indentation
python_same.py      operators that should keep the meaning: another way to say the same, mostly a faster one
python_arrays.py    such operators for numpy
python_other.py     operators that change the meaning: constants, operators, order of statements

An operator is a function from a read text to its edits, in the text's order; whether an edit keeps the meaning is not
believed, but tried. To add one: write it beside the others, and add it to ``OPERATORS``.
"""

from __future__ import annotations

from . import python_arrays, python_other, python_same
from .edits import Edit, Operator
from .python_tree import Text

OPERATORS: dict[str, tuple[Operator, ...]] = {
    "python": (*python_arrays.OPERATORS, *python_same.OPERATORS, *python_other.OPERATORS)
}
"""By language, the more promising ones first."""


def edits(language: str, source: str) -> tuple[Edit, ...]:
    """Every edit of a text, by operator and then by place; none for a text that cannot be parsed."""
    operators = OPERATORS.get(language, ())
    if not operators or (text := Text.read(source)) is None:
        return ()
    body = source.encode("utf-8", "surrogatepass")
    every = (edit for operator in operators for edit in operator(text))
    return tuple(edit for edit in every if body[edit.start : edit.end] != edit.new.encode("utf-8", "surrogatepass"))


__all__ = ["OPERATORS", "Edit", "Operator", "edits"]
