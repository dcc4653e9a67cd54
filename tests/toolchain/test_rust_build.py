"""Rust cells from source to library: errors at their own place, the cache, libraries, tests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from project_o import toolchain
from project_o.errors import CompileError, NativePanic, ToolchainError, UsageError
from project_o.toolchain import cache
from project_o.values import Artifact, Program

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


@pytest.mark.parametrize(("text", "line", "column", "says"), ERRORS)
def test_a_rust_error_stands_at_its_own_place(
    text: str, line: int, column: int, says: str, compiled_rust: Build
) -> None:
    error = refused(compiled_rust, text, line_offset=2)
    first = error.diagnostics[0]

    assert (first.line, first.column) == (line + 2, column)
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

    assert "--link nowhere-to-be-found: there is no library nowhere-to-be-found here" in str(error)
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
    assert caught.value.what == "fails its own tests"
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
