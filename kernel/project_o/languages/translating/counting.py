"""What a ``for`` runs over, as a loop over whole numbers: ``range``, arrays, ``enumerate`` and ``zip`` of arrays."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from .kinds import TranslationError, held_by
from .loops import Counted

if TYPE_CHECKING:
    from .statements import Statements


def counted_of(writer: Statements, node: ast.For) -> tuple[Counted, str, str]:
    """The loop with the names of its first value and of its end, which are written before it."""
    call = node.iter.func.id if isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) else ""
    if call == "range" and isinstance(node.target, ast.Name):
        return _over_range(writer, node, node.iter)  # type: ignore[arg-type]  # it is a call
    hidden = writer.new_name("index")
    arrays, targets, variable = _elements(writer, node, call)
    body: list[ast.stmt] = []
    for target, array in zip(targets, arrays, strict=True):
        index = ast.Name(variable or hidden, ast.Load())
        element = ast.Subscript(ast.Name(array, ast.Load()), index, ast.Load())
        body.append(ast.Assign([target], element))
    for part in body:
        ast.copy_location(part, node)
        ast.fix_missing_locations(part)
    lengths = [f"{writer.scope.spelled(array)}.len" for array in arrays]
    least = lengths[0] if len(lengths) == 1 else f"@min({', '.join(lengths)})"
    first, last = _ends(writer, "0", f"@as(i64, @intCast({least}))")
    counter = _counter(writer, first)
    return Counted(counter, variable or hidden, 1, (*body, *node.body)), first, last


def _elements(writer: Statements, node: ast.For, call: str) -> tuple[list[str], list[ast.expr], str]:
    """The arrays, what takes their elements, and the name of the counter, "" where it has none."""
    given, target, variable = node.iter, node.target, ""
    if call == "enumerate" and isinstance(given, ast.Call) and isinstance(target, ast.Tuple) and len(given.args) == 1:
        if len(target.elts) != 2 or not isinstance(target.elts[0], ast.Name) or given.keywords:
            raise TranslationError(f"`for {ast.unparse(target)}` has no translation", node)
        variable, target, given = target.elts[0].id, target.elts[1], given.args[0]
        call = given.func.id if isinstance(given, ast.Call) and isinstance(given.func, ast.Name) else ""
    items, targets = [given], [target]
    if call == "zip" and isinstance(given, ast.Call) and isinstance(target, ast.Tuple) and not given.keywords:
        items, targets = list(given.args), list(target.elts)
    names = [item.id for item in items if isinstance(item, ast.Name) and item.id in writer.scope.arrays]
    if len(names) != len(items) or len(items) != len(targets):
        told = ast.unparse(node.iter)
        raise TranslationError(f"a loop over {told} has no translation: over range(...) and arrays it has", node)
    if not all(isinstance(item, ast.Name) for item in targets):
        raise TranslationError(f"`for {ast.unparse(node.target)}` has no translation", node)
    return names, targets, variable


def _over_range(writer: Statements, node: ast.For, call: ast.Call) -> tuple[Counted, str, str]:
    step = 1
    if len(call.args) == 3:
        try:
            step = ast.literal_eval(call.args[2])
        except ValueError:
            raise TranslationError("the step of a range has to be a number that is written there", node) from None
    if not 1 <= len(call.args) <= 3 or type(step) is not int or step == 0 or abs(step) > 1 << 31:
        raise TranslationError(f"{ast.unparse(call)} has no translation", node)
    codes = []
    for item in call.args[:2]:
        value = writer.expressions.number(writer.arrays.lifted(item))
        if held_by(value.kinds).startswith(("f", "b")):
            raise TranslationError(f"{ast.unparse(item)} is no whole number", node)
        codes.append(writer.expressions.as_type(value, "i64"))
    first, last = _ends(writer, codes[0] if len(codes) == 2 else "0", codes[-1])
    assert isinstance(node.target, ast.Name), "its caller looked"
    return Counted(_counter(writer, first), node.target.id, step, tuple(node.body)), first, last


def _ends(writer: Statements, first: str, last: str) -> tuple[str, str]:
    names = writer.new_name("first"), writer.new_name("last")
    for name, code in zip(names, (first, last), strict=True):
        writer.write(f"const {name}: i64 = {code};")
    return names


def _counter(writer: Statements, first: str) -> str:
    name = writer.new_name("at")
    writer.write(f"var {name}: i64 = {first};")
    return name
