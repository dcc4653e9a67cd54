"""An agent's Lisp as Python, for a type checker. Macros are the agent's own code: this runs in the sandbox alone."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .candidate import Opened
from .packing import CELL


def translated(name: str, files: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """``text``: what the forms of the program compile to; ``lines``: the cell's line of each of its lines.

    Raises what evaluating it raises.
    """
    with _compiled(f"<{name}>") as found:
        Opened(name, dict(files))
    assert CELL in dict(files), "a program has its cell"
    module = ast.fix_missing_locations(ast.Module(body=found, type_ignores=[]))
    text = ast.unparse(module)
    return {"text": text, "lines": _lines(module, ast.parse(text), text)}


@contextmanager
def _compiled(filename: str) -> Iterator[list[ast.stmt]]:
    """Keeps a copy of whatever Hy compiles of this file meanwhile."""
    import hy.compiler

    found: list[ast.stmt] = []
    original = hy.compiler.hy_compile

    def keeping(tree: Any, *args: Any, **named: Any) -> Any:
        made = original(tree, *args, **named)
        if named.get("filename") == filename and isinstance(made, tuple):
            body, value = made
            found.extend(copy.deepcopy(body.body))
            found.append(ast.Expr(copy.deepcopy(value.body)))
        return made

    hy.compiler.hy_compile = keeping
    try:
        yield found
    finally:
        hy.compiler.hy_compile = original


def _lines(module: ast.Module, written: ast.Module, text: str) -> list[int]:
    """For each line of the text the line of the first node on it; of a line without one that of the line before."""
    count = text.count("\n") + 1
    places = [0] * count
    for node, other in zip(ast.walk(module), ast.walk(written), strict=False):
        if type(node) is not type(other):
            break  # what was written reads as another tree from here on
        line, of_cell = getattr(other, "lineno", 0), getattr(node, "lineno", 0)
        if line and of_cell and not places[line - 1]:
            places[line - 1] = of_cell
    for line in range(1, count):
        places[line] = places[line] or places[line - 1]
    return places
