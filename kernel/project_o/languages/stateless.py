"""Whether a Python text can remember anything from one call to the next: read in its tree, and no where in doubt.

What calls that are repeated on one input save is a gain only if the work is done each time. A measurement shows that
on inputs that were never seen, where there are enough of them; of whole numbers below a hundred there are not. A text
that has nowhere to keep an answer does the work each time, whatever it is asked: its functions change nothing but names
of their own, and reach nothing that outlives a call. That holds where the arguments are numbers, or lists of numbers
into which the text writes nothing, and only there: what can be changed, or keeps its own hash, may remember.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

_BUILTINS_TEXT = """
abs all any ascii bin bool bytearray bytes chr complex dict divmod enumerate filter float frozenset hex int isinstance
iter len list map max min next oct ord pow range repr reversed round set slice sorted str sum tuple zip
True False None ArithmeticError AssertionError Exception IndexError KeyError OverflowError RuntimeError TypeError
ValueError ZeroDivisionError
"""
_BUILTINS = frozenset(_BUILTINS_TEXT.split())
_MODULES = frozenset({"bisect", "cmath", "heapq", "itertools", "math"})
"""They hold no container that a caller could write to."""
_HEAPS = frozenset({"bisect", "heapq"})  # they write into the list that they are given
_KINDS = (int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
_METHODS = frozenset(name for kind in _KINDS for name in dir(kind) if not name.startswith("_"))
_NODES = (
    *(ast.Module, ast.FunctionDef, ast.Lambda, ast.arguments, ast.arg, ast.Return, ast.Assign, ast.AugAssign),
    *(ast.AnnAssign, ast.NamedExpr, ast.Delete, ast.For, ast.While, ast.If, ast.IfExp, ast.Break, ast.Continue),
    *(ast.Pass, ast.Expr, ast.Raise, ast.Assert, ast.Try, ast.ExceptHandler, ast.Import, ast.ImportFrom, ast.alias),
    *(ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword, ast.Constant, ast.Name, ast.Attribute),
    *(ast.Subscript, ast.Slice, ast.Starred, ast.List, ast.Tuple, ast.Dict, ast.Set, ast.JoinedStr, ast.FormattedValue),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension),
    *(ast.expr_context, ast.boolop, ast.operator, ast.unaryop, ast.cmpop),
)
_WRITING_TEXT = "append clear extend insert pop popitem remove reverse setdefault sort update add discard"
_WRITING = frozenset(_WRITING_TEXT.split())
_NUMBERS = (int, float, complex, bool, type(None))


def forgets(source: str, samples: Iterable[Iterable[Any]]) -> bool:
    """Whether no function of the text can tell a call with arguments such as these from another by what it kept."""
    given = list(samples)
    if all(map(_are_numbers, given)):
        return _keeps_nothing(source)
    return all(map(_are_listed, given)) and _keeps_nothing(source) and _writes_nothing(source)


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(_are_numbers(value) if type(value) is tuple else type(value) in _NUMBERS for value in values)


def _are_listed(values: Iterable[Any]) -> bool:
    return all(_are_listed(value) if type(value) in (list, tuple) else type(value) in _NUMBERS for value in values)


def _writes_nothing(source: str) -> bool:
    """No item is set or taken away, of whatever. (What ``+=`` does to a list that was given is seen in the list.)"""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            return False
        if isinstance(node, ast.Attribute) and node.attr in _WRITING:
            return False
        if isinstance(node, (ast.Import, ast.ImportFrom)) and _HEAPS.intersection(_named(node)):
            return False
    return True


def _named(node: ast.Import | ast.ImportFrom) -> set[str]:
    return {node.module or ""} if isinstance(node, ast.ImportFrom) else {alias.name for alias in node.names}


def _keeps_nothing(source: str) -> bool:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    nodes = list(ast.walk(tree))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    taken = {alias.asname or alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    return (
        all(isinstance(node, _NODES) for node in nodes)
        and all(isinstance(node, (ast.FunctionDef, ast.Import, ast.ImportFrom)) or _is_text(node) for node in tree.body)
        and all(map(_is_harmless, nodes))
        and all(_reaches_own(node, functions | taken) for node in tree.body if isinstance(node, ast.FunctionDef))
        and not functions & (_BUILTINS | _MODULES | taken)
    )


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_harmless(node: ast.AST) -> bool:
    match node:
        case ast.FunctionDef() | ast.Lambda():
            given = [*node.args.defaults, *(item for item in node.args.kw_defaults if item is not None)]
            decorated = isinstance(node, ast.FunctionDef) and bool(node.decorator_list or node.returns)
            return not decorated and all(isinstance(item, ast.Constant) for item in given)
        case ast.arg():
            return node.annotation is None
        case ast.AnnAssign():
            return False  # an annotation is an expression, too
        case ast.Import():
            return all(alias.name in _MODULES and not alias.asname for alias in node.names)
        case ast.ImportFrom():
            return node.module in _MODULES and not any(alias.name == "*" for alias in node.names)
        case ast.alias():
            return not node.name.startswith("_")
        case ast.Attribute():
            return isinstance(node.ctx, ast.Load) and not node.attr.startswith("_")
    return True


def _reaches_own(function: ast.FunctionDef, known: set[str]) -> bool:
    """Whether every name is the function's own, another function's of the text, or the library's; no attribute is asked
    for but methods of numbers, texts and containers, and what those modules hold."""
    nodes = list(ast.walk(function))
    own = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    own |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
    own |= {node.name for node in nodes if isinstance(node, ast.FunctionDef) and node is not function}
    if own & _MODULES:
        return False
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    attributes = [node for node in nodes if isinstance(node, ast.Attribute)]
    asked = {node.attr for node in attributes if not _of_module(node)}
    return names <= own | known | _BUILTINS | _MODULES and asked <= _METHODS


def _of_module(node: ast.Attribute) -> bool:
    return isinstance(node.value, ast.Name) and node.value.id in _MODULES
