"""Zig and Rust: loops in another order, and in tiles. The same is done in the end, only for floats in another order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..trees import walk
from .edits import Edit
from .tree_text import COMMENTS, TreeText, inner

TILE = 32
_LEAVES = frozenset({"break_expression", "return_expression", "try_expression", "continue_expression"})


@dataclass(frozen=True)
class Counted:
    """A loop ``for (low..high) |index| body`` or ``for index in low..high body``: nodes, and the index's name."""

    node: Any
    low: Any
    high: Any
    index: str
    body: Any


def counted(text: TreeText, node: Any) -> Counted | None:
    """What counts from one number to another, if a node is such a loop."""
    loop = inner(node)
    body = loop.child_by_field_name("body") if loop.type in ("for_statement", "for_expression") else None
    if body is None:
        return None
    if loop.type == "for_expression":
        pattern, over = loop.child_by_field_name("pattern"), loop.child_by_field_name("value")
        named = [pattern]
    else:
        parts = [one for one in loop.named_children if one.type not in (*COMMENTS, "payload") and one != body]
        payload = next((one for one in loop.named_children if one.type == "payload"), None)
        named = list(payload.named_children) if payload is not None else []
        over = parts[0] if len(parts) == 1 else None
        if loop.children[0].type != "for" or any(one.type == "else_clause" for one in loop.children):
            return None
    if over is None or over.type != "range_expression" or len(named) != 1 or named[0].type != "identifier":
        return None
    ends = over.named_children
    if len(ends) != 2 or text.between(ends[0].end_byte, ends[1].start_byte).strip() != "..":
        return None
    return Counted(loop, ends[0], ends[1], text.text(named[0]), body)


def _nests(text: TreeText) -> Iterator[tuple[Counted, Counted]]:
    """A counted loop with nothing in it but another one whose bounds it does not move."""
    for node in text.of("for_statement", "for_expression"):
        outer = counted(text, node)
        if outer is None:
            continue
        block = inner(outer.body)
        held = [one for one in _block(outer.body).named_children if one.type not in COMMENTS] if block else []
        within = counted(text, held[0]) if len(held) == 1 else None
        if within is None or outer.index in text.uses(within.low) | text.uses(within.high):
            continue
        if not any(one.type in _LEAVES for one in walk(within.body)):
            yield outer, within


def _block(body: Any) -> Any:
    return body.children[0] if body.type == "block_expression" else body


def _head(text: TreeText, loop: Counted) -> str:
    """``for (0..n) |i| `` or ``for i in 0..n ``."""
    return text.between(loop.node.start_byte, loop.body.start_byte)


def loop_order(text: TreeText) -> Iterator[Edit]:
    """Of two nested loops the inner one becomes the outer one."""
    for outer, within in _nests(text):
        between = text.between(outer.body.start_byte, within.node.start_byte)
        new = _head(text, within) + between + _head(text, outer)
        why = f"{within.index} outside of {outer.index}"
        yield text.span("loop order", outer.node.start_byte, within.body.start_byte, new, why, keeps=True)


def tiles(text: TreeText) -> Iterator[Edit]:
    """The inner one of two nested loops goes over a part of its range at a time, for all of the outer one."""
    for outer, within in _nests(text):
        first, low, high = text.fresh(f"{within.index}_first"), text.text(within.low), text.text(within.high)
        space = text.indent(outer.node)
        rest = text.between(outer.node.start_byte, within.node.start_byte)
        behind = text.between(within.body.start_byte, outer.node.end_byte)
        if text.language == "zig":
            tile = text.fresh("tile")
            new = (
                f"{{\n{space}const {tile} = {TILE};\n{space}var {first}: usize = {low};\n"
                f"{space}while ({first} < {high}) : ({first} += {tile}) {{\n{space}"
                f"{rest}for ({first}..@min({first} + {tile}, {high})) |{within.index}| {behind}\n{space}}}\n{space}}}"
            )
        else:
            tile = text.fresh("TILE")
            new = (
                f"{{\n{space}const {tile}: usize = {TILE};\n"
                f"{space}for {first} in ({low}..{high}).step_by({tile}) {{\n{space}"
                f"{rest}for {within.index} in {first}..({first} + {tile}).min({high}) {behind}\n{space}}}\n{space}}}"
            )
        yield text.edit("tiles", outer.node, new, f"{within.index} in tiles of {TILE}", keeps=True)


def widths(text: TreeText) -> Iterator[Edit]:
    """How many lanes or how large a tile: half or double."""
    for node in text.of("variable_declaration", "const_item"):
        name = node.child_by_field_name("name") or next(
            (one for one in node.children if one.type == "identifier"), None
        )
        value = next((one for one in node.children if one.type in ("integer", "integer_literal")), None)
        if name is None or value is None or text.text(name).lower().rstrip("_0123456789") not in ("lanes", "tile"):
            continue
        now = text.text(value)
        for other in (int(now) * 2, int(now) // 2) if now.isdigit() else ():
            if 1 < other <= 256:
                yield text.edit("width", value, str(other), f"{text.text(name)} {other} instead of {now}", keeps=True)


OPERATORS = (loop_order, tiles, widths)
