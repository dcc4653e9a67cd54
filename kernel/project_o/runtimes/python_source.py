"""The text of a Python function as a program: only what belongs to it, each line where the cell has it.

Of the cell (or module) in which a function stands, its program keeps the function's own lines without decorators,
the declared constants (``LANES = 8  # o: 4 8 16``) that it uses, and the EVOLVE markers around or inside it. All
other lines are blank, and those before the first kept line are left out: ``first_line`` says how many.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import types
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .. import languages
from ..errors import UsageError
from ..sandbox.construct import assigned_globals, compiled, global_names
from ..values import Parameter

WHAT_TO_DO = "write it as a plain `def` that takes all it needs as arguments or from globals"


@dataclass(frozen=True)
class Text:
    """A function's program: the text, the line of the cell on which it begins, the globals that it reads."""

    name: str
    text: str
    first_line: int
    names: tuple[str, ...]


def text_of(function: types.FunctionType) -> Text:
    """The program of a function. Raises UsageError where it has no source, or is no function that can be evolved."""
    return texts_of([function])[0][0]


def texts_of(functions: Sequence[types.FunctionType]) -> list[tuple[Text, tuple[str, ...]]]:
    """The texts of functions that make one program, and which of them each text defines: one text for each cell.

    The first is that of the first function. Raises UsageError as ``text_of``.
    """
    cells: dict[Any, list[tuple[types.FunctionType, ast.FunctionDef]]] = {}
    texts: dict[Any, list[str]] = {}
    for function in functions:
        _check_kind(function)
        node, lines = _found(function)
        cell = function if _nested(node) else function.__code__.co_filename
        cells.setdefault(cell, []).append((function, node))
        texts[cell] = lines
    return [(_text(found, texts[cell]), tuple(node.name for _, node in found)) for cell, found in cells.items()]


def _text(found: list[tuple[types.FunctionType, ast.FunctionDef]], lines: list[str]) -> Text:
    """What one cell has of some of its functions."""
    function, node = found[0]
    own = {line for _, one in found for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
    definitions, _ = _joined(lines, own, node)
    code = compiled(definitions, node.name)
    constants = (
        _declared(function, lines, set(global_names(code)) - assigned_globals(code)) if not _nested(node) else {}
    )
    kept = own | _markers(lines, own) | {line for constant in constants.values() for line in constant}
    text, first = _joined(lines, kept, node)
    return Text(node.name, text, first, tuple(global_names(compiled(text, node.name))))


def alone(text: str, name: str) -> str:
    """One function of a text, with the constants of the text that it reads."""
    lines = text.splitlines(keepends=True)
    nodes = [node for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.Assign, ast.AnnAssign))]
    own = next(node for node in reversed(nodes) if isinstance(node, ast.FunctionDef) and node.name == name)
    read = {node.id for node in ast.walk(own) if isinstance(node, ast.Name)}
    parts = [
        node for node in nodes if node is own or (not isinstance(node, ast.FunctionDef) and read & set(_targets(node)))
    ]
    return "".join("".join(lines[node.lineno - 1 : node.end_lineno]) for node in parts)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def helper_text(value: Any, hints: Iterable[str]) -> Text | None:
    """The text of a function or class that another one uses, decorators included; None where there is no source.

    Raises UsageError where it is a closure.
    """
    inner = inspect.unwrap(value) if callable(value) and not isinstance(value, type) else value
    if isinstance(inner, types.FunctionType):
        if inner.__closure__:
            raise UsageError(_closure_told(inner))
        files: Iterable[str] = [inner.__code__.co_filename]
    elif isinstance(inner, type):
        files = [*_method_files(inner), *hints]
    else:
        return None
    for file in files:
        lines = _lines(file, getattr(inner, "__globals__", None))
        found = _definition(lines, inner) if lines else None
        if found is not None:
            start = min([found.lineno, *(item.lineno for item in found.decorator_list)])
            text, first = _joined(lines, set(range(start, (found.end_lineno or start) + 1)), found)
            return Text(found.name, text, first, tuple(global_names(compiled(text, found.name))))
    return None


