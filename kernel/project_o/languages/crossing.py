"""Crossover: a text that has some of its statements from one program and some from another.

The two texts are cut at the lines on which a statement begins, so that no expression is torn apart, and compared; of
the places where they differ, the child has some from either. What they share, it has too: between two programs that
keep to the same EVOLVE blocks, nothing outside of them differs. Koza's crossover of subtrees (1992) on the pieces that
line up, as in homologous crossover (Langdon 2000), since pieces from anywhere seldom fit.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise

from .scan import split_lines
from .several import parts
from .table import FILES
from .tokens import GRAMMARS, tokens

Place = tuple[int, int, int, int]
"""Where two lists of pieces differ: [first, last) of the one, and of the other."""


@lru_cache(maxsize=64)
def pieces(language: str, source: str) -> tuple[str, ...]:
    """The text, cut before each line that begins a statement; joined they are the text again.

    Lines that go on with a statement of Python, or stand inside of brackets in Zig and Rust, are not cut off. Of any
    other text each line is a piece.
    """
    if language == FILES:
        return tuple(_of_each(source))
    lines = list(split_lines(source))
    if language == "python":
        going_on = _inside_python(source)
    elif language in GRAMMARS:
        going_on = _inside_brackets(language, source)
    else:
        going_on = set()
    starts = [k for k in range(len(lines)) if not k or k + 1 not in going_on]
    return tuple("".join(lines[first:last]) for first, last in pairwise([*starts, len(lines)]))


def _of_each(source: str) -> Iterator[str]:
    """The pieces of several files, and between them what begins each."""
    at = 0
    for part in parts(source):
        yield source[at : part.start]
        yield from pieces(part.language, part.text)
        at = part.start + len(part.text)


def places(first: Sequence[str], second: Sequence[str]) -> tuple[Place, ...]:
    """Where the pieces of two texts differ, in order. As many pieces for as many are a place each."""
    found: list[Place] = []
    # Most of a long text is the same, and comparing is quadratic: the ends that are shared are left out.
    least = min(len(first), len(second))
    head = next((k for k in range(least) if first[k] != second[k]), least)
    tail = next((k for k in range(least - head) if first[-1 - k] != second[-1 - k]), least - head)
    middles = first[head : len(first) - tail], second[head : len(second) - tail]
    for kind, *at in SequenceMatcher(None, *middles, autojunk=False).get_opcodes():
        a, b, c, d = (place + head for place in at)
        if kind == "replace" and b - a == d - c:
            found += [(a + k, a + k + 1, c + k, c + k + 1) for k in range(b - a)]
        elif kind != "equal":
            found.append((a, b, c, d))
    return tuple(found)


def crossed(first: Sequence[str], second: Sequence[str], taken: Sequence[tuple[Place, bool]]) -> str:
    """The text of ``first`` with what ``second`` has at the places that are ``taken`` from it."""
    made: list[str] = []
    at = 0
    for (a, b, c, d), theirs in taken:
        made += first[at:a]
        made += second[c:d] if theirs else first[a:b]
        at = b
    return "".join([*made, *first[at:]])


def _inside_python(source: str) -> set[int]:
    """The lines, 1-based, that go on with a statement or with the head of one; none of a text that cannot be read."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    return {line for node in ast.walk(tree) if isinstance(node, ast.stmt) for line in _going_on(node)}


def _going_on(node: ast.stmt) -> Iterator[int]:
    body = getattr(node, "body", None)
    if hasattr(node, "cases"):
        return
    first = _begin(node)
    last = _begin(body[0]) - 1 if isinstance(body, list) and body else node.end_lineno or node.lineno
    yield from range(first + 1, last + 1)


def _begin(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(item.lineno for item in decorators)])


def _inside_brackets(language: str, source: str) -> set[int]:
    """The lines, 1-based, that begin inside of round or square brackets."""
    found: set[int] = set()
    depth, last = 0, 1
    for token in tokens(language, source)[0]:
        if depth > 0:
            found.update(range(last + 1, token.line + 1))
        last = token.line + token.text.count("\n")
        found.update(range(token.line + 1, last + 1))
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth = max(0, depth - 1)
    return found
