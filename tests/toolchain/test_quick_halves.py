"""A text that uses much of the standard library, compiled as two objects: the same functions as in one, sooner."""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o import toolchain
from project_o.errors import CompileError, NativePanic, NativeResultError, ToolchainError
from project_o.flow import Flow
from project_o.toolchain import compiler, halves
from project_o.toolchain.recipe import recipe
from project_o.values import Program

sys.path.insert(0, str(Path(__file__).parent))
from quick_cells import NUMBERS, cell, ready, tier, wait_until

TEXT = """const std = @import("std");
const offset: i64 = NUMBER;

/// The sum of the words that are whole numbers; not written by `written`.
pub fn total(text: []const u8) !i64 {
    var sum: i64 = offset;
    var words = std.mem.tokenizeAny(u8, text, " ");
    while (words.next()) |word| sum += try std.fmt.parseInt(i64, word, 10);
    return sum;
}

/// The values in order.
pub fn ordered(values: []f64) void {
    std.sort.pdq(f64, values, {}, std.sort.asc(f64));
}

pub fn middle(values: []f64) f64 {
    ordered(values);
    return values[values.len / 2];
}

pub fn different(allocator: std.mem.Allocator, text: []const u8) !u64 {
    var seen: std.StringHashMapUnmanaged(void) = .empty;
    defer seen.deinit(allocator);
    var words = std.mem.tokenizeAny(u8, text, " ");
    while (words.next()) |word| try seen.put(allocator, word, {});
    return seen.count();
}

fn digits(buffer: []u8, value: f64) ![]const u8 {
    return std.fmt.bufPrint(buffer, "{d:.2}", .{value});
}

pub fn written(allocator: std.mem.Allocator, values: []const f64) ![]const u8 {
    var text: std.ArrayList(u8) = .empty;
    for (values, 0..) |value, at| {
        if (at > 0) try text.append(allocator, ' ');
        var buffer: [64]u8 = undefined;
        try text.appendSlice(allocator, try digits(&buffer, value));
    }
    return text.toOwnedSlice(allocator);
}

pub fn first(values: []const f64, at: u64) f64 {
    return values[at];
}
"""
# A cell begins with its magic.
FIRST = 2 + next(k for k, line in enumerate(TEXT.splitlines()) if "return values[at]" in line)
MIDDLE = 2 + next(k for k, line in enumerate(TEXT.splitlines()) if "values.len / 2" in line)


def text() -> str:
    return TEXT.replace("NUMBER", str(next(NUMBERS)))


