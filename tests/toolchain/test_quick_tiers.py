"""An edited cell serves at once, and optimised soon after: what is swapped, when it is not, and what it never loses."""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import toolchain
from project_o.deploy import NativeModule
from project_o.errors import CompileError, NativeFault, NativePanic, ToolchainError
from project_o.flow import Flow
from project_o.toolchain.quick import desk as quick_desk
from project_o.toolchain.quick import later, tiers
from project_o.toolchain.recipe import recipe
from project_o.values import Program

NUMBERS = iter(range(1, 1_000_000))
DOT = """/// The dot product, and a number.
pub fn dot(a: []const f32, b: []const f32) f32 {{
    var sum: f32 = {number};
    for (a, b) |x, y| sum += x * y;
    return sum;
}}
"""
ROW = np.arange(8, dtype=np.float32)


@pytest.fixture(scope="module")
def flow(zig_there: Path) -> Flow:
    """A flow whose compiler server is at work already."""
    ready()
    return Flow()


def ready() -> None:
    """Until the compiler server answers."""
    program = Program("first", "zig", (("cell.zig", "pub fn first() void {}\n"),))
    quick_desk.desk().order(recipe(program), {}).result.result(120)


def cell(flow: Flow, source: str, name: str = "cell", **options: Any) -> NativeModule:
    return flow.cell("\n" + source, "zig", name, **options)


def tier(module: NativeModule) -> str:
    return str(module.slot.version.tier)  # type: ignore[attr-defined]  # a native version


def wait_until(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.005)


def let_come(gate: threading.Event, what: Callable[[], bool]) -> None:
    """Open the gate, and wait until it has come to that, and was told."""
    gate.set()
    wait_until(what)
    time.sleep(0.05)


