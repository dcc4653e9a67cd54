"""Declared parameters: what a comment may say, and that setting one leaves every other byte alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.errors import UsageError
from project_o.languages import LANGUAGES, domains, rust, tools_for, zig
from project_o.languages.scan import declared, may_declare

ZIG = """//! A cell. "// o: 1 2" in a string is no declaration.
const std = @import("std");
pub const lanes: usize = 8; // o: 4 8 16 32
const mode = .fast; // o: .fast .small
const scale: f32 = -0.5; // o: -0.5 0.25, 2
const text = "a\\"b // o: no"; // o: "x" "a\\"b // o: no"
const on = true; // o: true false
const base = 0x10; //o: 8..20
/// Adds é.
pub fn add(a: i32) i32 {
\tconst step = 64; // o: log 1..1000
    return a + step + lanes; // an ordinary comment
}
"""

PYTHON = '''"""A cell. '# o: 1' in a string is no declaration."""
lanes = 8  # o: 4 8 16 32
mode: str = "fast"  # o: "fast" "small"
scale = -0.5  # o: -0.5 0.25, 2
on = True  # o: true false
def add(a):
    é = 1; step = 64  # o: log 1..1000
    return a + step + lanes  # an ordinary comment
'''


def test_every_kind_of_domain_is_read_in_zig() -> None:
    found = {item.name: (item.value, item.domain, item.line) for item in tools_for("zig").program("k", ZIG).parameters}

    assert found["lanes"] == (8, (4, 8, 16, 32), 3)
    assert found["mode"] == (".fast", (".fast", ".small"), 4)
    assert found["scale"] == (-0.5, (-0.5, 0.25, 2.0), 5)
    assert found["text"] == ('a"b // o: no', ("x", 'a"b // o: no'), 6)
    assert found["on"] == (True, (True, False), 7)
    assert found["base"] == (16, tuple(range(8, 21)), 8)
    assert found["step"] == (64, (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000), 11)


def test_python_declares_the_same_way() -> None:
    found = {item.name: (item.value, item.domain) for item in tools_for("python").program("k", PYTHON).parameters}

    assert found["lanes"] == (8, (4, 8, 16, 32))
    assert found["mode"] == ("fast", ("fast", "small"))
    assert found["scale"] == (-0.5, (-0.5, 0.25, 2.0))
    assert found["on"] == (True, (True, False))
    assert found["step"][0] == 64


@pytest.mark.parametrize(("language", "source"), [("zig", ZIG), ("python", PYTHON)])
@given(data=st.data())
def test_setting_parameters_changes_their_values_and_no_other_byte(
    language: str, source: str, data: st.DataObject
) -> None:
    tools = tools_for(language)
    program = tools.program("k", source)
    chosen = {item.name: data.draw(st.sampled_from(item.domain)) for item in program.parameters}

    changed = tools.with_settings(program, chosen)
    back = tools.with_settings(changed, {item.name: item.value for item in program.parameters})

    assert {item.name: item.value for item in changed.parameters} == chosen
    assert [item.domain for item in changed.parameters] == [item.domain for item in program.parameters]
    for old, new in zip(source.split("\n"), changed.source.split("\n"), strict=True):
        end = "; " if language == "zig" else "  # "
        assert old.partition(" = ")[0] == new.partition(" = ")[0]
        assert old.partition(end)[2] == new.partition(end)[2]
        if "o:" not in old:
            assert old == new
    assert {item.name: item.value for item in back.parameters} == {item.name: item.value for item in program.parameters}


def test_setting_nothing_new_keeps_the_authors_spelling() -> None:
    tools = tools_for("zig")
    program = tools.program("k", ZIG)

    assert tools.with_settings(program, {item.name: item.value for item in program.parameters}) == program


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_survive(end: str) -> None:
    source = PYTHON.replace("\n", end)
    tools = tools_for("python")

    changed = tools.with_settings(tools.program("k", source), {"lanes": 32, "step": 1})

    assert changed.source == source.replace("lanes = 8", "lanes = 32").replace("step = 64", "step = 1")


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("\nconst a = 8; // o: 4 16", 2, "not among its own values"),
        ("// o: 1 2\nconst a = 1;", 1, "declares nothing"),
        ("const a = 1; // o:", 1, "lists no values"),
        ("const a = 1 + 1; // o: 2 3", 1, "plain number"),
        ("const a = 1; // o: 1 x", 1, "integers"),
        ("const a = 1; // o: log 1 2", 1, "without a range"),
        ("const a = 1; // o: 4..1", 1, "smaller bound first"),
        ("const a = 1; // o: 1..9999", 1, "the most"),
        ("const a = .x; // o: x y", 1, "enum literals"),
        ('const a = "x"; // o: x y', 1, "in quotes"),
        ("const a = true; // o: 1 0", 1, "true or false"),
        ("const a = 0.5; // o: 0.5 1e999", 1, "finite"),
        ("const a = 1; // o: 1 2\nfn f() void {\n const a = 1; // o: 1 2\n}", 3, "already in line 1"),
        ("var a: u8 = 1; // o: 1 2", 1, "declares nothing"),
    ],
)
def test_a_bad_declaration_names_its_line(source: str, line: int, says: str) -> None:
    with pytest.raises(UsageError, match=f"^line {line}: .*{says}"):
        tools_for("zig").program("k", source)


def test_a_name_or_value_that_is_not_declared_is_refused() -> None:
    tools = tools_for("zig")
    program = tools.program("k", ZIG)

    with pytest.raises(UsageError, match="no parameter is called width: declared are lanes"):
        tools.with_settings(program, {"width": 1})
    with pytest.raises(UsageError, match="lanes cannot be 5"):
        tools.with_settings(program, {"lanes": 5})
    with pytest.raises(UsageError, match="on cannot be 1"):
        tools.with_settings(program, {"on": 1})


def test_python_that_does_not_parse_names_its_line() -> None:
    with pytest.raises(UsageError, match=r"^line 2: this is not Python"):
        tools_for("python").program("k", "a = 1\nb = = 2\n")


@given(st.integers(-50, 50), st.integers(1, 60))
def test_a_range_holds_both_ends_and_the_current_value(low: int, size: int) -> None:
    value = low + size // 2

    assert domains.parse(f"{low}..{low + size}", "int", value, "a", 1) == tuple(range(low, low + size + 1))


@given(st.floats(0.001, 1.0), st.floats(1.5, 1000.0))
def test_a_float_range_is_a_grid_with_the_current_value(low: float, high: float) -> None:
    found = domains.parse(f"log {low}..{high}", "float", (low + high) / 2, "a", 1)

    assert (low + high) / 2 in found
    assert list(found) == sorted(found)
    assert max(found) == high


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError, match="there are zig, rust, python"):
        tools_for("cobol")
    assert {"zig", "rust", "python"} <= set(LANGUAGES)


PIECES = ["const a: i32 = 1; ", "//", "///", "/*", "*/", "!", " ", "\n", "\t", "o:", "o: 1 2", '"', "text"]


@pytest.mark.parametrize("language", [zig, rust])
@given(pieces=st.lists(st.sampled_from(PIECES), max_size=12))
def test_only_a_text_that_declares_nothing_is_not_read_for_it(language: Any, pieces: list[str]) -> None:
    source = "".join(pieces)
    try:
        declares = bool(declared(language._scan(source), "//"))
    except UsageError:
        declares = True
    assert may_declare(source) or not declares
