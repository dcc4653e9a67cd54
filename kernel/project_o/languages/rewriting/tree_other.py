"""Zig and Rust: small changes of meaning, for programs that somebody scores: what Python has under the same names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import Any

from ..trees import walk
from .edits import Edit
from .near import near
from .tree_text import COMMENTS, TreeText, declared, inner

COMPARISONS = {"<": ("<=", ">"), "<=": ("<", ">="), ">": (">=", "<"), ">=": (">", "<="), "==": ("!=",), "!=": ("==",)}
_ARITHMETIC = {
    "+": ("-",), "-": ("+",), "*": ("/", "+"), "/": ("*",), "%": ("/",), "+%": ("-%",), "-%": ("+%",),
    "+=": ("-=",), "-=": ("+=",), "*=": ("/=",), "/=": ("*=",), "&": ("|",), "|": ("&",), "<<": (">>",), ">>": ("<<",),
}  # fmt: skip
_ONE_WAY = frozenset({"-", "/", "%", "-%", "<<", ">>"})
_BOTH = {"and": "or", "or": "and", "&&": "||", "||": "&&"}
_OPPOSITE = {"@min": "@max", "@max": "@min", "min": "max", "max": "min"}
_ORDERED = frozenset({"@rem", "@mod", "@divFloor", "@divTrunc", "@divExact", "@subWithOverflow", "@shlWithOverflow"})
_NUMBER = re.compile(r"([0-9][0-9_]*(?:\.[0-9][0-9_]*)?(?:[eE][+-]?[0-9]+)?)([iuf](?:8|16|32|64|128|size))?")
_LEFT_ALONE = frozenset({"return_expression", "break_expression", "continue_expression", "defer_statement"})


def constants(text: TreeText) -> Iterator[Edit]:
    """A number becomes one of its neighbours, its half or its double; true becomes false."""
    for node in text.of("integer", "float", "integer_literal", "float_literal", "boolean", "boolean_literal"):
        now = text.text(node)
        if now in ("true", "false"):
            yield text.edit("constant", node, "false" if now == "true" else "true", f"not {now}")
            continue
        match = _NUMBER.fullmatch(now)
        if match is None:
            continue
        digits, kind = match[1].replace("_", ""), match[2] or ""
        value = int(digits) if digits.isdigit() else float(digits)
        for other in near(value):
            yield text.edit("constant", node, f"{other!r}{kind}", f"{other!r}{kind} instead of {now}")


def comparisons(text: TreeText) -> Iterator[Edit]:
    """``<`` becomes ``<=`` or ``>``, and so on."""
    yield from _other_signs(text, "comparison", COMPARISONS)


def arithmetic(text: TreeText) -> Iterator[Edit]:
    """``+`` becomes ``-``, ``+=`` becomes ``-=``, and so on; the sides of what is not symmetric are swapped."""
    yield from _other_signs(text, "arithmetic", _ARITHMETIC)
    for node, left, sign, right in _binary(text):
        if text.text(sign) in _ONE_WAY:
            middle = text.between(left.end_byte, right.start_byte)
            new = _bracketed(text, right) + middle + _bracketed(text, left)
            yield text.edit("arithmetic", node, new, new)


def _other_signs(text: TreeText, operator: str, table: dict[str, tuple[str, ...]]) -> Iterator[Edit]:
    for node in text.of(
        "binary_expression", "compound_assignment_expr", "assignment_expression", "variable_declaration"
    ):
        sign = next((one for one in node.children if not one.is_named and text.text(one) in table), None)
        if sign is None or declared(text, node):
            continue
        for other in table[text.text(sign)]:
            said = text.between(node.start_byte, sign.start_byte) + other + text.between(sign.end_byte, node.end_byte)
            yield text.edit(operator, sign, other, said)


def _binary(text: TreeText) -> Iterator[tuple[Any, Any, Any, Any]]:
    """(node, left, sign, right) of each operation with two sides."""
    for node in text.of("binary_expression"):
        parts = [node.child_by_field_name(name) for name in ("left", "operator", "right")]
        if None not in parts:
            yield node, *parts


def _bracketed(text: TreeText, node: Any) -> str:
    said = text.text(node)
    return f"({said})" if node.type in ("binary_expression", "catch_expression", "type_cast_expression") else said


def arguments(text: TreeText) -> Iterator[Edit]:
    """Two neighbouring arguments of a call change their places; ``@min`` and ``.min`` become ``@max`` and ``.max``."""
    for node in text.of("call_expression", "builtin_function"):
        called = node.child_by_field_name("function") or node.children[0]
        name = called.child_by_field_name("field") if called.type == "field_expression" else called
        name = name if name is not None else called
        word = text.text(name)
        if word in _OPPOSITE and name.type in ("builtin_identifier", "field_identifier"):
            yield text.edit("argument", name, _OPPOSITE[word], f"{_OPPOSITE[word]} instead of {word}")
        if node.type == "builtin_function" and word not in _ORDERED:
            continue  # the order of most is one of types
        for first, second in itertools.pairwise(_given(node)):
            if text.text(first) != text.text(second):
                yield text.exchanged(
                    "argument", first, second, f"{word}: {text.text(second)} before {text.text(first)}"
                )


def _given(node: Any) -> list[Any]:
    """The arguments of a call."""
    inside = next((child for child in node.children if child.type == "arguments"), None)
    if inside is not None:
        return [child for child in inside.named_children if child.type not in COMMENTS]
    first = node.child_by_field_name("function")
    return [child for child in node.named_children if child != first and child.type not in COMMENTS]


def conditions(text: TreeText) -> Iterator[Edit]:
    """``and`` becomes ``or``; one side of it is left out; a condition is turned round."""
    for node, left, sign, right in _binary(text):
        other = _BOTH.get(text.text(sign))
        if other is not None:
            yield text.edit("condition", sign, other, f"{other} instead of {text.text(sign)}")
            for part, kept in ((right, left), (left, right)):
                yield text.edit("condition", node, text.text(kept), f"without {text.text(part)}")
    for node in text.of("if_statement", "while_statement", "if_expression", "while_expression"):
        asked = node.child_by_field_name("condition")
        captured = any(child.type == "payload" for child in node.children)
        if asked is None or captured or any(one.type.startswith("let_") for one in walk(asked)):
            continue
        yield text.edit("condition", asked, f"!({text.text(asked)})", f"not {text.text(asked)}")


def statements(text: TreeText) -> Iterator[Edit]:
    """A statement is left out, said twice, or changes places with the next one."""
    for block in text.blocks():
        for k, node in enumerate(block):
            said = text.text(node).splitlines()[0]
            names = declared(text, node)
            if inner(node).type in _LEFT_ALONE:
                continue
            if not any(names & text.uses(later) for later in block[k + 1 :]):
                yield _without(text, node, said)
            if not names and text.text(node).endswith(";"):
                again = f"{text.text(node)}\n{text.indent(node)}{text.text(node)}"
                yield text.edit("statement", node, again, f"twice: {said}")
            following = block[k + 1] if k + 1 < len(block) else None
            if following is None or inner(following).type in _LEFT_ALONE or text.text(following)[-1] not in ";}":
                continue
            if not (names & text.uses(following) or declared(text, following) & text.uses(node)):
                yield text.exchanged("statement", node, following, f"later: {said}")


def _without(text: TreeText, node: Any, said: str) -> Edit:
    """Leave a statement out, and its lines with it where nothing else stands on them."""
    body = text.body
    start, end = body.rfind(b"\n", 0, node.start_byte) + 1, body.find(b"\n", node.end_byte) + 1
    alone = end and not body[start : node.start_byte].strip() and not body[node.end_byte : end].strip()
    if not alone:
        start, end = node.start_byte, node.end_byte
    return text.span("statement", start, end, "", f"without: {said}")


OPERATORS = (constants, comparisons, arithmetic, arguments, conditions, statements)
