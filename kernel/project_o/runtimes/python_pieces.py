"""The texts of which a Python program consists, each of one cell: a function has one, an agent one for each cell."""

from __future__ import annotations

import ast
import json
from dataclasses import dataclass
from typing import Any

from ..errors import CompileError, EvolutionError
from ..sandbox.construct import compiled, global_names
from ..values import DATA, Diagnostic, Program
from .python_surroundings import known_names


@dataclass(frozen=True)
class Piece:
    """A text, the line of its cell on which it begins, and the functions that it defines."""

    names: tuple[str, ...]
    text: str
    first_line: int

    def check(self, program: Program, body: dict[str, Any]) -> list[ast.FunctionDef]:
        """Its functions. Raises CompileError with the line of what is wrong."""
        try:
            names = global_names(compiled(self.text, self.names[0], self.first_line))
        except (SyntaxError, ValueError) as error:
            raise self._compile_error(program, error) from error
        found = []
        for name in self.names:
            defined = reversed(ast.parse(self.text).body)
            node = next((item for item in defined if getattr(item, "name", "") == name), None)
            if not isinstance(node, ast.FunctionDef):
                raise CompileError(
                    f"{program.name}: the text defines no function {name}: keep its `def {name}`", (), "python"
                )
            found.append(node)
        self._check_names(program, names, body)
        return found

    def _compile_error(self, program: Program, error: SyntaxError | ValueError) -> CompileError:
        line = (getattr(error, "lineno", 0) or 0) if isinstance(error, SyntaxError) else 0
        message = (error.msg if isinstance(error, SyntaxError) else str(error)) or "invalid syntax"
        lines = self.text.split("\n")
        source_line = lines[line - self.first_line] if 0 <= line - self.first_line < len(lines) else ""
        found = Diagnostic("error", message, line, (getattr(error, "offset", 0) or 0), source_line)
        return CompileError(f"{program.name}, line {line}: {message}", (found,), "python")

    def _check_names(self, program: Program, names: list[str], body: dict[str, Any]) -> None:
        """A text may read the globals that the cell's own reads now, and import what else it needs."""
        unknown = sorted(set(names) - known_names(body))
        if not unknown:
            return
        read = (n for n in ast.walk(ast.parse(self.text)) if isinstance(n, ast.Name) and n.id in unknown)
        node = next(read, ast.Name(unknown[0], lineno=1, col_offset=0))  # what Python itself looks up has no place
        line = node.lineno + self.first_line - 1
        message = (
            f"{node.id} is not among what {body['name']} was sent with: import it inside the text, or let the function "
            "use it and evolve again"
        )
        found = Diagnostic("error", message, line, node.col_offset + 1)
        raise CompileError(f"{program.name}, line {line}: {message}", (found,), "python")


def surroundings(program: Program) -> dict[str, Any]:
    """What the program says its source finds around it. Raises EvolutionError where it says nothing."""
    found = dict(program.files).get(DATA)
    if found is None:
        raise EvolutionError(f"{program.name} is Python source without its surroundings: evolve the function itself")
    body: dict[str, Any] = json.loads(found)
    return body


def pieces_of(program: Program, body: dict[str, Any]) -> list[Piece]:
    """The texts of a program. A text with other lines than the cells' is one, with lines of its own."""
    parts = body["agent"]["pieces"] if "agent" in body else [((body["name"],), body["first_line"], body["lines"])]
    lines = program.source.splitlines(keepends=True)
    if program.source.count("\n") != sum(count for _, _, count in parts):
        return [Piece(tuple(name for names, _, _ in parts for name in names), program.source, 1)]
    found: list[Piece] = []
    at = 0
    for names, first_line, count in parts:
        end = at + count if len(found) + 1 < len(parts) else len(lines)  # the last line may have no end
        found.append(Piece(tuple(names), "".join(lines[at:end]), first_line))
        at = end
    return found
