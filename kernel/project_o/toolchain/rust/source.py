"""What the shim must know of a cell: its public functions and its structs, by name, types as they are written.

tree-sitter sees neither aliases nor macros, so nothing is concluded from a type's text; the compiler resolves it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

STATE = "State"
"""The struct that is the state of a library module."""

_COMMENTS = {"line_comment", "block_comment"}
_TYPES = {"struct_item", "enum_item", "union_item", "type_item"}
_PLAIN_STATE = re.compile(rf"\bstruct {STATE}\s*[;({{]")
_TEST_ONLY = re.compile(r"#\[cfg\(test\)\]")


@dataclass(frozen=True, slots=True)
class Function:
    """A ``pub fn``. ``note`` says why it cannot be offered, "" where only its types can tell."""

    name: str
    parameters: tuple[str, ...]
    result: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Structure:
    """A struct without type parameters. ``fields`` are (name, type); the names of a tuple struct are its numbers."""

    name: str
    lifetimes: tuple[str, ...]
    fields: tuple[tuple[str, str], ...]
    named: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """An enum whose variants hold nothing, by their names."""

    name: str
    variants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """All of a cell that the shim is made from."""

    functions: tuple[Function, ...]
    structures: tuple[Structure, ...]
    choices: tuple[Choice, ...]
    constants: frozenset[str]
    types: tuple[tuple[str, str], ...] = ()
    """The text of every type, by its name."""

    @property
    def has_state(self) -> bool:
        """Whether there is a struct that is a module's state."""
        return _PLAIN_STATE.search(dict(self.types).get(STATE, "")) is not None


@lru_cache(maxsize=64)
def read(source: str) -> Facts:
    """The facts of a cell; of one that does not parse, what could be read."""
    import tree_sitter
    import tree_sitter_rust

    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))
    functions: dict[str, Function] = {}
    structures: dict[str, Structure] = {}
    choices: dict[str, Choice] = {}
    constants: set[str] = set()
    types: dict[str, str] = {}
    for node in _items(parser.parse(source.encode("utf-8", "surrogatepass")).root_node):
        name = _text(node.child_by_field_name("name"))
        if node.type == "function_item" and _is_public(node):
            functions.setdefault(name, _function(name, node))
        elif node.type == "struct_item" and (structure := _structure(name, node)) is not None:
            structures.setdefault(name, structure)
        elif node.type == "enum_item" and (choice := _choice(name, node)) is not None:
            choices.setdefault(name, choice)
        elif node.type == "const_item":
            constants.add(name)
        if node.type in _TYPES:
            types.setdefault(name, _spelled(node))
    return Facts(
        tuple(functions.values()),
        tuple(structures.values()),
        tuple(choices.values()),
        frozenset(constants),
        tuple(sorted(types.items())),
    )


def _items(root: Any) -> Iterator[Any]:
    """The items of the cell itself that are built outside of tests."""
    testing = False
    for node in root.children:
        if node.type in _COMMENTS:
            continue
        if node.type == "attribute_item":
            testing = testing or bool(_TEST_ONLY.fullmatch(re.sub(r"\s", "", _text(node))))
            continue
        if not testing and node.child_by_field_name("name") is not None and not node.has_error:
            yield node
        testing = False


def _is_public(node: Any) -> bool:
    return any(child.type == "visibility_modifier" and _text(child).strip() == "pub" for child in node.children)


def _function(name: str, node: Any) -> Function:
    parameters: list[Any] = []
    for child in node.child_by_field_name("parameters").named_children:
        if child.type == "parameter":
            parameters.append(child.child_by_field_name("type"))
    result = node.child_by_field_name("return_type")
    note = _note(name, node, parameters, result)
    if note:
        return Function(name, (), "()", note)
    return Function(name, tuple(_type(item) for item in parameters), _result(result))


