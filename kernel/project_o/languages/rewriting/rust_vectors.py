"""Rust: sums over slices in lanes. A sum of floats in order waits for each addition; lanes add side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..trees import walk
from .edits import Edit
from .tree_text import COMMENTS, TreeText, inner

LANES = 16
_INSIDE = frozenset({"binary_expression", "identifier", "parenthesized_expression", "unary_expression"})


def vectors(text: TreeText) -> Iterator[Edit]:
    """``for (x, y) in a.iter().zip(b) { sum += x * y; }`` -> the same in lanes, and the rest one by one; and the chain
    ``a.iter().zip(b).map(|(x, y)| x * y).sum()`` likewise.
    """
    if text.language != "rust":
        return
    for node in text.of("for_expression"):
        pattern, over = node.child_by_field_name("pattern"), node.child_by_field_name("value")
        added = _added(text, node.child_by_field_name("body"))
        if added is not None and (arrays := _arrays(text, over)) is not None:
            total, item = added
            lines = _lanes(text, text.text(pattern), arrays, text.text(item), text.text(total))
            if lines and _lanewise(text, item, text.uses(pattern)):
                why = f"{text.text(total)} in {LANES} lanes"
                yield text.edit("vectors", node, text.inset(node, *lines), why, keeps=True)
    for node in text.of("call_expression"):
        found = _chain(text, node)
        if found is None:
            continue
        pattern, arrays, item, kind = found
        total = text.fresh("total")
        lines = _lanes(text, text.text(pattern), arrays, text.text(item), total)
        if lines and _lanewise(text, item, text.uses(pattern)):
            new = text.inset(node, f"let mut {total}: {kind} = 0.0;", *lines, total)
            yield text.edit("vectors", node, new, f"{LANES} lanes", keeps=True)


def _lanes(text: TreeText, pattern: str, arrays: tuple[str, ...], item: str, total: str) -> tuple[str, ...]:
    """The lines of the loop in lanes; none where there are more names than arrays."""
    names = re.findall(r"\w+", pattern)
    if len(names) != len(arrays):
        return ()
    lanes, sums, lane, size = (text.fresh(word) for word in ("LANES", "sums", "lane", "size"))
    whole = [text.fresh(f"all_{name}") for name in names]
    parts = [text.fresh(f"part_{name}") for name in names]
    short = "".join(f".min({one}.len())" for one in whole[1:])
    zipped = f"{whole[0]}.chunks_exact({lanes})" + "".join(f".zip({one}.chunks_exact({lanes}))" for one in whole[1:])
    left = "".join(f".zip({one}.chunks_exact({lanes}).remainder())" for one in whole[1:])
    one, both, taken = names[0], parts[0], f"&{parts[0]}[{lane}]"
    if len(names) > 1:
        one, both = f"({', '.join(names)})", f"({', '.join(parts)})"
        taken = f"({', '.join(f'&{part}[{lane}]' for part in parts)})"
    return (
        f"const {lanes}: usize = {LANES};",
        *(f"let {name} = &{array}[..];" for name, array in zip(whole, arrays, strict=True)),
        f"let {size} = {whole[0]}.len(){short};",
        *(f"let {name} = &{name}[..{size}];" for name in whole),
        f"let mut {sums} = [0.0; {lanes}];",
        f"for {both} in {zipped} {{",
        f"    for {lane} in 0..{lanes} {{",
        f"        let {one} = {taken};",
        f"        {sums}[{lane}] += {item};",
        "    }",
        "}",
        f"for value in {sums} {{",
        f"    {total} += value;",
        "}",
        f"for {one} in {whole[0]}.chunks_exact({lanes}).remainder().iter(){left} {{",
        f"    {total} += {item};",
        "}",
    )


def _arrays(text: TreeText, node: Any) -> tuple[str, ...] | None:
    """``a.iter()``, ``&a`` or ``a.iter().zip(b)`` as the texts of slices."""
    said = re.sub(r"\s+", "", text.text(node))
    match = re.fullmatch(r"([\w.]+?)\.iter\(\)(?:\.zip\(&?([\w.]+?)(?:\.iter\(\))?\))?", said)
    if match is None:
        match = re.fullmatch(r"&([\w.]+)", said)
    return tuple(part for part in match.groups() if part) if match is not None else None


def _added(text: TreeText, body: Any) -> tuple[Any, Any] | None:
    parts = [one for one in body.named_children if one.type not in COMMENTS] if body is not None else []
    held = inner(parts[0]) if len(parts) == 1 else None
    if held is None or held.type != "compound_assignment_expr":
        return None
    left, sign, right = (held.child_by_field_name(name) for name in ("left", "operator", "right"))
    return (left, right) if text.text(sign) == "+=" and left.type == "identifier" else None


def _chain(text: TreeText, node: Any) -> tuple[Any, tuple[str, ...], Any, str] | None:
    """``SLICES.map(|PATTERN| ITEM).sum::<f32>()``."""
    if re.search(r"\.sum::<(f32|f64)>\(\)$", text.text(node)) is None:
        return None
    mapped = next((one for one in walk(node) if one.type == "call_expression" and one != node), None)
    function = mapped.child_by_field_name("function") if mapped is not None else None
    if mapped is None or function is None or text.text(function.child_by_field_name("field") or function) != "map":
        return None
    closure = mapped.child_by_field_name("arguments").named_children[0]
    over = function.child_by_field_name("value")
    if closure.type != "closure_expression" or (arrays := _arrays(text, over)) is None:
        return None
    pattern, item = closure.child_by_field_name("parameters"), closure.child_by_field_name("body")
    return pattern, arrays, item, text.text(node)[-6:-3]


def _lanewise(text: TreeText, node: Any, names: set[str]) -> bool:
    """Whether it is made of the elements by ``+ - *`` alone."""
    for one in walk(node):
        if one.is_named and one.type not in _INSIDE:
            return False
        if one.type == "identifier" and text.text(one) not in names:
            return False
        if not one.is_named and text.text(one) not in ("+", "-", "*", "(", ")"):
            return False
    return True


OPERATORS = (vectors,)
