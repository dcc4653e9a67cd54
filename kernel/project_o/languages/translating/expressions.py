"""Python expressions of numbers in Zig, with Python's meaning: what raises there is an error here, of the same name."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .functions import called, constant_of
from .kinds import Kinds, TranslationError, Value, held_by, is_float, is_python, result_of

Rules = bool | None
"""Whether Python's own rules hold, or numpy's; None where that depends on the run."""
_BOOL: Kinds = frozenset({bool})
_INT: Kinds = frozenset({int})
_FLOAT: Kinds = frozenset({float})
_COMPARED = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*"}
_CHECKED = {ast.Add: "o_add", ast.Sub: "o_sub", ast.Mult: "o_mul", ast.FloorDiv: "o_floor_div", ast.Mod: "o_mod"}
_BITS = {ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^"}
POWER_MULTIPLIED_MAX = 4


@dataclass
class Scope:
    """What the names of the function mean where the translation is: their kinds, and which are surely set there.

    ``arrays`` have the kinds of their elements; ``made`` are those that the function made itself and may write;
    ``bounded`` are the pairs (array, index as it is written) that need no check here.
    """

    kinds: dict[str, Kinds] = field(default_factory=dict)
    arrays: dict[str, Kinds] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    are_set: set[str] = field(default_factory=set)
    bounded: set[tuple[str, str]] = field(default_factory=set)
    spelled: Callable[[str], str] = str


class Expressions:
    """One method a form. Each returns a ``Value`` or raises ``TranslationError`` with the line."""

    def __init__(self, scope: Scope, constants: dict[str, Any]) -> None:
        self.scope = scope
        self.constants = constants

    def value(self, node: ast.expr) -> Value:
        """The expression."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise TranslationError(f"{_told(node)} has no translation", node)
        try:
            found: Value = method(node)
        except TranslationError as error:
            raise (error if error.line else TranslationError(str(error), node)) from None
        return found

    def number(self, node: ast.expr) -> Value:
        """The expression, which must be one number."""
        found = self.value(node)
        if found.array:
            raise TranslationError(f"{ast.unparse(node)} is a whole array here: write the loop over its elements", node)
        return found

    def truth(self, node: ast.expr) -> str:
        """The expression as a condition."""
        found = self.number(node)
        held = held_by(found.kinds)
        return found.code if held == "bool" else f"({found.code} != 0)"

    def as_type(self, found: Value, held: str) -> str:
        """A value as it is held by a Zig type that can hold it. Raises TranslationError where that loses something."""
        own = held_by(found.kinds)
        if own == held:
            return found.code
        if held == "f64" and own == "f32":
            return f"@as(f64, {found.code})"
        if held.startswith("f") and own.startswith(("i", "u")):
            return self._as_float(found, own, held)
        if held == "i64" and own in ("i8", "i16", "i32", "u8", "u16", "u32"):
            return f"@as(i64, {found.code})"
        if own == "i64" and found.whole is not None:
            return f"@as({held}, {found.whole})"
        raise TranslationError(f"{found.code} is held as {own}, and would have to be as {held}")

    @staticmethod
    def _as_float(found: Value, own: str, held: str) -> str:
        if found.whole is not None:
            return f"@as({held}, {found.whole})"
        if own in ("i64", "u64"):
            return f"@as({held}, @floatCast(try o_float(@intCast({found.code}))))"
        return f"@as({held}, @floatFromInt({found.code}))"

    # ------------------------------------------------------------------ leaves

    def _constant(self, node: ast.Constant) -> Value:
        given = node.value
        if isinstance(given, bool):
            return Value("true" if given else "false", _BOOL)
        if isinstance(given, int):
            if not -(1 << 63) <= given < 1 << 63:
                raise TranslationError(f"{given} does not fit into 64 bits", node)
            return Value(f"@as(i64, {given})", _INT, whole=given)
        if isinstance(given, float):
            return Value(f"@as(f64, {given!r})", _FLOAT)
        raise TranslationError(f"{given!r} is no number", node)

    def _name(self, node: ast.Name) -> Value:
        name, scope = node.id, self.scope
        if name in scope.arrays:
            return Value(scope.spelled(name), scope.arrays[name], array=True)
        if name in scope.kinds:
            if name not in scope.are_set:
                raise TranslationError(f"{name} may not be set here: set it before", node)
            return Value(scope.spelled(name), scope.kinds[name])
        if name in self.constants:
            return self._constant(ast.copy_location(ast.Constant(self.constants[name]), node))
        raise TranslationError(f"{name} is not a parameter, a variable of the function or a constant number", node)

    def _attribute(self, node: ast.Attribute) -> Value:
        if isinstance(node.value, ast.Name) and (known := constant_of(node.value.id, node.attr)) is not None:
            return Value(f"@as(f64, {known!r})", _FLOAT)
        if node.attr == "size" and (array := self._array_of(node.value)) is not None:
            return Value(f"@as(i64, @intCast({array.code}.len))", _INT)
        raise TranslationError(f"{ast.unparse(node)} has no translation", node)

    def _subscript(self, node: ast.Subscript) -> Value:
        if ast.unparse(node.value).endswith(".shape") and isinstance(node.value, ast.Attribute):
            array = self._array_of(node.value.value)
            if array is not None and isinstance(node.slice, ast.Constant) and node.slice.value == 0:
                return Value(f"@as(i64, @intCast({array.code}.len))", _INT)
        array = self._array_of(node.value)
        if array is None or isinstance(node.slice, (ast.Slice, ast.Tuple)):
            raise TranslationError(f"{ast.unparse(node)} has no translation: one element of an array has", node)
        return Value(f"{array.code}{self.place(node)}", array.kinds)

    def place(self, node: ast.Subscript) -> str:
        """Where an element lies: checked as Python does, unless a check before a loop holds for it."""
        array = self._array_of(node.value)
        index = self.number(node.slice)
        if array is None or held_by(index.kinds) not in ("i64", "i32", "i16", "i8", "u8", "u16", "u32"):
            raise TranslationError(f"{ast.unparse(node)}: an index is a whole number", node)
        code = self.as_type(index, "i64")
        if (ast.unparse(node.value), ast.unparse(node.slice)) in self.scope.bounded:
            return f".ptr[@as(usize, @bitCast({unchecked(self, node.slice)}))]"
        return f"[try o_at({code}, {array.code}.len)]"

    def _array_of(self, node: ast.expr) -> Value | None:
        if isinstance(node, ast.Name) and node.id in self.scope.arrays:
            return self.value(node)
        return None

    # ------------------------------------------------------------------ operations

    def _unaryop(self, node: ast.UnaryOp) -> Value:
        if isinstance(node.op, ast.Not):
            return Value(f"(!{self.truth(node.operand)})", _BOOL)
        found = self.number(node.operand)
        if isinstance(node.op, ast.UAdd):
            return found
        if not isinstance(node.op, ast.USub) or held_by(found.kinds) == "bool":
            raise TranslationError(f"{ast.unparse(node)} has no translation", node)
        if found.whole is not None:
            return Value(f"@as(i64, {-found.whole})", found.kinds, whole=-found.whole)
        if is_float(found.kinds):
            return Value(f"(-{found.code})", found.kinds)
        held = held_by(found.kinds)
        return Value(f"(try o_sub({held}, 0, {found.code}))", found.kinds)

    def _binop(self, node: ast.BinOp) -> Value:
        return self.combined(type(node.op), self.number(node.left), self.number(node.right), node)

    def combined(self, operation: type[ast.AST], left: Value, right: Value, node: ast.AST) -> Value:
        """Two numbers under an operation."""
        if operation is ast.Pow:
            return self._power(left, right, node)
        kinds = result_of(operation, left.kinds, right.kinds)
        held = held_by(kinds)
        if operation in _BITS:
            return Value(f"({self.as_type(left, held)} {_BITS[operation]} {self.as_type(right, held)})", kinds)
        if held == "bool":
            raise TranslationError("arithmetic of truth values has no translation", node)
        a, b = self.as_type(left, held), self.as_type(right, held)
        if operation in _SIGNS:
            if is_float(kinds):
                return Value(f"({a} {_SIGNS[operation]} {b})", kinds)
            return Value(f"(try {_CHECKED[operation]}({held}, {a}, {b}))", kinds)
        return self._divided(operation, (a, b), held, _rules(left.kinds, right.kinds), right, kinds)

    @staticmethod
    def _divided(
        operation: type[ast.AST], pair: tuple[str, str], held: str, python: Rules, right: Value, kinds: Kinds
    ) -> Value:
        a, b = pair
        if right.whole:
            pass
        elif python:
            b = f"(try o_nonzero({held}, {b}))"
        elif python is None or not held.startswith("f") or operation is not ast.Div:
            b = f"(try o_divides({held}, {b}))"
        if operation is ast.Div:
            return Value(f"({a} / {b})", kinds)
        if operation is ast.FloorDiv:
            name = "o_float_floor_div" if held.startswith("f") else "try o_floor_div"
        elif operation is ast.Mod:
            name = "o_float_mod" if held.startswith("f") else "try o_mod"
        else:
            raise TranslationError("this operation has no translation")
        return Value(f"({name}({held}, {a}, {b}))", kinds)

    def _power(self, left: Value, right: Value, node: ast.AST) -> Value:
        kinds = result_of(ast.Pow, left.kinds, right.kinds)
        held = held_by(kinds)
        if right.whole is not None and 1 <= right.whole <= POWER_MULTIPLIED_MAX and held != "bool":
            found = base = Value(self.as_type(left, held), kinds)
            for _ in range(right.whole - 1):
                found = self.combined(ast.Mult, found, base, node)
            if held.startswith("f") and is_python(left.kinds) is not False:
                return Value(f"(try o_finite({held}, {found.code}, std.math.isFinite({base.code})))", kinds)
            return found
        if not held.startswith("f"):
            raise TranslationError("a power of whole numbers has a translation for the exponents 1 to 4 only", node)
        return Value(f"(try o_pow({held}, {self.as_type(left, held)}, {self.as_type(right, held)}))", kinds)

    def _compare(self, node: ast.Compare) -> Value:
        parts, left = [], self.number(node.left)
        for sign, other in zip(node.ops, node.comparators, strict=True):
            right = self.number(other)
            if type(sign) not in _COMPARED:
                raise TranslationError(f"{ast.unparse(node)} has no translation", node)
            both = left.kinds | right.kinds
            held = held_by(both) if {"bool"} != {held_by(both)} else "bool"
            if held == "bool" and type(sign) not in (ast.Eq, ast.NotEq):
                raise TranslationError("an order of truth values has no translation", node)
            parts.append(f"({self.as_type(left, held)} {_COMPARED[type(sign)]} {self.as_type(right, held)})")
            left = right
        return Value(parts[0] if len(parts) == 1 else f"({' and '.join(parts)})", _BOOL)

    def _boolop(self, node: ast.BoolOp) -> Value:
        parts = [self.number(item) for item in node.values]
        if any(held_by(item.kinds) != "bool" for item in parts):
            raise TranslationError("`and` and `or` have a translation between truth values", node)
        sign = " and " if isinstance(node.op, ast.And) else " or "
        return Value(f"({sign.join(item.code for item in parts)})", _BOOL)

    def _ifexp(self, node: ast.IfExp) -> Value:
        left, right = self.number(node.body), self.number(node.orelse)
        if left.kinds != right.kinds and is_float(left.kinds) != is_float(right.kinds):
            raise TranslationError("both sides of an if expression must be of one type", node)
        kinds = left.kinds | right.kinds
        held = held_by(kinds)
        a, b = self.as_type(left, held), self.as_type(right, held)
        return Value(f"(if ({self.truth(node.test)}) {a} else {b})", kinds)

    def _call(self, node: ast.Call) -> Value:
        if node.keywords:
            raise TranslationError(f"{ast.unparse(node)}: arguments by name have no translation", node)
        if isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1:
            array = self._array_of(node.args[0])
            if array is not None:
                return Value(f"@as(i64, @intCast({array.code}.len))", _INT)
        if any(self._array_of(item) is not None for item in node.args):
            raise TranslationError(f"{ast.unparse(node.func)} of whole arrays has no translation", node)
        return called(self, ast.unparse(node.func), [self.number(item) for item in node.args], node)


def _rules(left: Kinds, right: Kinds) -> Rules:
    """One number of numpy's is enough for numpy's rules."""
    sides = is_python(left), is_python(right)
    return False if False in sides else True if sides == (True, True) else None


def unchecked(expressions: Expressions, node: ast.expr) -> str:
    """An index whose ends were looked at before: plain arithmetic, which cannot leave what they span."""
    if isinstance(node, ast.BinOp) and type(node.op) in (ast.Add, ast.Sub):
        sign = "+%" if isinstance(node.op, ast.Add) else "-%"
        return f"({unchecked(expressions, node.left)} {sign} {unchecked(expressions, node.right)})"
    return expressions.as_type(expressions.number(node), "i64")


def _told(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def element_kind(dtype: Any) -> type:
    """The kind of an array's elements."""
    found: type = np.dtype(dtype).type
    return found
