"""A test of a cell that does not end is named, and what the tests said until then is not lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from project_o import limits
from project_o.errors import CompileError, ToolchainError
from project_o.toolchain.testing import run_tests
from project_o.values import Program

ZIG = """pub fn add(a: i32, b: i32) i32 { return a + b; }
test "adds" { if (add(1, 2) != 3) return error.Wrong; }
test "spins" {
    var x: u64 = 1;
    const p: *volatile u64 = &x;
    while (p.* != 0) {}
}
"""
RUST = """pub fn add(a: i32, b: i32) -> i32 { a + b }
#[test] fn adds() { assert_eq!(add(1, 2), 3) }
#[test] fn spins() { loop { std::thread::yield_now() } }
"""


def test_it_is_named_in_zig(zig_there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ""
    for seconds in (12.0, 40.0):  # Zig has to compile them meanwhile, which may take long where others compile, too
        monkeypatch.setattr(limits, "TESTS_WALL_SECONDS", seconds)
        with pytest.raises((CompileError, ToolchainError)) as caught:
            run_tests(Program("cell", "zig", (("cell.zig", ZIG),)))
        said = str(caught.value)
        if "stopped at their limit" not in said:
            break
    assert said == "test 'spins' failed: it did not end"


def test_it_is_named_in_rust(rust_there: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ""
    for seconds in (2.0, 40.0):  # as above
        monkeypatch.setattr(limits, "TESTS_WALL_SECONDS", seconds)
        with pytest.raises((CompileError, ToolchainError)) as caught:
            run_tests(Program("cell", "rust", (("cell.rs", RUST),)))
        said = str(caught.value)
        if said.startswith("test "):
            break
    assert said == "test 'spins' failed: it did not end"