@pytest.fixture
def slow_optimised(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The optimised build comes only when the event is set."""
    gate = threading.Event()
    real = tiers.build

    def build(*args: Any, **named: Any) -> Any:
        assert gate.wait(60)
        return real(*args, **named)

    monkeypatch.setattr(tiers, "build", build)
    yield gate
    gate.set()


# ------------------------------------------------------------------------------- the swap


def test_an_edit_serves_at_once_and_optimised_soon_after(flow: Flow, slow_optimised: threading.Event) -> None:
    number = next(NUMBERS)
    module = cell(flow, DOT.format(number=number))
    dot = module.dot
    expected = float(ROW @ ROW) + number

    assert tier(module) == "quick, until the optimised one is there"
    assert dot(ROW, ROW) == expected
    assert (dot.__doc__, str(dot.__signature__)) == (
        "The dot product, and a number.", "(a: 'float32 array', b: 'float32 array') -> 'float'"
    )  # fmt: skip
    slow_optimised.set()
    wait_until(lambda: tier(module) == "optimised")

    assert dot(ROW, ROW) == expected
    assert flow.serving("cell")[0].build == "optimised"


def test_a_call_under_way_ends_in_the_build_it_began_in(flow: Flow, slow_optimised: threading.Event) -> None:
    source = f"""
    pub fn count(until: []const u8) u64 {{
        var n: u64 = {next(NUMBERS)};
        // SAFETY: read again each time, because Python writes it meanwhile.
        while (@as(*const volatile u8, @ptrCast(&until[0])).* == 0) n += 1;
        return n;
    }}
    """
    module = cell(flow, source, trial=False)
    first = module.slot.version
    flag = np.zeros(1, np.uint8)
    answers: list[int] = []
    thread = threading.Thread(target=lambda: answers.append(module.count(flag)))
    thread.start()
    slow_optimised.set()
    wait_until(lambda: module.slot.version is not first)
    assert not answers

    flag[0] = 1
    thread.join()
    assert answers[0] > 0
    assert module.count(flag) > 0


def test_the_optimised_build_passed_its_trial_before_it_serves(flow: Flow, slow_optimised: threading.Event) -> None:
    module = cell(flow, DOT.format(number=next(NUMBERS)))
    module.dot(ROW, ROW)
    slow_optimised.set()
    wait_until(lambda: tier(module) == "optimised")

    assert toolchain.tried(module.slot.version.artifact.key, "dot")


def test_a_build_that_answers_differently_does_not_take_its_place(flow: Flow, slow_optimised: threading.Event) -> None:
    source = f"""const builtin = @import("builtin");
    pub fn answer() i64 {{ return if (builtin.zig_backend == .stage2_llvm) {next(NUMBERS)} else -1; }}
    """
    module = cell(flow, source)
    assert module.answer() == -1
    with pytest.warns(UserWarning, match="goes on with its build that is not optimised.*answer returns"):
        let_come(slow_optimised, lambda: "answers differently" in tier(module))
    assert module.answer() == -1
    assert "instead of returns -1" in flow.serving("cell")[0].build


def test_a_build_that_fails_where_the_first_did_not_does_not_take_its_place(
    flow: Flow, slow_optimised: threading.Event
) -> None:
    source = f"""const builtin = @import("builtin");
    pub fn risky(a: u8) u8 {{
        if (builtin.zig_backend == .stage2_llvm and a == 1) @panic("here {next(NUMBERS)}");
        return a;
    }}
    """
    module = cell(flow, source)
    assert module.risky(1) == 1
    with pytest.warns(UserWarning, match="not optimised"):
        let_come(slow_optimised, lambda: "fails where this one did not (risky, line 4: here" in tier(module))
    assert module.risky(1) == 1


def test_a_function_that_does_not_agree_with_itself_is_no_reason_against_a_build(
    flow: Flow, slow_optimised: threading.Event
) -> None:
    source = f"""const builtin = @import("builtin");
    const std = @import("std");
    pub fn ticks() u64 {{
        var now: std.os.linux.timespec = undefined;
        _ = std.os.linux.clock_gettime(.MONOTONIC, &now);
        return @as(u64, @intCast(now.sec)) *% 1_000_000_000 +% @as(u64, @intCast(now.nsec)) +% {next(NUMBERS)};
    }}
    """
    module = cell(flow, source)
    assert module.ticks() > 0
    slow_optimised.set()
    wait_until(lambda: tier(module) == "optimised")


def test_rounding_is_no_difference_and_arguments_that_are_written_count(
    flow: Flow, slow_optimised: threading.Event
) -> None:
    source = f"""const std = @import("std");
    pub fn waves(a: []f64) f64 {{
        var sum: f64 = {next(NUMBERS)};
        for (a) |*x| {{
            x.* = @sin(x.*) * @exp(-x.*);
            sum += x.*;
        }}
        return sum;
    }}
    """
    module = cell(flow, source)
    values = np.linspace(0, 5, 1000)
    sum_ = module.waves(values.copy())
    slow_optimised.set()
    wait_until(lambda: tier(module) == "optimised")

    assert module.waves(values.copy()) == pytest.approx(sum_, rel=1e-12)


def test_another_mode_is_quick_with_the_checks_of_that_mode(flow: Flow, slow_optimised: threading.Event) -> None:
    source = f"pub fn next(a: u8) u8 {{\n    return a + 1;\n}}\n// {next(NUMBERS)}\n"
    with pytest.raises(NativePanic, match="line 3: integer overflow"):
        cell(flow, source).next(255)
    slow_optimised.set()
    module = cell(flow, source, mode="fast")
    assert module.next(255) == 0
    wait_until(lambda: tier(module) == "optimised")
    assert module.next(255) == 0
    wait_until(lambda: tier(cell(flow, source, mode="debug")) == "not optimised, as its mode says")


# ------------------------------------------------------------------------------- state


@pytest.mark.parametrize(
    "source",
    [
        "var n: i64 = {number};\npub fn step() i64 {{ n += 1; return n; }}\n",
        "pub fn step() i64 {{\n    const S = struct {{ var n: i64 = {number}; }};\n    S.n += 1; return S.n;\n}}\n",
        "threadlocal var n: i64 = {number};\npub fn step() i64 {{ n += 1; return n; }}\n",
    ],
)
def test_what_a_cell_keeps_is_never_lost(flow: Flow, source: str) -> None:
    number = next(NUMBERS)
    module = cell(flow, source.format(number=number))
    version = module.slot.version

    assert tier(module) == "optimised"
    assert [module.step() for _ in range(3)] == [number + 1, number + 2, number + 3]
    time.sleep(0.3)
    assert module.slot.version is version
    assert module.step() == number + 4


def test_an_address_as_a_number_outlives_no_build(flow: Flow) -> None:
    source = f"""const std = @import("std");
    const Place = struct {{ n: i64, allocator: std.mem.Allocator }};
    pub fn make() !usize {{
        const p = try std.heap.c_allocator.create(Place);
        p.* = .{{ .n = {next(NUMBERS)}, .allocator = std.heap.c_allocator }};
        return @intFromPtr(p);
    }}
    """
    assert tier(cell(flow, source)) == "optimised"


def test_the_errors_of_a_cell_that_keeps_something_come_as_quickly(flow: Flow, slow_optimised: threading.Event) -> None:
    with pytest.raises(CompileError) as caught:
        cell(flow, "var n: i64 = 0;\npub fn step() i64 {\n    return missing + n;\n}\n")
    assert [(item.line, item.column) for item in caught.value.diagnostics] == [(4, 12)]


# ------------------------------------------------------------------------------- lines


def test_a_panic_has_its_line_also_after_many_edits(flow: Flow, slow_optimised: threading.Event) -> None:
    for number in range(12):
        lines = "    // a line\n" * (number * 5 % 7)
        source = f"fn deep(a: []const u8, i: usize) u8 {{\n{lines}    return a[i] +% {next(NUMBERS) % 256};\n}}\n"
        source += "pub fn at(a: []const u8, i: usize) u8 {\n    return deep(a, i);\n}\n"
        module = cell(flow, source, trial=number % 2 == 0)
        assert tier(module).startswith("quick")
        with pytest.raises(NativePanic) as caught:
            module.at(b"abc", 7)
        assert str(caught.value).startswith(f"at, line {3 + number * 5 % 7}: index out of bounds: index 7, len 3")


def test_the_guard_holds_in_a_quick_build(flow: Flow, slow_optimised: threading.Event) -> None:
    source = f"""
pub fn poke(a: []const usize) u64 {{
    const p: *align(1) const volatile u64 = @ptrCast(a.ptr + a[0]);
    return p.* +% {next(NUMBERS)};
}}
pub fn deep(n: u64) u64 {{
    var space: [1024]u64 = @splat(n);
    const p: *volatile u64 = &space[n % 1024];
    p.* += 1;
    return if (n == 0) 0 else deep(n - 1) +% space[0];
}}
"""
    module = cell(flow, source, trial=False)
    assert tier(module).startswith("quick")
    with pytest.raises(NativeFault, match="poke, line 5: SIGSEGV"):
        module.poke(np.array([1 << 50], np.uint64))
    with pytest.raises(NativeFault, match="stack overflow"):
        module.deep(1 << 20)
    assert module.poke(np.array([0], np.uint64)) > 0


# ------------------------------------------------------------------------------- builds


def test_who_needs_the_optimised_build_waits_for_the_one_under_way(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[float] = []
    run = later.run
    monkeypatch.setattr(later, "run", lambda job: (runs.append(time.monotonic()), time.sleep(0.3), run(job))[2])
    module = cell(flow, DOT.format(number=next(NUMBERS)))
    program = module.slot.version.artifact.program
    artifact = flow.build(program)

    assert len(runs) == 1
    assert "-fno-llvm" not in artifact.flags
    assert artifact.key != ""
    wait_until(lambda: tier(module) == "optimised")
    assert module.slot.version.artifact.key == artifact.key


def test_the_build_of_an_earlier_edit_is_stopped(flow: Flow, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    run = later.run

    def slow(job: Any) -> Any:
        try:
            return run(replace(job, argv=("/bin/sleep", "20")) if not stopped else job)
        except ToolchainError as error:
            stopped.append(str(error))
            raise

    monkeypatch.setattr(later, "run", slow)
    began = time.monotonic()
    cell(flow, DOT.format(number=next(NUMBERS)))
    wait_until(lambda: any("sleep" in command for command in commands()))
    module = cell(flow, DOT.format(number=next(NUMBERS)))
    wait_until(lambda: tier(module) == "optimised")

    assert "its cell was edited again" in stopped[0]
    assert time.monotonic() - began < 15


def commands() -> list[str]:
    """What runs for us: the command lines of this process' children."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if int((place / "stat").read_text().rpartition(")")[2].split()[1]) == os.getpid():
                found.append((place / "cmdline").read_text())
        except OSError:
            continue
    return found


def test_an_unchanged_cell_comes_optimised_from_the_cache(flow: Flow) -> None:
    source = DOT.format(number=next(NUMBERS))
    module = cell(flow, source)
    wait_until(lambda: tier(module) == "optimised")
    again = cell(flow, source)

    assert tier(again) == "optimised"
    assert again.slot.version.artifact.cached


def test_without_a_server_a_cell_is_built_as_ever(flow: Flow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = quick_desk.Desk()
    monkeypatch.setattr(broken, "_begin", lambda _flags: (_ for _ in ()).throw(quick_desk.ServerTrouble("none")))
    monkeypatch.setattr(quick_desk, "_desk", broken)
    number = next(NUMBERS)
    module = cell(flow, DOT.format(number=number))

    assert tier(module) == "optimised"
    assert module.dot(ROW, ROW) == float(ROW @ ROW) + number
    with pytest.raises(CompileError) as caught:
        cell(flow, DOT.format(number="missing"))
    assert [(item.line, item.column) for item in caught.value.diagnostics] == [(4, 20)]
    broken.close()


def test_where_quick_is_off_the_optimised_build_serves_from_the_start(zig_there: Path) -> None:
    flow = Flow()
    flow.quick = lambda: False
    assert tier(cell(flow, DOT.format(number=next(NUMBERS)))) == "optimised"


def test_a_wait_for_a_cell_can_be_interrupted(
    flow: Flow, interrupted: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "pub fn f() void {\n    comptime {\n        @setEvalBranchQuota(4_000_000_000);\n        var i: u64 = 0;\n"
    source += "        while (i < 1 << 60) i += 1;\n    }\n}\n"
    interrupted(1.0, lambda: cell(flow, source))
    number = next(NUMBERS)

    assert cell(flow, DOT.format(number=number)).dot(ROW, ROW) == float(ROW @ ROW) + number
    wait_until(lambda: not any("build-lib" in command for command in commands()))
    ready()


def test_threads_that_run_cells_at_once_each_get_their_own(flow: Flow) -> None:
    numbers = [next(NUMBERS) for _ in range(6)]
    answers: dict[int, float] = {}

    def run(number: int) -> None:
        answers[number] = cell(flow, DOT.format(number=number), f"cell{number}").dot(ROW, ROW)

    threads = [threading.Thread(target=run, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == {number: float(ROW @ ROW) + number for number in numbers}


def test_the_artifact_that_serves_is_in_the_ledger_and_again_when_it_has_changed(
    flow: Flow, slow_optimised: threading.Event
) -> None:
    def recorded() -> str:
        return str(json.loads(flow.registry.ledger()["deployments.json"])["names"]["cell"][-1]["library"])

    def serving() -> str:
        return hashlib.sha256(Path(module.slot.version.artifact.path).read_bytes()).hexdigest()

    module = cell(flow, DOT.format(number=next(NUMBERS)))
    first = serving()
    assert recorded() == first
    let_come(slow_optimised, lambda: tier(module) == "optimised")

    assert recorded() == serving() != first


def test_a_text_that_was_proposed_is_not_served_quickly(flow: Flow) -> None:
    module = cell(flow, DOT.format(number=next(NUMBERS)))
    evolved = Program("cell", "zig", (("cell.zig", DOT.format(number=next(NUMBERS))),))
    flow.registry.accept(evolved, level="L3")

    assert module.slot.version.artifact.program == evolved
    assert tier(module) == "optimised"
