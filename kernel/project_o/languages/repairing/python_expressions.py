"""Repairs of one expression: another comparison, operator, number, variable, argument, guard or order.

Each function yields the texts that may stand in the place of one site, with the name of what was done.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from .python_parts import Other, exchanged, indexed, ordered, sliced
from .python_pool import Pool, Site, bracketed, denied, text_of

_COMPARISONS = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.In: "in", ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
_NUMERIC = ("<", "<=", ">", ">=", "==", "!=")
_OPERATORS = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Div: "/", ast.Mod: "%", ast.Pow: "**",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip
_OTHER_CALLEES = {
    "min": ("max",), "max": ("min",), "any": ("all",), "all": ("any",), "sorted": ("reversed", "list"),
    "range": (), "len": ("sum",), "sum": ("len", "max"), "list": ("sorted", "reversed"), "int": ("float", "round"),
    "reversed": ("list", "sorted"), "enumerate": ("list",),
}  # fmt: skip
_OTHER_METHODS = {
    "append": ("extend", "add", "appendleft"), "extend": ("append", "update"), "add": ("discard", "update"),
    "update": ("add",), "pop": ("popleft",), "popleft": ("pop",), "appendleft": ("append",),
    "startswith": ("endswith",), "endswith": ("startswith",), "keys": ("values", "items"), "values": ("keys", "items"),
    "items": ("keys", "values"), "upper": ("lower",), "lower": ("upper",), "isalpha": ("isdigit", "isalnum"),
    "isdigit": ("isalpha", "isalnum"), "find": ("rfind",), "index": ("find",), "lstrip": ("rstrip", "strip"),
    "rstrip": ("lstrip", "strip"), "insert": ("append",), "remove": ("discard",),
}  # fmt: skip
_WRAPPERS = ("sorted", "reversed", "list", "set", "abs", "len", "max", "min", "sum", "str", "int", "tuple")
_ONES = ("1", "-1")


def others(site: Site, pool: Pool) -> Iterator[Other]:
    """Everything that may stand in the place of a site, by all templates."""
    for template in (
        _compared, _computed, _counted, _shifted, _renamed, _called, _method, _joined, _guarded, _chosen, sliced,
        indexed, ordered, exchanged, _replaced, _wrapped, _continued,
    ):  # fmt: skip
        yield from template(site, pool)


def _compared(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if not isinstance(node, ast.Compare):
        return
    for place, sign in enumerate(node.ops):
        own = _COMPARISONS[type(sign)]
        group = _NUMERIC if own in _NUMERIC else ("in", "not in") if "in" in own.split() else ("is", "is not")
        for other in (*group, *(("==", "!=") if group[0] == "is" else ())):
            if other != own:
                yield "comparison", _comparison(node, {place: other})
    if len(node.ops) == 1:
        made = ast.Compare(node.comparators[0], node.ops, [node.left])
        yield "swapped operands", text_of(made)
    else:  # a chain without one of its ends
        yield "part of a condition", text_of(ast.Compare(node.left, node.ops[:1], node.comparators[:1]))
        yield "part of a condition", text_of(ast.Compare(node.comparators[-2], node.ops[-1:], node.comparators[-1:]))


def _comparison(node: ast.Compare, signs: dict[int, str]) -> str:
    parts = [bracketed(node.left)]
    for place, (sign, right) in enumerate(zip(node.ops, node.comparators, strict=True)):
        parts += [signs.get(place, _COMPARISONS[type(sign)]), bracketed(right)]
    return " ".join(parts)


def _computed(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield "sign", bracketed(node.operand)
    if not isinstance(node, ast.BinOp):
        return
    own = _OPERATORS.get(type(node.op), "")
    left, right = bracketed(node.left), bracketed(node.right)
    for other in _OPERATORS.values():
        if other != own:
            yield "operator", f"({left} {other} {right})"
    yield "swapped operands", f"({right} {own} {left})"
    yield "missing term", left
    yield "missing term", right
    for side, child in (("left", node.left), ("right", node.right)):
        if isinstance(child, ast.BinOp):  # the same signs, other brackets
            sign = _OPERATORS.get(type(child.op), "")
            a, b = bracketed(child.left), bracketed(child.right)
            yield (
                "brackets",
                f"({a} {sign} ({b} {own} {right}))" if side == "left" else f"(({left} {own} {a}) {sign} {b})",
            )


def _counted(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield "constant", str(not value)
    elif isinstance(value, int):
        for other in dict.fromkeys((value + 1, value - 1, *pool.numbers, -value, 2 * value, 10 * value, 2)):
            if other != value:
                yield "constant" if abs(other - value) > 1 else "off by one", str(other) if other >= 0 else f"({other})"
    elif isinstance(value, float):
        for number in (value + 1, value - 1, 2 * value, value / 2, -value, 0.0, 1.0):
            yield "constant", f"({number!r})"
    if not isinstance(value, (int, float)):
        for text in pool.constants:
            if text != text_of(node):
                yield "constant", text
    elif _is_value(site):
        for text in pool.constants[: len(pool.constants)]:
            yield "initial value", text


def _is_value(site: Site) -> bool:
    return site.field == "value" and isinstance(site.parent, (ast.Assign, ast.Return, ast.AugAssign))


def _numeric_place(site: Site) -> bool:
    parent = site.parent
    if isinstance(parent, ast.Call):
        return site.field == "args"
    if isinstance(parent, ast.Subscript):
        return site.field == "slice"
    if isinstance(parent, (ast.Compare, ast.Slice, ast.Return, ast.Assign, ast.AugAssign, ast.Tuple)):
        return True
    return isinstance(parent, ast.BinOp)


def _shifted(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    fits = isinstance(node, (ast.Name, ast.Call, ast.BinOp, ast.Subscript))
    if fits and _numeric_place(site):
        yield "off by one", f"({text_of(node)} + 1)"
        yield "off by one", f"({text_of(node)} - 1)"


def _renamed(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if isinstance(node, ast.Name) and not (isinstance(site.parent, ast.Call) and site.field == "func"):
        for name in pool.names:
            if name != node.id:
                yield "variable", name


def _called(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if not isinstance(node, ast.Call):
        return
    if isinstance(node.func, ast.Name):
        for name in dict.fromkeys((*_OTHER_CALLEES.get(node.func.id, ()), *pool.callees)):
            if name != node.func.id:
                yield "callee", _with(node, func=ast.Name(name, ast.Load()))
    for place, argument in enumerate(node.args):
        if len(node.args) == 1 or isinstance(node.func, ast.Name):
            yield "missing call", bracketed(argument) if not isinstance(argument, ast.Starred) else text_of(node)
        for later in range(place + 1, len(node.args)):
            args = list(node.args)
            args[place], args[later] = args[later], args[place]
            yield "swapped arguments", _with(node, args=args)
        if len(node.args) > 1:
            yield "argument", _with(node, args=[*node.args[:place], *node.args[place + 1 :]])
    if isinstance(node.func, ast.Name) and node.func.id == "range":
        yield from _ranges(node)
    elif len(node.args) < 3:
        for text in (*_first(pool.expressions), "0", "1"):
            made = ast.parse(text, mode="eval").body
            yield "argument", _with(node, args=[*node.args, made])
    if isinstance(node.func, ast.Attribute) and not node.args:
        yield "missing call", text_of(node.func.value)


def _first(expressions: dict[str, ast.expr]) -> list[str]:
    return [text for text in expressions if len(text) < 16][:12]


def _ranges(node: ast.Call) -> Iterator[Other]:
    ends = [bracketed(argument) for argument in node.args]
    if len(ends) == 1:
        for start in ("1", "2"):
            yield "range", f"range({start}, {ends[0]})"
        yield "range", f"range({ends[0]} - 1, -1, -1)"
    elif len(ends) == 2:
        yield "range", f"range({ends[0]}, {ends[1]} + 1)"
        yield "range", f"range({ends[1]} - 1, {ends[0]} - 1, -1)"
        yield "range", f"range({ends[1]})"
    elif len(ends) == 3:
        yield "range", f"range({ends[0]}, {ends[1]})"
        if ends[2] in ("(-1)", "-1"):
            yield "range", f"range({ends[1]} + 1, {ends[0]} + 1)"


def _with(node: ast.Call, **changed: object) -> str:
    made = copy.copy(node)
    for name, value in changed.items():
        setattr(made, name, value)
    return text_of(made)


def _method(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    for name in _OTHER_METHODS.get(node.func.attr, ()):
        yield "method", _with(node, func=ast.Attribute(node.func.value, name, ast.Load()))
    if node.func.attr == "pop":
        for args in ([], [ast.Constant(0)], [ast.UnaryOp(ast.USub(), ast.Constant(1))]):
            if [ast.dump(one) for one in args] != [ast.dump(one) for one in node.args]:
                yield "argument", _with(node, args=args)
    for name in pool.filled:
        if not (isinstance(node.func.value, ast.Name) and node.func.value.id == name):
            yield "variable", _with(node, func=ast.Attribute(ast.Name(name, ast.Load()), node.func.attr, ast.Load()))


def _joined(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if not isinstance(node, ast.BoolOp):
        return
    other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    yield "and, or", bracketed(ast.BoolOp(other, node.values))
    yield "swapped operands", bracketed(ast.BoolOp(node.op, node.values[::-1]))
    for place in range(len(node.values)):
        left = [*node.values[:place], *node.values[place + 1 :]]
        yield "part of a condition", bracketed(left[0] if len(left) == 1 else ast.BoolOp(node.op, left))


def _guarded(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if site.field != "test" and not isinstance(site.parent, (ast.BoolOp, ast.comprehension)) and not _is_value(site):
        return
    truth = isinstance(node, (ast.Compare, ast.BoolOp)) or (
        isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)
    )
    if site.field == "test" or truth:
        yield "wrong branch", denied(node)
    if isinstance(site.parent, ast.comprehension) and site.field == "iter":
        return
    if site.field != "test" and not truth:
        return
    own = bracketed(node)
    for condition in pool.conditions:
        if condition == text_of(node):
            continue
        other = condition if condition.isidentifier() else f"({condition})"
        yield "guard", f"({other} and {own})"
        yield "guard", f"({other} or {own})"
        yield "condition", other
    for condition in pool.conditions[:40]:
        yield "later guard", f"({own} and ({condition}))"
        yield "later guard", f"({own} or ({condition}))"


def _chosen(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if isinstance(node, ast.IfExp):
        test, body, other = bracketed(node.test), bracketed(node.body), bracketed(node.orelse)
        yield "wrong branch", f"({other} if {test} else {body})"
        yield "wrong branch", body
        yield "wrong branch", other


def _replaced(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if isinstance(node, (ast.Slice, ast.Starred)) or (isinstance(site.parent, ast.Call) and site.field == "func"):
        return
    own = text_of(node)
    for text, other in pool.expressions.items():
        if text != own and not (isinstance(node, ast.Name) and isinstance(other, ast.Name)):
            yield "expression", bracketed(other)


def _wrapped(site: Site, pool: Pool) -> Iterator[Other]:
    node = site.node
    if isinstance(node, (ast.Slice, ast.Starred, ast.Constant, ast.Compare, ast.BoolOp)) or site.field in (
        "func",
        "test",
    ):
        return
    own = text_of(node)
    for name in dict.fromkeys((*_WRAPPERS, *pool.callees)):
        if name != "range" and not (isinstance(node, ast.Call) and text_of(node.func) == name):
            yield "missing call", f"{name}({own})"
    for name in ("max", "min"):
        for other in ("0", "1", *pool.names):
            if other != own:
                yield "missing call", f"{name}({other}, {own})"


def _continued(site: Site, pool: Pool) -> Iterator[Other]:
    """The expression with one more term."""
    node = site.node
    if not _numeric_place(site) or isinstance(node, (ast.Slice, ast.Starred, ast.Compare, ast.BoolOp)):
        return
    own = bracketed(node)
    for text, other in pool.expressions.items():
        if len(text) > 24 or text == own or isinstance(other, (ast.Compare, ast.BoolOp)):
            continue
        term = bracketed(other)
        yield "missing term", f"({own} + {term})"
        yield "missing term", f"({term} + {own})"
        yield "missing term", f"({own} - {term})"
        yield "missing term", f"({own} * {term})"
    yield "missing term", f"({own} * {own})"
    for number in pool.numbers:
        for sign in ("+", "-", "*", "%", "//"):
            yield "missing term", f"({own} {sign} {number})"
