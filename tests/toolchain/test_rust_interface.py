"""What of a Rust cell Python can call, how the library says so, and that nothing of the cell stands in the way."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o import toolchain
from project_o.errors import CompileError, NativePanic
from project_o.toolchain import elf
from project_o.toolchain.rust import source
from project_o.values import Artifact, Diagnostic, Program

Build = Callable[..., Artifact]

# ------------------------------------------------------------------------------- what is offered

SKIPPED = {
    "pub fn f<T: Copy>(x: T) -> T { x }": "it is generic",
    "pub fn f<const N: usize>(x: [i32; N]) -> i32 { x[0] }": "it is generic",
    "pub async fn f() -> i32 { 1 }": "it is async",
    "pub unsafe fn f() -> i32 { 1 }": "it is unsafe",
    'pub extern "C" fn f(x: i32) -> i32 { x }': "it is an extern function",
    "pub fn f(x: *const i32) -> bool { x.is_null() }": "parameter 1: *const i32: pointers cannot be passed, use",
    "pub fn f(x: &dyn Fn(i32) -> i32) -> i32 { x(1) }": "parameter 1: &dyn Fn(i32) -> i32",
    "pub fn f(x: impl Fn(i32) -> i32) -> i32 { x(1) }": "parameter 1: impl Trait",
    "pub fn f() -> impl Iterator<Item = i32> { 0..3 }": "result: impl Trait",
    "pub fn f(x: fn(i32) -> i32) -> i32 { x(1) }": "parameter 1: fn(i32) -> i32",
    "pub fn f(x: &'static str) -> usize { x.len() }": "parameter 1: what comes from Python lives as long as the call",
    "pub fn f(a: i32, x: std::num::Wrapping<i32>) {}": "parameter 2: std::num::Wrapping<i32>",
    "pub enum E { A(i32) } pub fn f(e: E) {}": "parameter 1: E",
    "pub fn f(x: &[[[f32; 3]; 2]]) {}": "slices hold bool, 8 to 64 bit integers, floats, rows or structs of these",
    "pub fn f(x: &[[f32; 0]]) {}": "slices hold bool, 8 to 64 bit integers, floats, rows or structs of these",
    "pub fn f(x: o::View<[f32; 3], 1>) {}": "parameter 1: o::View<[f32; 3], 1>: views have 1 to 8 dimensions, and hold",
    "pub fn f(x: o::View2<f32>) -> o::View2<f32> { x }": "return a Vec, which becomes a new array, and .reshape it",
    "pub fn f(x: &[(f32, f32)]) {}": "write a struct in the tuple's place",
    "pub fn f(x: &[i128]) {}": "slices hold bool, 8 to 64 bit integers, floats, rows or structs of these",
    "pub fn f(x: [[f32; 3]; 2]) {}": "arrays by value hold bool, 8 to 64 bit integers or floats",
    "pub fn f(x: &mut i32) { *x = 1 }": "of what is behind a &mut only slices cross",
    "pub fn f(x: &mut [f32; 3]) { x[0] = 1.0 }": "of what is behind a &mut only slices cross",
    "pub fn f(x: o::View<f32, 9>) {}": "parameter 1: o::View<f32, 9>",
    "pub fn f(x: Option<Option<i32>>) -> bool { x.is_some() }": "parameter 1: Option<Option<i32>>",
    "pub fn f() -> Option<()> { None }": "result: Option<()>",
    "pub fn f() -> Vec<String> { vec![] }": "join texts to one, and split it in Python",
    "pub fn f(x: [u8; 5000]) -> u8 { x[0] }": "arrays by value have 1 to 1024 elements",
    "pub struct P { m: Vec<String> } pub fn f(p: P) -> usize { p.m.len() }": "P: the type of field m has no",
    "pub struct G<T>(T); pub fn f(p: G<i32>) -> i32 { p.0 }": "parameter 1: G<i32>",
    "#[cfg(target_os = \"plan9\")] pub fn f() {}": "a #[cfg] leaves it out",
}  # fmt: skip


def test_what_cannot_be_mapped_is_named_and_fails_nothing(compiled_rust: Build) -> None:
    """All at once, each in a module's worth of names of its own."""
    texts = []
    for k, text in enumerate(SKIPPED):
        texts.append(
            text.replace("fn f", f"fn f{k}", 1).replace("struct P", f"struct P{k}").replace("p: P)", f"p: P{k})")
        )
    artifact = compiled_rust("\n".join([*texts, "pub fn good() -> i32 { 1 }"]))

    assert [item.name for item in artifact.interface.functions] == ["good"]
    reasons = dict(artifact.interface.skipped)
    for k, why in enumerate(SKIPPED.values()):
        assert why.replace("P:", f"P{k}:") in reasons[f"f{k}"]


