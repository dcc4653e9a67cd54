"""``std.debug.print`` and ``std.log`` of a cell: what they write, and that they bring little along."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from project_o import toolchain

PRINTS = """const std = @import("std");
var calls: u32 = 0;
const Inner = struct {
    pub fn format(_: Inner, out: *std.Io.Writer) std.Io.Writer.Error!void {
        std.debug.print("<nested>", .{});
        try out.writeAll("inner");
    }
};
pub fn say(text: []const u8, x: f64) u32 {
    calls += 1;
    std.debug.print("{s} {d} {d:.2}\\n", .{ text, calls, x });
    return calls;
}
pub fn log(n: u32) void { std.log.err("number {d}", .{n}); }
pub fn nested() void { std.debug.print("a{f}b\\n", .{Inner{}}); }
fn many(k: u8) void {
    const line: [150]u8 = @splat('a' + k);
    for (0..200) |_| std.debug.print("{s}\\n", .{&line});
}
pub fn threads() !void {
    var all: [4]std.Thread = undefined;
    for (&all, 0..) |*one, k| one.* = try std.Thread.spawn(.{}, many, .{@as(u8, @intCast(k))});
    for (all) |one| one.join();
}
"""
LEAKS = """const std = @import("std");
var gpa: std.heap.DebugAllocator(.{}) = .init;
pub fn leaks() !usize {
    _ = try gpa.allocator().create(u32);
    return gpa.detectLeaks();
}
"""


@pytest.mark.parametrize("mode", ["safe", "debug"])
def test_what_is_printed_arrives_whole(
    mode: str, compiled: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    library = toolchain.load(compiled(PRINTS, mode=mode))
    long = "ö" * 1000
    assert [library.call("say", [text, 0.5]) for text in ("hello", long)] == [1, 2]
    assert capfd.readouterr().err == f"hello 1 0.50\n{long} 2 0.50\n"
    library.call("log", [3])
    assert capfd.readouterr().err == "error: number 3\n"
    library.call("nested", [])
    said = capfd.readouterr().err
    assert "<nested>" in said
    assert "inner" in said
    library.call("threads", [])
    lines = capfd.readouterr().err.splitlines()
    assert sorted(lines) == sorted(letter * 150 for letter in "abcd" for _ in range(200)), "no line is torn"


@pytest.mark.parametrize("source", [PRINTS, LEAKS])
def test_a_cell_that_prints_is_not_built_with_threads_files_and_sockets(
    source: str, compiled: Callable[..., Any]
) -> None:
    """They took the compiler eight seconds, at each edit of a cell that keeps something between calls."""
    assert Path(compiled(source).path).stat().st_size < 1_500_000, "it was five million bytes"


def test_what_leaks_is_still_told(compiled: Callable[..., Any], capfd: pytest.CaptureFixture[str]) -> None:
    assert toolchain.load(compiled(LEAKS)).call("leaks", []) == 1
    assert "leaked" in capfd.readouterr().err
