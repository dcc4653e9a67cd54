"""Rust as the languages room reads it: parameters, signatures, blocks, and sources that try to be misread."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.errors import UsageError
from project_o.languages import tools_for

RUST = tools_for("rust")

SOURCE = """//! A cell. "// o: 1 2" in a string is no declaration.
use std::fmt;
pub const LANES: usize = 8_usize; // o: 4 8 16 32
const STEPS: i64 = -1_000i64; // o: -1000 -1 5
const MASK: u64 = 0xFFu64; // o: 1 255
const SCALE: f32 = -1.5e1_f32; // o: -15 0.25, 2
const GAIN: f64 = 1f64; //o: 0.5..1.5
const HALF: f32 = 2.; // o: 2.0 1e-7
const WAY: &str = "row\\u{41} é"; // o: "rowA é" "column"
const RAW: &str = r#"a"b // o: 1"#; // o: "x" "a\\"b // o: 1"
const ON: bool = true; /* o: true false */
const TEN: u8 = 010; // o: 8..20
static NOT: &str = "// o: 1 2 \\" // o: 3";
/* a comment /* in a comment // o: 1 2 */ o: 3 */
/// Adds é.
pub fn add<'a>(a: &'a [f32], quote: char) -> usize {
    const STEP: usize = 64; // o: log 1..1000
    let _ = ('"', '\\'', quote, b'"');
    a.len() + STEP + LANES // an ordinary comment
}
"""


def parameters(source: str) -> dict[str, tuple[object, ...]]:
    return {item.name: (item.value, item.domain, item.line) for item in RUST.program("k", source).parameters}


# --------------------------------------------------------------------------- parameters


def test_every_kind_of_constant_is_a_parameter() -> None:
    found = parameters(SOURCE)

    assert found["LANES"] == (8, (4, 8, 16, 32), 3)
    assert found["STEPS"] == (-1000, (-1000, -1, 5), 4)
    assert found["MASK"] == (255, (1, 255), 5)
    assert found["SCALE"] == (-15.0, (-15.0, 0.25, 2.0), 6)
    assert found["GAIN"][0] == 1.0
    assert len(found["GAIN"][1]) == 17  # type: ignore[arg-type]
    assert found["HALF"] == (2.0, (2.0, 1e-7), 8)
    assert found["WAY"] == ("rowA é", ("rowA é", "column"), 9)
    assert found["RAW"] == ('a"b // o: 1', ("x", 'a"b // o: 1'), 10)
    assert found["ON"] == (True, (True, False), 11)
    assert found["TEN"] == (10, tuple(range(8, 21)), 12)
    assert found["STEP"][:2] == (64, (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000))
    assert len(found) == 11
    assert {item.file for item in RUST.program("k", SOURCE).parameters} == {"cell.rs"}


@given(data=st.data())
def test_setting_parameters_changes_their_values_and_no_other_byte(data: st.DataObject) -> None:
    program = RUST.program("k", SOURCE)
    chosen = {item.name: data.draw(st.sampled_from(item.domain)) for item in program.parameters}

    changed = RUST.with_settings(program, chosen)
    back = RUST.with_settings(changed, {item.name: item.value for item in program.parameters})

    assert {item.name: item.value for item in changed.parameters} == chosen
    assert [item.domain for item in changed.parameters] == [item.domain for item in program.parameters]
    assert {item.name: item.value for item in back.parameters} == {item.name: item.value for item in program.parameters}
    lines = {item.line for item in program.parameters if chosen[item.name] != item.value}
    for number, (old, new) in enumerate(zip(SOURCE.split("\n"), changed.source.split("\n"), strict=True), 1):
        if number not in lines:
            assert old == new
        assert old.partition(" = ")[0] == new.partition(" = ")[0]
        assert old.rpartition("; /")[2] == new.rpartition("; /")[2]


@pytest.mark.parametrize(
    ("constant", "value", "expected"),
    [
        ("const A: usize = 8_usize; // o: 8 16", 16, "const A: usize = 16_usize; // o: 8 16"),
        ("const A: u64 = 0x_FFu64; // o: 255 1", 1, "const A: u64 = 1u64; // o: 255 1"),
        ("const A: u32 = 0x1f32; // o: 0x1f32 2", 2, "const A: u32 = 2; // o: 0x1f32 2"),
        ("const A: f32 = 1f32; // o: 1 2.5", 2.5, "const A: f32 = 2.5f32; // o: 1 2.5"),
        ("const A: i8 = -4i8 ; // o: -4 3", 3, "const A: i8 = 3i8 ; // o: -4 3"),
        ('const A: &str = r##"x"##; // o: "x" "y"', "y", 'const A: &str = "y"; // o: "x" "y"'),
        ("const r#loop: u8 = 1__0; // o: 1__0 2", 2, "const r#loop: u8 = 2; // o: 1__0 2"),
    ],
)
def test_what_is_set_keeps_its_suffix(constant: str, value: object, expected: str) -> None:
    program = RUST.program("k", constant)

    assert RUST.with_settings(program, {program.parameters[0].name: value}).source == expected


def test_setting_nothing_new_keeps_the_authors_spelling() -> None:
    program = RUST.program("k", SOURCE)

    assert RUST.with_settings(program, {item.name: item.value for item in program.parameters}) == program


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_survive(end: str) -> None:
    source = SOURCE.replace("\n", end)

    changed = RUST.with_settings(RUST.program("k", source), {"LANES": 32, "STEP": 1})

    assert changed.source == source.replace("8_usize", "32_usize").replace("= 64;", "= 1;")


@pytest.mark.parametrize(
    ("source", "line", "says"),
    [
        ("\nconst A: u8 = 8; // o: 4 16", 2, "not among its own values"),
        ("// o: 1 2\nconst A: u8 = 1;", 1, "declares nothing"),
        ("const A: u8 = 1; // o:", 1, "lists no values"),
        ("const A: u8 = 1 + 1; // o: 2 3", 1, "plain number"),
        ("const A: u8 = b'a'; // o: 2 3", 1, "plain number"),
        ('const A: &[u8] = b"a"; // o: "a" "b"', 1, "plain number"),
        ("const A: char = 'a'; // o: 'a' 'b'", 1, "plain number"),
        ("const A: u8 = 1; // o: 1 x", 1, "integers"),
        ("const A: u8 = 1; // o: 1 0x", 1, "integers"),
        (f"const A: u128 = 1; // o: 1 {'9' * 5000}", 1, "integers"),
        ("const A: u128 = 1; // o: 1 0x_", 1, "integers"),
        (f"const A: u128 = {'9' * 5000}; // o: 1 2", 1, "plain number"),
        ('const A: &str = "\\u{FFFFFF}"; // o: "a" "b"', 1, "plain number"),
        ("const A: bool = true; // o: 1 0", 1, "true or false"),
        ("const A: f64 = 0.5; // o: 0.5 1e999", 1, "finite"),
        ("const A: u8 = 1; // o: 1 2\nfn f() {\n const A: u8 = 1; // o: 1 2\n}", 3, "already in line 1"),
        ("static A: u8 = 1; // o: 1 2", 1, "declares nothing"),
        ("let a = 1; // o: 1 2", 1, "declares nothing"),
        ("const A: u8 = ; // o: 1 2", 1, "declares nothing"),
        ('\nconst S: &str = "open // o: 1 2\nfn f() {}\n', 2, "cannot be read as Rust"),
    ],
)
def test_a_bad_declaration_names_its_line(source: str, line: int, says: str) -> None:
    with pytest.raises(UsageError, match=f"^line {line}: .*{says}"):
        RUST.program("k", source)


def test_what_does_not_parse_and_declares_nothing_is_left_to_the_compiler() -> None:
    assert RUST.program("k", "pub fn f( {").parameters == ()
    assert RUST.program("k", "").parameters == ()


# --------------------------------------------------------------------------- signatures


def test_public_functions_with_parameters_documentation_and_lines() -> None:
    found = RUST.signatures(
        """//! inner
/// Adds two numbers.
///
/// Twice.
#[inline(always)]
// an aside
pub fn add<'a>(left: &'a [f32], mut right: Vec<i32>) -> i32 { 0 }
//// no documentation
pub unsafe fn plain(_: u8, (x, y): (u8, u8), &z: &u8, r#type: u8, lambda: u8, #[allow(unused)] last: u8) {}
/// lost: an item lies between
const X: u8 = 1;
pub const fn
    late() {}
/** Blocks
 * too.
 */
pub fn r#fn() {}
/**/
pub fn generic<T: Copy>(a: T) -> T { a }
pub(crate) fn hidden(a: u8) {}
fn private() {}
mod inner { pub fn deep() {} }
struct S; impl S { pub fn method(&self) {} }
#[cfg(test)]
pub fn tested() {}
#[cfg(target_arch = "x86_64")]
pub fn here(a: u8) {}
#[cfg(not(target_arch = "x86_64"))]
pub fn here(b: u8) {}
"""
    )

    assert list(found) == ["add", "plain", "late", "fn", "generic", "here"]
    assert found["add"].parameters == ("left", "right")
    assert found["add"].doc == "Adds two numbers.\n\nTwice."
    assert found["add"].line == 7
    assert found["plain"].parameters == ("a0", "a1", "a2", "type", "lambda_", "last")
    assert found["plain"].doc == ""
    assert (found["late"].doc, found["late"].line) == ("", 13)
    assert found["fn"].doc == "Blocks\ntoo."
    assert found["here"].parameters == ("a",)


def test_a_source_that_does_not_parse_gives_what_could_be_read() -> None:
    assert "add" in RUST.signatures("pub fn add(a: u8) -> u8 { a }\npub fn broken( {")
    assert RUST.signatures("") == {}


# --------------------------------------------------------------------------- blocks


BLOCKS = """const A: u8 = 1;
// EVOLVE-BLOCK-START
const B: u8 = 2;
    /* EVOLVE-BLOCK-END */
const C: &str = "// EVOLVE-BLOCK-START";
const D: &str = r#"
// EVOLVE-BLOCK-START "
"#;
/* /* EVOLVE-BLOCK-START */ */
/* some words
   EVOLVE-BLOCK-START */
const E: (char, &str) = ('"', "
// EVOLVE-BLOCK-END
");
///EVOLVE-BLOCK-START the second
//EVOLVE-BLOCK-END
const F: u8 = 3;
"""


def test_blocks_are_found_in_comments_only() -> None:
    assert [(item.first, item.last) for item in RUST.blocks(BLOCKS)] == [(2, 4), (15, 16)]
    assert RUST.blocks("const A: u8 = 1;") == ()


def test_a_marker_below_the_first_line_of_its_comment_counts_where_it_stands() -> None:
    source = "/*\n * EVOLVE-BLOCK-START\n */\nconst A: u8 = 1;\n// EVOLVE-BLOCK-END\n"

    assert [(item.first, item.last) for item in RUST.blocks(source)] == [(2, 5)]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("// EVOLVE-BLOCK-START\nconst A: u8 = 1;\n", "line 1: .*no EVOLVE-BLOCK-END"),
        ("const A: u8 = 1;\n// EVOLVE-BLOCK-END\n", "line 2: .*without EVOLVE-BLOCK-START"),
        ("// evolve-block-start\n", "line 1: .*is not a marker"),
        ('fn f() {}\nconst A: &str = "\n// EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-END\n', "line 2: .*cannot be read"),
        ("fn f() {}\n/* // EVOLVE-BLOCK-START\n// EVOLVE-BLOCK-END\n", "line 3: .*cannot be read"),
    ],
)
def test_a_malformed_marker_names_its_line(source: str, says: str) -> None:
    with pytest.raises(UsageError, match=f"^{says}"):
        RUST.blocks(source)


def test_no_trick_reaches_beyond_a_block() -> None:
    check = RUST.inside_blocks

    check(BLOCKS, BLOCKS.replace("const B: u8 = 2;", "const B: u8 = 4;\nconst G: u8 = 5;"))
    for trick in ("/*", 'const G: &str = "', 'const G: &str = r#"', "// EVOLVE-BLOCK-END", "mod g {"):
        with pytest.raises(UsageError, match=r"^(line|the source)"):
            check(BLOCKS, BLOCKS.replace("const B: u8 = 2;", trick))
    with pytest.raises(UsageError, match="line 1: changed outside"):
        check(BLOCKS, BLOCKS.replace("const A: u8 = 1;", "const A: u8 = 2;"))


@settings(max_examples=300)
@given(data=st.data())
def test_any_edit_outside_is_refused(data: st.DataObject) -> None:
    start, end = BLOCKS.index("const B"), BLOCKS.index("    /* EVOLVE-BLOCK-END")
    place = data.draw(st.one_of(st.integers(0, start - 1), st.integers(end, BLOCKS.index("//EVOLVE-BLOCK-END") - 20)))
    piece = data.draw(st.sampled_from(["9", '"', "\n", "", "/*", "*/", "\r"]))
    new = BLOCKS[:place] + piece + BLOCKS[place + 1 :]

    if new != BLOCKS:
        with pytest.raises(UsageError):
            RUST.inside_blocks(BLOCKS, new)


# --------------------------------------------------------------------------- whatever comes


def test_comments_and_layout_do_not_make_another_program() -> None:
    same = RUST.normalised

    assert same("const A: u8 = 1; // one\n") == same("/// doc\nconst  A:u8/* /* x */ */=1;\n\n")
    assert same("const A: u8 = 1;") != same("const A: u8 = 2;")
    assert same('const A: &str = "x y";') != same('const A: &str = "xy";')
    assert same('const A: &str = "x // y";') != same('const A: &str = "x";')
    assert same('const A: &str = r"x";') != same('const A: &str = r#"x"#;')
    assert same("fn f() { m!(a + b, 'c'); }") == same("fn f() {\n    m!(a+b, /* no */ 'c');\n}")
    assert same("fn f() { m!(a <<= b); }") != same("fn f() { m!(a <= b); }")


PIECES = ['"', "'", "'a", "r#", '#"', "/*", "*/", "//", "\n", "\r", "\\", "é", "\N{GRINNING FACE}", "\ud800", "{", "}",
          "const A: u8 = 1;", "o: 1 2", "// o: 1 2", "// EVOLVE-BLOCK-START\n", "// EVOLVE-BLOCK-END\n", "pub fn f(",
          "r#type", "b'", "0x", "_", "1e", "macro_rules! m { ", "<'a>", "\0", "\N{RIGHT-TO-LEFT OVERRIDE}", "///",
          "#[cfg(test)]", "-", "= ", ";", "fn", " "]  # fmt: skip


def readings(source: str) -> list[Callable[[], object]]:
    return [
        lambda: RUST.program("k", source),
        lambda: RUST.signatures(source),
        lambda: RUST.blocks(source),
        lambda: RUST.normalised(source),
    ]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join) | st.text(max_size=80))
def test_a_weird_source_is_read_or_refused_with_its_line(source: str) -> None:
    for read in readings(source):
        try:
            read()
        except UsageError as error:
            refusal = str(error)
        else:
            continue
        found = re.match(r"line (\d+): ", refusal)
        assert found is not None, refusal
        assert 1 <= int(found[1]) <= source.count("\n") + source.count("\r") + 1, refusal


@pytest.mark.parametrize(
    "source",
    [
        "const A: u8 = 4; // o: 4\u00a08\x0b16\r\n",
        "/*// EVOLVE-BLOCK-START\n///",
        "fn \ud800r#const A: u8 = 1;'a\ud800",
        "\ufeffconst A: u8 = 4; // o: 4 8",
        "#!/usr/bin/env run\nconst A: u8 = 4; // o: 4 8",
    ],
)
def test_what_was_once_misread(source: str) -> None:
    test_a_weird_source_is_read_or_refused_with_its_line.hypothesis.inner_test(source)  # type: ignore[attr-defined]
    if "o:" in source:
        assert RUST.program("k", source).parameters[0].domain[:2] == (4, 8)


def test_a_deep_nest_is_read() -> None:
    for read in readings("const A: u8 = " + "(" * 20_000 + "1" + ")" * 20_000 + "; // an end"):
        read()
