"""What a value may be in the Python function, and the Zig type that holds it.

A value's *kinds* are the Python types that it may have when the line is reached: ``{float}``, or ``float`` and
``np.float64`` for a sum that begins with ``0.0`` and adds elements of an array. What an operation gives is asked of
Python and numpy themselves, for each pair of kinds, so that promotion is theirs and written down nowhere else.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ...errors import UsageError

Kinds = frozenset[type]


class TranslationError(UsageError):
    """What of a Python function has no translation: ``line`` (1-based, of its own text) says where."""

    def __init__(self, what: str, node: ast.AST | None = None) -> None:
        self.line, self.what = getattr(node, "lineno", 0), what
        super().__init__(f"line {self.line}: {what}" if self.line else what)


@dataclass(frozen=True)
class Value:
    """A translated expression: Zig code, the kinds that it may have, and for an array those of its elements."""

    code: str
    kinds: Kinds
    array: bool = False
    whole: int | None = None
    """The value itself, where it is a whole number that is written in the text."""


OPERATIONS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}

_ZIG = {
    "bool": "bool",
    "bool_": "bool",
    "int": "i64",
    "float": "f64",
    **{f"int{bits}": f"i{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"u{bits}" for bits in (8, 16, 32, 64)},
    "float32": "f32",
    "float64": "f64",
}


def zig_of(kind: type) -> str:
    """The Zig type of one kind. Raises TranslationError."""
    try:
        return _ZIG[kind.__name__]
    except KeyError:
        raise TranslationError(f"a {kind.__name__} has no translation: numbers and numpy arrays of them have") from None


def held_by(kinds: Kinds) -> str:
    """The Zig type that holds all of these kinds without loss. Raises TranslationError."""
    types = {zig_of(kind) for kind in kinds}
    if len(types) == 1:
        return types.pop()
    if "bool" not in types and "f32" not in types and "f64" in types and types <= {"f64", "i64", "i32", "i16", "i8"}:
        return "f64"
    told = " and ".join(sorted(kind.__name__ for kind in kinds))
    raise TranslationError(f"one variable is {told}: give it one type, as in total = 0.0")


def is_float(kinds: Kinds) -> bool:
    """Whether it is held as a float."""
    return held_by(kinds).startswith("f")


def is_python(kinds: Kinds) -> bool | None:
    """Whether Python's own rules hold (True), numpy's (False), or it depends on the run (None)."""
    own = {kind in (int, float, bool) for kind in kinds}
    return own.pop() if len(own) == 1 else None


def result_of(operation: type[ast.AST], left: Kinds, right: Kinds) -> Kinds:
    """The kinds that an operation gives, as Python and numpy say. Raises TranslationError."""
    found = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in left:
            for other in right:
                try:
                    found.add(type(OPERATIONS[operation](one(1), other(1))))
                except TypeError as error:
                    raise TranslationError(str(error)) from None
    return frozenset(found)
