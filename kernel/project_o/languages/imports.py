"""Which other programs a text of Zig or Rust imports: ``@import("NAME")``, ``use NAME``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from .tokens import GRAMMARS
from .trees import nodes, text_of, tree, walk

_IMPORTS = {"zig": "@import", "rust": "use"}
"""The word without which a text imports nothing, and need not be parsed to know it."""
_ZIG_OWN = frozenset({"std", "builtin", "root", "o"})
_RUST_OWN = frozenset({"std", "core", "alloc", "crate", "self", "super", "o"})


class Import(NamedTuple):
    """A program that is imported by its name, and where that stands (1-based, in characters)."""

    name: str
    line: int
    column: int


@lru_cache(maxsize=32)
def imports(language: str, source: str) -> tuple[Import, ...]:
    """The names that a text imports and that are none of the language's own, each once, in their order.

    In Zig such a name can only be another program; in Rust it may be something of the text's own.
    """
    if language not in GRAMMARS or _IMPORTS[language] not in source:
        return ()
    root = tree(GRAMMARS[language], source)
    found: dict[str, Import] = {}
    for item in (_zig if language == "zig" else _rust)(source.encode("utf-8", "surrogatepass"), root):
        found.setdefault(item.name, item)
    return tuple(found.values())


def _zig(body: bytes, root: Any) -> Iterator[Import]:
    for node in nodes(GRAMMARS["zig"], root, "(builtin_function) @call"):
        if not text_of(body, node).startswith("@import"):
            continue
        for part in walk(node):
            if part.type == "string":
                name = text_of(body, part)[1:-1]
                if name.isidentifier() and name not in _ZIG_OWN:
                    yield _placed(body, part, name, len('"'))
                break


def _rust(body: bytes, root: Any) -> Iterator[Import]:
    own = {
        text_of(body, node.child_by_field_name("name"))
        for node in root.children
        if node.type in ("mod_item", "enum_item", "struct_item", "trait_item") and node.child_by_field_name("name")
    }
    for node in nodes(GRAMMARS["rust"], root, "(use_declaration) @use"):
        for first in _first_words(node.child_by_field_name("argument")):
            name = text_of(body, first)
            if first.type == "identifier" and name not in _RUST_OWN and name not in own:
                yield _placed(body, first, name)


def _first_words(node: Any) -> Iterator[Any]:
    """The leftmost word of each path that a ``use`` names."""
    stack = [node]
    while stack:
        node = stack.pop()
        if node is None:
            continue
        if node.type == "use_list":
            stack.extend(reversed(node.named_children))
        elif node.type in ("identifier", "crate", "self", "super"):
            yield node
        elif (path := node.child_by_field_name("path")) is not None:
            stack.append(path)
        elif node.named_children:
            stack.append(node.named_children[0])


def _placed(body: bytes, node: Any, name: str, ahead: int = 0) -> Import:
    row, column = node.start_point
    line = body.split(b"\n")[row][:column].decode("utf-8", "replace")
    return Import(name, row + 1, len(line) + ahead + 1)
