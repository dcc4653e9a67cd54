"""Python: other ways to say the same, most of them faster. Whether they are the same is tried, never believed."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator

from .edits import Edit
from .python_tree import (
    Renamed,
    Text,
    call,
    called,
    indexed,
    is_name,
    load,
    names_read,
    names_set,
    same,
)

_REDUCERS = frozenset({"sum", "any", "all", "min", "max", "set", "tuple", "sorted", "dict", "list", "frozenset"})


def loop_over_elements(text: Text) -> Iterator[Edit]:
    """``for i in range(len(a)): ... a[i] ... b[i]`` -> ``for x, y in zip(a, b)``, or over one sequence alone."""
    for _, block in text.blocks():
        for loop in block:
            if not (isinstance(loop, ast.For) and not loop.orelse and isinstance(loop.target, ast.Name)):
                continue
            if not (called(loop.iter, "range", 1) and isinstance(loop.iter, ast.Call)):
                continue
            index = loop.target.id
            body = ast.Module(list(loop.body), [])
            used = sorted(indexed(body, index))
            stored = names_set(body)
            if not used or stored & {*used, index} or _stores_into(body, set(used)):
                continue
            elements = {name: load(f"{name}_{index}") for name in used}
            renamed = Renamed(index, dict(elements))
            changed = [renamed.visit(copy.deepcopy(node)) for node in loop.body]
            if any(index in names_read(node) for node in changed):
                continue
            targets: list[ast.expr] = [ast.Name(one.id, ast.Store()) for one in elements.values()]
            target = targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())
            over = load(used[0]) if len(used) == 1 else call("zip", *map(load, used))
            new = ast.For(target, over, changed, [])
            yield text.rewritten("loop over elements", [loop], [new], f"elements instead of {used[0]}[{index}]")


def _stores_into(body: ast.AST, names: set[str]) -> bool:
    """Whether an item or an attribute of one of them is assigned."""
    return any(
        isinstance(node, (ast.Subscript, ast.Attribute))
        and not isinstance(node.ctx, ast.Load)
        and is_name(node.value)
        and node.value.id in names  # type: ignore[attr-defined]  # it is a name
        for node in ast.walk(body)
    )


def sum_of_a_loop(text: Text) -> Iterator[Edit]:
    """``t = 0`` and ``for x in xs: t += e`` -> ``t = sum(e for x in xs)``."""
    for _, block in text.blocks():
        for first, loop in itertools.pairwise(block):
            if not (_starts_at_zero(first) and isinstance(loop, ast.For) and not loop.orelse):
                continue
            name = first.targets[0].id  # type: ignore[attr-defined]  # it is an assignment to one name
            inner, condition = _only(loop.body)
            if not (isinstance(inner, ast.AugAssign) and isinstance(inner.op, ast.Add) and is_name(inner.target, name)):
                continue
            if name in names_read(inner.value) | names_read(loop.iter) or (condition and name in names_read(condition)):
                continue
            made = ast.GeneratorExp(inner.value, [_over(loop, condition)])
            total: ast.expr = call("sum", made)
            zero = first.value  # type: ignore[attr-defined]  # as above
            if isinstance(zero.value, float):
                total = ast.Call(load("sum"), [made, zero], [])
            new = ast.Assign([ast.Name(name, ast.Store())], total, lineno=0)
            yield text.rewritten("sum of a loop", [first, loop], [new], f"{name} is a sum")


def _starts_at_zero(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and is_name(node.targets[0])
        and isinstance(node.value, ast.Constant)
        and type(node.value.value) in (int, float)
        and node.value.value == 0
    )


def _only(body: list[ast.stmt]) -> tuple[ast.stmt | None, ast.expr | None]:
    """The only statement of a loop's body, and the condition around it, if there is one."""
    if len(body) != 1:
        return None, None
    node = body[0]
    if isinstance(node, ast.If) and not node.orelse and len(node.body) == 1:
        return node.body[0], node.test
    return node, None


def _over(loop: ast.For, condition: ast.expr | None) -> ast.comprehension:
    return ast.comprehension(loop.target, loop.iter, [condition] if condition is not None else [], 0)


