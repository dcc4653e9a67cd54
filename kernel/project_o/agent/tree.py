"""One shape for what two languages say in two: the syntax tree of a function, without what only tells its writer.

``readable`` undoes what the Lisp compiler adds (helper names for the value of an ``if``, our forms' functions), for
people; ``one_shape`` goes on to where an early return and an ``else`` are one, for digests.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

ROOM = "__o_lisp__"
HELPER = "_hy_anon"
_CLAUSED = (ast.Return, ast.Raise)


def readable(function: ast.FunctionDef) -> ast.FunctionDef:
    """A function that Hy compiled, as a person would write it. Changes and returns it."""
    function = _Plain().visit(function)
    function.body = _with_returns(function.body) or [ast.Pass()]
    for node in ast.walk(function):
        for clause in ("body", "orelse"):
            if isinstance(getattr(node, clause, None), list):
                setattr(node, clause, [item for item in getattr(node, clause) if not _sets_nothing(item)])
        if isinstance(node, (ast.If, ast.For, ast.While, ast.With)) and not node.body:
            node.body = [ast.Pass()]
    return function


def one_shape(function: ast.FunctionDef) -> list[ast.stmt]:
    """The statements of a function, without its docstring, in the one shape that is compared."""
    body = function.body
    if len(body) > 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        function.body = body[1:]
    _Signs().visit(_Plain().visit(function))
    return _tail(function.body) or [ast.Pass()]


class _Plain(ast.NodeTransformer):
    """Our forms by their functions' names, slices and targets as Python writes them, no choice that is none."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.value, ast.Name) and node.value.id == ROOM:
            return ast.Name(node.attr, ast.Load())
        return node

    def visit_Slice(self, node: ast.Slice) -> ast.AST:
        self.generic_visit(node)
        for part in ("lower", "upper", "step"):
            value = getattr(node, part)
            if isinstance(value, ast.Constant) and value.value is None:
                setattr(node, part, None)
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        self.generic_visit(node)
        return ast.List(node.elts, node.ctx) if isinstance(node.ctx, ast.Store) else node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        return node.body if _is_true(node.test) else node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        return node.body if _is_true(node.test) else node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id == "pipe":
            for item in node.args[1:]:
                if isinstance(item, ast.Lambda) and len(item.args.args) == 1:
                    _renamed(item, "it")
        if isinstance(node.func, ast.Name) and node.func.id == "step":
            node.keywords.sort(key=lambda keyword: keyword.arg or "")
        return node


class _Signs(ast.NodeTransformer):
    """-1 is one constant to Lisp, and a sign before a constant to Python."""

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        value = node.operand.value if isinstance(node.operand, ast.Constant) else None
        if isinstance(node.op, ast.USub) and isinstance(value, (int, float)) and not isinstance(value, bool):
            return ast.Constant(-value)
        return node


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and test.value is True


def _renamed(function: ast.Lambda, name: str) -> None:
    """The one parameter of a step of ``pipe`` has no name of its own."""
    before = function.args.args[0].arg
    used = {node.id for node in ast.walk(function.body) if isinstance(node, ast.Name)}
    if before == name or name in used:
        return
    function.args.args[0].arg = name
    for node in ast.walk(function.body):
        if isinstance(node, ast.Name) and node.id == before:
            node.id = name


# ------------------------------------------------------------------------------- values of statements


def _with_returns(body: list[ast.stmt]) -> list[ast.stmt]:
    """``if c: helper = a else: helper = b; return helper`` with the returns in the branches."""
    last = body[-1] if body else None
    if isinstance(last, ast.Return) and isinstance(last.value, ast.Name) and last.value.id.startswith(HELPER):
        pushed = _pushed(body[:-1], last.value.id)
        if pushed is not None:
            return pushed
    return body


def _pushed(body: list[ast.stmt], name: str) -> list[ast.stmt] | None:
    """``body`` with ``name = value`` at its ends as returns; None where some end gives it no value so."""
    if not body:
        return None
    *before, last = body
    if isinstance(last, ast.Assign) and _target(last) == name:
        if isinstance(last.value, ast.Name) and last.value.id.startswith(HELPER):
            return _pushed(before, last.value.id)
        return before if _is_none(last.value) else [*before, ast.Return(last.value)]
    clauses = _clauses(last)
    if not clauses:
        return None
    for owner, field in clauses:
        inner = _pushed(getattr(owner, field), name)
        if inner is None:
            return None
        setattr(owner, field, inner or ([] if field == "orelse" else [ast.Pass()]))
    return [*before, last]


def _clauses(node: ast.stmt) -> list[tuple[Any, str]]:
    """Where a statement ends, as the lists of statements that end it."""
    if isinstance(node, ast.If):
        return [(node, "body"), (node, "orelse")]
    if isinstance(node, (ast.With, ast.AsyncWith)):
        return [(node, "body")]
    if isinstance(node, ast.Try):
        return [(node, "orelse" if node.orelse else "body"), *((handler, "body") for handler in node.handlers)]
    return []


def _target(node: ast.Assign) -> str:
    return node.targets[0].id if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name) else ""


def _is_none(value: ast.expr | None) -> bool:
    return value is None or (isinstance(value, ast.Constant) and value.value is None)


def _sets_nothing(node: Any) -> bool:
    return isinstance(node, ast.Assign) and _target(node).startswith(HELPER) and _is_none(node.value)


# ------------------------------------------------------------------------------- one shape


def _tail(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The end of a function: choices as statements, no ``else`` behind a return, no return of nothing."""
    if not body:
        return []
    *before, last = body
    if isinstance(last, ast.Return) and _is_none(last.value):
        return _tail(before) if before else []
    if isinstance(last, ast.Return) and isinstance(last.value, ast.IfExp):
        choice = last.value
        chosen = ast.If(choice.test, [ast.Return(choice.body)], [ast.Return(choice.orelse)])
        return _tail([*before, chosen])
    if isinstance(last, ast.If):
        yes = _tail([item for item in last.body if not isinstance(item, ast.Pass)])
        no = _tail([item for item in last.orelse if not isinstance(item, ast.Pass)])
        if yes and isinstance(yes[-1], _CLAUSED):
            return [*before, ast.If(last.test, yes, []), *no]
        return [*before, ast.If(last.test, yes or [ast.Pass()], no)]
    return [*before, last]
