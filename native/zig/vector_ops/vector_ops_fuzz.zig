//! The vectors against naive twins in float64, any lengths, any finite values: `python -m ziglang test -lc
//! vector_ops_fuzz.zig`, with another seed each time; `--seed 0x1234` repeats one.

const std = @import("std");
const vector_ops = @import("vector_ops.zig");

const steps = 20_000;
const length_max = 70;

test "each sum is that of a naive twin" {
    var prng: std.Random.DefaultPrng = .init(std.testing.random_seed);
    const random = prng.random();
    var first: [length_max]f32 = undefined;
    var second: [length_max]f32 = undefined;
    for (0..steps) |_| {
        const length = random.uintAtMost(usize, length_max);
        const a, const b = .{ first[0..length], second[0..length] };
        for (a, b) |*x, *y| {
            x.* = finite(random);
            y.* = if (random.uintLessThan(u8, 4) == 0) x.* else finite(random);
        }
        var total: f64, var size: f64, var products: f64, var sizes: f64, var squares: f64 = .{ 0, 0, 0, 0, 0 };
        var own: f64 = 0;
        for (a, b) |x, y| {
            const wide_x, const wide_y = .{ @as(f64, x), @as(f64, y) };
            total += wide_x;
            size += @abs(wide_x);
            products += wide_x * wide_y;
            sizes += @abs(wide_x * wide_y);
            squares += (wide_x - wide_y) * (wide_x - wide_y);
            own += wide_x * wide_x;
        }
        try near(total, vector_ops.sum(a), size);
        try near(products, try vector_ops.dot(a, b), sizes);
        try near(@sqrt(own), vector_ops.norm(a), @sqrt(own));
        try near(@sqrt(squares), try vector_ops.distance(a, b), @sqrt(squares));
        if (try vector_ops.cosine(a, b)) |found| try std.testing.expect(@abs(found) <= 1 + 1e-12);
        try written(random, a, b);
    }
}

fn written(random: std.Random, a: []f32, b: []const f32) !void {
    var expected: [length_max]f32 = undefined;
    const factor = random.float(f32) - 0.5;
    for (expected[0..a.len], a, b) |*z, x, y| z.* = x + factor * y;
    try vector_ops.add_scaled(a, b, factor);
    try std.testing.expectEqualSlices(f32, expected[0..a.len], a);
    for (expected[0..a.len]) |*z| z.* *= factor;
    vector_ops.scale(a, factor);
    try std.testing.expectEqualSlices(f32, expected[0..a.len], a);
}

fn near(expected: f64, found: f64, size: f64) !void {
    // As far as another order of a sum of this many values may take it.
    try std.testing.expect(@abs(expected - found) <= 4 * length_max * std.math.floatEps(f64) * size);
}

/// Any magnitude, but none whose square, times the length, leaves float64.
fn finite(random: std.Random) f32 {
    return (random.float(f32) - 0.5) * std.math.pow(f32, 10, random.float(f32) * 60 - 30);
}

test "other lengths have no product, nothing sums to nothing, and no direction has no angle" {
    try std.testing.expectError(error.LengthMismatch, vector_ops.dot(&.{1}, &.{ 1, 2 }));
    try std.testing.expectError(error.LengthMismatch, vector_ops.distance(&.{1}, &.{}));
    try std.testing.expectError(error.LengthMismatch, vector_ops.cosine(&.{1}, &.{}));
    var one = [_]f32{1};
    try std.testing.expectError(error.LengthMismatch, vector_ops.add_scaled(&one, &.{}, 1));
    try std.testing.expectEqual(0, vector_ops.sum(&.{}));
    try std.testing.expectEqual(null, try vector_ops.cosine(&.{ 0, 0 }, &.{ 1, 2 }));
    try std.testing.expect(std.math.isNan(vector_ops.norm(&.{std.math.nan(f32)})));
}
