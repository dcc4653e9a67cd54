"""Repairs of how parts are taken and ordered: slices, indices, the order of terms, two variables exchanged."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from .python_pool import Pool, Site, bracketed, text_of

Other = tuple[str, str]
"""(the name of the template, the text in the expression's place)."""


def sliced(site: Site, pool: Pool) -> Iterator[Other]:
    """Other bounds of a slice."""
    node = site.node
    if isinstance(node, ast.Name) and site.field in ("iter", "args", "value", "left", "right", "elts"):
        for bound in ("1", *(name for name in pool.names if name != node.id)):
            yield "slice bounds", f"{node.id}[{bound}:]"
            yield "slice bounds", f"{node.id}[:{bound}]"
        yield "slice bounds", f"{node.id}[:-1]"
        yield "slice bounds", f"{node.id}[::-1]"
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Slice):
        return
    base = bracketed(node.value)
    low, high, step = (bracketed(one) if one else "" for one in (node.slice.lower, node.slice.upper, node.slice.step))
    tail = f":{step}" if step else ""
    bounds = [("", high), (low, ""), (high, low), ("1", high), (low, "-1"), ("1", ""), ("", "-1")]
    if low:
        bounds += [(f"{low} + 1", high), (f"{low} - 1", high)]
    if high:
        bounds += [(low, f"{high} + 1"), (low, f"{high} - 1")]
    for first, last in dict.fromkeys(bounds):
        if (first, last) != (low, high):
            yield "slice bounds", f"{base}[{first}:{last}{tail}]"
    yield "slice bounds", f"{base}[::-1]"
    yield "slice bounds", base
    for name in (*pool.names, *(str(number) for number in pool.numbers)):
        yield "slice bounds", f"{base}[{name}:{high}{tail}]"
        yield "slice bounds", f"{base}[{low}:{name}{tail}]"


def indexed(site: Site, pool: Pool) -> Iterator[Other]:
    """Another index, or two of them exchanged."""
    node = site.node
    if not isinstance(node, ast.Subscript) or isinstance(node.slice, ast.Slice):
        return
    if isinstance(node.value, ast.Subscript) and not isinstance(node.value.slice, ast.Slice):
        base, one, two = node.value.value, node.value.slice, node.slice
        yield "index", f"{bracketed(base)}[{text_of(two)}][{text_of(one)}]"
    if isinstance(node.slice, ast.BinOp) and isinstance(node.slice.op, (ast.Add, ast.Sub)):
        sign = "-" if isinstance(node.slice.op, ast.Add) else "+"
        yield "index", f"{bracketed(node.value)}[{bracketed(node.slice.left)} {sign} {bracketed(node.slice.right)}]"
    for text in pool.indices:
        if text != text_of(node.slice):
            yield "index", f"{bracketed(node.value)}[{text}]"
    yield "index", bracketed(node.value)


def ordered(site: Site, pool: Pool) -> Iterator[Other]:
    """The same parts in another order."""
    node = site.node
    if isinstance(node, (ast.Tuple, ast.List)) and 2 <= len(node.elts) <= 4:
        for place in range(len(node.elts)):
            for later in range(place + 1, len(node.elts)):
                parts = list(node.elts)
                parts[place], parts[later] = parts[later], parts[place]
                yield "order", text_of(type(node)(parts, ast.Load()))
    terms = _terms(node)
    if len(terms) == 3:
        a, b, c = (bracketed(term) for term in terms)
        for text in (f"({c} + {b} + {a})", f"({a} + {c} + {b})", f"({b} + {a} + {c})"):
            yield "order", text


def _terms(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_terms(node.left), *_terms(node.right)]
    return [node]


def exchanged(site: Site, pool: Pool) -> Iterator[Other]:
    """Two variables in each other's place, wherever in the expression they stand."""
    names = list(dict.fromkeys(one.id for one in ast.walk(site.node) if isinstance(one, ast.Name)))
    names = [name for name in names if name in pool.names]
    if isinstance(site.node, ast.Name) or not 2 <= len(names) <= 4:
        return
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            made = _Exchanged({one: other, other: one}).visit(copy.deepcopy(site.node))
            yield "swapped variables", bracketed(made)


class _Exchanged(ast.NodeTransformer):
    """Names in the place of others."""

    def __init__(self, names: dict[str, str]) -> None:
        self._names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """A variable."""
        return ast.Name(self._names.get(node.id, node.id), node.ctx)
