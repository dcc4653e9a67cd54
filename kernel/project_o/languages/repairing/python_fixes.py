"""All single repairs of a Python text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..rewriting.edits import Edit
from ..rewriting.python_tree import Text
from .python_expressions import others
from .python_pool import Pool
from .python_statements import edits_of


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
                if new not in (own, f"({own})"):
                    yield text.swapped(template, site.node, new, f"{_short(own)} becomes {_short(new)}", keeps=False)
        yield from edits_of(text, pool)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
