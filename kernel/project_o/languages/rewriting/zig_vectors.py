"""Zig: sums over arrays in vectors. A sum of floats in order waits for each addition; lanes add side by side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..trees import walk
from .edits import Edit
from .tree_text import COMMENTS, TreeText, inner

LANES = 16
_ARITHMETIC = frozenset({"+", "-", "*"})


def vectors(text: TreeText) -> Iterator[Edit]:
    """``for (a, b) |x, y| sum += x * y;`` -> the same with ``@Vector``, and the rest of the arrays one by one."""
    if text.language != "zig":
        return
    for node in text.of("for_statement"):
        found = _reduction(text, node)
        if found is None:
            continue
        arrays, names, total, item = found
        lanes, at, sums = map(text.fresh, ("lanes", "at", "sums"))
        kind = f"@Vector({lanes}, @TypeOf({total}))"
        loads = [
            f"    const {name}: {kind} = {array}[{at}..][0..{lanes}].*;"
            for name, array in zip(names, arrays, strict=True)
        ]
        rest = ", ".join(f"{array}[{at}..]" for array in arrays)
        new = text.inset(
            node,
            f"const {lanes} = {LANES};",
            f"var {sums}: {kind} = @splat(0);",
            f"var {at}: usize = 0;",
            f"while ({at} + {lanes} <= {arrays[0]}.len) : ({at} += {lanes}) {{",
            *loads,
            f"    {sums} += {item};",
            "}",
            f"{total} += @reduce(.Add, {sums});",
            f"for ({rest}) |{', '.join(names)}| {total} += {item};",
        )
        end = node.parent.end_byte if node.parent.type == "labeled_statement" else node.end_byte
        yield text.span("vectors", node.start_byte, end, new, f"{total} in {LANES} lanes", keeps=True)


def _reduction(text: TreeText, node: Any) -> tuple[list[str], list[str], str, str] | None:
    """The arrays, the names of their elements, the sum, and what is added to it."""
    body = node.child_by_field_name("body")
    payload = next((one for one in node.named_children if one.type == "payload"), None)
    if body is None or payload is None or node.children[0].type != "for":
        return None
    over = [one for one in node.named_children if one.type not in COMMENTS and one not in (body, payload)]
    names = [text.text(one) for one in payload.named_children]
    if any(one.type not in ("identifier", "field_expression") for one in over) or len(over) != len(names):
        return None
    added = _added(text, body)
    if added is None:
        return None
    total, item = added
    return (
        ([text.text(one) for one in over], names, text.text(total), text.text(item))
        if _lanewise(text, item, set(names))
        else None
    )


def _added(text: TreeText, body: Any) -> tuple[Any, Any] | None:
    """``total += item`` as two nodes, if that is all of a loop's body."""
    held = body
    if body.type == "block_expression":
        parts = [one for one in body.children[0].named_children if one.type not in COMMENTS]
        if len(parts) != 1:
            return None
        held = inner(parts[0])
    parts = [one for one in held.children if text.text(one) != ";"]
    if len(parts) == 3 and text.text(parts[1]) == "+=" and parts[0].type == "identifier":
        return parts[0], parts[2]
    return None


def _lanewise(text: TreeText, node: Any, names: set[str]) -> bool:
    """Whether it is made of the elements by ``+ - *`` alone: what vectors do as numbers do."""
    for one in walk(node):
        if one.type == "binary_expression":
            if text.text(one.child_by_field_name("operator")) not in _ARITHMETIC:
                return False
        elif one.type == "identifier":
            if text.text(one) not in names:
                return False
        elif one.is_named and one.type != "parenthesized_expression":
            return False
    return True


def float_mode(text: TreeText) -> Iterator[Edit]:
    """``@setFloatMode(.optimized)``: floats may be added in any order, so that the compiler can use vectors."""
    if text.language != "zig":
        return
    for node in text.of("function_declaration"):
        body = node.child_by_field_name("body")
        if body is None or "@setFloatMode" in text.text(body):
            continue
        loops = [one for one in walk(body) if one.type in ("for_statement", "while_statement")]
        sums = any(not one.is_named and text.text(one) in ("+=", "*=", "-=") for loop in loops for one in walk(loop))
        if sums:
            name = text.text(node.child_by_field_name("name"))
            at, space = body.children[0].end_byte, text.indent(node) + "    "
            new = f"\n{space}@setFloatMode(.optimized);"
            yield text.span("float mode", at, at, new, f"floats of {name} in any order", keeps=True)


OPERATORS = (vectors, float_mode)
