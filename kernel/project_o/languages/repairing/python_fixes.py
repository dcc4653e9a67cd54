"""All single repairs of a Python text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

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
            for template, new in others(site, pool):
                bare = _unbracketed(site, new)
                if bare not in (own, f"({own})"):
                    yield text.swapped(template, site.node, bare, f"{_short(own)} becomes {_short(bare)}", keeps=False)
        yield from edits_of(text, pool)


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