def _note(name: str, node: Any, parameters: list[Any], result: Any) -> str:
    if not name.isascii():
        return "the linker takes ASCII names only: add a function with such a name that calls it"
    modifiers = " ".join(_text(child) for child in node.children if child.type == "function_modifiers").split()
    if "async" in modifiers:
        return "it is async: a call from Python waits for its result"
    if "unsafe" in modifiers:
        return "it is unsafe: put it behind a safe function"
    if "extern" in modifiers:
        return "it is an extern function: write an ordinary one"
    generics = node.child_by_field_name("type_parameters")
    if generics is not None and any(not child.type.startswith("lifetime") for child in generics.named_children):
        return "it is generic: write one for the types that Python shall use"
    for number, item in enumerate(parameters, 1):
        inside = list(_below(item))
        if any(child.type == "abstract_type" for child in inside):
            return f"parameter {number}: impl Trait has no counterpart in Python"
        if any(child.type == "lifetime" and _text(child) == "'static" for child in inside):
            return f"parameter {number}: what comes from Python lives as long as the call, not 'static"
    if result is not None and any(child.type == "abstract_type" for child in _below(result)):
        return "result: impl Trait has no counterpart in Python, collect it into a Vec"
    return ""


def _result(node: Any) -> str:
    # A function that never returns gives nothing, and its type cannot be written elsewhere.
    return "()" if node is None or node.type == "never_type" else _type(node)


def _structure(name: str, node: Any) -> Structure | None:
    body = node.child_by_field_name("body")
    generics = node.child_by_field_name("type_parameters")
    inside = generics.named_children if generics is not None else []
    if body is None or any(not child.type.startswith("lifetime") for child in inside):
        return None
    lifetimes = tuple(_text(next(k for k in _below(child) if k.type == "lifetime")) for child in inside)
    if body.type == "field_declaration_list":
        fields = [child for child in body.named_children if child.type == "field_declaration"]
        pairs = [(_text(field.child_by_field_name("name")), _own_type(field)) for field in fields]
        return Structure(name, lifetimes, tuple(pairs), named=True)
    types = body.children_by_field_name("type")
    numbered = tuple((str(number), _spelled(item)) for number, item in enumerate(types))
    return Structure(name, lifetimes, numbered, named=False)


def _choice(name: str, node: Any) -> Choice | None:
    body = node.child_by_field_name("body")
    variants = [child for child in body.named_children if child.type == "enum_variant"] if body is not None else []
    plain = all(variant.child_by_field_name("body") is None for variant in variants)
    if not variants or not plain or node.child_by_field_name("type_parameters") is not None:
        return None
    return Choice(name, tuple(_text(variant.child_by_field_name("name")) for variant in variants))


def _own_type(field: Any) -> str:
    return _spelled(field.child_by_field_name("type"))


def _type(node: Any) -> str:
    """A type where the function's own lifetimes are not in scope: the compiler infers them."""
    return _spelled(node, anonymous=True)


def _spelled(node: Any, *, anonymous: bool = False) -> str:
    """The text of a type on one line, without comments."""
    body = bytearray(node.text)
    for child in sorted(_below(node), key=lambda item: -item.start_byte):
        start, end = child.start_byte - node.start_byte, child.end_byte - node.start_byte
        if child.type in _COMMENTS:
            body[start:end] = b" "
        elif anonymous and child.type == "lifetime" and not _is_bound(child) and child.text != b"'static":
            body[start:end] = b"'_"
    return " ".join(body.decode("utf-8", "replace").split())


def _is_bound(lifetime: Any) -> bool:
    """Whether a lifetime belongs to a ``for<'a>`` inside the type."""
    node = lifetime.parent
    while node is not None:
        if any(child.type == "for_lifetimes" for child in node.children):
            return True
        node = node.parent
    return False


def _below(node: Any) -> Iterator[Any]:
    """A node and all that is in it; a comment's own parts are not."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        if node.type not in _COMMENTS:
            stack.extend(node.children)


def _text(node: Any) -> str:
    return node.text.decode("utf-8", "replace") if node is not None else ""


def quoted(text: str) -> str:
    """A text as a string literal of Rust."""
    safe = "".join(character if character.isprintable() else " " for character in text)
    return '"' + safe.replace("\\", "\\\\").replace('"', '\\"') + '"'
