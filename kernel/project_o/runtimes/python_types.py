"""A Python program as a module for a type checker: its texts, and behind them what they find around them.

Modules are imported, other functions stand as they are; a variable has its type where that is a plain one. Comments
that switch the checker off are taken out: a candidate could bring them.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import Any

from ..languages.typed import TypedModule, has_annotations
from ..values import Program
from .python_pieces import pieces_of, surroundings

_SWITCH = re.compile(r"#\s*(?:type:\s*ignore|mypy:|pyright:).*")
_PLAIN = frozenset({"bool", "int", "float", "complex", "str", "bytes", "list", "dict", "tuple", "set", "frozenset"})
_ANY = "_o_typing.Any"


def typed_module(program: Program) -> TypedModule | None:
    """None where nothing in its texts has an annotation, or one of them cannot be parsed."""
    body = surroundings(program)
    pieces = pieces_of(program, body)
    try:
        trees = [ast.parse(piece.text) for piece in pieces]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # another check says so
    if not any(map(has_annotations, trees)):
        return None
    texts = [_checked(piece.text if piece.text.endswith("\n") else piece.text + "\n") for piece in pieces]
    lines = [piece.first_line + k for piece, text in zip(pieces, texts, strict=True) for k in range(text.count("\n"))]
    return TypedModule("".join(texts) + "".join(f"{line}\n" for line in _around(body)), tuple(lines))


def _around(body: dict[str, Any]) -> Iterator[str]:
    yield "import typing as _o_typing"
    for name, module in body["modules"]:
        yield f"import {module} as {name}"
    for name, module, path in body["names"]:
        yield f"{name}: {_ANY}" if "." in path else f"from {module} import {path} as {name}"
    for name, kind in body["holds"].items():
        yield f"{name}: {kind if kind in _PLAIN else _ANY}"
    for name in body["undefined"]:
        yield f"{name}: {_ANY}"
    for name, own_name, text, _ in body["sources"]:
        yield text
        if name != own_name:
            yield f"{name} = {own_name}"
    for name, same in body["aliases"]:
        yield f"{name} = {same}"


def _checked(text: str) -> str:
    """The text without comments that switch the checker off."""
    lines = text.splitlines(keepends=True)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT and _SWITCH.match(token.string):
                row, column = token.start
                line = lines[row - 1]
                lines[row - 1] = line[:column] + "#" + line[column + len(token.string) :]
    except (tokenize.TokenError, SyntaxError):
        return text
    return "".join(lines)
