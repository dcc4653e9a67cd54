"""Repairs of a text that does not do what its tests say: templates that need no model.

python_pool.py          what a function is made of: names, expressions, conditions
python_expressions.py   repairs of one expression
python_parts.py         repairs of how parts are taken and ordered
python_statements.py    repairs of statements
python_fixes.py         all of a Python text
lisp_fixes.py           all of a Lisp text

The expressions that a repair brings in are the program's own. Which repairs there are depends on the text alone; which
are tried first is ``COSTS``, and where: ``evolution.repair``. To add a template: yield it beside its likes, and give it
a cost here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..rewriting.edits import Edit
from .lisp_fixes import lisp_fixes
from .python_fixes import python_fixes

FIXES: dict[str, Callable[[str], Iterator[Edit]]] = {"python": python_fixes, "lisp": lisp_fixes}
"""By language: every single repair of a text."""
COSTS = {
    "comparison": 1.0, "off by one": 1.0, "operator": 1.2, "swapped operands": 1.3, "swapped arguments": 1.3,
    "swapped variables": 1.6,
    "variable": 1.4, "constant": 1.5, "wrong branch": 1.5, "and, or": 1.5, "index": 1.5, "slice bounds": 1.6,
    "method": 1.4, "callee": 1.7, "order": 1.7, "range": 1.7, "sign": 1.7, "wrong return": 2.2, "missing call": 2.0,
    "initial value": 2.0, "argument": 2.0, "brackets": 2.0, "part of a condition": 2.2, "assignment": 2.0,
    "expression": 2.2, "missing statement": 2.2, "missing term": 2.3, "into the block": 2.0, "out of the block": 2.0,
    "missing else": 2.2, "loop": 2.2, "guard": 2.5, "later guard": 2.6, "condition": 3.0, "missing guard": 2.8,
    "missing base case": 2.7, "missing part": 2.6, "delete": 3.2,
}  # fmt: skip
"""How large a change each template is: the less it says that was not there, the less it costs."""


def fixes(language: str, source: str) -> list[Edit]:
    """Every single repair of a text, once each; none for a language without templates."""
    made = FIXES.get(language)
    found: dict[str, Edit] = {}
    if made is not None:
        for edit in made(source):
            text = edit.applied(source)
            known = found.get(text)
            if text != source and (known is None or COSTS[edit.operator] < COSTS[known.operator]):
                found[text] = edit
    return list(found.values())


__all__ = ["COSTS", "FIXES", "fixes"]
