"""Python: small changes of meaning, for programs that somebody scores. Most make nothing better, and a few do."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from .edits import Edit
from .near import near
from .python_tree import Text

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
}
_ARITHMETIC: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div, ast.Add),
    ast.Div: (ast.Mult, ast.FloorDiv),
    ast.FloorDiv: (ast.Div,),
    ast.Mod: (ast.FloorDiv,),
}


def constants(text: Text) -> Iterator[Edit]:
    """A number becomes one of its neighbours, its half or its double; True becomes False."""
    for _, node in text.expressions():
        if not isinstance(node, ast.Constant):
            continue
        for value in _near(node.value):
            yield text.swapped(
                "constant", node, ast.Constant(value), f"{value!r} instead of {node.value!r}", keeps=False
            )


def _near(value: object) -> list[int | float | bool]:
    if isinstance(value, bool):
        return [not value]
    return list(near(value)) if isinstance(value, (int, float)) else []


def comparisons(text: Text) -> Iterator[Edit]:
    """``<`` becomes ``<=`` or ``>``, and so on."""
    for _, node in text.expressions():
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            for other in _COMPARISONS.get(type(node.ops[0]), ()):
                new = ast.Compare(node.left, [other()], node.comparators)
                yield text.swapped("comparison", node, new, ast.unparse(new)[:60], keeps=False)


def arithmetic(text: Text) -> Iterator[Edit]:
    """``+`` becomes ``-``, and so on; the sides of what is not symmetric are swapped."""
    for _, node in text.expressions():
        if not isinstance(node, ast.BinOp):
            continue
        for other in _ARITHMETIC.get(type(node.op), ()):
            new = ast.BinOp(node.left, other(), node.right)
            yield text.swapped("arithmetic", node, new, ast.unparse(new)[:60], keeps=False)
        if isinstance(node.op, (ast.Sub, ast.Div, ast.FloorDiv, ast.Mod)):
            new = ast.BinOp(node.right, node.op, node.left)
            yield text.swapped("arithmetic", node, new, ast.unparse(new)[:60], keeps=False)


def arguments(text: Text) -> Iterator[Edit]:
    """Two neighbouring arguments of a call change their places; ``min`` becomes ``max``."""
    for _, node in text.expressions():
        if not isinstance(node, ast.Call):
            continue
        for k in range(len(node.args) - 1):
            new = copy.deepcopy(node)
            new.args[k], new.args[k + 1] = new.args[k + 1], new.args[k]
            yield text.swapped("argument", node, new, ast.unparse(new)[:60], keeps=False)
        if isinstance(node.func, ast.Name) and node.func.id in ("min", "max"):
            swapped = copy.deepcopy(node)
            swapped.func = ast.Name("max" if node.func.id == "min" else "min", ast.Load())
            yield text.swapped("argument", node, swapped, ast.unparse(swapped)[:60], keeps=False)


def conditions(text: Text) -> Iterator[Edit]:
    """``and`` becomes ``or``; a part of it is left out; a condition is turned round."""
    for _, node in text.expressions():
        if isinstance(node, ast.BoolOp):
            other: ast.boolop = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            new: ast.expr = ast.BoolOp(other, node.values)
            yield text.swapped("condition", node, new, ast.unparse(new)[:60], keeps=False)
            for k in range(len(node.values)):
                left = [*node.values[:k], *node.values[k + 1 :]]
                less = left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
                yield text.swapped("condition", node, less, ast.unparse(less)[:60], keeps=False)
    for _, block in text.blocks():
        for statement in block:
            if isinstance(statement, (ast.If, ast.While)) and not isinstance(statement.test, ast.Constant):
                turned = ast.UnaryOp(ast.Not(), statement.test)
                yield text.swapped("condition", statement.test, turned, ast.unparse(turned)[:60], keeps=False)


def statements(text: Text) -> Iterator[Edit]:
    """A statement is left out, said twice, or changes places with the next one."""
    for _, block in text.blocks():
        for k, node in enumerate(block):
            if not text.alone_on_its_lines(node) or isinstance(node, (ast.Return, ast.FunctionDef)):
                continue
            said = ast.unparse(node).splitlines()[0][:60]
            yield text.rewritten("statement", [node], "pass", f"without: {said}", keeps=False)
            following = block[k + 1] if k + 1 < len(block) else None
            if following is not None and not isinstance(following, ast.Return) and text.alone_on_its_lines(following):
                yield text.rewritten("statement", [node, following], [following, node], f"later: {said}", keeps=False)
            if isinstance(node, (ast.Assign, ast.AugAssign, ast.Expr)):
                yield text.rewritten("statement", [node], [node, node], f"twice: {said}", keeps=False)


OPERATORS = (constants, comparisons, arithmetic, arguments, conditions, statements)
