"""A cache that a power cut or a full disk has torn: what is of no use is made again, and no error blames the cell."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from project_o import toolchain
from project_o.errors import ToolchainError
from project_o.toolchain.compiler import Finished, Job
from project_o.values import Program

CODE = """
from project_o import toolchain
from project_o.errors import ToolchainError
from project_o.values import Program
program = Program("cell", "rust", (("cell.rs", "pub fn f(x: i32) -> i32 { x + 40 }"),))
for _ in range(2):
    try:
        print(toolchain.load(toolchain.build(program)).call("f", [2]))
    except ToolchainError as error:
        print(str(error).split(":")[-1].strip())
"""
REMOVED = "its copy in the cache was damaged and is removed, run the cell again"


def test_a_torn_copy_of_rusts_library_is_made_again(
    rust_there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: Callable[[str, str], None]
) -> None:
    monkeypatch.setenv("PROJECT_O_CACHE", str(tmp_path))
    command = [sys.executable, "-c", CODE]  # what is loaded here already would not be looked for again
    assert subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout == "42\n42\n"
    copies = list((tmp_path / "rust").glob("libstd-*.so"))
    if not copies:
        lacking("rust", "this Rust has no shared standard library")
    size = copies[0].stat().st_size
    copies[0].write_bytes(b"x" * size)

    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)

    assert done.stdout.splitlines() == [REMOVED, "42"]
    assert copies[0].stat().st_size == size
    assert subprocess.run(command, capture_output=True, text=True, timeout=100, check=True).stdout == "42\n42\n"


def test_an_empty_copy_is_made_again_where_a_build_needs_it(
    rust_there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lacking: Callable[[str, str], None]
) -> None:
    monkeypatch.setenv("PROJECT_O_CACHE", str(tmp_path))
    toolchain.build(Program("cell", "rust", (("cell.rs", "pub fn f(x: i32) -> i32 { x + 1 }"),)))
    copies = list((tmp_path / "rust").glob("libstd-*.so"))
    if not copies:
        lacking("rust", "this Rust has no shared standard library")
    fresh = copies[0].with_name("fresh")
    fresh.touch()
    fresh.replace(copies[0])
    toolchain.build(Program("cell", "rust", (("cell.rs", "pub fn f(x: i32) -> i32 { x + 2 }"),)))
    assert copies[0].stat().st_size > 0


@pytest.mark.parametrize("why", ["NoSpaceLeft", "DiskQuota", "ReadOnlyFileSystem"])
def test_a_full_disk_is_no_error_of_the_cells(why: str, zig_there: Path) -> None:
    def full(job: Job) -> Finished:
        return Finished(1, f'error: unable to write "/cache/zig/b/450027/builtin.zig": {why}\n', 0.1)

    source = f"pub fn f() i32 {{\n    return 1; // {why}\n}}\n"
    with pytest.raises(ToolchainError) as caught:
        toolchain.build(Program("cell", "zig", (("cell.zig", source),)), runner=full)
    assert type(caught.value) is ToolchainError
    assert str(caught.value).startswith(f"the compiler cannot write in the build cache ({why}): free some space")
