"""What an edit is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace the bytes ``start`` to ``end`` of a text in UTF-8 by ``new``.

    ``operator`` names who made it, ``why`` says in a few words what it does, at ``line`` of the text, counted from 1.
    ``keeps`` says that it should keep the meaning.
    """

    operator: str
    line: int
    start: int
    end: int
    new: str
    why: str
    keeps: bool = True

    def applied(self, source: str) -> str:
        """The text with the edit made."""
        body = source.encode("utf-8", "surrogatepass")
        made = body[: self.start] + self.new.encode("utf-8", "surrogatepass") + body[self.end :]
        return made.decode("utf-8", "surrogatepass")


Operator = Callable[[Any], Iterator[Edit]]
"""From a read text of its language (``python_tree.Text``, ``tree_text.TreeText``, ``lisp_text.LispText``)."""
