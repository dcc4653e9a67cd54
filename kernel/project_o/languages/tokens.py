"""The tokens of a Zig or Rust text, by tree-sitter: comments left out, strings as one token each."""

from __future__ import annotations

from typing import Any, NamedTuple

from .trees import text_of, tree

GRAMMARS = {"zig": "tree_sitter_zig", "rust": "tree_sitter_rust"}
_COMMENTS = frozenset({"comment", "line_comment", "block_comment"})
_STRINGS = frozenset(
    {"string", "multiline_string", "string_literal", "raw_string_literal", "char_literal", "character"}
)


class Token(NamedTuple):
    """What stands there, and its line (1-based)."""

    text: str
    line: int


def tokens(language: str, source: str) -> tuple[list[Token], bool]:
    """The tokens in order, and whether the whole text could be read."""
    root = tree(GRAMMARS[language], source)
    body = source.encode("utf-8", "surrogatepass")
    found: list[Token] = []
    stack: list[Any] = [root]
    while stack:
        node = stack.pop()
        if node.type in _COMMENTS:
            continue
        if node.type in _STRINGS or not node.children:
            found.append(Token(text_of(body, node), node.start_point[0] + 1))
        else:
            stack.extend(reversed(node.children))
    return found, not root.has_error
