"""All that crosses to a call in this process crosses to one in a process of its own, the quick way or the long one."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pytest

from project_o.errors import InterfaceError, NativeFault, NativeResultError
from project_o.toolchain import Version
from project_o.values import Artifact

CROSSING = """
const std = @import("std");
const Pair = struct { first: []f32, by: f32 };
const Found = struct { sum: f64, text: []const u8, none: ?u32 };
pub fn scaled(pair: Pair, other: []f64) void {
    for (pair.first) |*x| x.* *= pair.by;
    for (other) |*x| x.* += 1;
}
pub fn ones(a: std.mem.Allocator, n: usize) ![]f32 {
    const made = try a.alloc(f32, n);
    @memset(made, 1);
    return made;
}
pub fn found(values: []const f64, text: []const u8) Found {
    var sum: f64 = 0;
    for (values) |x| sum += x;
    return .{ .sum = sum, .text = text, .none = null };
}
pub fn large() [600]u8 {
    return @splat(7);
}
pub fn negative(a: i8, b: i64, c: bool) i64 {
    return if (c) a + b else 0;
}
pub fn nothing() void {}
pub fn talks() void {
    std.debug.print("said\\n", .{});
}
"""


def test_all_that_crosses_to_a_call_crosses_to_an_isolated_one(compiled: Callable[..., Artifact]) -> None:
    version = Version(compiled(CROSSING), isolate=True)
    array, other = np.ones((2, 3), np.float32), np.zeros(2)
    version.call("scaled", [(array, 2.5), other])
    version.call("scaled", [{"first": array, "by": 2.0}, other])
    assert array.tolist() == [[5.0] * 3] * 2
    assert other.tolist() == [2.0, 2.0]
    for count in (0, 3, 100_000, 5):
        assert version.call("ones", [count]).tolist() == [1.0] * count
    assert version.call("found", [np.arange(1000.0), "\u00fc"]) == (499_500.0, "\u00fc", None)
    assert version.call("large", []).tolist() == [7] * 600
    assert version.call("negative", [-5, -(2**40), True]) == -5 - 2**40
    for _ in range(20):
        assert version.call("nothing", []) is None
        version.call("talks", [])
    with pytest.raises(InterfaceError, match="takes 0 arguments, 1 was given"):
        version.call("nothing", [1])
    version.close()


MOMENTS = """
pub fn after(turns: u64, number: i64) i64 {
    var x: u64 = turns;
    for (0..turns) |k| {
        x = x *% 6364136223846793005 +% k;
        std.mem.doNotOptimizeAway(x);
    }
    return number;
}
pub fn text(number: u8) [1]u8 {
    return .{number};
}
pub fn filled(a: std.mem.Allocator, number: u8) ![]u8 {
    const made = try a.alloc(u8, 3);
    @memset(made, number);
    return made;
}
pub fn large(number: u8) [600]u8 {
    return @splat(number);
}
pub fn fails(number: u8) !u8 {
    return if (number % 2 == 0) number else error.Odd;
}
const std = @import("std");
"""


def test_whenever_a_call_comes_and_however_long_it_takes_it_is_answered(compiled: Callable[..., Artifact]) -> None:
    """Both sides look for a while and then sleep: the pauses end before, at, and after the moment at which they do."""
    version, chosen = Version(compiled(MOMENTS), isolate=True), random.Random(7)
    for number in range(3000):
        small = number % 250
        match number % 8:
            case 0:
                assert version.call("large", [small]).tolist() == [small] * 600
            case 1:
                assert version.call("filled", [small]).tolist() == [small] * 3
            case 2 if number % 3:
                assert version.call("text", [small]).tolist() == [small]
            case 3 if small % 2:
                with pytest.raises(NativeResultError, match="Odd"):
                    version.call("fails", [small])
            case _:
                turns = chosen.choice((0, 0, 1000, 30_000, 60_000))
                assert version.call("after", [turns, number]) == number
        pause, began = chosen.choice((0.0, 0.0, 2e-5, 5e-5, 1e-4, 3e-4)), time.perf_counter()
        while time.perf_counter() - began < pause:
            pass
    version.close()


@pytest.mark.parametrize("pause", [0.0, 0.05])
def test_a_process_that_is_killed_is_told_of_and_the_next_call_has_another(
    compiled: Callable[..., Artifact], pause: float
) -> None:
    version = Version(compiled(MOMENTS), isolate=True)
    for number in range(20):
        assert version.call("after", [0, number]) == number
    time.sleep(pause)
    os.kill(version._job.pid, signal.SIGKILL)
    with pytest.raises(NativeFault, match="SIGKILL"):
        version.call("after", [0, 1])
    assert version.call("after", [0, 2]) == 2
    version.close()


TALKS = {
    "zig": """const std = @import("std");
