"""What the dispatcher must know to make a call without any Python code: the plan of a function.

A plan is two arrays of C structs, one for the parameters and one for the parts of the result. Functions with a type
that is not in the tables below have none: they are called the portable way, which knows all types.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from ..values import NativeFunction, NativeType
from .classes import element_dtype, named_tuple
from .layout import WORD_BITS, argument_cell_count, cell_count, child_of, is_text, row_length

# Keep in step with arguments.h, results.h and entry.h of the dispatcher.
_PARAMETER = struct.Struct("<iiiiqQ")
_RESULT = struct.Struct("<iiiii")
_BOOL, _SIGNED, _UNSIGNED, _FLOAT, _SLICE, _TEXT, _TERMINATED, _MATRIX, _VIEW = range(1, 10)
_GIVES_VOID, _GIVES_BOOL, _GIVES_SIGNED, _GIVES_UNSIGNED, _GIVES_FLOAT, _GIVES_SLICE, _GIVES_TEXT = range(1, 8)
_WRITES, _OPTIONAL = 1, 2
_ARGUMENT_CELLS_MAX, _RESULT_CELLS_MAX, _PARTS_MAX = 48, 20, 16


@dataclass(frozen=True, slots=True)
class Plan:
    """``make`` puts the parts of a result together: ``tuple``, a named tuple, or None for a single value."""

    parameters: bytes
    results: bytes
    make: Any
    handle_cell: int
    arrays: bool
    """Whether numpy is needed."""


def plan(function: NativeFunction) -> Plan | None:
    """The plan of a function; None where it has to be called the portable way."""
    kinds = [kind for _, kind in function.parameters]
    parameters = [_parameter(kind) for kind in kinds]
    results, make = _results(function.result)
    handle_cell = cell_count(function.result)
    if None in parameters or None in results or len(parameters) > _PARTS_MAX or len(results) > _PARTS_MAX:
        return None
    if sum(map(argument_cell_count, kinds)) > _ARGUMENT_CELLS_MAX or handle_cell > _RESULT_CELLS_MAX:
        return None
    return Plan(
        b"".join(item for item in parameters if item),
        b"".join(item for item in results if item),
        make,
        handle_cell,
        any(_has_arrays(kind) for kind in (*kinds, function.result)),
    )


def _has_arrays(kind: NativeType) -> bool:
    below = [item for _, item in kind.fields] + ([kind.child] if kind.child else [])
    return kind.kind in ("slice", "matrix", "view") or any(_has_arrays(item) for item in below)


def _type_number(kind: NativeType) -> int:
    child = child_of(kind)
    return int(element_dtype(child_of(child) if child.kind == "array" else child).num)


def _parameter(kind: NativeType) -> bytes | None:
    flags, cells = 0, argument_cell_count(kind)
    if kind.kind == "optional":
        flags, kind = _OPTIONAL, child_of(kind)
    number, low, high = 0, 0, 0
    if kind.child is not None and kind.child.numbers:
        return None  # structs in memory: which of them is what takes more than a number to compare
    match kind.kind:
        case "bool":
            what = _BOOL
        case "int" if kind.bits <= WORD_BITS:
            what = _SIGNED if kind.signed else _UNSIGNED
            low = -(1 << (kind.bits - 1)) if kind.signed else 0
            high = (1 << (kind.bits - kind.signed)) - 1
        case "float":
            what = _FLOAT
        case "slice":
            what = _TERMINATED if kind.sentinel else _TEXT if is_text(kind) else _SLICE
            number, high = _type_number(kind), row_length(kind)
        case "matrix" | "view":
            what, number = _MATRIX if kind.kind == "matrix" else _VIEW, _type_number(kind)
        case _:
            return None
    if kind.kind in ("slice", "matrix", "view") and not kind.const:
        flags |= _WRITES
    return _PARAMETER.pack(what, flags, number, cells, low, high)


def _results(kind: NativeType) -> tuple[list[bytes | None], Any]:
    while kind.kind == "error_union":
        kind = child_of(kind)
    if kind.kind == "tuple":
        return [_result(item) for _, item in kind.fields], tuple
    if kind.kind == "struct":
        return [_result(item) for _, item in kind.fields], named_tuple(kind)
    return [_result(kind)], None


def _result(kind: NativeType) -> bytes | None:
    flags, number, cells = 0, 0, cell_count(kind)
    if kind.kind == "optional":
        flags, kind = _OPTIONAL, child_of(kind)
    while kind.kind == "error_union":
        kind = child_of(kind)
    bits = kind.bits or WORD_BITS
    match kind.kind:
        case "void":
            what = _GIVES_VOID
        case "bool":
            what = _GIVES_BOOL
        case "int" if kind.bits <= WORD_BITS:
            what = _GIVES_SIGNED if kind.signed else _GIVES_UNSIGNED
        case "float":
            what = _GIVES_FLOAT
        case "slice" if not child_of(kind).numbers:
            what = _GIVES_TEXT if is_text(kind) else _GIVES_SLICE
            number, bits = _type_number(kind), row_length(kind)
        case _:
            return None
    return _RESULT.pack(what, flags, number, bits, cells)
