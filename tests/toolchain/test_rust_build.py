"""Rust cells from source to library: errors at their own place, what is offered, the cache, libraries, tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o import toolchain
from project_o.errors import CompileError, NativePanic, ToolchainError, UsageError
from project_o.toolchain import cache, elf
from project_o.toolchain.rust import source
from project_o.values import Artifact, Diagnostic, Program

Build = Callable[..., Artifact]


def refused(compiled_rust: Build, text: str, **how: object) -> CompileError:
    with pytest.raises(CompileError) as caught:
        compiled_rust(text, **how)
    assert caught.value.language == "rust"
    return caught.value


# ------------------------------------------------------------------------------- errors

ERRORS = [
    ('pub fn f(a: i32) -> i32 {\n    let b = a + "x";\n    b\n}\n', 2, 15, "cannot add `&str` to `i32`"),
    ("pub fn f() -> i32 {\n    let ä = 1; ö\n}", 2, 16, "cannot find value `ö` in this scope"),
    ("pub fn f(a: i32) -> &str { \"x\" }", 1, 21, "missing lifetime specifier"),
    ("pub fn f() -> i32 {\n  let v = vec![1];\n  drop(v);\n  v[0]\n}", 4, 3, "borrow of moved value: `v`"),
    ("pub fn f(a: i32) -> i32 {\n    if a > 1 { a\n", 1, 25, "unclosed delimiter"),
    ("pub fn f() -> i32 { 1 } /* open", 1, 25, "unterminated block comment"),
    ('pub fn f() -> &\'static str { "open }\n', 1, 30, "unterminated double quote string"),
    ("pub fn f() {}\n}", 2, 1, "unexpected closing delimiter"),
    ("pub fn f() { compile_error!(\"mine\") }", 1, 14, "mine"),
    ("use rand::Rng;\npub fn f() {}", 1, 5, "unresolved import `rand`"),
    ("mod missing;\npub fn f() {}", 1, 1, "file not found for module `missing`"),
    ("#![feature(portable_simd)]\npub fn f() {}", 1, 1, "may not be used on the stable release channel"),
    ("macro_rules! m { ($x:expr) => { $x + nope } }\npub fn f(a: i32) -> i32 {\n    m!(a)\n}", 1, 38, "value `nope`"),
    ("pub fn f(x: Undeclared) {}", 1, 13, "cannot find type `Undeclared`"),
    ("pub fn f(x: [f32]) {}", 1, 13, "cannot be known at compilation time"),
]  # fmt: skip


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize(("text", "line", "column", "says"), ERRORS)
def test_a_rust_error_stands_at_its_own_place(
    text: str, line: int, column: int, says: str, offset: int, compiled_rust: Build
) -> None:
    error = refused(compiled_rust, text, line_offset=offset)
    first = error.diagnostics[0]

    assert (first.line, first.column) == (line + offset, column)
    assert says in first.message
    assert first.source_line == text.split("\n")[line - 1]
    assert "shim" not in str(error)
    assert not any("shim" in note.message for item in error.diagnostics for note in item.notes)


def test_several_rust_errors_come_at_once_with_their_notes(compiled_rust: Build) -> None:
    error = refused(compiled_rust, "pub fn f() { a }\npub fn g() { b }\npub fn h() { let x = 1; x = 2; }")

    assert [item.line for item in error.diagnostics[:2]] == [1, 2]
    assert "(and 2 more errors)" in str(error)
    moved = refused(compiled_rust, "pub fn f() { let s = String::new();\n drop(s);\n drop(s); }").diagnostics[0]
    notes = {note.message: note.line for note in moved.notes}
    assert notes["value moved here"] == 2
    assert any(text.startswith("help: consider cloning") for text in notes)


def test_warnings_are_no_errors(compiled_rust: Build) -> None:
    artifact = compiled_rust("#![deny(warnings)]\n#![forbid(unsafe_code)]\nfn unused() {}\npub fn f() { let x = 1; }")

    assert [item.name for item in artifact.interface.functions] == ["f"]


def test_a_library_that_is_not_there_for_rust(compiled_rust: Build) -> None:
    error = refused(compiled_rust, "pub fn f() {}", options=("link:nowhere-to-be-found",))

    assert "does not link" in str(error)
    assert "nowhere-to-be-found" in str(error)
    assert len(str(error)) < 300
    linked = 'unsafe extern "C" { fn cbrt(x: f64) -> f64; }\npub fn f(x: f64) -> f64 { unsafe { cbrt(x) } }'
    assert toolchain.load(compiled_rust(linked, options=("link:m",))).call("f", [27.0]) == pytest.approx(3.0)


def test_a_symbol_that_rust_finds_nowhere(compiled_rust: Build) -> None:
    text = 'unsafe extern "C" { fn nowhere(x: i32) -> i32; }\npub fn f(x: i32) -> i32 { unsafe { nowhere(x) } }'

    with pytest.raises(ToolchainError, match="nowhere"):
        toolchain.load(compiled_rust(text))


@pytest.mark.parametrize(
    "text", ["", "fn f() {}", "pub(crate) fn f() {}", "pub struct S;", "#[cfg(test)] pub fn f() {}"]
)
def test_a_rust_cell_without_a_public_function(text: str, compiled_rust: Build) -> None:
    assert "no public function" in str(refused(compiled_rust, text))


def test_bad_input_before_the_compiler(compiled_rust: Build) -> None:
    assert "zero byte" in str(refused(compiled_rust, "pub fn f() {\0}"))
    with pytest.raises(UsageError, match="more than"):
        compiled_rust("/" * (1 << 21))
    with pytest.raises(UsageError, match="names no library"):
        compiled_rust("pub fn f() {}", options=("link:",))


# ------------------------------------------------------------------------------- what is offered

SKIPPED = {
    "pub fn f<T: Copy>(x: T) -> T { x }": "it is generic",
    "pub fn f<const N: usize>(x: [i32; N]) -> i32 { x[0] }": "it is generic",
    "pub async fn f() -> i32 { 1 }": "it is async",
    "pub unsafe fn f() -> i32 { 1 }": "it is unsafe",
    'pub extern "C" fn f(x: i32) -> i32 { x }': "it is an extern function",
    "pub fn f(x: *const i32) -> bool { x.is_null() }": "parameter 1: *const i32: this type has no counterpart",
    "pub fn f(x: &dyn Fn(i32) -> i32) -> i32 { x(1) }": "parameter 1: &dyn Fn(i32) -> i32",
    "pub fn f(x: impl Fn(i32) -> i32) -> i32 { x(1) }": "parameter 1: impl Trait",
    "pub fn f() -> impl Iterator<Item = i32> { 0..3 }": "result: impl Trait",
    "pub fn f(x: fn(i32) -> i32) -> i32 { x(1) }": "parameter 1: fn(i32) -> i32",
    "pub fn f(x: &'static str) -> usize { x.len() }": "parameter 1: what comes from Python lives as long as the call",
    "pub fn f(a: i32, x: i128) -> i128 { x }": "parameter 2: i128",
    "pub fn f(x: Option<Option<i32>>) -> bool { x.is_some() }": "parameter 1: Option<Option<i32>>",
    "pub fn f() -> Option<()> { None }": "result: Option<()>",
    "pub fn f() -> Vec<String> { vec![] }": "result: Vec<String>",
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


# ------------------------------------------------------------------------------- the cache

ONE = "pub fn f() -> i32 { 1 }"


def test_a_rust_build_is_found_again(compiled_rust: Build) -> None:
    first = compiled_rust(ONE)
    second = compiled_rust(ONE)

    assert second.cached
    assert (second.key, second.path) == (first.key, first.path)
    assert first.toolchain.startswith("rustc 1.")
    assert "-Copt-level=3" in first.flags


def test_everything_that_changes_a_rust_build_changes_its_key(compiled_rust: Build) -> None:
    builds = [
        compiled_rust(ONE),
        compiled_rust(ONE + "\n"),
        compiled_rust(ONE, "fast"),
        compiled_rust(ONE, "debug"),
        compiled_rust(ONE, options=("link:m",)),
        compiled_rust(ONE, line_offset=1),
    ]

    assert len({artifact.key for artifact in builds}) == len(builds)


def test_modes(loaded_rust: Callable[..., toolchain.Library]) -> None:
    text = "pub fn f(x: u8) -> u8 { x + 1 }\npub fn g() -> bool { cfg!(debug_assertions) }"
    for mode, checks in (("safe", True), ("debug", True), ("fast", False)):
        library = loaded_rust(text, mode)
        assert library.call("g", []) is checks
        if checks:
            with pytest.raises(NativePanic):
                library.call("f", [255])
        else:
            assert library.call("f", [255]) == 0


def test_a_damaged_rust_build_is_built_again(compiled_rust: Build) -> None:
    first = compiled_rust("pub fn f() -> i32 { 21 }")
    Path(first.path).write_bytes(b"no library")

    again = compiled_rust("pub fn f() -> i32 { 21 }")
    assert not again.cached
    assert toolchain.load(again).call("f", []) == 21


def test_builds_at_once_share_no_memory_of_the_compiler(rust_there: str) -> None:
    """More builds at once than there are places that remember, in all modes, many of the same name."""

    def one(k: int) -> int:
        text = f"pub fn f() -> i32 {{ {k} }}\npub fn g(x: &[f64]) -> f64 {{ x.iter().sum::<f64>() + {k}.0 }}"
        program = Program(f"cell{k % 2}", "rust", (("cell.rs", text),), mode=("safe", "debug")[k % 2])
        return int(toolchain.load(toolchain.build(program)).call("f", []))

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(one, range(100, 112))) == list(range(100, 112))


def test_an_edit_is_compiled_and_not_remembered(compiled_rust: Build) -> None:
    for k in (1, 2, 1, 3):
        artifact = compiled_rust(
            f"const K: i32 = {k};\nfn deep(x: i32) -> i32 {{ x * K }}\npub fn f() -> i32 {{ deep(10) }}"
        )
        assert toolchain.load(artifact).call("f", []) == 10 * k
        cache.evict(0)


def test_the_fast_path_of_a_changed_cell_swaps(compiled_rust: Build) -> None:
    old = toolchain.load(compiled_rust("pub fn f() -> i32 { 1 }"))
    new = toolchain.load(compiled_rust("pub fn f() -> i32 { 2 }"))

    assert (old.call("f", []), new.call("f", [])) == (1, 2)


def test_ctrl_c_ends_rustc(compiled_rust: Build, interrupted: Callable[..., None]) -> None:
    heavy = (
        "#![allow(long_running_const_eval)]\nconst fn f(n: u64) -> u64 { let mut k = 0; while k < n { k += 1 } k }\n"
        "const K: u64 = f(1 << 60);\npub fn g() -> u64 { K }"
    )

    interrupted(1.0, lambda: compiled_rust(heavy))
    assert toolchain.load(compiled_rust(ONE)).call("f", []) == 1


def test_a_rustc_that_fails_is_not_the_cells_fault(rust_there: str) -> None:
    def broken(job: toolchain.Job) -> toolchain.Finished:
        return toolchain.Finished(-9, "out of memory", 0.1)

    with pytest.raises(ToolchainError, match="ended by signal 9, which is not the cell's fault: out of memory"):
        toolchain.build(Program("cell", "rust", (("cell.rs", "pub fn f() {} // broken"),)), runner=broken)


# ------------------------------------------------------------------------------- tests of the cell

TESTED = """pub fn f(x: i32) -> i32 { x + 1 }
#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn good() { assert_eq!(f(1), 2); }
    #[test]
    fn second() {
        assert_eq!(f(1), 2, "sum");
    }
    #[test]
    #[should_panic]
    fn panics() { panic!() }
}
"""


def test_tests_of_a_rust_cell_are_run(rust_there: str) -> None:
    program = Program("cell", "rust", (("cell.rs", TESTED),))

    assert toolchain.run_tests(program) == 3
    with pytest.raises(CompileError) as caught:
        toolchain.run_tests(
            replace(program, files=(("cell.rs", TESTED.replace('2, "sum"', '3, "sum"')),)), line_offset=1
        )
    (failed,) = caught.value.diagnostics
    assert failed.line == 10
    assert "tests::second" in failed.message
    assert "left: 2, right: 3" in failed.message
    aborts = "#[test]\nfn ends() { std::process::abort() }"
    with pytest.raises(CompileError, match="'ends' failed: it ended its process by signal 6"):
        toolchain.run_tests(replace(program, files=(("cell.rs", aborts),)))
    with pytest.raises(CompileError, match="line 1, column 18: cannot find function"):
        toolchain.run_tests(replace(program, files=(("cell.rs", "#[test] fn a() { nope() }"),)))


def test_cells_with_threads_of_their_own(loaded_rust: Callable[..., toolchain.Library]) -> None:
    library = loaded_rust(
        "pub fn sum(x: &[f64]) -> f64 {\n    let (a, b) = x.split_at(x.len() / 2);\n"
        "    std::thread::scope(|s| {\n        let left = s.spawn(|| a.iter().sum::<f64>());\n"
        "        b.iter().sum::<f64>() + left.join().unwrap()\n    })\n}"
    )
    found: list[float] = []
    threads = [threading.Thread(target=lambda: found.append(library.call("sum", [[1.0] * 50]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [50.0] * 4
