"""Python's and numpy's functions of numbers that have a translation.

To add one: a row in ``_MATH`` where Zig's standard library has it, else a branch in ``called``. What raises in Python
is an error here, or has Python answer.
"""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING

import numpy as np

from .kinds import Kinds, TranslationError, Value, held_by

if TYPE_CHECKING:
    from .expressions import Expressions

_FLOAT: Kinds = frozenset({float})
_INT: Kinds = frozenset({int})
_BOOL: Kinds = frozenset({bool})
_NUMPY: Kinds = frozenset({np.float64})
MODULES = ("math", "np", "numpy")
_MATH = {
    "sqrt": "@sqrt({0})", "exp": "@exp({0})", "log": "@log({0})", "log2": "@log2({0})", "log10": "@log10({0})",
    "sin": "@sin({0})", "cos": "@cos({0})", "tan": "std.math.tan({0})", "fabs": "@abs({0})",
    "tanh": "std.math.tanh({0})", "hypot": "std.math.hypot({0}, {1})",
    "atan2": "std.math.atan2({0}, {1})", "arctan2": "std.math.atan2({0}, {1})",
    "atan": "std.math.atan({0})", "arctan": "std.math.atan({0})",
}  # fmt: skip
_OF_MATH_ONLY = ("atan2", "atan")
_OF_NUMPY_ONLY = ("arctan2", "arctan")
_FROM = {"sqrt": "0", "log": "std.math.floatTrueMin(f64)", "log2": "std.math.floatTrueMin(f64)",
         "log10": "std.math.floatTrueMin(f64)"}  # fmt: skip
_CONSTANTS = ("pi", "e", "tau", "inf", "nan")


def constant_of(module: str, name: str) -> float | None:
    """``math.pi`` and the like, where it is a finite number."""
    found = getattr(math, name, None) if module in MODULES and name in _CONSTANTS else None
    return found if isinstance(found, float) and math.isfinite(found) else None


def called(expressions: Expressions, name: str, args: list[Value], node: ast.Call) -> Value:
    """A call of a function by its written name. Raises TranslationError."""
    module, _, short = name.rpartition(".")
    if module in MODULES:
        found = _of_module(expressions, module, short, args)
    elif not module:
        found = _builtin(expressions, name, args)
    else:
        found = None
    if found is None:
        raise TranslationError(f"{name} with {len(args)} arguments has no translation", node)
    return found


def _of_module(expressions: Expressions, module: str, name: str, args: list[Value]) -> Value | None:
    own = module == "math"
    if name in ("isnan", "isinf", "isfinite") and len(args) == 1:
        value = expressions.as_type(args[0], "f64")
        word = {"isnan": "isNan", "isinf": "isInf", "isfinite": "isFinite"}[name]
        return Value(f"std.math.{word}({value})", _BOOL)
    if own and name in ("floor", "ceil") and len(args) == 1 and held_by(args[0].kinds) == "f64":
        return Value(f"(try o_int(@{name}({args[0].code})))", _INT)
    pattern = _MATH.get(name)
    if pattern is None or len(args) != pattern.count("{") or name in (_OF_NUMPY_ONLY if own else _OF_MATH_ONLY):
        return None
    if not own and any(held_by(item.kinds) == "f32" for item in args):
        return None  # numpy computes these in single precision
    values = [expressions.as_type(item, "f64") for item in args]
    if not own:
        return Value(pattern.format(*values), _NUMPY)
    finite = " and ".join(f"std.math.isFinite({value})" for value in values)
    if name in _FROM:
        values = [f"(try o_from({values[0]}, {_FROM[name]}))"]
    return Value(f"(try o_finite(f64, {pattern.format(*values)}, {finite}))", _FLOAT)


def _builtin(expressions: Expressions, name: str, args: list[Value]) -> Value | None:
    if name == "abs" and len(args) == 1:
        return _absolute(args[0])
    if name == "float" and len(args) == 1 and held_by(args[0].kinds) != "bool":
        return Value(expressions.as_type(args[0], "f64"), _FLOAT)
    if name == "int" and len(args) == 1:
        return _whole(expressions, args[0])
    if name in ("min", "max") and len(args) > 1:
        return _least(expressions, "<" if name == "min" else ">", args)
    if name == "bool" and len(args) == 1 and held_by(args[0].kinds) == "bool":
        return Value(args[0].code, _BOOL)
    return None


def _absolute(given: Value) -> Value:
    held = held_by(given.kinds)
    if held.startswith("f"):
        return Value(f"@abs({given.code})", given.kinds)
    if held.startswith("u") or held == "bool":
        raise TranslationError("abs of such a value has no translation")
    return Value(f"(if ({given.code} < 0) try o_sub({held}, 0, {given.code}) else {given.code})", given.kinds)


def _whole(expressions: Expressions, given: Value) -> Value:
    held = held_by(given.kinds)
    if held == "bool":
        return Value(f"@as(i64, @intFromBool({given.code}))", _INT)
    if held.startswith("f"):
        return Value(f"(try o_int({expressions.as_type(given, 'f64')}))", _INT)
    return Value(expressions.as_type(given, "i64"), _INT)


def _least(expressions: Expressions, sign: str, args: list[Value]) -> Value:
    """Python keeps the first unless a later one is beyond it, so that a NaN stays where it stands."""
    kinds = frozenset().union(*(item.kinds for item in args))
    held = held_by(kinds)
    if held == "bool" or len({held_by(item.kinds) for item in args}) > 1:
        raise TranslationError("min and max have a translation between numbers of one type")
    code = args[0].code
    for item in args[1:]:
        code = f"(if ({item.code} {sign} {code}) {item.code} else {code})"
    return Value(code, kinds)