def list_of_a_loop(text: Text) -> Iterator[Edit]:
    """``r = []`` and ``for x in xs: r.append(e)`` -> ``r = [e for x in xs]``."""
    for _, block in text.blocks():
        for first, loop in itertools.pairwise(block):
            if not (isinstance(first, ast.Assign) and len(first.targets) == 1 and isinstance(loop, ast.For)):
                continue
            target = first.targets[0]
            if not (isinstance(target, ast.Name) and isinstance(first.value, ast.List) and not first.value.elts):
                continue
            inner, condition = _only(loop.body)
            item = _appended(inner, target.id)
            if item is None or loop.orelse or target.id in names_read(item) | names_read(loop.iter):
                continue
            if condition is not None and target.id in names_read(condition):
                continue
            new = ast.Assign([target], ast.ListComp(item, [_over(loop, condition)]), lineno=0)
            yield text.rewritten("list of a loop", [first, loop], [new], f"{target.id} is a list of its items")


def _appended(node: ast.stmt | None, name: str) -> ast.expr | None:
    """``e`` of ``name.append(e)``."""
    found = node.value if isinstance(node, ast.Expr) else None
    if not (isinstance(found, ast.Call) and isinstance(found.func, ast.Attribute) and found.func.attr == "append"):
        return None
    return found.args[0] if is_name(found.func.value, name) and len(found.args) == 1 and not found.keywords else None


def set_for_membership(text: Text) -> Iterator[Edit]:
    """``x in b`` within a loop, where nothing in the function changes ``b`` -> ``b`` as a set, made before the loop."""
    for function, block in text.blocks():
        for loop in block:
            if not isinstance(loop, (ast.For, ast.While)) or not text.alone_on_its_lines(loop):
                continue
            asked = {
                node.comparators[0].id
                for node in ast.walk(loop)
                if isinstance(node, ast.Compare)
                and len(node.ops) == 1
                and isinstance(node.ops[0], (ast.In, ast.NotIn))
                and isinstance(node.comparators[0], ast.Name)
            }
            for name in sorted(asked - names_set(loop) - _changed(loop)):
                fast = f"{name}_as_set"
                if fast in names_read(function) | names_set(function):
                    continue
                changed = _InSet(name, fast).visit(copy.deepcopy(loop))
                made = ast.Assign([ast.Name(fast, ast.Store())], call("set", load(name)), lineno=0)
                yield text.rewritten("set for membership", [loop], [made, changed], f"is it in {name}: asked of a set")


class _InSet(ast.NodeTransformer):
    def __init__(self, name: str, fast: str) -> None:
        self._name, self._fast = name, fast

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        one = len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn))
        if one and is_name(node.comparators[0], self._name):
            node.comparators = [load(self._fast)]
        return node


def _changed(node: ast.AST) -> set[str]:
    """Names of which a method is called or an item set: they may change in place."""
    found = set()
    for one in ast.walk(node):
        if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute) and isinstance(one.func.value, ast.Name):
            found.add(one.func.value.id)
        if isinstance(one, (ast.Subscript, ast.Attribute)) and not isinstance(one.ctx, ast.Load) and is_name(one.value):
            found.add(one.value.id)  # type: ignore[attr-defined]  # it is a name
    return found


def out_of_the_loop(text: Text) -> Iterator[Edit]:
    """A call or a quotient that no turn of the loop changes is made before it."""
    for function, block in text.blocks():
        for loop in block:
            if not isinstance(loop, ast.For) or not text.alone_on_its_lines(loop):
                continue
            moving = names_set(loop) | _changed(loop)
            known: list[ast.expr] = []
            for node in (one for statement in loop.body for one in ast.walk(statement)):
                if not _is_work(node) or names_read(node) & moving or any(same(node, other) for other in known):
                    continue
                assert isinstance(node, ast.expr), "it is a call or an operation"
                known.append(node)
                name = f"fixed_{len(known)}"
                if name in names_read(function) | names_set(function):
                    continue
                changed = _Replaced(node, load(name)).visit(copy.deepcopy(loop))
                assert isinstance(changed, ast.stmt), "it is still a loop"
                made = ast.Assign([ast.Name(name, ast.Store())], node, lineno=0)
                yield text.rewritten(
                    "out of the loop", [loop], [made, changed], f"{ast.unparse(node)[:40]} once, before the loop"
                )


