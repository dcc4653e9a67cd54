"""Every single fault of a function's text by a few plain operators, and one of them drawn by a seed.

Operators, comparisons, constants, names and branches: what mutation testing has long used (DeMillo, Lipton, Sayward
1978). They know nothing of the templates that repair. What stands inside of an f-string is left alone.
"""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
OPPOSITES = {ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Div, ast.Mod)
KINDS = ("comparison", "operator", "constant", "name", "branch")


@dataclass(frozen=True)
class Fault:
    """``text`` is the function with it; ``before`` and ``after`` the part that changed."""

    kind: str
    line: int
    before: str
    after: str
    text: str


def faults(text: str) -> list[Fault]:
    """All of a function's, once each, in the order of the text."""
    tree = ast.parse(text)
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef), "the text is a function"
    nodes = [node for statement in _body(function) for node in _reached(statement)]
    names = sorted({item.id for item in nodes if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)})
    names += [item.arg for item in function.args.args]
    found: dict[str, Fault] = {}
    for node in nodes:
        for kind, after in _changed(node, names):
            before = ast.get_source_segment(text, node) or ""
            made = _replaced(text, node, after)
            if made != text and _compiles(made):
                found.setdefault(made, Fault(kind, node.lineno, before, after, made))  # type: ignore[attr-defined]
    return list(found.values())


def drawn(every: list[Fault], rng: random.Random) -> Fault:
    """One: its kind first, so that no kind is drawn for being frequent."""
    kinds = sorted({fault.kind for fault in every})
    kind = rng.choice(kinds)
    return rng.choice([fault for fault in every if fault.kind == kind])


def _body(function: ast.FunctionDef) -> list[ast.stmt]:
    documented = isinstance(function.body[0], ast.Expr) and isinstance(function.body[0].value, ast.Constant)
    body = function.body[1:] if documented else function.body
    return [part for part in body if "re.compile(" not in ast.unparse(part)]  # those came from elsewhere


def _reached(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, but no annotations and nothing inside of f-strings, where places are not told."""
    yield node
    if isinstance(node, ast.JoinedStr):
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns"):
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, ast.AST):
                yield from _reached(part)


def _changed(node: ast.AST, names: list[str]) -> Iterator[tuple[str, str]]:
    """(kind, the node's new text)."""
    if isinstance(node, ast.Compare):
        for place, sign in enumerate(node.ops):
            others = COMPARISONS if type(sign) in COMPARISONS else (OPPOSITES[type(sign)],)
            for other in others:
                yield (
                    "comparison",
                    _unparsed(node, lambda item, place=place, other=other: _put(item.ops, place, other())),
                )
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        for other in ARITHMETIC:
            yield "operator", _unparsed(node, lambda item, other=other: setattr(item, "op", other()))
    elif isinstance(node, ast.BoolOp):
        turned = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield "operator", _unparsed(node, lambda item: setattr(item, "op", turned()))
    elif isinstance(node, ast.UnaryOp):
        yield "operator", f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        other = ast.Sub if isinstance(node.op, ast.Add) else ast.Add
        yield "operator", _unparsed(node, lambda item: setattr(item, "op", other()))
    elif isinstance(node, ast.Constant):
        for value in _constants(node.value):
            yield "constant", repr(value)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        for name in names:
            yield "name", name
    else:
        yield from _branches(node)


def _branches(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Assign | ast.Expr | ast.Continue | ast.Break):
        yield "branch", "pass"
    if not isinstance(node, ast.If | ast.While | ast.IfExp):
        return
    denied = ast.UnaryOp(ast.Not(), node.test)
    yield "branch", _unparsed(node, lambda item: setattr(item, "test", denied))
    if isinstance(node, ast.IfExp):
        for side in (node.body, node.orelse):
            yield "branch", f"({ast.unparse(side)})"


def _constants(value: object) -> list[object]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, 2 * value + 2]
    if isinstance(value, float):
        return [2 * value + 1.0, value / 2]
    if isinstance(value, str):
        return [value[1:], value + "x"] if value else ["x"]
    return []


def _put(items: list[ast.cmpop], place: int, item: ast.cmpop) -> None:
    items[place] = item


def _unparsed(node: ast.AST, change: object) -> str:
    changed = copy.deepcopy(node)
    change(changed)  # type: ignore[operator]
    text = ast.unparse(ast.fix_missing_locations(changed))
    return f"({text})" if isinstance(node, ast.expr) else text


def _replaced(text: str, node: ast.AST, after: str) -> str:
    """Places are counted in bytes, as ``ast`` does."""
    lines = text.encode("utf-8").splitlines(keepends=True)
    begin = sum(map(len, lines[: node.lineno - 1])) + node.col_offset  # type: ignore[attr-defined]
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset  # type: ignore[attr-defined]
    data = b"".join(lines)
    indented = after.replace("\n", "\n" + " " * node.col_offset)  # type: ignore[attr-defined]
    return (data[:begin] + indented.encode("utf-8") + data[end:]).decode("utf-8")


def _compiles(text: str) -> bool:
    try:
        compile(text, "<fault>", "exec")
    except SyntaxError:
        return False
    return True