def _check_kind(function: types.FunctionType) -> None:
    name = function.__name__
    if name == "<lambda>":
        raise UsageError(f"a lambda has no name under which a better version could serve: {WHAT_TO_DO}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise UsageError(f"{name} is a generator, and what it yields cannot cross the sandbox: return a list instead")
    if inspect.iscoroutinefunction(function):
        raise UsageError(f"{name} is async, and there is no event loop in the sandbox: {WHAT_TO_DO}")
    if hasattr(function, "__wrapped__"):
        raise UsageError(f"{name} is wrapped by a decorator: evolve the function inside it, {name}.__wrapped__")
    if function.__closure__:
        raise UsageError(_closure_told(function))
    code, given = function.__code__, function.__kwdefaults__ or {}
    names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    missing = [item for item in names if item not in given]
    if missing and code.co_flags & inspect.CO_VARARGS:
        raise UsageError(
            f"{name} takes {missing[0]} by name alone, behind any number of arguments, so that it has no place in "
            "their order: give it a default value"
        )


def _closure_told(function: types.FunctionType) -> str:
    names = ", ".join(function.__code__.co_freevars)
    return f"{function.__name__} uses local variables of the function that made it ({names}): {WHAT_TO_DO}"


# --------------------------------------------------------------------------- finding

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _found(function: types.FunctionType) -> tuple[ast.FunctionDef, list[str]]:
    lines = _lines(function.__code__.co_filename, function.__globals__)
    if not lines:
        raise UsageError(
            f"the source of {function.__name__} is not known: define it in a cell or a file, not by exec or at a prompt"
        )
    found = _definition(lines, function)
    if not isinstance(found, ast.FunctionDef):
        raise UsageError(
            f"the source of {function.__name__} has changed since it was run: run its cell, or import its module, again"
        )
    return found, lines


def _lines(file: str, namespace: dict[str, Any] | None) -> list[str]:
    linecache.checkcache(file)
    return [line if line.endswith("\n") else line + "\n" for line in linecache.getlines(file, namespace)]


def _definition(lines: list[str], value: Any) -> Definition | None:
    """Where a function or class is defined in these lines; None where it is not, or no longer."""
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return None
    code = getattr(value, "__code__", None)
    found: Definition | None = None
    for node in ast.walk(tree):
        if code is None:
            if isinstance(node, ast.ClassDef) and node.name == value.__name__:
                found = node  # the last one of that name is the one in force
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name:
            first = min([node.lineno, *(item.lineno for item in node.decorator_list)])
            if first == code.co_firstlineno and _arguments(node) == code.co_varnames[: len(_arguments(node))]:
                return node
    return found


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    parts = node.args
    return tuple(item.arg for item in (*parts.posonlyargs, *parts.args, *parts.kwonlyargs))


def _method_files(kind: type) -> list[str]:
    codes = (getattr(inspect.unwrap(item), "__code__", None) for item in vars(kind).values() if callable(item))
    return [code.co_filename for code in codes if code is not None]


# --------------------------------------------------------------------------- keeping


def _nested(node: Definition) -> bool:
    return node.col_offset > 0


def _joined(lines: list[str], kept: set[int], node: Definition) -> tuple[str, int]:
    """The kept lines with blank ones between them, moved to the left margin; and the number of the first."""
    first = min(kept)
    text = "".join(lines[k - 1] if k in kept else "\n" for k in range(first, max(kept) + 1))
    if not _nested(node):
        return text, first
    indent = node.col_offset
    moved = [line.lstrip() if line[:indent].strip() else line[indent:] for line in text.split("\n")]
    return _same_meaning("\n".join(moved), node), first


def _same_meaning(text: str, node: Definition) -> str:
    """The text, if moving it to the left changed nothing in it: a string of several lines would."""
    try:
        moved = next(item for item in ast.parse(text).body if getattr(item, "name", "") == node.name)
    except (SyntaxError, StopIteration):
        moved = None
    if moved is None or _told(moved) != _told(node):
        raise UsageError(f"{node.name} is indented and cannot be moved to the left margin as it is: define it there")
    return text


def _told(node: ast.AST) -> list[str]:
    return [ast.dump(item) for item in getattr(node, "body", [])]


def _markers(lines: list[str], own: set[int]) -> set[int]:
    """The lines of the EVOLVE markers of blocks that the function touches."""
    blocks = languages.tools_for("python").blocks("".join(lines))
    touching = [block for block in blocks if any(block.first <= line <= block.last for line in own)]
    return {line for block in touching for line in (block.first, block.last)}


def _declared(function: types.FunctionType, lines: list[str], names: set[str]) -> dict[str, range]:
    """The declared top-level constants of the cell that the function reads and nobody has changed since."""
    constants = [node for node in ast.parse("".join(lines)).body if isinstance(node, (ast.Assign, ast.AnnAssign))]
    shown = {line for node in constants for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}
    # Other functions of the cell declare parameters of their own, which may well have the same names.
    alone = "".join(line if number in shown else "\n" for number, line in enumerate(lines, 1))
    parameters = {item.line: item for item in languages.tools_for("python").program("cell", alone).parameters}
    found: dict[str, range] = {}
    for node in constants:
        parameter = parameters.get(node.lineno)
        if parameter is not None and parameter.name in names and _holds(function, parameter):
            found[parameter.name] = range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return found


def _holds(function: types.FunctionType, parameter: Parameter) -> bool:
    now = function.__globals__.get(parameter.name)
    return type(now) is type(parameter.value) and now == parameter.value
