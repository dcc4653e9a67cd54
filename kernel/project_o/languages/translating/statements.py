"""The statements of a Python function in Zig, found again and again until no variable's kinds change any more."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from .arrays import Arrays
from .counting import counted_of
from .expressions import Expressions, Scope
from .kinds import Kinds, TranslationError, Value, held_by
from .loops import LANES, Counted, assigned, is_innermost, steady, sums
from .prelude import DECLINED

INDENT = "    "
UNROLLED = "lane"


@dataclass
class Found:
    """What the statements return: the kinds of a number, or those of an array's elements."""

    kinds: Kinds = frozenset()
    elements: Kinds = frozenset()
    uses_lanes: bool = False
    memory: bool = False
    wholes: set[str] = field(default_factory=set)


class Statements:
    """One pass over a function's body. ``lines`` is the Zig that it wrote."""

    def __init__(self, scope: Scope, constants: dict[str, Any], returns: Kinds = frozenset()) -> None:
        self.scope = scope
        self.found = Found()
        self.lines: list[str] = []
        self.expressions = Expressions(scope, constants)
        self.arrays = Arrays(self)
        self._returns = returns
        self._depth = 1
        self._made = 0

    # ------------------------------------------------------------------ helpers

    def write(self, line: str) -> None:
        """One line of Zig at the present depth."""
        self.lines.append(INDENT * self._depth + line)

    def new_name(self, purpose: str) -> str:
        """A name that the text of the function cannot have."""
        self._made += 1
        return f"o_{purpose}{self._made}"

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """A block of Zig; what is set in it is not surely set after it."""
        before = set(self.scope.are_set)
        self.write(f"{head}{{")
        self._depth += 1
        yield
        self._depth -= 1
        self.write("}")
        self.scope.are_set &= before | (set() if head else self.scope.are_set)

    def body(self, body: Iterable[ast.stmt]) -> bool:
        """Statements in order; whether the last of them never goes on."""
        return any(self.statement(part) for part in body)  # what follows is never reached, and Zig refuses that

    def statement(self, node: ast.stmt) -> bool:
        """One statement; whether nothing after it is reached. Raises TranslationError with the line."""
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise TranslationError(f"`{ast.unparse(node).splitlines()[0]}` has no translation", node)
        try:
            return bool(method(node))
        except TranslationError as error:
            raise (error if error.line else TranslationError(str(error), node)) from None

    # ------------------------------------------------------------------ setting

    def set_number(self, name: str, value: Value, node: ast.AST) -> None:
        """A variable takes a number."""
        if name in self.scope.arrays:
            raise TranslationError(f"{name} is an array, and a number afterwards", node)
        known = self.scope.kinds.get(name, frozenset())
        self.scope.kinds[name] = kinds = known | value.kinds
        spelled = self.scope.spelled(name)
        self.write(f"{spelled} = {self.expressions.as_type(value, held_by(kinds))};")
        if _is_mixed(kinds):
            self.found.wholes.add(name)
            self.write(f"{self.whole(name)} = {'true' if _is_whole(value.kinds) else 'false'};")
        self.scope.are_set.add(name)

    def whole(self, name: str) -> str:
        """The variable that says whether one, which may be an int or a float in Python, is an int."""
        return f"o_whole_{self.scope.spelled(name).strip('@').strip(chr(34))}"

    def _assign(self, node: ast.Assign) -> None:
        if len(node.targets) != 1:
            raise TranslationError("one `=` a line has a translation", node)
        target = node.targets[0]
        if isinstance(target, ast.Tuple):
            self._pairs(target, node)
            return
        value = self.arrays.lifted(node.value)
        if isinstance(target, ast.Subscript):
            self._put(target, self.expressions.number(value), node)
        elif isinstance(target, ast.Name):
            if not self.arrays.made(target.id, value, node):
                self.set_number(target.id, self.expressions.number(value), node)
        else:
            raise TranslationError(f"`{ast.unparse(node)}` has no translation", node)

    def _pairs(self, target: ast.Tuple, node: ast.Assign) -> None:
        if not isinstance(node.value, ast.Tuple) or len(node.value.elts) != len(target.elts):
            raise TranslationError(f"`{ast.unparse(node)}` has no translation", node)
        held = []
        for item in node.value.elts:
            value = self.expressions.number(self.arrays.lifted(item))
            name = self.new_name("pair")
            self.write(f"const {name}: {held_by(value.kinds)} = {value.code};")
            held.append(replace(value, code=name))
        for item, value in zip(target.elts, held, strict=True):
            if not isinstance(item, ast.Name):
                raise TranslationError(f"`{ast.unparse(node)}` has no translation", node)
            self.set_number(item.id, value, node)

    def _annassign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            raise TranslationError("a variable without a value has no translation", node)
        self._assign(ast.copy_location(ast.Assign([node.target], node.value), node))

    def _augassign(self, node: ast.AugAssign) -> None:
        value = self.expressions.number(self.arrays.lifted(node.value))
        if isinstance(node.target, ast.Name):
            old = self.expressions.number(ast.Name(node.target.id, ast.Load(), lineno=node.lineno, col_offset=0))
            made = self.expressions.combined(type(node.op), old, value, node)
            self.set_number(node.target.id, made, node)
        elif isinstance(node.target, ast.Subscript):
            read = ast.copy_location(ast.Subscript(node.target.value, node.target.slice, ast.Load()), node)
            made = self.expressions.combined(type(node.op), self.expressions.number(read), value, node)
            self._put(node.target, made, node)
        else:
            raise TranslationError(f"`{ast.unparse(node)}` has no translation", node)

    def _put(self, target: ast.Subscript, value: Value, node: ast.AST) -> None:
        name = target.value.id if isinstance(target.value, ast.Name) else ""
        if name not in self.scope.arrays:
            raise TranslationError(f"{ast.unparse(target)} is no element of an array", node)
        if name not in self.scope.made:
            raise TranslationError(f"it writes into its argument {name}: write into an array of its own", node)
        self.write(f"{self.element(target)} = {self.stored(value, name)};")

    def stored(self, value: Value, name: str) -> str:
        """A number as an array of the function's own keeps it."""
        held = held_by(self.scope.arrays[name])
        if held == "f32" and held_by(value.kinds) == "f64":
            return f"@as(f32, @floatCast({value.code}))"
        return self.expressions.as_type(value, held)

    def element(self, target: ast.Subscript) -> str:
        """An element to be written."""
        return self.expressions._subscript(target).code

    # ------------------------------------------------------------------ order

    def _expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            raise TranslationError(f"`{ast.unparse(node)}` has no effect that could be translated", node)

    def _pass(self, node: ast.Pass) -> None:
        """Nothing."""

    def _if(self, node: ast.If) -> bool:
        test = self.expressions.truth(self.arrays.lifted(node.test))
        before = set(self.scope.are_set)
        with self.block(f"if ({test}) "):
            ends = self.body(node.body)
            first = set(self.scope.are_set)
        self.scope.are_set = set(before)
        other = False
        second = set(before)
        if node.orelse:
            self.lines[-1] += " else {"
            self._depth += 1
            other = self.body(node.orelse)
            second = set(self.scope.are_set)
            self._depth -= 1
            self.write("}")
        self.scope.are_set = (
            first | second if ends and other else second if ends else first if other else first & second
        )
        return ends and other

    def _while(self, node: ast.While) -> None:
        if node.orelse or self.arrays.lifts(node.test):
            raise TranslationError("such a `while` has no translation: compute before it, and leave out `else`", node)
        with self.block(f"while ({self.expressions.truth(node.test)}) "):
            self.body(node.body)

    def _break(self, node: ast.Break) -> bool:
        self.write("break;")
        return True

    def _continue(self, node: ast.Continue) -> bool:
        self.write("continue;")
        return True

    def _raise(self, node: ast.Raise) -> bool:
        raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        kind = getattr(builtins, raised.id, None) if isinstance(raised, ast.Name) else None
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise TranslationError("`raise` has a translation for Python's own exceptions, by name", node)
        self.write(f"return error.{kind.__name__};")
        return True

    def _return(self, node: ast.Return) -> bool:
        if node.value is None:
            raise TranslationError("nothing is returned: a number or an array has a translation", node)
        value = self.arrays.lifted(node.value)
        if (array := self.arrays.returned(value)) is not None:
            self.found.elements |= array.kinds
            self.write(f"return {array.code};")
            return True
        given = self.expressions.number(value)
        if _is_mixed(given.kinds):
            if not isinstance(value, ast.Name):
                raise TranslationError("what is returned may be an int or a float: begin sums with 0.0", node)
            self.write(f"if ({self.whole(value.id)}) return error.{DECLINED};")
            given = replace(given, kinds=frozenset(kind for kind in given.kinds if kind is not int))
            given = given if held_by(given.kinds) == "f64" else replace(given, kinds=frozenset({float}))
        self.found.kinds |= given.kinds
        wanted = self._returns | given.kinds
        if _is_mixed(wanted) and _is_whole(given.kinds):  # an int in a function of floats
            self.write(f"return error.{DECLINED};")
        else:
            self.write(f"return {self.expressions.as_type(given, _result(wanted))};")
        return True

    # ------------------------------------------------------------------ loops

    def _for(self, node: ast.For) -> None:
        if node.orelse:
            raise TranslationError("`else` of a loop has no translation", node)
        with self.block(""):
            before = set(self.scope.are_set)
            loop, first, last = counted_of(self, node)
            self._loop(loop, first, last)
            self.scope.are_set = before

    def _loop(self, loop: Counted, first: str, last: str) -> None:
        fast = is_innermost(loop.body) and loop.step == 1 and not self.arrays.makes(loop.body)
        ends = list(steady(loop, set(self.scope.arrays))) if fast else []
        if not ends:
            self._plain(loop, first, last)
            return
        checks = [self._within(array, terms, first, last) for array, _, terms in ends]
        sides = self._sums(loop)
        with self.block(f"if ({' and '.join(dict.fromkeys(checks))}) "):
            self.scope.bounded = {(array, ast.unparse(index)) for array, index, _ in ends}
            if sides:
                self.found.uses_lanes = True
                self._lanes(loop, last, sides)
            self._plain(loop, first, last)
            self.scope.bounded = set()
        self.lines[-1] += " else {"
        self._depth += 1
        self._plain(loop, first, last)
        self._depth -= 1
        self.write("}")

    def _sums(self, loop: Counted) -> tuple[str, ...]:
        found = sums(loop, self.scope.kinds)
        return found if all(name in self.scope.are_set for name in found) else ()

    def _within(self, array: str, terms: Sequence[tuple[int, ast.expr | None]], first: str, last: str) -> str:
        parts, counts = [], False
        for sign, item in terms:
            if item is None:
                counts = True
                continue
            value = self.expressions.number(item)
            code = self.expressions.as_type(value, "i64")
            parts.append(f"{'+' if sign > 0 else '-'} @as(i128, {code})")
        rest = " ".join(parts)
        low, high = (f"@as(i128, {first}) {rest}", f"@as(i128, {last}) - 1 {rest}") if counts else (f"0 {rest}",) * 2
        return f"o_within({low.strip()}, {high.strip()}, {self.scope.spelled(array)}.len)"

    def _plain(self, loop: Counted, first: str, last: str) -> None:
        """One after the other, from wherever the counter is."""
        sign = "<" if loop.step > 0 else ">"
        with self.block(f"while ({loop.counter} {sign} {last}) : ({loop.counter} +%= {loop.step}) "):
            self._set_counter(loop)
            self.body(loop.body)

    def _set_counter(self, loop: Counted, add: str = "") -> None:
        if loop.variable:
            code = f"{loop.counter} +% {add}" if add else loop.counter
            self.set_number(loop.variable, Value(code, frozenset({int})), loop.body[0])

    def _lanes(self, loop: Counted, last: str, names: Sequence[str]) -> None:
        """Several sums of each kind at once, added up at the end."""
        with self.block(f"if (comptime {LANES} > 1) "):
            lanes = {name: self.new_name("lanes") for name in names}
            for name, held in lanes.items():
                self.write(f"var {held}: [{LANES}]{held_by(self.scope.kinds[name])} = @splat(0);")
            with (
                self.block(f"while ({last} - {loop.counter} >= {LANES}) : ({loop.counter} +%= {LANES}) "),
                self.block(f"inline for (0..{LANES}) |{UNROLLED}| "),
            ):
                self._set_counter(loop, UNROLLED)
                for part in loop.body:
                    if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name):
                        value = self.expressions.number(part.value)
                        held = held_by(self.scope.kinds[part.target.id])
                        code = self.expressions.as_type(value, held)
                        self.write(f"{lanes[part.target.id]}[{UNROLLED}] += {code};")
                    else:
                        self.statement(part)
            for name, held in lanes.items():
                self.write(f"for ({held}) |part| {self.scope.spelled(name)} += part;")


def _is_whole(kinds: Kinds) -> bool:
    return not any(held_by(frozenset({kind})).startswith("f") for kind in kinds)


def _is_mixed(kinds: Kinds) -> bool:
    held = {held_by(frozenset({kind})).startswith("f") for kind in kinds}
    return len(held) > 1


def _result(kinds: Kinds) -> str:
    return held_by(frozenset(kind for kind in kinds if not _is_whole(frozenset({kind}))) if _is_mixed(kinds) else kinds)


__all__ = ["Found", "Statements", "assigned"]
