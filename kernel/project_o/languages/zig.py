"""Zig, through tree-sitter-zig: what its compile-time reflection does not know (names, documentation, comments)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ..values import Mode, Parameter, Program, Scalar
from . import blocks as _blocks
from . import domains
from .scan import Comment, Constant, Scan, Signature, declared, may_declare, rewrite
from .trees import nodes, parameter_name, text_of, tree, walk

OPENER = "//"
FILE = "cell.zig"

_GRAMMAR = "tree_sitter_zig"
_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|u\{([0-9a-fA-F]+)\}|([nrt\\\'"]))')
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}


def program(name: str, source: str, *, mode: Mode = "safe", options: tuple[str, ...] = ()) -> Program:
    """A cell as a program with its declared parameters. Raises UsageError naming the line of a bad declaration."""
    parameters = _declared(source)
    return Program(name, "zig", ((FILE, source),), parameters, mode, options)


def with_source(old: Program, source: str) -> Program:
    """The same program with another text. Raises UsageError for a bad declaration in it."""
    return old.with_source(source, _declared(source))


def _declared(source: str) -> tuple[Parameter, ...]:
    if not may_declare(source):
        return ()
    return tuple(parameter for parameter, _ in declared(_scan(source), OPENER, FILE))


def with_settings(old: Program, settings: Mapping[str, Scalar]) -> Program:
    """The same program with parameters set; all other bytes stay. Raises UsageError for an undeclared name or value."""
    return with_source(old, rewrite(old.source, declared(_scan(old.source), OPENER, FILE), settings, spell))


def signatures(source: str) -> dict[str, Signature]:
    """The top-level ``pub fn`` by name. ``std.mem.Allocator`` parameters are left out, ``_`` is called ``a<k>``.

    A source that does not parse gives the functions that could be read: the compiler says what is wrong.
    """
    return dict(_signatures(source))


@lru_cache(maxsize=32)
def _signatures(source: str) -> Mapping[str, Signature]:
    body = source.encode("utf-8", "surrogatepass")
    found: dict[str, Signature] = {}
    doc: list[str] = []
    for node in tree(_GRAMMAR, source).children:
        if node.type == "comment":
            text = text_of(body, node)
            doc = [*doc, text[3:].removeprefix(" ").rstrip()] if _is_doc(text) else []
            continue
        if node.type == "function_declaration" and any(child.type == "pub" for child in node.children):
            name = node.child_by_field_name("name")
            if name is not None:
                found[_identifier(body, name)] = Signature(
                    tuple(_parameters(body, node)), "\n".join(doc), name.start_point[0] + 1
                )
        doc = []
    return found


def functions(source: str) -> list[tuple[str, int]]:
    """Every function, whatever it stands in: its name, and the line that it begins in."""
    body = source.encode("utf-8", "surrogatepass")
    return [
        (_identifier(body, name), node.start_point[0] + 1)
        for node in nodes(_GRAMMAR, tree(_GRAMMAR, source), "(function_declaration) @function")
        if (name := node.child_by_field_name("name")) is not None
    ]


def blocks(source: str) -> tuple[_blocks.Block, ...]:
    """The EVOLVE blocks. Raises UsageError with the line of a malformed marker."""
    return _blocks.find(_scan(source).comments)


def normalised(source: str) -> str:
    """The tokens alone: two sources with the same text here differ in comments and layout only."""
    body = source.encode("utf-8", "surrogatepass")
    # A multi-line string ends with its line, so its lines must not run together with what follows.
    return "\n".join(text_of(body, node) for node in walk(tree(_GRAMMAR, source)) if _is_token(node))


def spell(value: Scalar, kind: domains.Kind) -> str:
    """A value as Zig writes it."""
    if kind == "bool":
        return "true" if value else "false"
    if kind == "string":
        # JSON's escapes are Zig's, but for \\uXXXX, \\b and \\f, which asking for plain Unicode leaves to controls.
        plain = json.dumps(value, ensure_ascii=False)
        return re.sub(r"\\(?:u([0-9a-f]{4})|([bf]))", _zig_escape, plain)
    return repr(value) if kind in ("int", "float") else str(value)


def _zig_escape(match: re.Match[str]) -> str:
    code = int(match.group(1), 16) if match.group(1) else {"b": 8, "f": 12}[match.group(2)]
    return f"\\x{code:02x}"


def _is_token(node: Any) -> bool:
    return not node.children and node.type != "comment"


def _is_doc(text: str) -> bool:
    return text.startswith("///") and not text.startswith("////")


def _identifier(body: bytes, node: Any) -> str:
    text = text_of(body, node)
    return text[2:-1] if text.startswith('@"') else text


def _parameters(body: bytes, function: Any) -> Iterator[str]:
    index = 0
    for group in function.children:
        for node in group.children if group.type == "parameters" else ():
            kind = node.child_by_field_name("type")
            if node.type != "parameter" or (kind is not None and text_of(body, kind).split(".")[-1] == "Allocator"):
                continue
            name = node.child_by_field_name("name")
            yield parameter_name(_identifier(body, name) if name is not None else "_", index)
            index += 1


@lru_cache(maxsize=32)
def _scan(source: str) -> Scan:
    body = source.encode("utf-8", "surrogatepass")
    comments: list[Comment] = []
    constants: list[Constant] = []
    for node in nodes(_GRAMMAR, tree(_GRAMMAR, source), '(comment) @comment (variable_declaration "const") @constant'):
        if node.type == "comment":
            text = text_of(body, node)
            comments.append(Comment(text.lstrip("/"), node.start_point[0] + 1, node.start_byte))
        else:
            constants.extend(_constant(body, node))
    return Scan(tuple(comments), tuple(constants))


def _constant(body: bytes, node: Any) -> Iterator[Constant]:
    children = node.children
    kinds = [child.type for child in children]
    if "=" not in kinds or "identifier" not in kinds:
        return
    value = children[kinds.index("=") + 1]
    name = children[kinds.index("identifier")]
    kind, content = _literal(body, value)
    yield Constant(
        text_of(body, name),
        kind,
        content,
        value.start_byte,
        value.end_byte,
        node.start_point[0] + 1,
        node.end_point[0] + 1,
    )


def _literal(body: bytes, node: Any) -> tuple[domains.Kind | None, Scalar]:
    text = text_of(body, node)
    inner = node
    if node.type == "unary_expression" and text.startswith("-") and node.named_children:
        inner = node.named_children[-1]
    if inner.type == "integer":
        number = domains.read_integer(text.replace("- ", "-"))
        return ("int", number) if number is not None else (None, text)
    if inner.type == "float":
        try:
            return "float", float(text.replace("_", "").replace(" ", ""))
        except ValueError:  # a hexadecimal float
            return "float", float.fromhex(text.replace("_", "").replace(" ", ""))
    if node.type == "boolean":
        return "bool", text == "true"
    if node.type == "string" and text.startswith('"'):
        return "string", _ESCAPE.sub(_unescape, text[1:-1])
    if node.type == "field_expression" and domains.ENUM_LITERAL.fullmatch(text):
        return "enum", text
    return None, text


def _unescape(match: re.Match[str]) -> str:
    byte, point, plain = match.groups()
    return _PLAIN_ESCAPES[plain] if plain else chr(int(byte or point, 16))
