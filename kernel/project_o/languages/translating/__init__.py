"""A function of Python's, of numbers and numpy arrays, as a Zig function that answers as it does.

What is translated is a subset of Python's syntax tree: numbers, one-dimensional arrays, loops, conditions, arithmetic,
``math``, and what numpy says of whole arrays. What is not is said with its line (``TranslationError``). The types are
those of the arguments that it is shown: see ``Argument``.

The meaning is Python's. What raises there returns an error of the same name here; where 64 bits or floats do not go as
far as Python does, ``error.PythonAnswers`` says that the Python function has to answer that call itself. Arguments are
never written, so that it can.

    kinds        what a value may be in Python, and what holds it in Zig
    expressions  numbers;  functions  those of math and numpy
    statements   the function's body;  counting  what a ``for`` runs over
    loops        forms of a loop that need fewer checks, or keep several sums at once
    arrays       whole arrays as the loops that they stand for
    prelude      the Zig functions that a translation uses
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import a_kind
from ..translated import NUMPY_NUMBER
from .expressions import Scope, element_kind
from .kinds import Kinds, TranslationError, held_by, zig_of
from .loops import LANES, LANES_DOMAIN, assigned
from .prelude import DECLINED, used_by
from .statements import INDENT, Found, Statements

PASSES_MAX = 8
DIMENSIONS = 1
_ZIG_WORDS = re.compile(
    "addrspace|align|allowzero|and|anyframe|anytype|asm|break|callconv|catch|comptime|const|continue|defer|else|enum|"
    "errdefer|error|export|extern|fn|for|if|inline|linksection|noalias|noinline|nosuspend|opaque|or|orelse|packed|pub|"
    "resume|return|struct|suspend|switch|test|threadlocal|try|type|union|unreachable|usingnamespace|var|volatile|while|"
    "bool|void|noreturn|anyerror|anyopaque|true|false|null|undefined|isize|usize"
)
_SIZED = re.compile(r"^[iuf]\d+$")


@dataclass(frozen=True)
class Argument:
    """The type of a parameter: that of a number, or with ``array`` that of the elements of an array."""

    kind: type
    array: bool = False


@dataclass(frozen=True)
class Translation:
    """A Zig source whose only public function has the Python function's name; ``result`` is what that one returns.

    ``arguments`` are the types that it takes, in order; whatever else is passed is not for it.
    """

    source: str
    arguments: tuple[Argument, ...]
    result: Argument


def argument_of(value: Any, name: str) -> Argument:
    """The type of a value. Raises TranslationError."""
    if isinstance(value, np.ndarray):
        if value.ndim != DIMENSIONS:
            raise TranslationError(f"{name} has {value.ndim} dimensions, and arrays of one have a translation")
        found = Argument(element_kind(value.dtype), array=True)
    elif type(value) in (bool, int, float):
        found = Argument(type(value))
    elif isinstance(value, np.generic):
        own = type(value.item()).__name__
        raise TranslationError(f"{name} is numpy's {type(value).__name__}: pass {own}({name})")
    else:
        told = "pass a numpy array" if isinstance(value, (list, tuple)) else "numbers and numpy arrays have"
        raise TranslationError(f"{name} is {a_kind(value)}, which has no translation: {told}")
    zig_of(found.kind)
    return found


def translate(source: str, name: str, arguments: Mapping[str, Argument]) -> Translation:
    """The function ``name`` of a Python source, for arguments of these types. Raises TranslationError with the line."""
    tree = ast.parse(source)
    node = next((item for item in tree.body if isinstance(item, ast.FunctionDef) and item.name == name), None)
    if node is None:
        raise TranslationError(f"there is no plain function {name} in this text")
    _check_head(node, arguments)
    constants = _constants(tree)
    copied = assigned(node.body) & set(arguments)
    if lost := [item for item in sorted(copied) if arguments[item].array]:
        raise TranslationError(f"{lost[0]} is set to something else: give that its own name", node)
    scope = Scope(spelled=lambda item: _spelled(f"{item}_now" if item in copied else item, name))
    returns: Kinds = frozenset()
    for _ in range(PASSES_MAX):
        before = dict(scope.kinds), dict(scope.arrays), returns
        writer = _once(node, scope, constants, arguments, returns)
        returns = writer.found.kinds
        if before == (scope.kinds, scope.arrays, returns):
            break
    else:
        raise TranslationError("the types of its variables do not settle: give each variable one type", node)
    return _assembled(name, arguments, copied, writer)


def _check_head(node: ast.FunctionDef, arguments: Mapping[str, Argument]) -> None:
    given = node.args
    if given.vararg or given.kwarg or given.kwonlyargs or node.decorator_list:
        raise TranslationError("a function with *, ** or decorators has no translation", node)
    names = [item.arg for item in (*given.posonlyargs, *given.args)]
    if names != list(arguments):
        raise TranslationError(f"{node.name}({', '.join(names)}) was shown {len(arguments)} arguments", node)


def _constants(tree: ast.Module) -> dict[str, Any]:
    """The names that stand for a number in the text around the function."""
    found: dict[str, Any] = {}
    for part in tree.body:
        if isinstance(part, ast.Assign) and len(part.targets) == 1 and isinstance(part.targets[0], ast.Name):
            try:
                value = ast.literal_eval(part.value)
            except ValueError:
                continue
            if type(value) in (bool, int, float):
                found[part.targets[0].id] = value
    return found


def _once(
    node: ast.FunctionDef, scope: Scope, constants: dict[str, Any], arguments: Mapping[str, Argument], returns: Kinds
) -> Statements:
    scope.made, scope.are_set, scope.bounded = set(), set(), set()
    for name, item in arguments.items():
        kinds = frozenset({item.kind})
        if item.array:
            scope.arrays[name] = kinds
        else:
            scope.kinds[name] = scope.kinds.get(name, frozenset()) | kinds
            scope.are_set.add(name)
    writer = Statements(scope, constants, returns)
    if not writer.body(node.body):
        raise TranslationError("it may end without `return`: then Python returns None", node.body[-1])
    return writer


def _assembled(name: str, arguments: Mapping[str, Argument], copied: set[str], writer: Statements) -> Translation:
    scope, found = writer.scope, writer.found
    result, held = _result(found)
    parameters = [f"{_spelled(item, name)}: {_parameter(kind)}" for item, kind in arguments.items()]
    if found.memory:
        parameters.insert(0, "o_gpa: std.mem.Allocator")
    body = [*_variables(name, arguments, copied, writer), *writer.lines]
    text = "\n".join(body)
    unused = [item for item in arguments if not re.search(rf"(?<!\w){re.escape(_spelled(item, name))}(?!\w)", text)]
    body[:0] = [f"{INDENT}_ = {_spelled(item, name)};" for item in unused]
    code = "\n".join(body)
    errors = sorted({DECLINED, *re.findall(r"\berror\.(\w+)", used_by(code)), *re.findall(r"\berror\.(\w+)", code)})
    errors += sorted(
        {item for group in re.findall(r"error\{([^}]*)\}", used_by(code)) for item in group.split(", ")} - set(errors)
    )
    head = f"pub fn {_spelled(name, '')}({', '.join(parameters)}) error{{{', '.join(errors)}}}!{held} {{"
    parts = ['const std = @import("std");']
    if found.uses_lanes:
        domain = " ".join(map(str, LANES_DOMAIN))
        parts.append(
            "/// How many sums are kept at once: another order of the same additions.\n"
            f"const {LANES} = 1; // o: {domain}"
        )
    parts.append(used_by(code))
    numpy = isinstance(result.kind, type) and issubclass(result.kind, np.generic) and not result.array
    told = f"\n/// {NUMPY_NUMBER}{result.kind.__name__}." if numpy else ""
    parts.append(f"/// Translated from the Python function {name}.{told}\n{head}\n{code}\n}}")
    text = "\n\n".join(part for part in parts if part) + "\n"
    del scope
    return Translation(text, tuple(arguments.values()), result)


def _result(found: Found) -> tuple[Argument, str]:
    if found.elements and found.kinds:
        raise TranslationError("it returns a number and an array: one of them has a translation")
    if found.elements:
        return Argument(next(iter(found.elements)), array=True), f"[]{held_by(found.elements)}"
    floats = frozenset(kind for kind in found.kinds if zig_of(kind).startswith("f"))
    kinds = floats or found.kinds
    own = (float, int, bool)
    kind = next((item for item in sorted(kinds, key=str) if item not in own), next(iter(kinds)))
    return Argument(kind), held_by(kinds)


def _variables(name: str, arguments: Mapping[str, Argument], copied: set[str], writer: Statements) -> list[str]:
    """Python's variables are the function's, wherever they are set first."""
    scope, lines = writer.scope, []
    for item in (*scope.kinds, *scope.arrays):
        spelled = scope.spelled(item)
        if item in arguments and item not in copied:
            continue
        if item in scope.arrays:
            kind, start = f"[]{held_by(scope.arrays[item])}", "undefined"
        else:
            kind = held_by(scope.kinds[item])
            start = writer.expressions.as_type(_given(arguments, item, name), kind) if item in copied else "undefined"
        lines += [f"{INDENT}var {spelled}: {kind} = {start};", f"{INDENT}_ = &{spelled};"]
        if item in writer.found.wholes:
            whole = "true" if item in copied else "undefined"
            lines += [f"{INDENT}var {writer.whole(item)}: bool = {whole};", f"{INDENT}_ = &{writer.whole(item)};"]
    return lines


def _given(arguments: Mapping[str, Argument], item: str, name: str) -> Any:
    from .kinds import Value

    return Value(_spelled(item, name), frozenset({arguments[item].kind}))


def _parameter(item: Argument) -> str:
    return f"[]const {zig_of(item.kind)}" if item.array else zig_of(item.kind)


def _spelled(item: str, function: str) -> str:
    """A name of Python's as Zig may have it."""
    if item in (function, "std", LANES, "part", "lane"):
        return f"{item}_here"
    return f'@"{item}"' if _ZIG_WORDS.fullmatch(item) or _SIZED.match(item) or not item.isascii() else item


__all__ = ["DECLINED", "Argument", "Translation", "TranslationError", "argument_of", "translate"]
