"""All single repairs of a Python text."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from typing import Any

from ..rewriting.edits import Edit
from ..rewriting.python_tree import Text
from .python_expressions import others
from .python_pool import Pool, Site
from .python_statements import edits_of

_NEEDS_NONE = (ast.Assign, ast.AugAssign, ast.Return, ast.If, ast.While, ast.Slice, ast.Expr)


def python_fixes(source: str) -> Iterator[Edit]:
    """Edits of every function at the text's top; none of what cannot be parsed."""
    text = Text.read(source)
    if text is None:
        return
    for function in text.functions:
        pool = Pool(function)
        for site in pool.sites:
            own = ast.unparse(site.node)
            if isinstance(site.node, ast.JoinedStr):
                for template, new in _in_string(site.node, pool):
                    yield text.swapped(template, site.node, new, f"{_short(own)} becomes {_short(new)}", keeps=False)
            for template, new in others(site, pool):
                bare = _unbracketed(site, new)
                if bare not in (own, f"({own})"):
                    yield text.swapped(template, site.node, bare, f"{_short(own)} becomes {_short(bare)}", keeps=False)
        yield from edits_of(text, pool)


def _in_string(string: ast.JoinedStr, pool: Pool) -> Iterator[tuple[str, str]]:
    """An f-string with a repair in one of its holes: what is in there has no place of its own in every Python."""
    nodes = list(ast.walk(string))
    for part in string.values:
        if not isinstance(part, ast.FormattedValue):
            continue
        for site in (Site(part.value, part, "value"), *pool.sites_in(part.value)):
            place = next(number for number, node in enumerate(nodes) if node is site.node)
            for template, new in others(site, pool):
                made = copy.deepcopy(string)
                old, fresh = list(ast.walk(made))[place], ast.parse(new, mode="eval").body
                changed = ast.fix_missing_locations(_Put(old, fresh).visit(made))
                try:
                    yield template, ast.unparse(changed)
                except ValueError:  # a backslash in a hole, which Python writes from 3.12 on
                    continue


class _Put(ast.NodeTransformer):
    """One node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> Any:
        """Every node."""
        return self._new if node is self._old else self.generic_visit(node)


def _unbracketed(site: Site, text: str) -> str:
    """A text without its brackets where the place needs none."""
    free = isinstance(site.parent, _NEEDS_NONE) or (isinstance(site.parent, ast.Call) and site.field == "args")
    if not (free or (isinstance(site.parent, ast.Subscript) and site.field == "slice")) or text[:1] != "(":
        return text
    try:
        inner = ast.parse(text[1:-1], mode="eval").body
    except SyntaxError:  # ``(a + b) * (c + d)``
        return text
    whole = ast.parse(text, mode="eval").body
    alone = not isinstance(inner, (ast.Tuple, ast.NamedExpr)) and ast.dump(inner) == ast.dump(whole)
    return text[1:-1] if alone else text


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
