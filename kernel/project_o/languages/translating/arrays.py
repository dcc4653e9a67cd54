"""Whole arrays: what numpy says in one expression becomes the loop that it stands for.

    np.sum(E)  E.sum()  np.dot(a, b)  a @ b  np.mean(E)  np.max(E)  np.argmin(E)  sum(... for x in xs)   one number
    a * b + 1  np.where(a > b, a, b)  np.cumsum(E)  np.zeros(n)  np.zeros_like(a)  a.copy()               an array

The loops are Python's syntax trees, so that what is known of loops (``loops``) is known of these, too.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .functions import MODULES
from .kinds import Kinds, TranslationError, Value, held_by, zig_of

if TYPE_CHECKING:
    from .statements import Statements

_REDUCED = ("sum", "mean", "max", "min", "argmax", "argmin", "dot")
_ELEMENTWISE = ("sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "tanh", "fabs", "abs", "absolute", "where",
                "hypot", "arctan2", "arctan", "isnan", "isfinite", "isinf")  # fmt: skip
_MAKERS = ("zeros", "empty", "ones", "full", "zeros_like", "empty_like", "ones_like", "copy", "cumsum")
_TYPES: dict[str, type] = {"float": np.float64, "int": np.int64, "bool": np.bool_}
_SUM = """
{total} = {zero}
for {index} in range(len({array})):
    {total} += {element}
"""
_MOST = """
if len({array}) == 0:
    raise ValueError
{best} = {first}
{place} = 0
for {index} in range(len({array})):
    {now} = {element}
    if {now} {sign} {best}{nan}:
        {best} = {now}
        {place} = {index}
"""
_RUNNING = """
{total} = {zero}
for {index} in range(len({array})):
    {total} += {element}
    {made}[{index}] = {total}
"""
_MAP = """
for {index} in range(len({array})):
    {made}[{index}] = {element}
