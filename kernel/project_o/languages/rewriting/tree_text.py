"""A Zig or Rust text with its tree: places in bytes, blocks of statements, and the words of the two languages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..tokens import GRAMMARS
from ..trees import text_of, tree, walk
from .edits import Edit

COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_STATEMENTS = frozenset(
    {"variable_declaration", "let_declaration", "expression_statement", "labeled_statement", "if_statement"}
)
_TESTS = frozenset({"test_declaration", "mod_item", "attribute_item", "macro_invocation"})
"""What no operator looks into: the compiler does not build it into what is measured, or its text is no expression."""


@dataclass(frozen=True)
class TreeText:
    """``source`` of a language and its tree."""

    language: str
    source: str
    root: Any

    @classmethod
    def read(cls, language: str, source: str) -> TreeText | None:
        """None for what cannot be read as a whole."""
        root = tree(GRAMMARS[language], source)
        return None if root.has_error else cls(language, source, root)

    @cached_property
    def body(self) -> bytes:
        """The text in UTF-8."""
        return self.source.encode("utf-8", "surrogatepass")

    @cached_property
    def nodes(self) -> tuple[Any, ...]:
        """All nodes in source order, but those of tests and macros."""
        left_out: set[int] = set()
        found = []
        for node in walk(self.root):
            if node.type in _TESTS or (node.parent is not None and node.parent.id in left_out):
                left_out.add(node.id)
            else:
                found.append(node)
        return tuple(found)

    def of(self, *types: str) -> Iterator[Any]:
        """The nodes of these types."""
        return (node for node in self.nodes if node.type in types)

    def text(self, node: Any) -> str:
        """What stands there."""
        return text_of(self.body, node)

    def between(self, start: int, end: int) -> str:
        """What stands from a byte to another."""
        return self.body[start:end].decode("utf-8", "replace")

    def indent(self, node: Any) -> str:
        """The layout in front of the line that a node begins in."""
        start = self.body.rfind(b"\n", 0, node.start_byte) + 1
        line = self.body[start : node.start_byte]
        return line[: len(line) - len(line.lstrip())].decode()

    def inset(self, node: Any, *lines: str) -> str:
        """Lines as a block where a node stands, one step deeper than its own line."""
        space = self.indent(node)
        return "{\n" + "".join(f"{space}    {line}\n" for line in lines) + f"{space}}}"

    @cached_property
    def words(self) -> frozenset[str]:
        """Every identifier of the text."""
        return frozenset(self.text(node) for node in self.nodes if node.type == "identifier")

    def fresh(self, name: str) -> str:
        """A name like this one that the text does not hold."""
        number = 2
        found = name
        while found in self.words:
            found, number = f"{name}_{number}", number + 1
        return found

    def uses(self, node: Any) -> set[str]:
        """The identifiers that occur in a node."""
        return {self.text(one) for one in walk(node) if one.type in ("identifier", "field_identifier")}

    def blocks(self) -> Iterator[list[Any]]:
        """The statements of each block, in order."""
        for block in self.of("block"):
            yield [node for node in block.named_children if node.type in _STATEMENTS]

    def edit(self, operator: str, node: Any, new: str, why: str, *, keeps: bool = False) -> Edit:
        """Another text in the place of a node."""
        return self.span(operator, node.start_byte, node.end_byte, new, why, keeps=keeps)

    def span(self, operator: str, start: int, end: int, new: str, why: str, *, keeps: bool = False) -> Edit:
        """Another text in the place of some bytes."""
        line = self.body.count(b"\n", 0, start) + 1
        return Edit(operator, line, start, end, new, " ".join(why.split())[:70], keeps)

    def exchanged(self, operator: str, first: Any, second: Any, why: str, *, keeps: bool = False) -> Edit:
        """Two nodes change places; what is between them stays."""
        middle = self.between(first.end_byte, second.start_byte)
        new = self.text(second) + middle + self.text(first)
        return self.span(operator, first.start_byte, second.end_byte, new, why, keeps=keeps)


def declared(text: TreeText, statement: Any) -> set[str]:
    """The names that a statement declares; an assignment, which the grammar of Zig calls by the same word, none."""
    if statement.type == "let_declaration":
        pattern = statement.child_by_field_name("pattern")
        return text.uses(pattern) if pattern is not None else set()
    if statement.type == "variable_declaration" and statement.children[0].type in ("const", "var"):
        return {text.text(node) for node in statement.children if node.type == "identifier"}
    return set()


def inner(node: Any) -> Any:
    """What a statement is made of: the loop of a labelled statement, the expression of an expression's."""
    found = node
    while found.type in ("labeled_statement", "expression_statement", "block_expression"):
        parts = [child for child in found.named_children if child.type not in COMMENTS]
        if len(parts) != 1:
            break
        found = parts[0]
    return found
