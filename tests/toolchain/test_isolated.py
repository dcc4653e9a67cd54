"""All that crosses to a call in this process crosses to one in a process of its own, the quick way or the long one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from project_o.errors import InterfaceError
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
    with pytest.raises(InterfaceError, match="takes 0 arguments, 1 were given"):
        version.call("nothing", [1])
    version.close()
