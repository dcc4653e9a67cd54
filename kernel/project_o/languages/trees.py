"""Syntax trees of the languages that tree-sitter reads. It recovers from anything, so there is always a tree."""

from __future__ import annotations

import keyword
from collections.abc import Iterator
from functools import lru_cache
from importlib import import_module
from typing import Any


@lru_cache(maxsize=8)
def _grammar(module: str) -> Any:
    import tree_sitter

    return tree_sitter.Language(import_module(module).language())


@lru_cache(maxsize=8)
def tree(module: str, source: str) -> Any:
    """The root of the tree that the grammar of ``module`` makes of ``source``. A cell's text is asked for several times
    in a row.
    """
    import tree_sitter

    # A parser of its own for each call: parsers must not be shared between threads.
    return tree_sitter.Parser(_grammar(module)).parse(source.encode("utf-8", "surrogatepass")).root_node


@lru_cache(maxsize=32)
def _query(module: str, pattern: str) -> Any:
    import tree_sitter

    return tree_sitter.Query(_grammar(module), pattern)


def nodes(module: str, root: Any, pattern: str) -> list[Any]:
    """The nodes that ``pattern`` captures below ``root``, in source order; what is around them comes before them.

    Looked for by the grammar's own library: a text of 60 lines has 3,000 nodes, and a loop over them takes longer than
    an edit of it takes to compile.
    """
    import tree_sitter

    found = tree_sitter.QueryCursor(_query(module, pattern)).captures(root)
    every = [node for group in found.values() for node in group]
    return sorted(every, key=lambda node: (node.start_byte, -node.end_byte))


def walk(root: Any) -> Iterator[Any]:
    """All nodes in source order. A loop, since a hostile source may nest deeper than Python recurses."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.children))


def first_error(root: Any) -> Any:
    """The first node, in source order, that stands for what could not be read."""
    node = root
    while not (node.is_error or node.is_missing):
        below = [child for child in node.children if child.has_error or child.is_missing]
        if not below:
            break
        node = below[0]
    return node


def text_of(body: bytes, node: Any) -> str:
    """What stands there."""
    return decoded(body[node.start_byte : node.end_byte])


def decoded(piece: bytes) -> str:
    """Text again. The parser may cut through what was no Unicode text; such a piece holds replacement characters."""
    try:
        return piece.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return piece.decode("utf-8", "replace")


def parameter_name(name: str, index: int) -> str:
    """A parameter's name as Python can spell it: ``a<index>`` where there is none, ``in_`` for ``in``."""
    if name == "_" or not name.isidentifier():
        return f"a{index}"
    return f"{name}_" if keyword.iskeyword(name) else name
