//! The counter against a naive twin, any calls in any order: `python -m ziglang test -lc counter_fuzz.zig`, with another
//! seed each time; `--seed 0x1234` repeats one. On failure the seed is in the runner's own words.

const std = @import("std");
const counter = @import("counter.zig");

const steps = 200_000;

test "the counter does what a naive twin does" {
    var prng: std.Random.DefaultPrng = .init(std.testing.random_seed);
    const random = prng.random();
    var state: counter.State = .{};
    // The twin has room for every sum, so it needs no care.
    var sum: u128 = 0;
    var calls: u64 = 0;
    for (0..steps) |_| {
        switch (random.uintLessThan(u8, 8)) {
            0...2 => {
                const n = switch (random.uintLessThan(u8, 4)) {
                    0 => random.uintLessThan(u64, 10),
                    1 => random.int(u32),
                    2 => std.math.maxInt(u64) - random.uintLessThan(u64, 3),
                    else => random.int(u64),
                };
                try check(&sum, &calls, n, counter.add(&state, n));
            },
            3...5 => {
                var numbers: [40]u32 = undefined;
                const some = numbers[0..random.uintAtMost(usize, numbers.len)];
                random.bytes(std.mem.sliceAsBytes(some));
                var n: u128 = 0;
                for (some) |x| n += x;
                try check(&sum, &calls, n, counter.add_all(&state, some));
            },
            6 => if (random.uintLessThan(u8, 50) == 0) {
                try std.testing.expectEqual(@as(u64, @intCast(sum)), counter.reset(&state));
                sum = 0;
                calls = 0;
            },
            else => {},
        }
        try std.testing.expectEqual(@as(u64, @intCast(sum)), counter.value(&state));
        try std.testing.expectEqual(calls, counter.calls(&state));
    }
}

fn check(sum: *u128, calls: *u64, n: u128, found: anyerror!u64) !void {
    if (sum.* + n > std.math.maxInt(u64)) return std.testing.expectError(error.Overflow, found);
    sum.* += n;
    calls.* += 1;
    try std.testing.expectEqual(@as(u64, @intCast(sum.*)), try found);
}

test "nothing is above a limit that is no number, and no number is above anything" {
    const nan = std.math.nan(f64);
    try std.testing.expectEqual(0, counter.above(&.{ 1, 2 }, nan));
    try std.testing.expectEqual(1, counter.above(&.{ nan, 2 }, 1));
    try std.testing.expectEqual(0, counter.above(&.{}, 1));
}
