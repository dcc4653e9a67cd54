"""Python, through its own ``ast`` and ``tokenize``."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping
from functools import lru_cache

from ..errors import UsageError
from ..values import Mode, Program, Scalar
from . import blocks as _blocks
from . import domains
from .scan import Comment, Constant, Scan, Signature, declared, rewrite, split_lines

OPENER = "#"
FILE = "cell.py"

_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
_LAYOUT_TEXT = {tokenize.NEWLINE: "\n", tokenize.INDENT: "\t+", tokenize.DEDENT: "\t-"}


def program(name: str, source: str, *, mode: Mode = "safe", options: tuple[str, ...] = ()) -> Program:
    """A cell as a program with its declared parameters.

    Raises UsageError naming the line of a bad declaration or of what does not parse.
    """
    parameters = tuple(parameter for parameter, _ in declared(_scan(source), OPENER, FILE))
    return Program(name, "python", ((FILE, source),), parameters, mode, options)


def with_source(old: Program, source: str) -> Program:
    """The same program with another text. Raises UsageError as ``program`` does."""
    return old.with_source(source, tuple(parameter for parameter, _ in declared(_scan(source), OPENER, FILE)))


def with_settings(old: Program, settings: Mapping[str, Scalar]) -> Program:
    """The same program with parameters set; all other bytes stay. Raises UsageError for an undeclared name or value."""
    return with_source(old, rewrite(old.source, declared(_scan(old.source), OPENER, FILE), settings, spell))


def signatures(source: str) -> dict[str, Signature]:
    """The top-level functions whose names do not begin with an underscore."""
    found: dict[str, Signature] = {}
    for node in _parse(source).body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("_"):
            parts = node.args
            names = [item.arg for item in (*parts.posonlyargs, *parts.args, *parts.kwonlyargs)]
            found[node.name] = Signature(tuple(names), ast.get_docstring(node) or "", node.lineno)
    return found


def blocks(source: str) -> tuple[_blocks.Block, ...]:
    """The EVOLVE blocks. Raises UsageError with the line of a malformed marker."""
    return _blocks.find(_comments(source))


def normalised(source: str) -> str:
    """The tokens alone: two sources with the same text here differ in comments and layout only."""
    parts = [_LAYOUT_TEXT.get(token.type, token.string) for token in _tokens(source) if token.type not in _LAYOUT]
    return "\n".join(parts)


def spell(value: Scalar, kind: domains.Kind) -> str:
    """A value as Python writes it."""
    return repr(float(value)) if kind == "float" else repr(value)


def _parse(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise UsageError(f"line {line}: this is not Python: {getattr(error, 'msg', None) or error}") from error


@lru_cache(maxsize=4)
def _tokens(source: str) -> tuple[tokenize.TokenInfo, ...]:
    """Its tokens. A proposed text is asked for them several times in a row: its blocks, its comments, its meaning."""
    _parse(source)  # first, since it knows the line of what is wrong
    return tuple(tokenize.generate_tokens(io.StringIO(source, newline="").readline))


@lru_cache(maxsize=4)
def _comments(source: str) -> tuple[Comment, ...]:
    return tuple(_find_comments(source))


def _find_comments(source: str) -> Iterator[Comment]:
    starts = _line_starts(source)
    lines = split_lines(source)
    for token in _tokens(source):
        if token.type == tokenize.COMMENT:
            line, column = token.start
            offset = len(lines[line - 1][:column].encode("utf-8", "surrogatepass"))
            yield Comment(token.string.lstrip("#"), line, starts[line - 1] + offset)


def _line_starts(source: str) -> list[int]:
    starts = [0]
    for line in split_lines(source):
        starts.append(starts[-1] + len(line.encode("utf-8", "surrogatepass")))
    return starts


def _scan(source: str) -> Scan:
    return Scan(_comments(source), tuple(_constants(source)))


def _constants(source: str) -> Iterator[Constant]:
    starts = _line_starts(source)
    found: list[Constant] = []
    for node in ast.walk(_parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            found.extend(_default(argument, value, starts) for argument, value in _defaults(node))
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target: ast.expr = node.targets[0]
        elif isinstance(node, ast.AnnAssign):
            target = node.target
        else:
            continue
        value = node.value
        if not isinstance(target, ast.Name) or value is None:
            continue
        kind, content = _literal(value)
        found.append(
            Constant(
                target.id,
                kind,
                content,
                starts[value.lineno - 1] + value.col_offset,
                starts[(value.end_lineno or value.lineno) - 1] + (value.end_col_offset or 0),
                node.lineno,
                node.end_lineno or node.lineno,
            )
        )
    return iter(sorted(found, key=lambda item: item.start))


def _defaults(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[ast.arg, ast.expr]]:
    """The parameters that have default values: ``lanes=8,  # o: 4 8 16`` declares one."""
    ordered = (*node.args.posonlyargs, *node.args.args)
    yield from zip(ordered[len(ordered) - len(node.args.defaults) :], node.args.defaults, strict=True)
    for argument, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if value is not None:
            yield argument, value


def _default(argument: ast.arg, value: ast.expr, starts: list[int]) -> Constant:
    kind, content = _literal(value)
    return Constant(
        argument.arg,
        kind,
        content,
        starts[value.lineno - 1] + value.col_offset,
        starts[(value.end_lineno or value.lineno) - 1] + (value.end_col_offset or 0),
        argument.lineno,
        value.end_lineno or value.lineno,
    )


def _literal(node: ast.expr) -> tuple[domains.Kind | None, Scalar]:
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node, sign = node.operand, -1
    if not isinstance(node, ast.Constant):
        return None, ""
    value = node.value
    if isinstance(value, bool):
        return ("bool", value) if sign == 1 else (None, "")
    if isinstance(value, int):
        return "int", sign * value
    if isinstance(value, float):
        return "float", sign * value
    if isinstance(value, str) and sign == 1:
        return "string", value
    return None, ""