"""


class Arrays:
    """What a translation does with whole arrays."""

    def __init__(self, writer: Statements) -> None:
        self._writer = writer
        self._from: dict[str, str] = {}

    # ------------------------------------------------------------------ numbers of arrays

    def lifts(self, node: ast.expr) -> bool:
        """Whether a loop would have to stand before this expression."""
        return any(self._reducer(item) is not None for item in ast.walk(node))

    def lifted(self, node: ast.expr) -> ast.expr:
        """The expression with a variable in the place of each number that a loop computes, which is written first."""
        if not self.lifts(node):
            return node
        whole = self

        class Lift(ast.NodeTransformer):
            def visit(self, item: ast.AST) -> ast.AST:
                reducer = whole._reducer(item) if isinstance(item, ast.expr) else None
                if reducer is None or not isinstance(item, ast.expr):
                    return super().generic_visit(item)
                name = whole._reduced(*reducer, item)
                return ast.copy_location(ast.Name(name, ast.Load()), item)

        made = Lift().visit(copy.deepcopy(node))
        assert isinstance(made, ast.expr), "an expression stays one"
        return made

    def _reducer(self, node: ast.AST) -> tuple[str, list[ast.expr]] | None:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            return "dot", [node.left, node.right]
        if not isinstance(node, ast.Call) or node.keywords:
            return None
        function = node.func
        if isinstance(function, ast.Name) and function.id in ("sum", "max", "min") and len(node.args) == 1:
            (item,) = node.args
            return function.id if function.id == "sum" else f"python {function.id}", [item]
        if isinstance(function, ast.Attribute) and function.attr in _REDUCED:
            if isinstance(function.value, ast.Name) and function.value.id in MODULES:
                return function.attr, list(node.args)
            if self.is_array(function.value):
                return function.attr, [function.value, *node.args]
        return None

    def _reduced(self, word: str, args: list[ast.expr], node: ast.expr) -> str:
        """Write the loop; the variable that holds its result."""
        if word == "sum" and len(args) == 1 and isinstance(args[0], ast.GeneratorExp):
            return self._generated(args[0], node)
        if word == "dot" and len(args) == 2:
            word, args = "sum", [ast.BinOp(args[0], ast.Mult(), args[1])]
            if not all(self.is_array(item) for item in (args[0].left, args[0].right)):  # type: ignore[attr-defined]
                raise TranslationError(f"{ast.unparse(node)} has a translation between one-dimensional arrays", node)
        if len(args) != 1 or not self.is_array(args[0]):
            raise TranslationError(f"{ast.unparse(node)} has no translation", node)
        index, array, element, kinds = self._element(args[0], node)
        total = self._writer.new_name("total")
        names = {"total": total, "index": index, "array": array, "element": element, "zero": _zero(kinds)}
        if word in ("sum", "mean"):
            if held_by(kinds) not in ("f64", "i64"):
                raise TranslationError(f"numpy sums {held_by(kinds)} in its own way: write the loop", node)
            self._write(_SUM.format(**names), node)
            if word == "mean":
                self._write(f"{total} = {total} / len({array})", node)
            return total
        place, now = self._writer.new_name("place"), self._writer.new_name("now")
        nan = f" or ({now} != {now} and {total} == {total})" if word in ("max", "min", "argmax", "argmin") else ""
        sign = ">" if word.endswith("max") else "<"
        first = element.replace(f"[{index}]", "[0]")
        if index in first:
            raise TranslationError(f"{ast.unparse(node)} has no translation", node)
        more = {"best": total, "place": place, "now": now, "nan": nan, "sign": sign, "first": first}
        self._write(_MOST.format(**names, **more), node)
        return place if word.startswith("arg") else total

    def _generated(self, given: ast.GeneratorExp, node: ast.expr) -> str:
        total = self._writer.new_name("total")
        body: ast.stmt = ast.AugAssign(ast.Name(total, ast.Store()), ast.Add(), given.elt)
        for part in reversed(given.generators):
            for test in reversed(part.ifs):
                body = ast.If(test, [body], [])
            body = ast.For(part.target, part.iter, [body], [])
        self._write(f"{total} = 0", node)
        self._statement(body, node)
        return total

    # ------------------------------------------------------------------ arrays

    def is_array(self, node: ast.expr) -> bool:
        """Whether an expression of whole arrays is one."""
        if isinstance(node, ast.Name):
            return node.id in self._writer.scope.arrays
        if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.MatMult):
            return self.is_array(node.left) or self.is_array(node.right)
        if isinstance(node, ast.UnaryOp):
            return self.is_array(node.operand)
        if isinstance(node, ast.Compare):
            return any(self.is_array(item) for item in (node.left, *node.comparators))
        if isinstance(node, ast.Call) and _numpy_name(node.func) in _ELEMENTWISE:
            return any(self.is_array(item) for item in node.args)
        return isinstance(node, ast.Call) and self._maker(node) == "cumsum"

    def makes(self, body: Sequence[ast.stmt]) -> bool:
        """Whether some statements make an array, or need a loop of their own."""
        every = [node for part in body for node in ast.walk(part)]
        return any(
            isinstance(node, ast.expr)
            and ((isinstance(node, ast.Call) and self._maker(node)) or self._reducer(node) is not None)
            for node in every
        ) or any(isinstance(part, ast.Assign) and self.is_array(part.value) for part in every)

    def made(self, name: str, value: ast.expr, node: ast.AST) -> bool:
        """Whether this value is an array; then the variable holds it."""
        word = self._maker(value) if isinstance(value, ast.Call) else ""
        if not word and not self.is_array(value):
            return False
        if isinstance(value, ast.Name):
            raise TranslationError(f"{name} would be another name of {value.id}: write .copy()", node)
        if self._from.setdefault(name, ast.unparse(value)) != ast.unparse(value) or name in self._writer.scope.kinds:
            raise TranslationError(f"{name} is set to another array, or was a number: give it its own name", node)
        self._writer.found.memory = True
        if word and word != "cumsum":
            assert isinstance(value, ast.Call), "a maker is a call"
            self._new(name, word, value, node)
        elif word:
            self._filled(name, value.args[0], _RUNNING, node)  # type: ignore[attr-defined]  # as above
        else:
            self._filled(name, value, _MAP, node)
        return True

    def returned(self, value: ast.expr) -> Value | None:
        """The array that is returned; None where it is a number."""
        if isinstance(value, ast.Name) and value.id in self._writer.scope.arrays:
            if value.id not in self._writer.scope.made:
                raise TranslationError(f"{value.id} itself is returned: write return {value.id}.copy()", value)
            return self._writer.expressions.value(value)
        name = self._writer.new_name("made")
        return self._writer.expressions.value(ast.Name(name, ast.Load())) if self.made(name, value, value) else None

    def _maker(self, node: ast.Call) -> str:
        name = _numpy_name(node.func)
        if name in _MAKERS:
            return name
        method = isinstance(node.func, ast.Attribute) and node.func.attr == "copy"
        return "copy" if method and self.is_array(node.func.value) else ""  # type: ignore[attr-defined]

    def _new(self, name: str, word: str, node: ast.Call, at: ast.AST) -> None:
        given = {item.arg: item.value for item in node.keywords}
        dtype = given.pop("dtype", None)
        args = list(node.args)
        if given or (word in ("zeros", "empty", "ones") and len(args) > 1):
            raise TranslationError(f"{ast.unparse(node)} has no translation: give a length, and dtype= by its name", at)
        if word == "copy":
            like = args[0] if args else node.func.value  # type: ignore[attr-defined]  # a method
            array = self._writer.expressions.value(like)
            self._keep(name, array.kinds)
            self._code(name, f"try o_copy({_only(array.kinds)}, o_gpa, {array.code})")
            return
        if word.endswith("_like"):
            array = self._writer.expressions.value(args[0])
            kinds, length = array.kinds, f"{array.code}.len"
        else:
            kinds = frozenset({np.float64})
            size = args[0].elts[0] if isinstance(args[0], ast.Tuple) and len(args[0].elts) == 1 else args[0]
            value = self._writer.expressions.number(self.lifted(size))
            length = f"try o_size({self._writer.expressions.as_type(value, 'i64')})"
        fill: Value | None = None
        if word == "full":
            fill = self._writer.expressions.number(args[1])
            kinds = frozenset({_TYPES.get(kind.__name__, kind) for kind in fill.kinds})
        if dtype is not None:
            kinds = frozenset({_type_named(dtype, at)})
        self._keep(name, kinds)
        held = _only(kinds)
        code = self._writer.stored(fill, name) if fill is not None else "1" if word.startswith("ones") else "0"
        if held == "bool":
            code = {"0": "false", "1": "true"}.get(code, code)
        self._code(name, f"try o_new({held}, o_gpa, {length}, {code})")

    def _filled(self, name: str, value: ast.expr, pattern: str, node: ast.AST) -> None:
        """An array that a loop fills."""
        index, array, element, kinds = self._element(value, node)
        kinds = frozenset({_TYPES.get(kind.__name__, kind) for kind in kinds})
        self._keep(name, kinds)
        length = f"{self._writer.scope.spelled(array)}.len"
        zero = "false" if _only(kinds) == "bool" else "0"
        self._code(name, f"try o_new({_only(kinds)}, o_gpa, {length}, {zero})")
        total = self._writer.new_name("total")
        names = {"index": index, "array": array, "element": element, "zero": _zero(kinds), "total": total}
        self._write(pattern.format(made=name, **names), node)

    def _element(self, value: ast.expr, node: ast.AST) -> tuple[str, str, str, Kinds]:
        """The index, an array as long as all of them, the expression of one element, and its kinds."""
        writer = self._writer
        index = writer.new_name("index")
        arrays: list[str] = []
        one = _AtIndex(set(writer.scope.arrays), index, arrays).visit(copy.deepcopy(value))
        ast.fix_missing_locations(one)
        arrays = list(dict.fromkeys(arrays))
        if not arrays:
            raise TranslationError(f"{ast.unparse(value)} has no translation", node)
        for other in arrays[1:]:
            self._write(f"if len({arrays[0]}) != len({other}):\n    raise ValueError", node)
        writer.scope.kinds.setdefault(index, frozenset({int}))
        known = index in writer.scope.are_set
        writer.scope.are_set.add(index)
        kinds = writer.expressions.number(one).kinds
        if not known:
            writer.scope.are_set.discard(index)
        return index, arrays[0], ast.unparse(one), kinds

    def _keep(self, name: str, kinds: Kinds) -> None:
        self._writer.scope.arrays[name] = self._writer.scope.arrays.get(name, frozenset()) | kinds
        self._writer.scope.made.add(name)

    def _code(self, name: str, code: str) -> None:
        self._writer.write(f"{self._writer.scope.spelled(name)} = {code};")

    def _write(self, text: str, node: ast.AST) -> None:
        for part in ast.parse(text).body:
            self._statement(part, node)

    def _statement(self, part: ast.stmt, node: ast.AST) -> None:
        for item in ast.walk(part):
            ast.copy_location(item, node)
        ast.fix_missing_locations(part)
        self._writer.statement(part)


class _AtIndex(ast.NodeTransformer):
    """An expression of whole arrays as one of their elements at an index."""

    def __init__(self, known: set[str], index: str, found: list[str]) -> None:
        self._known, self._index, self._found = known, index, found

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """An array's element, or what stands there."""
        if node.id not in self._known:
            return node
        self._found.append(node.id)
        return ast.Subscript(node, ast.Name(self._index, ast.Load()), ast.Load())

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        """One element of an array is a number already."""
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A length is a number already; numpy's words for Python's are Python's."""
        if isinstance(node.func, ast.Name) and node.func.id == "len":
            return node
        node.args = [self.visit(item) for item in node.args]
        name = _numpy_name(node.func)
        if name in ("abs", "absolute"):
            return ast.Call(ast.Name("abs", ast.Load()), node.args, [])
        if name == "where" and len(node.args) == 3:
            return ast.IfExp(*node.args)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """``xs.size`` and the like are numbers already."""
        return node


def _numpy_name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in MODULES:
        return function.attr if function.value.id != "math" else ""
    return ""


def _type_named(node: ast.expr, at: ast.AST) -> type:
    text = ast.unparse(node).removeprefix("np.").removeprefix("numpy.").strip("'\"")
    found = _TYPES.get(text) or getattr(np, text, None)
    if not (isinstance(found, type) and issubclass(found, np.generic)):
        raise TranslationError(f"the type {ast.unparse(node)} has no translation", at)
    zig_of(found)
    return found


def _zero(kinds: Kinds) -> str:
    return "0.0" if held_by(kinds).startswith("f") else "0"


def _only(kinds: Kinds) -> str:
    return held_by(kinds)
