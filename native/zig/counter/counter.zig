//! A counter: the smallest module that has a state. Where the sum would overflow nothing is counted, and the error says
//! so.

const std = @import("std");

/// What stays while the build is swapped.
pub const State = struct {
    sum: u64 = 0,
    calls: u64 = 0,
};

/// Count `n` more; the sum.
pub fn add(state: *State, n: u64) error{Overflow}!u64 {
    const sum = try std.math.add(u64, state.sum, n);
    state.* = .{ .sum = sum, .calls = state.calls + 1 };
    return sum;
}

/// Count each of the numbers, all or none of them; the sum.
pub fn add_all(state: *State, numbers: []const u32) error{Overflow}!u64 {
    var sum: u64 = 0;
    // More than 2^32 numbers fit into no memory, so this sum does not overflow.
    for (numbers) |n| sum += n;
    return add(state, sum);
}

/// The sum.
pub fn value(state: *const State) u64 {
    return state.sum;
}

/// How often something was counted.
pub fn calls(state: *const State) u64 {
    return state.calls;
}

/// Begin anew; what the sum was.
pub fn reset(state: *State) u64 {
    defer state.* = .{};
    return state.sum;
}

/// How many of the values are above `limit`. It needs no state.
pub fn above(values: []const f64, limit: f64) usize {
    var count: usize = 0;
    for (values) |x| count += @intFromBool(x > limit);
    return count;
}
