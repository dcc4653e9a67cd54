"""The table of types in docs/native.md, row by row: each type that it names is built and crosses."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from project_o.values import Artifact

PAGE = Path(__file__).parents[2] / "docs" / "native.md"
RESULTS_ONLY = {"E!T", "Result<T, E>", "Vec<T>", "Box<[T]>"}
PARAMETERS_ONLY = {"o.Matrix(T)", "o.MatrixMut(T)", "o.View(T, n)", "o.ViewMut(T, n)", "[:0]const u8"} | {
    "std.mem.Allocator", "o::View2<T>", "o::ViewMut2<T>", "o::View<T, N>", "o::ViewMut<T, N>", "&str"
} | {"&[T]", "&mut [T]", "&[S]", "&mut [S]", "&[u8]", "&[[T; N]]", "&mut [[T; N]]"}  # fmt: skip
ZIG = """const std = @import("std");
const o = @import("o");
const S = struct { a: f32, b: [2]u8 };
const C = enum { red, green };
"""
RUST = """#[derive(Clone, Copy)]
pub struct S { pub a: f32, pub b: [u8; 2] }
#[derive(Debug)]
pub enum E { Bad }
pub enum C { Red, Green }
"""
BITS = {"i1": (1, 7, 64, 65, 128), "u1": (1, 7, 64, 65, 128), "i8": (8, 16, 32, 64, 128), "u8": (8, 16, 32, 64, 128)}


def rows() -> list[tuple[str, str, str]]:
    table = PAGE.read_text().split("## What maps to what")[1].split("\n\n")[1]
    found = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.split("\n")[2:]]
    assert all(len(row) == 3 for row in found), found
    return [(row[0].strip(), row[1], row[2]) for row in found]


def spelled(text: str, language: str) -> list[str]:
    """The types of one field of the table, with ranges written out."""
    types = []
    for first, rest in re.findall(r"`([^`]+)`(?: \.\.\. `([^`]+)`)?", text):
        types += [f"{first[0]}{bits}" for bits in BITS[first]] if rest else [first]
    for word, kind in (("struct", "S"), ("enum", "C")):
        types += [kind] if word in types else []
    tuple_ = "struct { f32, bool }" if language == "zig" else "(f32, bool)"
    types += [tuple_] if "tuple" in text else []
    return [kind for kind in types if kind not in ("struct", "enum", "str", "E: Debug")]


def concrete(kind: str) -> str:
    for pattern, real in ((r"\bT\b", "f32"), (r"\bN\b|\bn\b", "3"), (r"^E!", "error{Bad}!")):
        kind = re.sub(pattern, real, kind)
    return kind


def cell(language: str, types: list[str]) -> str:
    """A cell with a function for each type that takes it, and one that gives it."""
    lines = [ZIG if language == "zig" else RUST]
    for number, kind in enumerate(types):
        real = concrete(kind)
        if kind not in RESULTS_ONLY:
            taken = f"pub fn take{number}(a: {real}) void {{\n    _ = a;\n}}"
            lines.append(taken if language == "zig" else f"pub fn take{number}(_a: {real}) {{}}")
        if kind not in PARAMETERS_ONLY:
            given = "" if language == "zig" else " ->"
            lines.append(
                f"pub fn give{number}(){given} {real} {{\n    {'unreachable' if not given else 'panic!()'};\n}}"
            )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_every_type_of_the_table_crosses(language: str, request: pytest.FixtureRequest) -> None:
    build: Callable[..., Artifact] = request.getfixturevalue("compiled" if language == "zig" else "compiled_rust")
    types = [kind for row in rows() for kind in spelled(row[1 if language == "zig" else 2], language)]
    assert len(types) > 25
    source = cell(language, types)
    interface = build(source).interface

    assert interface.skipped == ()
    assert {function.name for function in interface.functions} == set(re.findall(r"pub fn (\w+)", source))


def test_every_row_names_a_type_of_each_language_where_there_is_one() -> None:
    table = rows()

    assert len(table) > 15
    assert [row[0] for row in table if not spelled(row[1], "zig")] == []
    without = [row[0] for row in table if not spelled(row[2], "rust")]
    assert without == ["nothing: memory for the call"]