def done() -> Future[None]:
    """What nobody waits for any more."""
    future: Future[None] = Future()
    future.set_result(None)
    return future


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the compiler is asked for: build-obj, build-lib."""
    seen: list[str] = []
    run = compiler.run

    def noted(job: compiler.Job) -> compiler.Finished:
        seen.append(job.argv[1])
        return run(job)

    monkeypatch.setattr("project_o.toolchain.quick.later.run", noted)
    return seen


def test_what_names_one_another_stays_together_and_the_work_is_shared_out() -> None:
    second = set(halves.second_half(TEXT))

    assert second, "one object would do all"
    assert ("ordered" in second) == ("middle" in second)
    assert "digits" not in second, "it is offered to nobody"
    assert ("written" in second) != ("ordered" in second), "the two that take longest"


@pytest.mark.parametrize(
    "source",
    [
        "pub fn f(x: f64) f64 { return x; }",
        "    pub fn indented() void { std.debug.print(std.json); }",
        TEXT.partition("/// The values")[0],
        # One calls the other: there is nothing to share out.
        TEXT.replace("values[at]", "values[at] + @as(f64, @floatFromInt(different + written + middle + total))"),
    ],
)
def test_where_there_is_nothing_to_share_out_it_is_built_whole(source: str) -> None:
    assert halves.second_half(source) == ()


@given(st.lists(st.sampled_from(["std.json", "std.sort.pdq", "x.print(", "HashMap", "1"]), min_size=1, max_size=8),
       st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=8))  # fmt: skip
def test_callers_and_what_they_call_are_never_apart(uses: list[str], calls: list[tuple[int, int]]) -> None:
    count = len(uses)
    bodies = [f"    _ = {use};" for use in uses]
    pairs = [(a % count, b % count) for a, b in calls]
    for a, b in pairs:
        bodies[a] += f"\n    f{b}();"
    source = "".join(f"pub fn f{k}() void {{\n{body}\n}}\n" for k, body in enumerate(bodies))

    second = halves.second_half(source)

    assert set(second) <= {f"f{k}" for k in range(count)}
    for a, b in pairs:
        assert (f"f{a}" in second) == (f"f{b}" in second)


def test_it_answers_as_the_whole_does(zig_there: Path) -> None:
    program = Program("cell", "zig", (("cell.zig", text()),))
    whole, two = (toolchain.load(toolchain.build(program, halves=how)) for how in (None, done()))
    values = np.random.default_rng(1).normal(size=1000)

    assert whole.artifact.key != two.artifact.key
    assert [f.name for f in whole.artifact.interface.functions] == [f.name for f in two.artifact.interface.functions]
    for library in (whole, two):
        here = values.copy()
        library.call("ordered", [here])
        assert (here == np.sort(values)).all()
        assert library.call("middle", [values.copy()]) == np.sort(values)[500]
        assert library.call("different", [b"a b a c"]) == 3
        written = library.call("written", [values])
        assert written == " ".join(f"{value:.2f}" for value in values)
        assert library.call("total", [b"1 2 3"]) == whole.call("total", [b"6"])
        with pytest.raises(NativeResultError, match="InvalidCharacter"):
            library.call("total", [b"1 x"])


def test_panics_of_either_object_tell_the_cells_line(zig_there: Path, cells: Flow) -> None:
    module = cell(cells, text())
    wait_until(lambda: tier(module) == "optimised")
    values = np.ones(3)

    for function, arguments, line in ((module.first, (values, 3), FIRST), (module.middle, (values[:0],), MIDDLE)):
        with pytest.raises(NativePanic, match="index out of bounds") as caught:
            function(*arguments)
        assert caught.value.line == line
    assert module.first(values, 2) == 1.0


@pytest.fixture(scope="module")
def cells(zig_there: Path) -> Flow:
    ready()
    return Flow()


def test_an_edited_cell_is_built_so_and_found_again(cells: Flow, commands: list[str]) -> None:
    source = text()
    module = cell(cells, source)
    assert module.different("a b a") == 2
    wait_until(lambda: tier(module) == "optimised")
    assert sorted(commands) == ["build-lib", "build-obj", "build-obj"]

    again = cell(Flow(), source)

    assert tier(again) == "optimised"
    assert again.different("a b a") == 2
    assert len(commands) == 3, "nothing was compiled again"


def test_what_is_kept_between_calls_is_kept_once(cells: Flow, commands: list[str]) -> None:
    kept = "var count: u64 = 0;\n\npub fn counted() u64 {\n    count += 1;\n    return count;\n}\n"
    both = kept + "\npub fn noted() u64 {\n    count += 1;\n    return count;\n}\n"
    module = cell(cells, text() + "\n" + both)

    assert commands == ["build-lib"]
    assert [module.counted(), module.noted(), module.counted()] == [1, 2, 3]


def test_an_error_is_told_as_the_whole_tells_it(zig_there: Path) -> None:
    source = text().replace("values[values.len / 2]", "values[values.len / 2] + missing").replace("values[at]", "gone")
    with pytest.raises(CompileError) as whole:
        toolchain.build(Program("cell", "zig", (("cell.zig", source),)))

    with pytest.raises(CompileError) as two:
        toolchain.build(Program("cell", "zig", (("cell.zig", source),)), halves=done())

    assert two.value.diagnostics == whole.value.diagnostics
    assert len(whole.value.diagnostics) == 2


def test_where_it_cannot_be_linked_it_is_built_whole(zig_there: Path) -> None:
    asked: list[str] = []

    def runner(job: compiler.Job) -> compiler.Finished:
        asked.append(job.argv[1])
        linking = job.argv[1] == "build-lib" and "first.o" in job.argv
        return compiler.Finished(1, "no", 0.0) if linking else compiler.run(job)

    built = toolchain.build(Program("cell", "zig", (("cell.zig", text()),)), halves=done(), runner=runner)

    assert sorted(asked) == ["build-lib", "build-lib", "build-obj", "build-obj"]
    assert toolchain.load(built).call("different", [b"a b"]) == 2


def test_the_second_compiler_waits_for_what_somebody_waits_for(zig_there: Path) -> None:
    quick: Future[None] = Future()
    asked: list[str] = []

    def runner(job: compiler.Job) -> compiler.Finished:
        asked.append(job.argv[1])
        if len(asked) == 1:
            time.sleep(0.2)
            assert asked == ["build-obj"], "the other one did not wait"
            quick.set_exception(ToolchainError("it makes no difference how that ended"))
        return compiler.run(job)

    built = toolchain.build(Program("cell", "zig", (("cell.zig", text()),)), halves=quick, runner=runner)

    assert asked == ["build-obj", "build-obj", "build-lib"]
    assert toolchain.load(built).call("different", [b"a b"]) == 2


def test_who_wants_it_no_more_waits_for_neither(zig_there: Path) -> None:
    """A runner that is told to stop raises, and that is no reason to compile the whole."""
    asked: list[str] = []

    def runner(job: compiler.Job) -> compiler.Finished:
        asked.append(job.argv[1])
        raise ToolchainError("stopped")

    with pytest.raises(ToolchainError, match="stopped"):
        toolchain.build(Program("cell", "zig", (("cell.zig", text()),)), halves=done(), runner=runner)

    assert set(asked) == {"build-obj"}


def test_proposed_texts_and_single_processors_are_built_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = recipe(Program("cell", "zig", (("cell.zig", TEXT.replace("NUMBER", "1")),)))

    assert halves.apart(wanted).apart
    assert halves.apart(wanted).key != wanted.key
    for other in (replace(wanted, locked=True), replace(wanted, libraries=("-lm",)), replace(wanted, flags=("debug",))):
        assert halves.apart(other) == other
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert halves.apart(wanted) == wanted
