"""A Python text with its tree: places in bytes, blocks of statements, and who uses which names."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..scan import split_lines
from .edits import Edit

Spans = tuple[tuple[int, int], ...]
"""(first line, last line), counted from 1."""


@dataclass(frozen=True)
class Text:
    """``source`` and what was read of it. Only functions with a line in ``within`` are looked at, if that says any."""

    source: str
    tree: ast.Module
    within: Spans = ()

    @classmethod
    def read(cls, source: str, within: Spans = ()) -> Text | None:
        """None for what cannot be parsed."""
        try:
            return cls(source, ast.parse(source), within)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    @cached_property
    def _lines(self) -> list[str]:
        return list(split_lines(self.source))

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self._lines:
            starts.append(starts[-1] + len(line.encode("utf-8", "surrogatepass")))
        return starts

    @cached_property
    def functions(self) -> tuple[ast.FunctionDef, ...]:
        """The functions at the text's top that may be changed."""
        found = (node for node in self.tree.body if isinstance(node, ast.FunctionDef))
        return tuple(node for node in found if not self.within or any(_meets(node, *span) for span in self.within))

    def blocks(self) -> Iterator[tuple[ast.FunctionDef, list[ast.stmt]]]:
        """Every block of statements inside of a function, with the function. Each operator asks for them."""
        return iter(self._blocks)

    @cached_property
    def _blocks(self) -> tuple[tuple[ast.FunctionDef, list[ast.stmt]], ...]:
        return tuple(self._find_blocks())

    def _find_blocks(self) -> Iterator[tuple[ast.FunctionDef, list[ast.stmt]]]:
        for function in self.functions:
            for node in ast.walk(function):
                for name in ("body", "orelse", "finalbody"):
                    block = getattr(node, name, None)
                    if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                        yield function, block

    def expressions(self) -> Iterator[tuple[ast.FunctionDef, ast.expr]]:
        """Every expression inside of a function's body, with the function."""
        return iter(self._expressions)

    @cached_property
    def _expressions(self) -> tuple[tuple[ast.FunctionDef, ast.expr], ...]:
        return tuple(self._find_expressions())

    def _find_expressions(self) -> Iterator[tuple[ast.FunctionDef, ast.expr]]:
        for function in self.functions:
            for statement in function.body:
                for node in ast.walk(statement):
                    if isinstance(node, ast.expr):
                        yield function, node

    # ------------------------------------------------------------------ edits

    def swapped(self, operator: str, old: ast.expr, new: ast.expr | str, why: str, *, keeps: bool = True) -> Edit:
        """Another expression in the place of one. It stands in brackets where it needs them."""
        text = new if isinstance(new, str) else ast.unparse(ast.fix_missing_locations(new))
        if not isinstance(new, str) and not isinstance(new, (ast.Name, ast.Constant, ast.Call, ast.Subscript)):
            text = f"({text})"
        start, end = self.span(old, old)
        return Edit(operator, old.lineno, start, end, text, why, keeps)

    def rewritten(
        self,
        operator: str,
        old: Sequence[ast.stmt],
        new: Sequence[ast.stmt] | str,
        why: str,
        *,
        keeps: bool = True,
    ) -> Edit:
        """Other statements in the place of neighbours, as deep in the text as the first of them."""
        text = new if isinstance(new, str) else "\n".join(ast.unparse(ast.fix_missing_locations(node)) for node in new)
        indent = self._lines[old[0].lineno - 1].encode("utf-8", "surrogatepass")[: old[0].col_offset].decode()
        text = textwrap.indent(text, indent).removeprefix(indent)
        start, end = self.span(old[0], old[-1])
        return Edit(operator, old[0].lineno, start, end, text, why, keeps)

    def source_of(self, statement: ast.stmt) -> str:
        """A statement as it stands in the text, its later lines without the indentation of the first."""
        start, end = self.span(statement, statement)
        body = self.source.encode("utf-8", "surrogatepass")[start:end].decode("utf-8", "surrogatepass")
        line = self._lines[statement.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        return body.replace(f"\n{indent}", "\n")

    def span(self, first: ast.stmt | ast.expr, last: ast.stmt | ast.expr) -> tuple[int, int]:
        """The bytes from the begin of one to the end of another."""
        assert last.end_lineno is not None, "what was parsed has places"
        assert last.end_col_offset is not None, "as above"
        start = self._starts[first.lineno - 1] + first.col_offset
        return start, self._starts[last.end_lineno - 1] + last.end_col_offset

    def alone_on_its_lines(self, statement: ast.stmt) -> bool:
        """Whether nothing but layout stands before it: no ``if x: y`` and no ``a; b``."""
        before = self._lines[statement.lineno - 1].encode("utf-8", "surrogatepass")[: statement.col_offset]
        return not before.strip()


def names_read(node: ast.AST) -> set[str]:
    """The names that are looked up in it."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}


def names_set(node: ast.AST) -> set[str]:
    """The names that are bound in it."""
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)}


def same(left: ast.AST, right: ast.AST) -> bool:
    """Whether two pieces say the same, wherever they stand."""
    return ast.dump(left) == ast.dump(right)


def is_name(node: ast.AST | None, name: str | None = None) -> bool:
    """Whether it is a plain name, or this one."""
    return isinstance(node, ast.Name) and (name is None or node.id == name)


def called(node: ast.AST | None, name: str, arguments: int | None = None) -> bool:
    """Whether it is a call of this plain name, with so many arguments and no keywords."""
    return (
        isinstance(node, ast.Call)
        and is_name(node.func, name)
        and not node.keywords
        and not any(isinstance(one, ast.Starred) for one in node.args)
        and (arguments is None or len(node.args) == arguments)
    )


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """A call of a plain name."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def load(name: str) -> ast.Name:
    """A plain name that is looked up."""
    return ast.Name(name, ast.Load())


class Renamed(ast.NodeTransformer):
    """A copy of a piece in which some subscripts by one name became other expressions."""

    def __init__(self, index: str, elements: dict[str, ast.expr]) -> None:
        self._index, self._elements = index, elements

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """``a[i]``."""
        if isinstance(node.value, ast.Name) and is_name(node.slice, self._index) and node.value.id in self._elements:
            return self._elements[node.value.id]
        return self.generic_visit(node)


def indexed(node: ast.AST, index: str) -> set[str]:
    """The names that are subscripted by just this name, and only read."""
    return {
        one.value.id
        for one in ast.walk(node)
        if isinstance(one, ast.Subscript)
        and isinstance(one.value, ast.Name)
        and is_name(one.slice, index)
        and isinstance(one.ctx, ast.Load)
    }


def _meets(function: ast.FunctionDef, first: int, last: int) -> bool:
    return function.lineno <= last and first <= (function.end_lineno or function.lineno)
