"""Python: numpy's own loops in the place of Python's. Whether the arguments are arrays is tried, never believed."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from .edits import Edit
from .python_tree import Text, called, is_name, load, names_read

_REDUCED = {"sum": "sum", "max": "max", "min": "min", "any": "any", "all": "all"}


def _numpy(text: Text) -> str:
    """The name that the text knows numpy by; "" where it does not."""
    for node in ast.walk(text.tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                if one.name == "numpy":
                    return one.asname or one.name
        if isinstance(node, ast.Attribute) and is_name(node.value) and node.value.id in ("np", "numpy"):  # type: ignore[attr-defined]  # it is a name
            return str(node.value.id)  # type: ignore[attr-defined]  # as above
    return ""


def _of(numpy: str, name: str, *arguments: ast.expr) -> ast.Call:
    function: ast.expr = load(numpy)
    for part in name.split("."):
        function = ast.Attribute(function, part, ast.Load())
    return ast.Call(function, list(arguments), [])


def whole_arrays(text: Text) -> Iterator[Edit]:
    """``for i in range(n): out[i] = a[i] * b[i]`` -> ``out[:n] = a[:n] * b[:n]``."""
    for _, block in text.blocks():
        for loop in block:
            if not (isinstance(loop, ast.For) and not loop.orelse and isinstance(loop.target, ast.Name)):
                continue
            if not (called(loop.iter, "range", 1) and isinstance(loop.iter, ast.Call)):
                continue
            index, most = loop.target.id, loop.iter.args[0]
            changed = []
            for node in loop.body:
                if not isinstance(node, (ast.Assign, ast.AugAssign)) or not _only_subscripts(node, index):
                    break
                changed.append(_Sliced(index, most).visit(copy.deepcopy(node)))
            else:
                if not any(index in names_read(node) for node in changed):
                    yield text.rewritten("whole arrays", [loop], changed, f"all of {ast.unparse(most)} at once")


def _only_subscripts(node: ast.Assign | ast.AugAssign, index: str) -> bool:
    """Whether it assigns an item at the index, and does nothing that only numbers can."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return all(
        isinstance(one, ast.Subscript) and is_name(one.value) and is_name(one.slice, index) for one in targets
    ) and not any(isinstance(one, (ast.Call, ast.IfExp, ast.BoolOp, ast.Compare)) for one in ast.walk(node))


class _Sliced(ast.NodeTransformer):
    """``a[i]`` -> ``a[:most]``."""

    def __init__(self, index: str, most: ast.expr) -> None:
        self._index, self._most = index, most

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        if is_name(node.slice, self._index):
            node.slice = ast.Slice(None, copy.deepcopy(self._most), None)
        return node


def product_of_arrays(text: Text) -> Iterator[Edit]:
    """``sum(x * y for x, y in zip(a, b))`` -> ``numpy.dot(a, b)``, and the loop that says so."""
    if not (numpy := _numpy(text)):
        return
    for _, node in text.expressions():
        if not (isinstance(node, ast.Call) and is_name(node.func, "sum") and node.args):
            continue
        inner = node.args[0]
        if not (isinstance(inner, (ast.GeneratorExp, ast.ListComp)) and len(inner.generators) == 1):
            continue
        over, item = inner.generators[0], inner.elt
        if over.ifs or not (isinstance(item, ast.BinOp) and isinstance(item.op, ast.Mult)):
            continue
        if called(over.iter, "zip", 2) and isinstance(over.iter, ast.Call):
            left, right = over.iter.args
            if {ast.unparse(item.left), ast.unparse(item.right)} == _names_of(over.target):
                yield text.swapped("product of arrays", node, _of(numpy, "dot", left, right), "numpy's inner product")
        elif is_name(over.target) and ast.unparse(item.left) == ast.unparse(item.right) == ast.unparse(over.target):
            yield text.swapped("product of arrays", node, _of(numpy, "dot", over.iter, over.iter), "numpy's product")


def _names_of(target: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(target) if isinstance(one, ast.Name)}


def reduced_by_numpy(text: Text) -> Iterator[Edit]:
    """``sum(a)`` -> ``numpy.sum(a)``; ``sum(e(x) for x in a)`` -> ``numpy.sum(e(a))``."""
    if not (numpy := _numpy(text)):
        return
    for _, node in text.expressions():
        if not (isinstance(node, ast.Call) and is_name(node.func) and node.args and not node.keywords):
            continue
        name = _REDUCED.get(node.func.id)  # type: ignore[attr-defined]  # it is a name
        if name is None:
            continue
        inner = node.args[0]
        if is_name(inner) and len(node.args) == 1:
            yield text.swapped("reduced by numpy", node, _of(numpy, name, inner), f"numpy's {name}")
        if isinstance(inner, (ast.GeneratorExp, ast.ListComp)) and len(inner.generators) == 1:
            over = inner.generators[0]
            if over.ifs or any(isinstance(one, (ast.Call, ast.IfExp, ast.BoolOp)) for one in ast.walk(inner.elt)):
                continue
            whole = _whole(inner.elt, over)
            if whole is not None:
                yield text.swapped("reduced by numpy", node, _of(numpy, name, whole), f"numpy's {name} of whole arrays")


