"""The notebook's later cells as steps of a scenario, and the copy of the kernel in which they are run.

Run are the code cells behind the one that defines the program. Not run, and said, are cells with magics or shell
commands, cells that evolve, accept or define the program again, cells that await, and cells that hold a secret, which
nothing here knows in the clear.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .. import api
from ..errors import UsageError
from ..history.order import CodeCell, code_cells
from ..history.redact import MARK

if TYPE_CHECKING:
    from ..evolution.forked_copy import Step
    from .session import Session

_NATIVE = re.compile(r"%%(?:zig|rust)\b[ \t]*([A-Za-z_]\w*)?")
_MAGIC_CALLS = frozenset({"run_line_magic", "run_cell_magic", "system", "getoutput", "magic"})
_FIRST_LINE_CHARACTERS = 40


def later_cells(session: Session, name: str, source: str) -> tuple[Sequence[Step], Sequence[str]]:
    """The cells behind the one that defines ``name``, whose text holds ``source``; and why each other is left out.

    Raises UsageError where that cell is not known.
    """
    for cells in (code_cells(session.history), _executed(session)):
        behind = _behind(cells, name, source, session.shell.transform_cell)
        if behind is not None:
            return _steps(session, behind, name)
    raise UsageError(
        f"the cell that defines {name} is not known, so neither are the later ones: run it again, or give a function "
        "as --scenario"
    )


def _executed(session: Session) -> list[CodeCell]:
    """What was run, in that order; of a text that was run twice the last."""
    ran = [text for text in session.shell.history_manager.input_hist_raw if text.strip()]
    return [CodeCell(place, text) for place, text in enumerate(ran, 1) if text not in ran[place:]]


def _behind(
    cells: Sequence[CodeCell], name: str, source: str, transformed: Callable[[str], str]
) -> list[CodeCell] | None:
    """The cells behind the last one with this text, else the last one that defines the name; None where none does."""
    wanted = source.strip()
    exact = [place for place, cell in enumerate(cells) if wanted and wanted in cell.source]
    named = [place for place, cell in enumerate(cells) if _defines(cell.source, name, transformed)]
    places = exact or named
    return list(cells[places[-1] + 1 :]) if places else None


def _defines(source: str, name: str, transformed: Callable[[str], str]) -> bool:
    native = _NATIVE.match(source)
    if native:
        return native[1] == name or (not native[1] and bool(re.search(rf"\bfn\s+{re.escape(name)}\b", source)))
    tree = _parsed(source, transformed)
    return tree is not None and any(
        isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name for node in tree.body
    )


def _parsed(source: str, transformed: Callable[[str], str]) -> ast.Module | None:
    try:
        return ast.parse(transformed(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


# ------------------------------------------------------------------ what is run, and what is not


def _steps(session: Session, cells: Sequence[CodeCell], name: str) -> tuple[list[Step], list[str]]:
    from ..evolution.forked_copy import Step

    steps, skipped = [], []
    for cell in cells:
        if not cell.source.strip():
            continue
        why = _why_not(session, cell.source, name)
        if why:
            skipped.append(f"{_told(cell)} {why}")
            continue
        shell = session.shell
        text = shell.transform_cell(cell.source)
        file = shell.compile.cache(text, shell.execution_count)
        steps.append(Step(_told(cell), _running(compile(text, file, "exec"), shell.user_ns), file))
    return steps, skipped


def _running(code: Any, names: dict[str, Any]) -> Callable[[Any], None]:
    def run(_: Any) -> None:
        exec(code, names)

    return run


def _told(cell: CodeCell) -> str:
    line = cell.source.strip().splitlines()[0]
    short = line if len(line) <= _FIRST_LINE_CHARACTERS else line[: _FIRST_LINE_CHARACTERS - 3] + "..."
    return f"cell {cell.place} ({short})"


def _why_not(session: Session, source: str, name: str) -> str:
    """Why this cell is not run, in words; "" where it is."""
    if MARK.search(source):
        return "holds a secret"
    tree = _parsed(source, session.shell.transform_cell)
    if tree is None:
        return "cannot be read"
    if _defines(source, name, session.shell.transform_cell):
        return f"defines {name} again"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (why := _forbidden(node, session.shell.user_ns)):
            return why
    if any(isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)) for node in _outside_functions(tree)):
        return "awaits"
    return ""


def _forbidden(call: ast.Call, names: dict[str, Any]) -> str:
    function = call.func
    if isinstance(function, ast.Name):
        return "evolves" if names.get(function.id) is api.evolve else ""
    if not isinstance(function, ast.Attribute):
        return ""
    owner = function.value
    if function.attr in _MAGIC_CALLS and isinstance(owner, ast.Call) and _name(owner.func) == "get_ipython":
        return "has a magic"
    held = names.get(_name(owner))
    changes = function.attr in ("accept", "propose") and _is_run(held)
    return "evolves" if changes or (function.attr == "evolve" and getattr(held, "evolve", None) is api.evolve) else ""


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _is_run(value: Any) -> bool:
    return type(value).__module__ == "project_o.evolution.run"


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            yield node
            yield from _outside_functions(node)


# ------------------------------------------------------------------ the copy


def quieten(shell: Any) -> None:
    """In a copy of the kernel: nothing reaches the notebook, and nobody is asked for input."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        kernel.session.send = lambda *_, **__: None
        kernel._allow_stdin = False
