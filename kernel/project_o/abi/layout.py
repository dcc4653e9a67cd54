"""Types as the library describes them, in Python's words, and as cells."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ..values import Interface, NativeFunction, NativeType

STATUS_OK = 0
STATUS_ERROR = -1
STATUS_ERRORS = (-1, -3, -4)
"""Those with an error's text: any error; from a module also an invalid parameter and a timeout of native/abi/o.h."""
ERROR_RESULT_CELLS = 2
WORD_BITS = 64


def type_from_json(body: dict[str, Any]) -> NativeType:
    """A type as ``o_describe`` writes it. Raises KeyError for a description without ``kind``."""
    if not body.keys() & _WITH_OTHERS:
        return _plain_type(tuple(body.items()), tuple(map(type, body.values())))
    return _type(body)


_WITH_OTHERS = frozenset({"child", "fields", "numbers"})


@lru_cache(maxsize=256)
def _plain_type(items: tuple[tuple[str, Any], ...], _types: tuple[type, ...]) -> NativeType:
    """Nearly all parts of an interface are one of a few numbers. A description of others' may say 1 for True."""
    return _type(dict(items))


def _type(body: dict[str, Any]) -> NativeType:
    child = body.get("child")
    return NativeType(
        kind=body["kind"],
        bits=body.get("bits", 0),
        signed=body.get("signed", False),
        const=body.get("const", False),
        sentinel=body.get("sentinel", False),
        length=body.get("length", 0),
        child=type_from_json(child) if child else None,
        name=body.get("name", ""),
        fields=tuple((name, type_from_json(item)) for name, item in body.get("fields", ())),
        numbers=tuple(body.get("numbers", ())),
    )


def interface_from_json(body: dict[str, Any]) -> Interface:
    """The interface as ``o_describe`` writes it; parameters are called ``a0``, ``a1`` until names are known."""
    return Interface(
        functions=tuple(
            NativeFunction(
                name=item["name"],
                parameters=tuple((f"a{k}", type_from_json(t)) for k, t in enumerate(item["parameters"])),
                result=type_from_json(item["result"]),
            )
            for item in body["functions"]
        ),
        skipped=tuple((name, reason) for name, reason in body.get("skipped", ())),
    )


@lru_cache(maxsize=256)
def spell(kind: NativeType) -> str:
    """The type in Python's words, for messages and signatures: ``float32 array``, ``int``, ``float | None``."""
    match kind.kind:
        case "slice" if is_text(kind):
            return "str"
        case "slice" if row_length(kind):
            rows = f"(n, {row_length(kind)}) {dtype_name(child_of(child_of(kind)))} array"
            return rows if kind.const else f"writable {rows}"
        case "slice":
            return f"{'' if kind.const else 'writable '}{dtype_name(child_of(kind))} array"
        case "matrix":
            return f"{'' if kind.const else 'writable '}2-d {dtype_name(child_of(kind))} array"
        case "view":
            return f"{'' if kind.const else 'writable '}{kind.length}-d {dtype_name(child_of(kind))} array"
        case "array":
            return f"{dtype_name(child_of(kind))} array of {kind.length}"
        case "optional":
            return f"{spell(child_of(kind))} | None"
        case "error_union":
            return spell(child_of(kind))
        case "struct" | "tuple" | "enum":
            return kind.name or "tuple"
        case "void":
            return "None"
        case other:
            return other


def spell_parameter(kind: NativeType) -> str:
    """What a parameter of the type takes: as ``spell``, but that bytes need not be text."""
    if kind.kind == "optional":
        return f"{spell_parameter(child_of(kind))} | None"
    if kind.kind == "slice" and is_text(kind):
        return "str | bytes" if kind.sentinel else "str | bytes | uint8 array"
    return spell(kind)


def dtype_name(kind: NativeType) -> str:
    """The numpy dtype of a number type: ``float32``, ``uint8``, ``bool``; of a struct its own name."""
    if kind.kind == "bool":
        return "bool"
    if kind.kind in ("struct", "tuple"):
        return kind.name or "struct"
    prefix = "float" if kind.kind == "float" else "int" if kind.signed else "uint"
    return f"{prefix}{kind.bits}"


def cell_count(kind: NativeType) -> int:
    """How many cells a result of this type takes."""
    match kind.kind:
        case "void":
            return 0
        case "int":
            return int_cells(kind)
        case "slice":
            return 2
        case "matrix":
            return 4
        case "view":
            return 1 + 2 * kind.length
        case "array":
            return kind.length * cell_count(child_of(kind))
        case "struct" | "tuple":
            return sum(cell_count(item) for _, item in kind.fields)
        case "optional":
            return 1 + cell_count(child_of(kind))
        case "error_union":
            return cell_count(child_of(kind))
        case _:
            return 1


def int_cells(kind: NativeType) -> int:
    """How many cells an integer takes: one word each."""
    return 1 if kind.bits <= WORD_BITS else 2


def argument_cell_count(kind: NativeType) -> int:
    """How many cells an argument of this type takes: an array by value is passed by its address."""
    match kind.kind:
        case "array":
            return 1
        case "struct" | "tuple":
            return sum(argument_cell_count(item) for _, item in kind.fields)
        case "optional":
            return 1 + argument_cell_count(child_of(kind))
        case _:
            return cell_count(kind)


def result_cells(function: NativeFunction) -> int:
    """The cells that ``ret`` must have: the result or an error's name, and the memory handle."""
    return max(cell_count(function.result), ERROR_RESULT_CELLS) + 1


def handle_cell(function: NativeFunction) -> int:
    """Where in ``ret`` the memory handle stands."""
    return cell_count(function.result)


def child_of(kind: NativeType) -> NativeType:
    """The element or payload of a type that has one."""
    assert kind.child is not None, f"a {kind.kind} without a child"
    return kind.child


def row_length(kind: NativeType) -> int:
    """How many numbers each element of a slice is, where it is a row of some; else 0."""
    return child_of(kind).length if child_of(kind).kind == "array" else 0


def is_text(kind: NativeType) -> bool:
    """Whether a slice is a string in Python."""
    child = child_of(kind)
    return kind.const and child.kind == "int" and child.bits == 8 and not child.signed