def test_nothing_left_says_why_at_the_cells_line(compiled_rust: Build) -> None:
    text = "pub fn ok_name<T>(x: T) {}\n"
    with pytest.raises(CompileError) as caught:
        compiled_rust(text, names={"ok_name": (("x",), "", 1)}, line_offset=1)

    assert caught.value.diagnostics[0] == Diagnostic(
        "error", "ok_name: it is generic: write one for the types that Python shall use", 2, 8, text.strip(), 7
    )


def test_a_struct_that_cannot_be_moved_apart_takes_only_its_functions_along(compiled_rust: Build) -> None:
    artifact = compiled_rust(
        "pub struct S { name: String }\nimpl Drop for S { fn drop(&mut self) {} }\n"
        "pub fn f() -> S { S { name: String::new() } }\npub fn g() -> i32 { 1 }"
    )

    assert [item.name for item in artifact.interface.functions] == ["g"]
    assert [name for name, _ in artifact.interface.skipped] == ["f"]


SHADOWS = """
mod std {}
pub struct Option;
pub struct Result;
pub struct String;
mod o_shim {}
macro_rules! const_ { () => {} }
pub fn core() -> i32 { 1 }
pub fn call(cells: i32, out: i32) -> i32 { cells + out }
pub fn o_cell_call() -> i32 { 2 }
pub fn args() -> i32 { 3 }
"""


def test_names_of_the_cell_stand_in_nobodys_way(compiled_rust: Build) -> None:
    library = toolchain.load(compiled_rust(SHADOWS))

    assert [library.call("core", []), library.call("call", [1, 2])] == [1, 3]
    assert [library.call("o_cell_call", []), library.call("args", [])] == [2, 3]


HIDDEN = """
const NAME: usize = 3;
const VERSION: usize = 2;
const FUNCTIONS: usize = 4;
const DESCRIPTION: f64 = 0.5;
pub fn sum(a: [f64; NAME]) -> f64 { a.iter().sum::<f64>() + DESCRIPTION }
pub fn both(a: [f64; VERSION]) -> [f64; FUNCTIONS] { [a[0], a[1], 0.0, 1.0] }
"""


def test_the_shim_hides_no_name_of_the_cell(compiled_rust: Build) -> None:
    library = toolchain.load(compiled_rust(HIDDEN))

    assert library.call("sum", [[1.0, 2.0, 3.0]]) == 6.5
    assert library.call("both", [[1.0, 2.0]]).tolist() == [1.0, 2.0, 0.0, 1.0]


MACROS_AND_TYPES = """
macro_rules! include { ($x:expr) => { 1 } }
macro_rules! stringify { ($x:expr) => { "a" } }
type usize = i64;
struct u8;
struct u64;
struct i32;
pub fn f(x: i16) -> usize { x as usize }
"""


def test_macros_and_types_of_the_cell_mean_what_they_mean_there_only(compiled_rust: Build) -> None:
    assert toolchain.load(compiled_rust(MACROS_AND_TYPES)).call("f", [-3]) == -3


def test_a_name_that_the_linker_refuses_is_said_and_its_neighbours_built(compiled_rust: Build) -> None:
    artifact = compiled_rust("pub fn größe(s: &str) -> usize { s.len() }\npub fn size(s: &str) -> usize { größe(s) }")

    assert toolchain.load(artifact).call("size", ["abc"]) == 3
    assert dict(artifact.interface.skipped)["größe"].startswith("the linker takes ASCII names only")


def test_the_cell_is_the_root_of_its_crate(compiled_rust: Build) -> None:
    text = (
        "//! A cell.\n#![allow(dead_code)]\nmod inner { pub fn two() -> i32 { crate::one() * 2 } }\n"
        "fn one() -> i32 { 1 }\npub fn f() -> i32 { self::inner::two() }"
    )

    assert toolchain.load(compiled_rust(text)).call("f", []) == 2


def test_files_beside_a_rust_cell(rust_there: str) -> None:
    files = (
        ("cell.rs", "mod other;\npub fn f() -> i32 { other::f() }\npub fn g() -> i32 { other::g() }"),
        ("other.rs", 'pub fn f() -> i32 { 7 }\npub fn g() -> i32 {\n    panic!("there")\n}'),
    )
    library = toolchain.load(toolchain.build(Program("cell", "rust", files)))

    assert library.call("f", []) == 7
    with pytest.raises(NativePanic) as caught:
        library.call("g", [])
    assert caught.value.line in (0, 3), "the line of the call in the cell"
    bad = (files[0], ("other.rs", "pub fn f() -> i32 { 7 }\npub fn g() -> i32 { nope }"))
    with pytest.raises(CompileError, match=r"other\.rs:2: cannot find value `nope`"):
        toolchain.build(Program("cell", "rust", bad))