def _whole(item: ast.expr, over: ast.comprehension) -> ast.expr | None:
    """The expression for one element, with whole arrays for its names."""
    if is_name(over.target):
        arrays = {over.target.id: over.iter}  # type: ignore[attr-defined]  # it is a name
    elif isinstance(over.target, ast.Tuple) and isinstance(over.iter, ast.Call) and called(over.iter, "zip"):
        if len(over.iter.args) != len(over.target.elts) or not all(is_name(one) for one in over.target.elts):
            return None
        arrays = {one.id: array for one, array in zip(over.target.elts, over.iter.args, strict=True)}  # type: ignore[attr-defined]  # names
    else:
        return None
    made = _Named(arrays).visit(copy.deepcopy(item))
    return made if isinstance(made, ast.expr) else None


class _Named(ast.NodeTransformer):
    def __init__(self, arrays: dict[str, ast.expr]) -> None:
        self._arrays = arrays

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self._arrays.get(node.id, node))


def transformed_convolution(text: Text) -> Iterator[Edit]:
    """``numpy.convolve(a, b)`` -> through the Fourier transform, which is faster for long arrays.

    Cooley and Tukey 1965: a convolution is a product of transforms. One number near infinity would spoil all of that,
    so the old way stays for such arrays.
    """
    if not (numpy := _numpy(text)) or ".irfft(" in text.source:  # the old way stands beside the new one already
        return
    for _, node in text.expressions():
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "convolve"):
            continue
        if not (is_name(node.func.value, numpy) and len(node.args) == 2 and not node.keywords):
            continue
        a, b = map(ast.unparse, node.args)
        size = f"(len({a}) + len({b}) - 1)"
        transformed = f"{numpy}.fft.rfft({a}, {size}) * {numpy}.fft.rfft({b}, {size})"
        finite = " and ".join(f"{numpy}.abs({one}).max(initial=0) < 1e150" for one in (a, b))
        old = ast.unparse(node)
        new = f"({numpy}.fft.irfft({transformed}, {size}) if {finite} else {old})"
        yield text.swapped("transformed convolution", node, new, "a convolution is a product of Fourier transforms")


def product_of_matrices(text: Text) -> Iterator[Edit]:
    """Three loops with ``out[i, j] += a[i, k] * b[k, j]`` inside -> ``out[...] += a @ b``."""
    for _, block in text.blocks():
        for loop in block:
            found = _matrix(loop)
            if found is not None:
                out, a, b = found
                new = f"{out} += {a} @ {b}"
                yield text.rewritten("product of matrices", [loop], new, "three loops are a product of matrices")


def _matrix(loop: ast.stmt) -> tuple[str, str, str] | None:
    indices: list[str] = []
    node: ast.stmt = loop
    while isinstance(node, ast.For) and isinstance(node.target, ast.Name) and len(node.body) == 1 and not node.orelse:
        indices.append(node.target.id)
        node = node.body[0]
    if len(indices) != 3 or not (isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add)):
        return None
    value = node.value
    if not (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult)):
        return None
    places = [_place(one) for one in (node.target, value.left, value.right)]
    if None in places:
        return None
    (out, i, j), (a, first, k), (b, other, last) = places  # type: ignore[misc]  # none of them is None
    if (first, last) != (i, j):
        (a, first, k), (b, other, last) = (b, other, last), (a, first, k)
    if (first, last) == (i, j) and other == k and {i, j, k} == set(indices):
        return out, a, b
    return None


def _place(node: ast.expr) -> tuple[str, str, str] | None:
    """``m[i, j]`` or ``m[i][j]`` as three names."""
    if not isinstance(node, ast.Subscript):
        return None
    if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2 and is_name(node.value):
        parts = [node.value, *node.slice.elts]
    elif isinstance(node.value, ast.Subscript) and is_name(node.value.value):
        parts = [node.value.value, node.value.slice, node.slice]
    else:
        return None
    if not all(is_name(one) for one in parts):
        return None
    name, row, column = (one.id for one in parts)  # type: ignore[attr-defined]  # they are names
    return name, row, column


OPERATORS = (
    transformed_convolution,
    product_of_matrices,
    whole_arrays,
    product_of_arrays,
    reduced_by_numpy,
)
