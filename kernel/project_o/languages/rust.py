"""Rust, through tree-sitter-rust: names, documentation, comments, constants. Types are the compiler's to resolve."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ..errors import UsageError
from ..values import Mode, Parameter, Program, Scalar
from . import blocks as _blocks
from . import domains
from .scan import Comment, Constant, Scan, Signature, declared, may_declare, rewrite, split_lines
from .trees import decoded, first_error, parameter_name, text_of, tree

OPENER = "//"
FILE = "cell.rs"

_GRAMMAR = "tree_sitter_rust"
_COMMENTS = {"line_comment", "block_comment"}
_LITERALS = {"string_literal", "raw_string_literal", "char_literal"}
_SAYS_SOMETHING = re.compile(r"\s*(?:o:|EVOLVE[-_ ]BLOCK)", re.IGNORECASE)
_MARKER_WORD = re.compile(r"EVOLVE[-_ ]BLOCK", re.IGNORECASE)
_INTEGER = re.compile(
    r"(-?(?:0x[0-9a-fA-F_]*?[0-9a-fA-F]|0o[0-7_]*?[0-7]|0b[01_]*?[01]|[0-9][0-9_]*?))_*(?:[iu](?:8|16|32|64|128|size))?"
)
_FLOAT = re.compile(r"(-?[0-9][0-9_]*(?:\.(?:[0-9][0-9_]*?)?)?(?:[eE][+-]?[0-9_]*?[0-9])?)_*(f(?:16|32|64|128))?")
_RAW = re.compile(r'r(#*)"(.*)"\1', re.DOTALL)
_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|u\{([0-9a-fA-F_]+)\}|([nrt0\\\'"])|\n[ \t\n]*)')
_PLAIN_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "\\": "\\", "'": "'", '"': '"'}
_SPELLED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0", "\\": "\\\\", '"': '\\"'}


def program(name: str, source: str, *, mode: Mode = "safe", options: tuple[str, ...] = ()) -> Program:
    """A cell as a program with its declared parameters.

    Raises UsageError naming the line of a bad declaration, or of what keeps one from being read. What else does not
    parse is left to the compiler, which says it best.
    """
    parameters = _declared(source)
    return Program(name, "rust", ((FILE, source),), parameters, mode, options)


def with_source(old: Program, source: str) -> Program:
    """The same program with another text. Raises UsageError as ``program`` does."""
    return old.with_source(source, _declared(source))


def _declared(source: str) -> tuple[Parameter, ...]:
    if not may_declare(source):
        return ()
    return tuple(parameter for parameter, _ in declared(_scan(source), OPENER, FILE))


def with_settings(old: Program, settings: Mapping[str, Scalar]) -> Program:
    """The same program with parameters set; all other bytes stay, the suffixes of numbers included.

    Raises UsageError for an undeclared name or value.
    """
    return with_source(old, rewrite(old.source, declared(_scan(old.source), OPENER, FILE), settings, spell))


def signatures(source: str) -> dict[str, Signature]:
    """The top-level ``pub fn`` by name, with their ``///`` documentation. A pattern is called ``a<k>``.

    Functions that are built for tests only are left out. A source that does not parse gives the functions that
    could be read: the compiler says what is wrong.
    """
    reading = _Reading.of(source)
    found: dict[str, Signature] = {}
    doc: list[str] = []
    testing = False
    for node in reading.root.children:
        if node.type in _COMMENTS:
            doc += _documentation(reading.text(node))
        elif node.type == "attribute_item":
            testing = testing or re.sub(r"\s", "", reading.text(node)) == "#[cfg(test)]"
        else:
            name = node.child_by_field_name("name") if node.type == "function_item" else None
            if name is not None and not testing and _is_public(reading, node):
                signature = Signature(tuple(_parameters(reading, node)), "\n".join(doc), reading.line(name.start_byte))
                found.setdefault(_identifier(reading, name), signature)
            doc, testing = [], False
    return found


def blocks(source: str) -> tuple[_blocks.Block, ...]:
    """The EVOLVE blocks. Raises UsageError with the line of a malformed marker, or of what hides where they are."""
    reading = _Reading.of(source)
    if _MARKER_WORD.search(source) and reading.root.has_error:
        # What a proposer may not touch is decided here: with a guess at where a string ends it would be guessed too.
        raise _unreadable(reading.line(first_error(reading.root).start_byte), "where the EVOLVE blocks are")
    return _blocks.find(_scan(source).comments)


def normalised(source: str) -> str:
    """The tokens alone: two sources with the same text here differ in comments and layout only."""
    reading = _Reading.of(source)
    parts: list[str] = []
    end = 0
    for node in _atoms(reading.root):
        # The grammar shows some tokens through their neighbours only: what lies between two atoms is kept too.
        between = decoded(reading.body[end : node.start_byte]).strip()
        own = "" if node.type in _COMMENTS else reading.text(node)
        parts += [part for part in (between, own) if part]
        end = max(end, node.end_byte)
    rest = decoded(reading.body[end:]).strip()
    return "\n".join([*parts, *([rest] if rest else [])])


def spell(value: Scalar, kind: domains.Kind) -> str:
    """A value as Rust writes it."""
    if kind == "bool":
        return "true" if value else "false"
    if kind == "string":
        return '"' + "".join(map(_spelled, str(value))) + '"'
    return repr(float(value)) if kind == "float" else str(value)


def _spelled(character: str) -> str:
    if character in _SPELLED:
        return _SPELLED[character]
    # The compiler refuses invisible characters that turn the direction of the text.
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"


# --------------------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class _Reading:
    """A source as bytes, the byte offsets at which its lines begin, and its tree."""

    body: bytes
    starts: tuple[int, ...]
    root: Any

    @classmethod
    def of(cls, source: str) -> _Reading:
        lengths = (len(line.encode("utf-8", "surrogatepass")) for line in split_lines(source))
        starts = tuple(accumulate(lengths, initial=0))
        if source and not source.endswith(("\n", "\r")):
            starts = starts[:-1]  # the end of the last line is not the beginning of another
        return cls(source.encode("utf-8", "surrogatepass"), starts, tree(_GRAMMAR, source))

    def text(self, node: Any) -> str:
        return text_of(self.body, node)

    def line(self, offset: int) -> int:
        """The line (1-based) of a byte."""
        return bisect_right(self.starts, offset)


def _scan(source: str) -> Scan:
    reading = _Reading.of(source)
    comments: list[Comment] = []
    constants: list[Constant] = []
    # With each node, the byte at which the innermost error around it begins, or -1.
    stack = [(reading.root, -1)]
    while stack:
        node, error = stack.pop()
        if node.type in _COMMENTS:
            comment = _comment(reading, node)
            if error >= 0 and _SAYS_SOMETHING.match(comment.text):
                raise _unreadable(reading.line(error), f"what line {comment.line} says")
            comments.append(comment)
            continue
        if node.type == "const_item":
            constants.extend(_constant(reading, node))
        inside = node.start_byte if node.is_error else error
        stack.extend((child, inside) for child in reversed(node.children))
    return Scan(tuple(comments), tuple(constants))


def _unreadable(line: int, what: str) -> UsageError:
    return UsageError(
        f"line {line}: from here on this cannot be read as Rust, so {what} is not known: "
        "is a string, a comment or a bracket left open?"
    )


def _atoms(root: Any) -> Iterator[Any]:
    """Comments, literals, and whatever else has nothing below it, in source order."""
    stack = [root]
    while stack:
        node = stack.pop()
        if node.type in _COMMENTS or node.type in _LITERALS or not node.children:
            yield node
        else:
            stack.extend(reversed(node.children))


def _comment(reading: _Reading, node: Any) -> Comment:
    """A comment without its signs. Where a block comment begins with empty lines, its line is that of its words."""
    whole = reading.text(node)
    words = whole.lstrip("/!").rstrip() if node.type == "line_comment" else whole[2:-2].lstrip(" \t\r\n*!").rstrip()
    offset = max(0, whole.find(words)) if words else 0
    ahead = len(whole[:offset].encode("utf-8", "surrogatepass"))
    return Comment(words, reading.line(node.start_byte + ahead), node.start_byte)


def _documentation(comment: str) -> list[str]:
    """The lines of a ``///`` or ``/** */`` comment; none for any other."""
    if comment.startswith("///") and not comment.startswith("////"):
        return [comment[3:].removeprefix(" ").rstrip()]
    if comment.startswith("/**") and not comment.startswith("/***") and len(comment) > len("/**/"):
        lines = [line.strip().removeprefix("*").removeprefix(" ") for line in comment[3:-2].strip().splitlines()]
        return lines if any(lines) else []
    return []