# ------------------------------------------------------------------------------- the description

NAMES = {"add": (("left", "right"), "Adds.", 1)}


def test_names_documentation_and_lines_are_merged_for_rust(compiled_rust: Build) -> None:
    artifact = compiled_rust("pub fn add(left: i32, right: i32) -> i32 { left + right }", names=NAMES, line_offset=1)
    function = artifact.interface.function("add")

    assert [name for name, _ in function.parameters] == ["left", "right"]
    assert (function.doc, function.line) == ("Adds.", 2)


def test_the_library_describes_itself(compiled_rust: Build) -> None:
    artifact = compiled_rust(
        'pub const O_NAME: &str = "mine"; pub const O_VERSION: &str = "1.2.3"; pub fn f(x: &[f32]) {}'
    )
    library = elf.Library(Path(artifact.path).read_bytes())
    body = json.loads(library.content("o_description").rstrip(b"\0"))

    slice_ = {"kind": "slice", "const": True, "child": {"kind": "float", "bits": 32, "signed": True}}
    assert body == {
        "functions": [{"name": "f", "parameters": [slice_], "result": {"kind": "void"}}], "skipped": []
    }  # fmt: skip
    exported = {symbol.name for symbol in library.symbols if symbol.defined}
    assert exported >= {
        "o_cell_f", "o_describe", "o_free", "o_set_panic", "o_get_name", "o_get_version", "o_get_version_struct",
        "o_init", "o_shutdown", "o_get_last_error", "o_can_reload",
    }  # fmt: skip


def test_the_module_abi(compiled_rust: Build) -> None:
    from cffi import FFI

    ffi = FFI()
    ffi.cdef(
        "struct version { uint32_t major, minor, patch; const char *hash; };"
        "const char *o_get_name(void); const char *o_get_version(void); const char *o_describe(void);"
        "const struct version *o_get_version_struct(void); int o_init(void **); int o_shutdown(void *);"
        "const char *o_get_last_error(void *); int o_can_reload(void);"
    )
    artifact = compiled_rust('pub const O_NAME: &str = "mine"; pub const O_VERSION: &str = "1.2.3"; pub fn f() {}')
    toolchain.load(artifact)
    library = ffi.dlopen(artifact.path)  # SAFETY: a build of this test's own
    context = ffi.new("void **")

    assert ffi.string(library.o_get_name()) == b"mine"
    assert ffi.string(library.o_get_version()) == b"1.2.3"
    version = library.o_get_version_struct()
    assert (version.major, version.minor, version.patch) == (1, 2, 3)
    assert json.loads(ffi.string(library.o_describe()))["functions"][0]["name"] == "f"
    assert library.o_init(ffi.NULL) == -2
    assert library.o_init(context) == 0
    assert library.o_shutdown(context[0]) == 0
    assert library.o_shutdown(ffi.NULL) == -2
    assert library.o_shutdown(context) == -3
    assert ffi.string(library.o_get_last_error(context[0])) == b""
    assert library.o_can_reload() == 1


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet="pubfn(){}<>&'[];:,|#!\"/* \nstructxyi32->", max_size=120))
def test_any_text_can_be_read(text: str) -> None:
    facts = source.read("pub fn good(x: i32) {}\n" + text)

    assert all(item.name for item in facts.functions)


def test_types_are_read_as_they_are_written() -> None:
    facts = source.read(
        "pub fn f<'a>(x: &'a [f32], /* why */ y: Vec< // here\n u8>, z: &'static u8) -> &'a str {}"
        "pub struct S<'k> { pub a: &'k [u8], b: (i32, f64) } struct T(pub i32, u8); struct U; enum E {}"
    )

    assert facts.functions[0].note.startswith("parameter 3")
    free = source.read("pub fn f<'a>(x: &'a [f32], y: Vec< /* here */ u8>, h: for<'b> fn(&'b u8)) -> &'a str {}")
    assert free.functions[0].parameters == ("&'_ [f32]", "Vec< u8>", "for<'b> fn(&'b u8)")
    assert free.functions[0].result == "&'_ str"
    assert [(s.name, s.fields) for s in facts.structures] == [
        ("S", (("a", "&'k [u8]"), ("b", "(i32, f64)"))), ("T", (("0", "i32"), ("1", "u8"))),
    ]  # fmt: skip
