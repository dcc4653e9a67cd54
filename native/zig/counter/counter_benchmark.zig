//! How long the counter takes: `python -m ziglang run -lc -fno-compiler-rt -O fast counter_benchmark.zig`. The median of
//! several rounds, one line a function: name, nanoseconds, of what.

const std = @import("std");
const counter = @import("counter.zig");

const rounds = 15;
const length = 1 << 16;

var numbers: [length]u32 = undefined;
var values: [length]f64 = undefined;
var state: counter.State = .{};

// The C library's clock and printf: those of std would take twenty times as long to compile.
pub export fn main() c_int {
    for (&numbers, &values, 0..) |*n, *x, i| {
        n.* = @truncate(i * 2_654_435_761);
        x.* = @floatFromInt(n.*);
    }
    _ = std.c.printf("add %.3f a call\n", median(addOneByOne));
    _ = std.c.printf("add_all %.3f a number\n", median(addAll));
    _ = std.c.printf("above %.3f a value\n", median(above));
    return @intFromBool(counter.value(&state) == 0);
}

fn addOneByOne() void {
    for (0..length) |i| {
        _ = counter.add(&state, i) catch unreachable;
        // Else the whole loop is one addition.
        std.mem.doNotOptimizeAway(state.sum);
    }
}

fn addAll() void {
    _ = counter.add_all(&state, &numbers) catch unreachable;
}

fn above() void {
    std.mem.doNotOptimizeAway(counter.above(&values, 1e9));
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
