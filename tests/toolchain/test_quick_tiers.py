"""An edited cell serves at once, and optimised soon after: what is swapped, when it is not, and what it never loses."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import limits, toolchain
from project_o.errors import CompileError, NativeFault, NativePanic
from project_o.flow import Flow
from project_o.toolchain.quick import tiers

sys.path.insert(0, str(Path(__file__).parent))
from quick_cells import DOT, NUMBERS, ROW, cell, let_come, ready, tier, wait_until


@pytest.fixture(scope="module")
def flow(zig_there: Path) -> Flow:
    """A flow whose compiler server is at work already."""
    ready()
    return Flow()


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


@pytest.mark.parametrize("calls", [True, False])
def test_the_optimised_build_begins_after_a_first_call_or_without_one(
    flow: Flow, calls: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[float] = []
    monkeypatch.setattr(limits, "CALLED_WAITS_SECONDS_MAX", 60.0 if calls else 0.1)
    real = tiers.build

    def build(*args: Any, **named: Any) -> Any:
        began.append(time.monotonic())
        return real(*args, **named)

    monkeypatch.setattr(tiers, "build", build)
    module = cell(flow, DOT.format(number=next(NUMBERS)))
    there = time.monotonic()
    if calls:
        assert not began, "it waits for a call"
        module.dot(ROW, ROW)
    wait_until(lambda: tier(module) == "optimised")

    assert len(began) == 1
    assert began[0] - there < 30


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
    with pytest.warns(UserWarning, match="goes on with its build that is not optimised.*answer returns") as told:
        let_come(slow_optimised, lambda: "answers differently" in tier(module) and len(told) > 0)
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
    with pytest.warns(UserWarning, match="not optimised") as told:
        let_come(slow_optimised, lambda: "fails where this one did not" in tier(module) and len(told) > 0)
    assert "fails where this one did not (risky, line 4: here" in tier(module)
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
    build = module.slot.version.artifact.key

    assert tier(module) == "optimised"
    assert [module.step() for _ in range(3)] == [number + 1, number + 2, number + 3]
    time.sleep(0.3)
    assert module.slot.version.artifact.key == build
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


def test_a_build_that_returns_a_struct_is_compared_and_takes_its_place(
    flow: Flow, slow_optimised: threading.Event
) -> None:
    number = next(NUMBERS)
    source = f"""
    pub const Point = struct {{ x: f64, y: f64 }};
    pub fn mirrored(p: Point) Point {{ return .{{ .x = -p.x, .y = {number} }}; }}
    """
    module = cell(flow, source)

    assert module.mirrored((1.5, 2.0)) == (-1.5, float(number))
    slow_optimised.set()
    wait_until(lambda: not tier(module).startswith("quick, until"))
    assert tier(module) == "optimised"
    assert module.mirrored(module.Point(1.5, 2.0)) == (-1.5, float(number))
