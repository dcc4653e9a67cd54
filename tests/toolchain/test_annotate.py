"""Assembly beside the source: every instruction has the line it comes from, as the compiler itself says."""

from __future__ import annotations

import platform

import pytest

from project_o import toolchain
from project_o.errors import CompileError
from project_o.values import Program

SOURCES = {
    "zig": """
fn square(x: f32) f32 {
    return x * x;
}

pub fn total(a: []const f32) f32 {
    var sum: f32 = 0;
    for (a) |x| sum += square(x);
    return sum;
}

pub fn at(a: []const f32, i: usize) f32 {
    return a[i];
}
""",
    "rust": """
fn square(x: f32) -> f32 {
    x * x
}

pub fn total(a: &[f32]) -> f32 {
    let mut sum = 0.0;
    for x in a { sum += square(*x); }
    sum
}

pub fn at(a: &[f32], i: usize) -> f32 {
    a[i]
}
""",
}
SQUARE, SUM, AT = 3, 8, 13
MULTIPLIES = {"x86_64": "mulss", "aarch64": "fmul"}


@pytest.fixture(params=["zig", "rust"])
def language(request):
    request.getfixturevalue("rust_there" if request.param == "rust" else "zig_there")
    return request.param


def annotated(language, source, mode="safe", options=()):
    program = Program("cell", language, ((f"cell.{language}", source),), mode=mode, options=options)
    return dict(toolchain.annotate(program))


@pytest.mark.parametrize("mode", ["safe", "fast", "debug"])
def test_each_function_has_its_lines_and_their_instructions(language, mode):
    found = annotated(language, SOURCES[language], mode)

    assert set(found) == ({"square", "total", "at"} if mode == "debug" else {"total", "at"})
    assert {line for line, _, _ in found["at"]} >= {AT}
    multiply = MULTIPLIES.get(platform.machine(), "mul")
    for name, rows in found.items():
        for line, _, said in rows:
            for item in said:
                assert item == item.strip()
                assert not item.startswith((".loc", ".cfi", ".Ltmp"))
                if multiply in item and item.startswith(("v" + multiply, multiply)):
                    assert line == SQUARE, f"{name}: {item}"
    where = "square" if mode == "debug" else "total"
    assert any(line == SQUARE and any(multiply in item for item in said) for line, _, said in found[where])


def test_what_jumps_shows_where_to(language):
    found = annotated(language, SOURCES[language])["total"]
    said = [item for _, _, items in found for item in items]
    labels = [item.rstrip(":") for item in said if item.endswith(":")]

    assert labels
    assert all(any(label in item.split()[-1:] for item in said) for label in labels)
    assert any(line == SUM for line, _, _ in found)


def test_our_own_code_around_is_told_apart(language):
    rows = annotated(language, SOURCES[language])["at"]

    assert rows[0][:2] == (0, "arguments and result")
    assert {where for line, where, _ in rows if line} == {""}


def test_the_other_programs_that_a_cell_imports_are_named(language):
    source = {
        "zig": 'const stats = @import("stats");\npub fn f(x: u64) u64 { return stats.odd(x) +% 1; }',
        "rust": "use stats::odd;\npub fn f(x: u64) -> u64 { odd(x).wrapping_add(1) }",
    }
    other = {
        "zig": "pub fn odd(x: u64) u64 { return (x *% 12345) ^ x; }",
        "rust": "#[inline(always)] pub fn odd(x: u64) -> u64 { x.wrapping_mul(12345) ^ x }",
    }
    suffix = {"zig": "zig", "rust": "rs"}[language]
    files = ((f"cell.{suffix}", source[language]), (f"imports/stats/stats.{suffix}", other[language]))
    found = dict(toolchain.annotate(Program("cell", language, files)))

    assert any(f"imports/stats/stats.{suffix}" in where for _, where, _ in found["f"])


def test_what_does_not_compile_has_its_place(language):
    with pytest.raises(CompileError) as told:
        annotated(language, "\npub fn f(x: u8) u8 { return y; }" if language == "zig" else "\npub fn f() -> u8 { y }")
    assert told.value.diagnostics[0].line == 2
    assert told.value.language == language
