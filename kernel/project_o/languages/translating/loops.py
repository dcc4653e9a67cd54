"""A loop over a range, in up to three forms: with Python's checks, without those that were made before it, in lanes.

Forms are recognised, not named by anybody: an innermost loop whose indices are the loop's own variable plus something
that stays the same needs its ends looked at once (maps, scans, windows, pairs); one that only adds floats to
variables that it does not read otherwise (sums, products of two arrays, distances) may keep several of each, which is
another order of the same additions. How many is ``lanes``, a declared parameter of the translation.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .kinds import held_by

LANES = "lanes"
LANES_DOMAIN = (1, 2, 4, 8, 16)
_ENDS = (ast.Break, ast.Continue, ast.Return, ast.Raise)
_LOOPS = (ast.For, ast.While)


@dataclass(frozen=True)
class Counted:
    """A loop over whole numbers: the hidden counter, its first value and its end as Zig, the step, and the body.

    ``variable`` is the name that the text gives the counter, "" where it has none.
    """

    counter: str
    variable: str
    step: int
    body: tuple[ast.stmt, ...]


def assigned(body: Sequence[ast.AST]) -> set[str]:
    """The names that some statements set."""
    found = set()
    for part in body:
        for node in ast.walk(part):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
    return found


def is_innermost(body: Sequence[ast.stmt]) -> bool:
    """Whether no loop, and nothing that becomes one, is in it."""
    nested = (*_LOOPS, ast.GeneratorExp, ast.MatMult)
    return not any(isinstance(node, nested) for part in body for node in ast.walk(part))


def steady(loop: Counted, arrays: set[str]) -> Iterator[tuple[str, ast.expr, list[tuple[int, ast.expr | None]]]]:
    """The elements whose index is a sum of the counter, at most once, and of what the body leaves as it is.

    Of each the array, the index, and its terms: a sign and an expression, None for the counter.
    """
    changed = assigned(loop.body)
    seen = set()
    for part in loop.body:
        for node in ast.walk(part):
            if not isinstance(node, ast.Subscript) or not isinstance(node.value, ast.Name):
                continue
            key = node.value.id, ast.unparse(node.slice)
            if node.value.id not in arrays or node.value.id in changed or key in seen:
                continue
            terms = _terms(node.slice, 1, loop.variable, changed)
            counters = [sign for sign, item in terms or () if item is None]
            if terms is not None and counters in ([], [1]):
                seen.add(key)
                yield node.value.id, node.slice, terms


def _terms(node: ast.expr, sign: int, variable: str, changed: set[str]) -> list[tuple[int, ast.expr | None]] | None:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        left = _terms(node.left, sign, variable, changed)
        right = _terms(node.right, sign if isinstance(node.op, ast.Add) else -sign, variable, changed)
        return None if left is None or right is None else left + right
    if isinstance(node, ast.Name):
        if node.id == variable:
            return [(sign, None)]
        return None if node.id in changed else [(sign, node)]
    return [(sign, node)] if isinstance(node, ast.Constant) and type(node.value) is int else None


def sums(loop: Counted, kinds: dict[str, frozenset[type]]) -> tuple[str, ...]:
    """The float variables to which the loop only adds; none where it does anything else that lasts."""
    if loop.step != 1 or any(isinstance(node, _ENDS) for part in loop.body for node in ast.walk(part)):
        return ()
    added: list[str] = []
    for part in loop.body:
        if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name) and isinstance(part.op, ast.Add):
            added.append(part.target.id)
        elif not (isinstance(part, ast.Assign) and all(isinstance(item, ast.Name) for item in part.targets)):
            return ()
    others = [node.id for part in loop.body for node in _read(part)]
    plain = assigned([part for part in loop.body if isinstance(part, ast.Assign)])
    fit = all(name not in others and name not in plain and _floats(kinds.get(name)) for name in added)
    return tuple(dict.fromkeys(added)) if fit and len(set(added)) == len(added) else ()


def _read(part: ast.stmt) -> Iterator[ast.Name]:
    read = part.value if isinstance(part, (ast.Assign, ast.AugAssign)) else part
    return (node for node in ast.walk(read) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))


def _floats(kinds: frozenset[type] | None) -> bool:
    return kinds is not None and not any(kind in (int, bool) for kind in kinds) and held_by(kinds) in ("f32", "f64")
