"""How a Python text can tell where it runs, beside the names in ``python_hazards``: found in its tree.

Who can tell a trial from the notebook can answer rightly in the one and do something else in the other, and no test
sees that. Of ``sys`` a computing function needs a few numbers; the module's own name, and an import that fails in one
place only, say nothing of the arguments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

SYS = "sys (where it runs)"
NAME = "__name__ (where it runs)"
IMPORT = "an import that may fail"
_OF_SYS = frozenset(
    [
        "byteorder",
        "exc_info",
        "float_info",
        "float_repr_style",
        "get_int_max_str_digits",
        "getrecursionlimit",
        "getsizeof",
        "hash_info",
        "hexversion",
        "int_info",
        "intern",
        "maxsize",
        "maxunicode",
        "set_int_max_str_digits",
        "setrecursionlimit",
        "setswitchinterval",
        "setprofile",
        "settrace",
        "stderr",
        "stdout",
        "version_info",
    ]
)
"""What tells no place from another. Settings are here: who changes one is found by what it leaves."""
SPELLED = "a text that spells what is inside the interpreter"
OWN = "whether its memory is its own (base)"
TODAY = "the moment (datetime64)"
ALL = frozenset({SYS, NAME, IMPORT, SPELLED, OWN, TODAY})
_INSIDE_TEXT = """
OWNDATA __array_interface__ __builtins__ __closure__ __code__ __globals__ __loader__ __module__ __spec__ __subclasses__
_getframe ag_frame cr_frame f_back f_builtins f_globals f_locals gi_frame owndata tb_frame
"""
_INSIDE = frozenset(_INSIDE_TEXT.split())
"""What a text that is looked up reaches as well: by getattr, a format's field, a flag's name, a class in a pattern."""
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
        yield from _reached(node)


def _reached(node: ast.AST) -> Iterator[tuple[int, str]]:
    """What is found by other ways than its name."""
    match node:
        case ast.MatchClass() if _INSIDE.intersection(node.kwd_attrs):
            yield node.lineno, SPELLED
        case ast.Call(args=[ast.Constant(value="now" | "today"), *_]) if _last(node.func) == "datetime64":
            yield node.lineno, TODAY
    for part in _reaching(node):
        if isinstance(part, ast.Constant) and _INSIDE.intersection(re.findall(r"\w+", str(part.value))):
            yield part.lineno, SPELLED
    for asked in _asked(node):
        if isinstance(asked, ast.Attribute) and asked.attr == "base":
            yield asked.lineno, OWN


def _last(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _reaching(node: ast.AST) -> list[ast.expr]:
    """By what something is looked up here: a key, an argument, a form whose method is called."""
    match node:
        case ast.Subscript():
            return [node.slice]
        case ast.Call():
            return [*node.args, *(word.value for word in node.keywords)]
        case ast.Attribute():
            return [node.value]
    return []


def _asked(node: ast.AST) -> list[ast.expr]:
    """What is taken for true or false here, or compared by what it is."""
    match node:
        case ast.If() | ast.IfExp() | ast.While() | ast.Assert():
            return [node.test]
        case ast.BoolOp():
            return node.values
        case ast.UnaryOp(op=ast.Not()):
            return [node.operand]
        case ast.Compare() if any(isinstance(how, (ast.Is, ast.IsNot)) for how in node.ops):
            return [node.left, *node.comparators]
    return []


def _tried(node: ast.Try) -> Iterator[tuple[int, str]]:
    for statement in node.body:
        for inner in ast.walk(statement):
            if isinstance(inner, (ast.Import, ast.ImportFrom)):
                yield inner.lineno, IMPORT
