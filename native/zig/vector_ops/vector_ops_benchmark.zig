//! How long the vectors take: `python -m ziglang run -lc -fno-compiler-rt -O fast vector_ops_benchmark.zig`. The median
//! of several rounds, one line a function: name, nanoseconds, of what.

const std = @import("std");
const vector_ops = @import("vector_ops.zig");

const rounds = 15;
const length = 1 << 16;

var first: [length]f32 = undefined;
var second: [length]f32 = undefined;

// The C library's clock and printf: those of std would take twenty times as long to compile.
pub export fn main() c_int {
    for (&first, &second, 0..) |*x, *y, i| {
        x.* = @floatFromInt(i % 17);
        y.* = @floatFromInt(i % 13);
    }
    _ = std.c.printf("sum %.3f a value\n", median(sum));
    _ = std.c.printf("dot %.3f a value\n", median(dot));
    _ = std.c.printf("distance %.3f a value\n", median(distance));
    _ = std.c.printf("add_scaled %.3f a value\n", median(addScaled));
    return @intFromBool(vector_ops.sum(&first) == 0);
}

fn sum() void {
    std.mem.doNotOptimizeAway(vector_ops.sum(&first));
}

fn dot() void {
    std.mem.doNotOptimizeAway(vector_ops.dot(&first, &second) catch unreachable);
}

fn distance() void {
    std.mem.doNotOptimizeAway(vector_ops.distance(&first, &second) catch unreachable);
}

fn addScaled() void {
    vector_ops.add_scaled(&first, &second, 0.5) catch unreachable;
    std.mem.doNotOptimizeAway(first[0]);
}

fn median(work: *const fn () void) f64 {
    var found: [rounds]f64 = undefined;
    for (&found) |*one| {
        const began = nanoseconds();
        work();
        one.* = (nanoseconds() - began) / length;
    }
    std.mem.sort(f64, &found, {}, std.sort.asc(f64));
    return found[rounds / 2];
}

fn nanoseconds() f64 {
    var now: std.c.timespec = undefined;
    _ = std.c.clock_gettime(.MONOTONIC, &now);
    return @as(f64, @floatFromInt(now.sec)) * 1e9 + @as(f64, @floatFromInt(now.nsec));
}