pub fn talks(n: u32) u32 {
    std.debug.print("said {d}\\n", .{n});
    return n;
}
pub fn dies(n: u32) void {
    std.debug.print("last {d}\\n", .{n});
    std.c.abort();
}
""",
    "rust": """pub fn talks(n: u32) -> u32 { println!("said {n}"); n }
pub fn dies(n: u32) { println!("last {n}"); std::process::abort() }
""",
}


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_what_an_isolated_call_prints_is_seen(
    language: str, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    compiled = request.getfixturevalue("compiled" if language == "zig" else "compiled_rust")
    version = Version(compiled(TALKS[language]), isolate=True)

    for n in (1, 2):
        assert version.call("talks", [n]) == n
        assert capsys.readouterr().out == f"said {n}\n"
    with pytest.raises(NativeFault, match="SIGABRT"):
        version.call("dies", [3])
    assert capsys.readouterr().out == "last 3\n", "and nothing of a process that ends: this one does not"
    version.close()


SHARING = {
    "zig": """const o = @import("o");
pub fn shift(to: []f64, from: []const f64) void {
    for (to, from) |*x, y| x.* += y;
}
pub fn views(to: o.ViewMut(f64, 1), from: o.View(f64, 1)) void {
    for (0..to.shape[0]) |i| to.set(.{i}, from.at(.{i}));
}
pub fn read(a: []const f64, b: []const f64) f64 {
    return a[0] + b[0];
}
""",
    "rust": """pub fn shift(to: &mut [f64], from: &[f64]) { for (x, y) in to.iter_mut().zip(from) { *x += y } }
pub fn views(mut to: o::ViewMut<f64, 1>, from: o::View<f64, 1>) {
    for i in 0..to.shape()[0] { to[[i]] = from[[i]] }
}
pub fn read(a: &[f64], b: &[f64]) -> f64 { a[0] + b[0] }
""",
}


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_arrays_that_share_memory_are_refused_where_one_is_written(
    language: str, request: pytest.FixtureRequest
) -> None:
    """Otherwise the answer would be another one than without a process of its own."""
    compiled = request.getfixturevalue("compiled" if language == "zig" else "compiled_rust")
    version = Version(compiled(SHARING[language]), isolate=True)
    a = np.arange(8.0)

    for name, args in (
        ("shift", (a, a)), ("shift", (a[:4], a[2:6])), ("shift", (a[2:6], a[:4])), ("views", (a[::-1], a)),
        ("views", (a[::2], a[1:5])),
    ):  # fmt: skip
        with pytest.raises(InterfaceError, match=r"share memory, one of them is written.*pass a \.copy\(\)"):
            version.call(name, args)
    assert a.tolist() == list(range(8))
    version.call("views", (a[::2], a[1::2]))  # side by side, and nothing in common
    assert a.tolist() == [1, 1, 3, 3, 5, 5, 7, 7]
    version.call("shift", (a[:4], a[4:]))
    assert a[:4].tolist() == [6, 6, 10, 10]
    version.call("shift", (a[:0], a[:0]))
    assert version.call("read", (a, a)) == 12.0
    version.close()


FORKS = """
import os
import sys
from project_o import toolchain
from project_o.toolchain import Version
from project_o.values import Program
text = "extern fn getpid() c_int;\\npub fn pid() c_int {\\n    return getpid();\\n}"
program = Program("cell", "zig", (("cell.zig", text),))
version = Version(toolchain.build(program), isolate=True)
mine = version.call("pid", [])
if os.fork() == 0:
    theirs = version.call("pid", [])
    version.close()
    os._exit(0 if theirs not in (mine, os.getpid(), os.getppid()) else 1)
print(os.waitstatus_to_exitcode(os.wait()[1]), version.call("pid", []) == mine)
"""


def test_a_forked_child_has_an_isolated_process_of_its_own(compiled: Callable[..., Artifact]) -> None:
    done = subprocess.run([sys.executable, "-c", FORKS], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "0 True\n", done.stderr