def _is_work(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) or (isinstance(node, ast.BinOp) and bool(names_read(node)))


class _Replaced(ast.NodeTransformer):
    """Each piece that says the same as one becomes another."""

    def __init__(self, old: ast.AST, new: ast.expr) -> None:
        self._old, self._new = ast.dump(old), new

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and ast.dump(node) == self._old:
            return self._new
        return super().generic_visit(node)

    visit = generic_visit


def stop_at_the_first(text: Text) -> Iterator[Edit]:
    """``found = True`` in a condition in a loop, and nothing else in it -> and ``break``."""
    for _, block in text.blocks():
        for loop in block:
            if not (isinstance(loop, ast.For) and not loop.orelse):
                continue
            inner, condition = _only(loop.body)
            if condition is not None and isinstance(inner, ast.Assign) and isinstance(inner.value, ast.Constant):
                changed = copy.deepcopy(loop)
                changed.body[0].body.append(ast.Break())  # type: ignore[attr-defined]  # it is an if
                yield text.rewritten("stop at the first", [loop], [changed], "nothing changes after the first")


def quicker_expression(text: Text) -> Iterator[Edit]:
    """``sorted(x)[0]``, ``x ** 2``, a list that is made only to be read once, ``x in d.keys()``."""
    for _, node in text.expressions():
        for new, why in (*_extreme(node), *_product(node), *_without_list(node), *_of_mapping(node)):
            yield text.swapped("quicker expression", node, new, why)


def loop_order(text: Text) -> Iterator[Edit]:
    """Of two nested loops with nothing between them the inner one becomes the outer one."""
    for _, block in text.blocks():
        for outer in block:
            if not (isinstance(outer, ast.For) and len(outer.body) == 1 and not outer.orelse):
                continue
            inner = outer.body[0]
            if not isinstance(inner, ast.For) or inner.orelse or names_set(outer.target) & names_read(inner.iter):
                continue
            if any(isinstance(one, (ast.Break, ast.Return, ast.Yield)) for one in ast.walk(inner)):
                continue
            within = ast.For(outer.target, outer.iter, inner.body, [])
            new = ast.For(inner.target, inner.iter, [within], [])
            why = f"{ast.unparse(inner.target)} outside of {ast.unparse(outer.target)}"
            yield text.rewritten("loop order", [outer], [new], why)


Found = Iterator[tuple[ast.expr, str]]


def _extreme(node: ast.expr) -> Found:
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.value, ast.Call):
        name = {"0": "min", "-1": "max"}.get(ast.unparse(node.slice))
        if name is not None and called(node.value, "sorted", 1):
            yield call(name, *node.value.args), f"{name} instead of sorting"


def _product(node: ast.expr) -> Found:
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and is_name(node.left)):
        return
    if isinstance(node.right, ast.Constant) and node.right.value in (2, 3):
        product = ast.BinOp(node.left, ast.Mult(), node.left)
        again = ast.BinOp(product, ast.Mult(), node.left)
        yield product if node.right.value == 2 else again, "a product instead of a power"


def _without_list(node: ast.expr) -> Found:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1):
        return
    inner = node.args[0]
    if node.func.id in _REDUCERS and not node.keywords:
        if isinstance(inner, ast.ListComp):
            yield call(node.func.id, ast.GeneratorExp(inner.elt, inner.generators)), "no list in between"
        if isinstance(inner, ast.GeneratorExp):
            yield call(node.func.id, ast.ListComp(inner.elt, inner.generators)), "a list in between"


def _of_mapping(node: ast.expr) -> Found:
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
        other = node.comparators[0]
        if isinstance(other, ast.Call) and isinstance(other.func, ast.Attribute) and other.func.attr == "keys":
            yield ast.Compare(node.left, node.ops, [other.func.value]), "asked of the mapping itself"


OPERATORS = (
    loop_over_elements,
    sum_of_a_loop,
    list_of_a_loop,
    set_for_membership,
    stop_at_the_first,
    quicker_expression,
    out_of_the_loop,
    loop_order,
)
