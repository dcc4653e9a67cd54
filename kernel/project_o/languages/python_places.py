"""How a Python text can tell where it runs, beside the names in ``python_hazards``: found in its tree.

Who can tell a trial from the notebook can answer rightly in the one and do something else in the other, and no test
sees that. Of ``sys`` a computing function needs a few numbers; the module's own name, and an import that fails in one
place only, say nothing of the arguments.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

SYS = "sys (where it runs)"
NAME = "__name__ (where it runs)"
IMPORT = "an import that may fail"
_OF_SYS = frozenset(
    "byteorder exc_info float_info float_repr_style get_int_max_str_digits getrecursionlimit getsizeof hash_info "
    "hexversion int_info intern maxsize maxunicode set_int_max_str_digits setrecursionlimit setswitchinterval "
    "setprofile settrace version_info".split()
)
"""What tells no place from another. Settings are here: who changes one is found by what it leaves."""
_SPELLED = frozenset({"sys", "_sys"})
"""As other modules hold it."""


def found(source: str) -> Iterator[tuple[int, str]]:
    """(line, which of the above) of a text; nothing of one that cannot be parsed, since it cannot run either."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    nodes = list(ast.walk(tree))
    names = {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "sys"
    }
    held = {id(node.value) for node in nodes if isinstance(node, ast.Attribute) and node.attr in _OF_SYS}
    for node in nodes:
        match node:
            case ast.Name(id="__name__"):
                yield node.lineno, NAME
            case ast.Name() if node.id in names and id(node) not in held:
                yield node.lineno, SYS
            case ast.Attribute() if node.attr in _SPELLED and id(node) not in held:
                yield node.lineno, SYS
            case ast.ImportFrom(module="sys") if any(alias.name not in _OF_SYS for alias in node.names):
                yield node.lineno, SYS
            case ast.ImportFrom() if any(alias.name in _SPELLED for alias in node.names):
                yield node.lineno, SYS
            case ast.Try() if node.handlers:
                yield from _tried(node)


def _tried(node: ast.Try) -> Iterator[tuple[int, str]]:
    for statement in node.body:
        for inner in ast.walk(statement):
            if isinstance(inner, (ast.Import, ast.ImportFrom)):
                yield inner.lineno, IMPORT
