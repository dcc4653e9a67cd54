"""Builds without debug information: their errors have lines all the same, made when the first one asks."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import limits, toolchain
from project_o.errors import NativeFault, NativePanic
from project_o.flow import Flow
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
    return compiled(SOURCE.format(number=os.urandom(8).hex()), lines=False)


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
    wild = compiled(f"{source}    return p[0] + v[0];\n}}\n// {os.urandom(8).hex()}\n", lines=False)

    assert told(wild, NativeFault).line == 3


def test_a_stack_overflow_has_a_line_of_its_function(artifact: Artifact) -> None:
    with pytest.raises(NativeFault, match="stack overflow") as caught:
        toolchain.load(artifact).call("deep", [10**9])
    assert 10 <= caught.value.line <= 15


@pytest.mark.parametrize("trouble", ["late", "nothing to compile with"])
def test_an_error_is_told_without_its_line_where_none_can_be_made(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    with monkeypatch.context() as during:
        if trouble == "late":
            during.setattr(limits, "LINES_WALL_SECONDS", 0.001)
        else:
            during.setenv("PROJECT_O_ZIG", "/nowhere/zig")
        error = told(artifact)
        assert error.line == 0
        assert "index out of bounds" in str(error)

    assert told(artifact).line == 0, "it is not tried again at once"
    monkeypatch.setattr(limits, "LINES_RETRY_SECONDS", 0.0)
    assert told(artifact).line == LINE


def test_an_interruption_while_they_are_made_is_one_and_the_next_error_has_its_line(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_job: compiler.Job) -> compiler.Finished:
        raise KeyboardInterrupt

    with monkeypatch.context() as during:
        during.setattr(lines_later, "run", interrupted)
        with pytest.raises(KeyboardInterrupt):
            toolchain.load(artifact).call("at", [np.ones(3), 3])

    assert told(artifact).line == LINE


def test_threads_that_fault_at_once_start_one_compiler(artifact: Artifact, jobs: list[compiler.Job]) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: told(artifact).line, range(8)))

    assert found == [LINE] * 8
    assert len(jobs) == 1


def test_from_a_function_that_differs_on_nothing_is_told(artifact: Artifact, tmp_path: Path) -> None:
    assert told(artifact).line == LINE
    lined = lines_later._paths[artifact.key]
    start, code, _, _, functions = lines_later._read(artifact.path, lined)
    inner, outer = functions[0], functions[1]
    body = bytearray(sections(artifact.path))
    body[sections(artifact.path).find(code) + inner[0] - start] ^= 1
    path = tmp_path / "other.so"
    path.write_bytes(body)
    other = replace(artifact, path=str(path))
    frames = [inner[0] + 1, outer[0] + 1]

    assert lines_later.with_lines(artifact, frames) == (lined, frames)
    assert lines_later.with_lines(other, frames) == (lined, [])
    assert lines_later.with_lines(other, frames[::-1]) == (lined, frames[1:])
    foreign = [2**63, -7, 0, start + len(code) + 4096]
    assert lines_later.with_lines(other, [*foreign, outer[0] + 1])[1] == [-1] * len(foreign) + [outer[0] + 1]
    path.unlink()
    lines_later._read.cache_clear()
    assert lines_later.with_lines(other, frames) == (lined, [])


def test_what_is_measured_has_them_whatever_serves(zig_there: Path) -> None:
    flow = Flow()
    module = flow.cell(SOURCE.format(number=os.urandom(8).hex()), "zig", "measured")
    deadline = time.monotonic() + 60
    while module.slot.version.tier != "optimised" and time.monotonic() < deadline:
        time.sleep(0.01)

    served = module.slot.version.artifact
    assert "-fstrip" in served.flags
    measured = flow.build(served.program)
    assert "-fstrip" not in measured.flags
    one, other = (elf.Library(sections(build.path)) for build in (served, measured))
    assert one.digest() == other.digest()


def test_the_machine_code_of_the_lesson_s_cells_is_the_same(compiled: Build) -> None:
    lesson = json.loads((Path(__file__).parents[2] / "notebooks" / "02_native_cells.ipynb").read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in lesson["cells"]]
    texts = [text.partition("\n")[2] for text in cells if text.startswith("%%zig") and "@import" not in text]

    assert len(texts) > 5
    for text in texts:
        one, other = (compiled(text, lines=lines) for lines in (False, True))
        assert ("-fstrip" in one.flags, "-fstrip" in other.flags) == (True, False)
        assert elf.Library(sections(one.path)).digest() == elf.Library(sections(other.path)).digest(), text


@pytest.mark.parametrize(
    ("source", "mode", "locked"),
    [
        ("pub fn f() void {}", "debug", False),
        ("pub fn f() void {}", "safe", True),
        ("const http = @import(\"std\").http;\npub fn f() void {}", "safe", False),
        ("const builtin = @import(\"builtin\");\npub fn f() bool { return builtin.strip_debug_info; }", "safe", False),
        ("const M = @import(\"std\").AutoHashMap(u32, u32);\npub fn f() void {}", "safe", False),
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
