"""Builds without debug information: their errors have lines all the same, made when the first one asks."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import limits, toolchain
from project_o.errors import NativeFault, NativePanic
from project_o.toolchain import compiler, elf, lines_later
from project_o.toolchain.recipe import recipe
from project_o.values import Artifact, Program

Build = Callable[..., Artifact]

SOURCE = """// {number}
pub fn at(values: []const f64, k: usize) f64 {{
    return picked(values, k) + 1;
}}

noinline fn picked(values: []const f64, k: usize) f64 {{
    return values[k];
}}

pub fn deep(n: u64) u64 {{
    var here: [512]u8 = undefined;
    here[n % 512] = 1;
    const below = if (n == 0) 0 else deep(n - 1);
    return below + here[n % 512];
}}
"""
LINE = 7


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> list[compiler.Job]:
    """The compilers that errors have started."""
    seen: list[compiler.Job] = []
    run = compiler.run

    def noted(job: compiler.Job) -> compiler.Finished:
        seen.append(job)
        return run(job)

    monkeypatch.setattr(lines_later, "run", noted)
    return seen


@pytest.fixture
def artifact(compiled: Build) -> Artifact:
    """A build that nobody else has."""
    return compiled(SOURCE.format(number=os.urandom(8).hex()))


def told(artifact: Artifact, error: type[Exception] = NativePanic) -> Any:
    with pytest.raises(error) as caught:
        toolchain.load(artifact).call("at", [np.ones(3), 3])
    return caught.value


def sections(path: str) -> bytes:
    return Path(path).read_bytes()


def test_the_first_error_makes_them_and_the_next_ones_find_them(artifact: Artifact, jobs: list[compiler.Job]) -> None:
    assert b".debug_info" not in sections(artifact.path)

    assert [told(artifact).line for _ in range(3)] == [LINE] * 3

    assert len(jobs) == 1
    lines_later._paths.clear()  # as in another kernel
    assert told(artifact).line == LINE
    assert len(jobs) == 1, "it was kept"


def test_a_call_that_does_not_fail_makes_none(artifact: Artifact, jobs: list[compiler.Job]) -> None:
    assert toolchain.load(artifact).call("at", [np.ones(3), 2]) == 2.0
    assert jobs == []


def test_where_the_lines_were_cleared_away_they_are_made_again(artifact: Artifact, jobs: list[compiler.Job]) -> None:
    assert told(artifact).line == LINE
    Path(lines_later._paths[artifact.key]).unlink()

    assert told(artifact).line == LINE
    assert len(jobs) == 2


def test_a_hardware_fault_has_its_line(compiled: Build) -> None:
    source = "pub fn at(v: []const f64, k: usize) f64 {\n    const p: [*]const f64 = @ptrFromInt(8 * k);\n"
    wild = compiled(f"{source}    return p[0] + v[0];\n}}\n// {os.urandom(8).hex()}\n")

    assert told(wild, NativeFault).line == 3


def test_a_stack_overflow_has_a_line_of_its_function(artifact: Artifact) -> None:
    with pytest.raises(NativeFault, match="stack overflow") as caught:
        toolchain.load(artifact).call("deep", [10**9])
    assert 10 <= caught.value.line <= 15


@pytest.mark.parametrize("trouble", ["late", "interrupted", "nothing to compile with"])
def test_an_error_is_told_without_its_line_where_none_can_be_made(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    def interrupted(_job: compiler.Job) -> compiler.Finished:
        raise KeyboardInterrupt

    if trouble == "late":
        monkeypatch.setattr(limits, "LINES_WALL_SECONDS", 0.001)
    elif trouble == "interrupted":
        monkeypatch.setattr(lines_later, "run", interrupted)
    else:
        monkeypatch.setenv("PROJECT_O_ZIG", "/nowhere/zig")

    error = told(artifact)

    assert error.line == 0
    assert "index out of bounds" in str(error)


def test_what_differs_from_what_runs_says_nothing(artifact: Artifact, tmp_path: Path) -> None:
    frame = 1 + next(s.address for s in elf.Library(sections(artifact.path)).symbols if s.name == "o_cell_deep")
    _, (same,) = lines_later.with_lines(artifact, [frame])
    lined = lines_later._paths[artifact.key]
    start, code = elf.Library(sections(artifact.path)).section(".text")
    at = sections(artifact.path).find(code) + frame - start
    body = bytearray(sections(artifact.path))
    body[at] ^= 1
    other = tmp_path / "other.so"
    other.write_bytes(body)

    assert same == frame
    assert not lines_later._is_same(str(other), lined, frame)
    assert not lines_later._is_same(str(tmp_path / "gone.so"), lined, frame)
    wild = [2**63, -1, 0, start + len(code) + 4096]
    assert lines_later.with_lines(artifact, wild)[1] == [0] * len(wild)


def test_the_machine_code_is_the_same(compiled: Build, artifact: Artifact) -> None:
    told(artifact)
    one, other = (elf.Library(sections(path)) for path in (artifact.path, lines_later._paths[artifact.key]))

    assert one.digest() == other.digest()


@pytest.mark.parametrize(
    ("source", "mode", "locked"),
    [
        ("pub fn f() void {}", "debug", False),
        ("pub fn f() void {}", "safe", True),
        ("const http = @import(\"std\").http;\npub fn f() void {}", "safe", False),
        ("const builtin = @import(\"builtin\");\npub fn f() bool { return builtin.strip_debug_info; }", "safe", False),
        ("pub fn f() void { @import(\"std\").debug.dumpCurrentStackTrace(.{}); }", "safe", False),
    ],
)  # fmt: skip
def test_some_have_them_from_the_beginning(source: str, mode: Any, locked: bool) -> None:
    wanted = recipe(Program("cell", "zig", (("cell.zig", source),), mode=mode), locked=locked)

    assert wanted.without_lines() == wanted


def test_the_key_and_the_flags_say_which_of_the_two_it_is() -> None:
    wanted = recipe(Program("cell", "zig", (("cell.zig", "pub fn f() void {}"),)))
    without = wanted.without_lines()

    assert without.key != wanted.key
    assert "-fstrip" in without.shown_flags
    assert "-fstrip" not in wanted.shown_flags
