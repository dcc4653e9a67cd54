"""A program as one Python module that a type checker can read, and where each of its lines stands in the cell."""

from __future__ import annotations

import ast
from dataclasses import dataclass


@dataclass(frozen=True)
class TypedModule:
    """``lines`` has the cell's line for each of the first lines of ``text``: the program's own. What stands below them
    says what the program finds around it, so that no line of its own moves."""

    text: str
    lines: tuple[int, ...]


def has_annotations(tree: ast.AST) -> bool:
    """Whether a parameter, a result or a variable has one."""
    return any(
        isinstance(node, ast.AnnAssign)
        or (isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns is not None)
        or (isinstance(node, ast.arg) and node.annotation is not None)
        for node in ast.walk(tree)
    )
