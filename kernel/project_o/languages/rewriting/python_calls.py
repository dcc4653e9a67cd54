"""Python: library calls in the place of loops and of other calls, from a table of equivalences.

Whether an equivalence holds for the values of a program is tried, never believed.
"""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, NamedTuple

from .edits import Edit
from .equivalences import EQUIVALENCES, Equivalence
from .python_tree import Text, names_read

OPERATOR = "library call"
_IMPORTED = ("numpy", "collections", "functools", "heapq", "itertools", "math")
"""What every process that a candidate runs in has; of others only those that a text uses already."""
_USUAL = {"np": "numpy", "numpy": "numpy", "sp": "scipy", "scipy": "scipy"}
Bound = dict[str, ast.expr]


def library_calls(text: Text) -> Iterator[Edit]:
    """Each place where the old side of an equivalence stands, with the new one."""
    names = _Names(text)
    places, seen = list(text.expressions()), list(_seen_through(text))
    for rule, old, new in _rules():
        if len(old) == 1 and isinstance(old[0], ast.Expr):
            yield from _expressions(text, names, places, rule, old[0].value, new)
            yield from _named_values(text, names, seen, rule, old[0].value, new)
        else:
            yield from _statements(text, names, rule, old, new)


@cache
def _rules() -> tuple[tuple[Equivalence, list[ast.stmt], list[ast.stmt]], ...]:
    return tuple((rule, ast.parse(rule.old).body, ast.parse(rule.new).body) for rule in EQUIVALENCES)


# ------------------------------------------------------------------ places


def _expressions(
    text: Text, names: _Names, places: list[tuple[ast.FunctionDef, ast.expr]], rule: Equivalence,
    old: ast.expr, new: list[ast.stmt],
) -> Iterator[Edit]:  # fmt: skip
    for function, node in places:
        bound: Bound = {}
        if type(node) is not type(old) or not _matches(old, node, bound, names):
            continue
        made, needed = _filled(new, bound, [node], names)
        if made is not None and isinstance(made[0], ast.Expr):
            edit = text.swapped(OPERATOR, node, made[0].value, rule.name)
            yield from _with_imports(text, function, edit, needed)


class _Seen(NamedTuple):
    """Two statements, and the second one as if the value that the first one names stood there: ``within`` are the
    expressions that hold it.
    """

    function: ast.FunctionDef
    first: ast.Assign
    second: ast.stmt
    whole: ast.stmt
    within: list[ast.expr]


def _seen_through(text: Text) -> Iterator[_Seen]:
    """Every value that is named in one statement, and used once in the next and nowhere else."""
    for function, block in text.blocks():
        for first, second in itertools.pairwise(block):
            if not (
                isinstance(first, ast.Assign) and len(first.targets) == 1 and isinstance(first.targets[0], ast.Name)
            ):
                continue
            name = first.targets[0].id
            if isinstance(second, (ast.For, ast.While, ast.If, ast.With, ast.Try)) or name not in names_read(second):
                continue
            uses = [one for one in ast.walk(function) if isinstance(one, ast.Name) and one.id == name]
            if len(uses) != 2 or not text.alone_on_its_lines(first):
                continue
            whole = _Put({name: first.value}).visit(copy.deepcopy(second))
            within = [
                node
                for node in ast.walk(whole)
                if isinstance(node, ast.expr) and any(one is first.value for one in ast.walk(node))
            ]
            yield _Seen(function, first, second, whole, within)


def _named_values(
    text: Text, names: _Names, seen: list[_Seen], rule: Equivalence, old: ast.expr, new: list[ast.stmt]
) -> Iterator[Edit]:
    for function, first, second, whole, within in seen:
        for node in within:
            bound: Bound = {}
            if node is first.value or type(node) is not type(old) or not _matches(old, node, bound, names):
                continue
            made, needed = _filled(new, bound, [node], names)
            if made is not None and isinstance(made[0], ast.Expr):
                there: ast.stmt = _Instead(node, made[0].value).visit(copy.deepcopy(whole, {id(node): node}))
                edit = text.rewritten(OPERATOR, [first, second], [there], rule.name)
                yield from _with_imports(text, function, edit, needed)


def _statements(
    text: Text, names: _Names, rule: Equivalence, old: list[ast.stmt], new: list[ast.stmt]
) -> Iterator[Edit]:
    for function, block in text.blocks():
        for k in range(len(block) - len(old) + 1):
            there = block[k : k + len(old)]
            bound: Bound = {}
            if not text.alone_on_its_lines(there[0]):
                continue
            if not all(_matches(one, other, bound, names) for one, other in zip(old, there, strict=True)):
                continue
            made, needed = _filled(new, bound, there, names)
            if made is not None:
                edit = text.rewritten(OPERATOR, there, made, rule.name)
                yield from _with_imports(text, function, edit, needed)


def _with_imports(text: Text, function: ast.FunctionDef, edit: Edit, needed: Sequence[str]) -> Iterator[Edit]:
    """The edit; what it needs is imported where the function begins."""
    if not needed:
        yield edit
        return
    first = function.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(function.body) > 1:
        first = function.body[1]
    start, _ = text.span(first, first)
    if not text.alone_on_its_lines(first) or start > edit.start:
        return
    body = text.source.encode("utf-8", "surrogatepass")
    space = " " * first.col_offset
    lines = "".join(f"import {module}\n{space}" for module in needed)
    new = lines + body[start : edit.start].decode("utf-8", "surrogatepass") + edit.new
    yield Edit(edit.operator, edit.line, start, edit.end, new, edit.why, edit.keeps)


# ------------------------------------------------------------------ matching