def _is_public(reading: _Reading, function: Any) -> bool:
    # `pub(crate)` and its like do not reach Python.
    return any(child.type == "visibility_modifier" and reading.text(child) == "pub" for child in function.children)


def _identifier(reading: _Reading, node: Any) -> str:
    return reading.text(node).removeprefix("r#")


def _parameters(reading: _Reading, function: Any) -> Iterator[str]:
    group = function.child_by_field_name("parameters")
    nodes = [node for node in group.children if node.type == "parameter"] if group is not None else []
    for index, node in enumerate(nodes):
        pattern = node.child_by_field_name("pattern")
        named = pattern is not None and pattern.type == "identifier"
        yield parameter_name(_identifier(reading, pattern) if named else "_", index)


def _constant(reading: _Reading, node: Any) -> Iterator[Constant]:
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None or value is None:
        return
    kind, content, length = _literal(reading.text(value), value)
    yield Constant(
        _identifier(reading, name),
        kind,
        content,
        value.start_byte,
        value.start_byte + length if kind in ("int", "float") else value.end_byte,
        reading.line(node.start_byte),
        reading.line(max(node.start_byte, node.end_byte - 1)),
    )


def _literal(written: str, node: Any) -> tuple[domains.Kind | None, Scalar, int]:
    """The kind and value of a literal, and for a number how many characters it has without its suffix."""
    inner = node
    if node.type == "unary_expression" and written.startswith("-") and len(node.children) == 2:
        inner = node.children[1]
    if inner.type in ("integer_literal", "float_literal"):
        return _number(written)
    if node.type == "boolean_literal":
        return "bool", written == "true", 0
    content = _string(written) if node.type in _LITERALS else None
    return ("string", content, 0) if content is not None else (None, written, 0)


