"""A Python function or class from its text: the same way in the sandbox, where it is tried, and here, where it serves.

All top-level statements of a text become the body of a function that makes the object, so that constants, imports
and helpers beside it belong to it alone (they are cells of its closure), while every other name is a global of the
given namespace: the notebook's own for a version that serves, what was sent for one that is tried.
"""

from __future__ import annotations
import __future__

import ast
import dis
import inspect
import types
from collections.abc import Iterator
from typing import Any

MAKER = "_o_make"
_FLAGS = __future__.annotations.compiler_flag
"""Annotations are never evaluated: they may name anything, and say nothing to the sandbox."""
_GLOBAL_OPERATIONS = ("LOAD_GLOBAL", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS")


def compiled(text: str, name: str, first_line: int = 1, file: str = "<cell>") -> types.CodeType:
    """The code that makes ``name``. Raises SyntaxError, with the line counted from ``first_line``, or ValueError."""
    try:
        tree = ast.parse(text, file)
    except SyntaxError as error:
        if error.lineno:
            error.lineno += first_line - 1
        raise
    body = [node for node in tree.body if not (isinstance(node, ast.ImportFrom) and node.module == "__future__")]
    maker = ast.parse(f"def {MAKER}():\n    return {name}").body[0]
    assert isinstance(maker, ast.FunctionDef), "the text above defines a function"
    ast.increment_lineno(tree, first_line - 1)
    maker.body[:0] = body
    module = ast.Module(body=[maker], type_ignores=[])
    code: types.CodeType = compile(module, file, "exec", flags=_FLAGS, dont_inherit=True)
    return code


def construct(code: types.CodeType, name: str, namespace: dict[str, Any]) -> Any:
    """Run what ``compiled`` gave. Raises whatever the text raises while it is defined."""
    made: dict[str, Any] = {}
    exec(code, namespace, made)
    found = made[MAKER]()
    found.__qualname__ = name
    return found


def by_place(function: Any) -> Any:
    """The function with the parameters that it takes by name alone as its last ones in order.

    Behind ``*args`` they have no place, and keep their default values.
    """
    code = getattr(function, "__code__", None)
    if code is None or not code.co_kwonlyargcount or code.co_flags & inspect.CO_VARARGS:
        return function
    placed = code.co_argcount
    names = code.co_varnames[placed : placed + code.co_kwonlyargcount]

    def called(*args: Any) -> Any:
        given = args[placed:]
        if len(given) > len(names):
            return function(*args)  # its own error says how many it takes
        return function(*args[:placed], **dict(zip(names, given, strict=False)))

    return called


def global_names(code: types.CodeType) -> list[str]:
    """The names that the code takes from its namespace, nested functions and comprehensions included, in order."""
    return sorted(set(_global_names(code)) - {MAKER})


def assigned_globals(code: types.CodeType) -> set[str]:
    """The names that the code declares ``global`` and assigns or deletes."""
    inside = (part for part in code.co_consts if isinstance(part, types.CodeType))
    own = {str(step.argval) for step in dis.get_instructions(code) if step.opname in ("STORE_GLOBAL", "DELETE_GLOBAL")}
    return own.union(*(assigned_globals(part) for part in inside))


def _global_names(code: types.CodeType) -> Iterator[str]:
    own = {"__annotations__"}
    for step in dis.get_instructions(code):
        if step.opname == "STORE_NAME":  # in the body of a class: what comes after it means this one
            own.add(str(step.argval))
        elif step.opname in _GLOBAL_OPERATIONS and not (step.opname == "LOAD_NAME" and step.argval in own):
            yield str(step.argval)
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _global_names(part)
