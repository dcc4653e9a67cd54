"""Without Rust: one line that says what to install, and everything else works. Without gcc: Zig links."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from project_o import toolchain
from project_o.errors import NativePanic, ToolchainMissing
from project_o.toolchain.rust import places
from project_o.values import Artifact, Program

CELL = "pub fn f(x: i32) -> i32 {{ x + {} }}"


def program(number: int) -> Program:
    return Program("cell", "rust", (("cell.rs", CELL.format(number)),))


@pytest.fixture
def no_rust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No compiler on the PATH, in the home folder, or in the environment."""
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RUSTC", raising=False)
    return empty


@pytest.fixture
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("PROJECT_O_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_one_line_says_what_to_install(no_rust: Path, own_cache: Path) -> None:
    with pytest.raises(ToolchainMissing) as caught:
        toolchain.build(program(1))

    said = str(caught.value)
    assert "\n" not in said
    for word in ("rust-lang.org", "rustup", "distribution", "conda", "RUSTC"):
        assert word in said
    with pytest.raises(ToolchainMissing):
        toolchain.run_tests(program(1))


def test_the_doctor_says_so_and_zig_works(no_rust: Path, zig_there: Path) -> None:
    checks = {check.name: check for check in toolchain.status()}

    assert not checks["rust"].ok
    assert not checks["rust"].core
    assert "rust-lang.org" in checks["rust"].todo
    assert checks["zig"].ok
    zig = Program("cell", "zig", (("cell.zig", "pub fn f() i32 {\n    return 3;\n}"),))
    assert toolchain.load(toolchain.build(zig)).call("f", []) == 3
    toolchain.warm()


def test_what_was_built_before_goes_on_working(
    rust_there: str, own_cache: Path, request: pytest.FixtureRequest
) -> None:
    built = toolchain.build(program(2))
    request.getfixturevalue("no_rust")

    again = toolchain.build(program(2))

    assert again.cached
    assert again.key == built.key
    code = (
        "from project_o import toolchain\nfrom project_o.values import Program\n"
        f"program = Program('cell', 'rust', (('cell.rs', {CELL.format(2)!r}),))\n"
        "print(toolchain.load(toolchain.build(program)).call('f', [1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "3\n"
    with pytest.raises(ToolchainMissing, match=r"rust-lang\.org"):
        toolchain.build(program(3))


def test_a_build_without_its_runtime_is_built_again(
    rust_there: str, own_cache: Path, lacking: Callable[[str, str], None]
) -> None:
    built = toolchain.build(program(4))
    copies = list((own_cache / "rust").glob("libstd-*.so"))
    if not copies:
        lacking("rust", "this Rust has no shared standard library")
    copies[0].unlink()

    again = toolchain.build(program(4))

    assert not again.cached
    assert again.key == built.key
    assert toolchain.load(again).call("f", [1]) == 5


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("#!/bin/sh\necho 'no default is configured' >&2\nexit 1\n", "no default is configured"),
        ("#!/bin/sh\necho nonsense\n", "does not say which version"),
        ("#!/bin/sh\nprintf 'release: 1.70.0\\nhost: x\\n'\n", "is Rust 1.70.0, wanted is 1.85 or newer"),
    ],
)
def test_a_compiler_that_does_not_work(
    text: str, says: str, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    false_one = tmp_path / "rustc"
    false_one.write_text(text)
    false_one.chmod(0o755)
    monkeypatch.setenv("RUSTC", str(false_one))

    with pytest.raises(ToolchainMissing, match=says):
        toolchain.build(program(5))


def test_rustc_names_the_compiler(rust_there: str, no_rust: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ToolchainMissing):
        toolchain.locate_rust()
    monkeypatch.setenv("RUSTC", rust_there)

    assert toolchain.locate_rust().path == rust_there
    monkeypatch.setenv("RUSTC", "/nowhere/rustc")
    with pytest.raises(ToolchainMissing, match="RUSTC=/nowhere/rustc"):
        toolchain.locate_rust()


def test_zig_links_where_there_is_no_c_compiler(
    rust_there: str, no_rust: Path, monkeypatch: pytest.MonkeyPatch, zig_there: Path
) -> None:
    monkeypatch.setenv("RUSTC", rust_there)
    assert shutil.which("cc") is None
    text = (
        "struct D<'a>(&'a mut [i32]);\nimpl Drop for D<'_> { fn drop(&mut self) { self.0[0] += 1 } }\n"
        "pub fn f(x: i32) -> i32 { x + 6 }\npub fn g(x: &mut [i32]) {\n    let d = D(x);\n    d.0[9] = 1;\n}\n"
    )
    library = toolchain.load(toolchain.build(Program("cell", "rust", (("cell.rs", text),))))
    counted = np.zeros(1, np.int32)

    assert library.call("f", [1]) == 7
    with pytest.raises(NativePanic) as caught:
        library.call("g", [counted])
    assert caught.value.line == 6
    assert counted[0] == 1, "unwinding has dropped what the function held"


def test_a_remembered_compiler_is_no_compiler(own_cache: Path, no_rust: Path) -> None:
    (own_cache / "rust").mkdir(parents=True)
    (own_cache / "rust" / "last.json").write_text("not json")

    with pytest.raises(ToolchainMissing):
        places.known()


def test_what_is_asked_of_the_compiler_is_not_asked_of_rustups_proxy(compiled_rust: Callable[..., Artifact]) -> None:
    rust = toolchain.locate_rust()

    assert Path(rust.path).parent == Path(rust.sysroot) / "bin" or os.access(rust.path, os.X_OK)
    assert compiled_rust(CELL.format(7)).toolchain == f"rustc {rust.release}"