def _number(written: str) -> tuple[domains.Kind | None, Scalar, int]:
    integer, real = _INTEGER.fullmatch(written), _FLOAT.fullmatch(written)
    try:
        if integer is not None:
            return "int", _whole(integer[1]), len(integer[1])
        if real is not None:
            return "float", float(real[1].replace("_", "")), len(real[1])
    except ValueError:  # digits are missing, or there are more of them than Python reads
        return None, written, 0
    return None, written, 0


def _whole(digits: str) -> int:
    """An integer literal. Unlike Python's, its decimal digits may begin with zeros."""
    plain = digits.replace("_", "")
    return int(plain, 0) if plain.lstrip("-")[:2] in ("0x", "0o", "0b") else int(plain)


def _string(written: str) -> str | None:
    """What a string literal holds; None for bytes, characters and what cannot be meant."""
    raw = _RAW.fullmatch(written)
    if raw is not None:
        return raw[2].replace("\r\n", "\n")
    if not written.startswith('"') or len(written) < 2:
        return None
    try:
        return _ESCAPE.sub(_unescape, written[1:-1].replace("\r\n", "\n"))
    except (ValueError, OverflowError):  # a code point that there is not
        return None


def _unescape(match: re.Match[str]) -> str:
    byte, point, plain = match.groups()
    if plain:
        return _PLAIN_ESCAPES[plain]
    return chr(int((byte or point).replace("_", ""), 16)) if byte or point else ""