class _Names:
    """What a text calls the modules, and their parts."""

    def __init__(self, text: Text) -> None:
        self._paths: dict[str, str] = {}
        nodes = tuple(ast.walk(text.tree))
        bound = {node.id for node in nodes if isinstance(node, ast.Name) and _is_bound(node)}
        for node in nodes:
            if isinstance(node, ast.Import):
                for one in node.names:
                    self._paths[one.asname or one.name.split(".")[0]] = (
                        one.name if one.asname else one.name.split(".")[0]
                    )
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for one in node.names:
                    self._paths[one.asname or one.name] = f"{node.module}.{one.name}"
        for name, module in {**_USUAL, **{module: module for module in _IMPORTED}}.items():
            if name not in bound and any(_is_part_of(node, name) for node in nodes):
                self._paths.setdefault(name, module)  # a global, which is bound outside of the text
        self._known = {path for node in nodes if (path := self.path(node))}

    def path(self, node: ast.AST) -> str:
        """``np.linalg.inv`` -> ``numpy.linalg.inv``; "" for what is no part of a module."""
        if isinstance(node, ast.Attribute):
            above = self.path(node.value)
            return f"{above}.{node.attr}" if above else ""
        return self._paths.get(node.id, "") if isinstance(node, ast.Name) else ""

    def spelled(self, path: str) -> tuple[str, str]:
        """How the text writes a part of a module, and what must be imported for it; ("", "") if it cannot be had."""
        name, module = next(
            ((name, module) for name, module in self._paths.items() if path == module or path.startswith(f"{module}.")),
            ("", ""),
        )
        parent = path.rpartition(".")[0]
        if name and (module.split(".")[0] in _IMPORTED or any(known.startswith(parent) for known in self._known)):
            return name + path[len(module) :], ""
        top = path.split(".")[0]
        return (path, top) if top in _IMPORTED else ("", "")


def _is_bound(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _is_part_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


def _matches(old: ast.AST, node: ast.AST, bound: Bound, names: _Names) -> bool:
    """Whether a piece is like the pattern; what its names stand for goes to ``bound``."""
    if isinstance(old, ast.Name) and old.id.endswith("_"):
        if not isinstance(node, ast.expr) or (_is_bound(old) and not isinstance(node, ast.Name)):
            return False
        known = bound.setdefault(old.id, node)
        return known is node or ast.unparse(known) == ast.unparse(node)
    if isinstance(old, ast.arg) and isinstance(node, ast.arg):
        return _matches(ast.Name(old.arg, ast.Store()), ast.Name(node.arg, ast.Store()), bound, names)
    if isinstance(old, ast.Attribute) and (path := _written(old)):
        return names.path(node) == path
    if type(old) is not type(node):
        return False
    return all(
        _alike(getattr(old, name, None), getattr(node, name, None), bound, names)
        for name in old._fields
        if name not in ("ctx", "type_comment", "kind")
    )


def _alike(old: object, node: object, bound: Bound, names: _Names) -> bool:
    if isinstance(old, ast.AST):
        return isinstance(node, ast.AST) and _matches(old, node, bound, names)
    if isinstance(old, list):
        return (
            isinstance(node, list)
            and len(old) == len(node)
            and all(_alike(one, other, bound, names) for one, other in zip(old, node, strict=True))
        )
    return type(old) is type(node) and old == node


def _written(node: ast.AST) -> str:
    """``numpy.linalg.inv`` of the table; "" for a part of what a name stands for."""
    if isinstance(node, ast.Attribute):
        above = _written(node.value)
        return f"{above}.{node.attr}" if above else ""
    return node.id if isinstance(node, ast.Name) and node.id in (*_IMPORTED, "scipy") else ""


# ------------------------------------------------------------------ the new side


def _filled(
    new: list[ast.stmt], bound: Bound, old: Sequence[ast.AST], names: _Names
) -> tuple[list[ast.stmt] | None, list[str]]:
    """The new side with what the names stand for, and the modules to import; None where it cannot be had here."""
    put = _Put({**bound, **({"old_": old[0]} if isinstance(old[0], ast.expr) else {})}, names)
    made: list[ast.stmt] = []
    for statement in copy.deepcopy(new):
        made.append(_Behind(old).visit(put.visit(statement)))
    return (None if put.missing else made), sorted(put.needed)


class _Put(ast.NodeTransformer):
    """Names become what they stand for; parts of modules become what the text calls them."""

    def __init__(self, bound: dict[str, ast.expr], names: _Names | None = None) -> None:
        self._bound, self._names = bound, names
        self.needed: set[str] = set()
        self.missing = False

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A name of the table."""
        found = self._bound.get(node.id)
        if found is None:
            return node
        return ast.Name(found.id, node.ctx) if isinstance(found, ast.Name) else found

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """A part of a module."""
        path = _written(node) if self._names is not None else ""
        if not path:
            return self.generic_visit(node)
        assert self._names is not None, "there is a path only with names"
        spelled, module = self._names.spelled(path)
        self.missing = self.missing or not spelled
        self.needed |= {module} - {""}
        return ast.parse(spelled or "missing", mode="eval").body


class _Behind(ast.NodeTransformer):
    """The statement ``old_`` becomes the statements that were there."""

    def __init__(self, old: Sequence[ast.AST]) -> None:
        self._old = old

    def visit_Expr(self, node: ast.Expr) -> object:
        """A statement that is an expression."""
        if isinstance(node.value, ast.Name) and node.value.id == "old_":
            return list(self._old)
        return node


class _Instead(ast.NodeTransformer):
    """One node becomes another."""

    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self._old, self._new = old, new

    def visit(self, node: ast.AST) -> Any:
        """The node itself, wherever it stands."""
        return self._new if node is self._old else super().generic_visit(node)


OPERATORS = (library_calls,)
