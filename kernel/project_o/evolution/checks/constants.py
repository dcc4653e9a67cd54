"""The numbers that a candidate's text says and the incumbent's does not: where it may begin to do something else.

Read from the text alone, in any language: literals as they are written (``50_000``, ``0xC350``, ``5e4``,
``50000usize``), what sums, products, powers and shifts of them come to, floats in base 16 (``0x1p-40``), and floats
that are written as their bits. A threshold that is computed in another
way is not seen here; the sizes and values of ``reach`` that follow from no text are there for that.
"""

from __future__ import annotations

import ast
import contextlib
import math
import operator
import re
import struct
from collections.abc import Callable, Iterator
from typing import Any

Number = int | float

_LITERAL = r"(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)"
_SUFFIX = r"(?:_?[iuf](?:8|16|32|64|128|size))?"
_FOUND = re.compile(rf"(?<![\w.]){_LITERAL}{_SUFFIX}(?![\w])")
_CHAIN = re.compile(
    rf"(?<![\w.])\(*\s*{_LITERAL}{_SUFFIX}(?:\s*\)*\s*(?:\*\*|<<|\*|\+|-|//)\s*\(*\s*{_LITERAL}{_SUFFIX})+\)*"
)
_TYPE = re.compile(rf"({_LITERAL})_?(?:[iuf](?:8|16|32|64|128|size))(?![\w])")
_HEX_FLOAT = re.compile(r"(?<![\w.])0[xX][0-9a-fA-F_]+(?:\.[0-9a-fA-F_]+)?[pP][+-]?\d+")
_BITS = re.compile(r"(?<![\w.])0[xX]([0-9a-fA-F_]{8,})(?![\w.])")
_EXPONENT_MAX = 64
_MAGNITUDE_MAX = 1 << 64
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.Pow: operator.pow,
}


def constants(text: str) -> set[Number]:
    """The numbers of a text, none of them negative."""
    literals = (found.group() for found in _FOUND.finditer(text))
    chains = (found.group() for found in _CHAIN.finditer(text))
    every = [value for part in (*literals, *chains) for value in _values(part)]
    every += _floats(text)
    return {abs(value) for value in every if math.isfinite(value) and abs(value) <= _MAGNITUDE_MAX}


def only_in(candidate: str, incumbent: str) -> list[Number]:
    """The numbers that only the candidate says, the smallest first; neither 0 nor 1, which all texts say."""
    return sorted(value for value in constants(candidate) - constants(incumbent) if value not in (0, 1))


def _floats(text: str) -> Iterator[float]:
    """What is written in base 16: as a float with its exponent, or as the bits of one."""
    for found in _HEX_FLOAT.finditer(text):
        with contextlib.suppress(ValueError, OverflowError):
            yield float.fromhex(found.group().replace("_", ""))
    for found in _BITS.finditer(text):
        digits = found[1].replace("_", "")
        if len(digits) in (8, 16):
            yield struct.unpack(">f" if len(digits) == 8 else ">d", bytes.fromhex(digits))[0]


def _values(text: str) -> Iterator[Number]:
    """What an expression of literals comes to, and each operation in it; nothing for what is none."""
    plain = _TYPE.sub(r"\1", text)
    plain = plain.strip()
    short = plain.count("(") - plain.count(")")
    plain = "(" * -short + plain + ")" * short
    try:
        tree = ast.parse(plain.lstrip("0_") or "0" if plain.isdigit() else plain, mode="eval")
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree.body):
        value = _folded(node)
        if value is not None:
            yield value


def _folded(node: ast.AST) -> Number | None:
    if isinstance(node, ast.Constant) and type(node.value) in (int, float):
        found: Number = node.value  # type: ignore[assignment]  # as was just looked at
        return found
    if not isinstance(node, ast.BinOp) or type(node.op) not in _OPERATIONS:
        return None
    left, right = _folded(node.left), _folded(node.right)
    if left is None or right is None:
        return None
    if isinstance(node.op, (ast.Pow, ast.LShift)) and abs(right) > _EXPONENT_MAX:
        return None
    try:
        result: Number = _OPERATIONS[type(node.op)](left, right)
    except (ArithmeticError, TypeError, ValueError):
        return None
    return result if isinstance(result, (int, float)) else None
