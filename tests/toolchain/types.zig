//! A function for every mapped type; its twins are in types.rs and test_types.py.

const std = @import("std");
const o = @import("o");
const Allocator = std.mem.Allocator;
pub const Color = enum { red, green, blue };
pub const Level = enum(i16) { low = -300, high = 300 };
pub const Particle = struct { x: f32, id: u64, v: [3]f32, on: bool };
const Pair = struct { low: f64, high: f64 };
const Inner = struct { pair: Pair, name: []const u8, maybe: ?i32 };
pub fn negate(a: bool) bool {
    return !a;
}
pub fn half(a: f16) f16 {
    return a;
}
pub fn single(a: f32) f32 {
    return a;
}
pub fn double(a: f64) f64 {
    return a;
}
pub fn nothing() void {}
pub fn shout(a: []const u8) []const u8 {
    return if (a.len > 3) a[0..3] else a;
}
pub fn grow(gpa: Allocator, a: []const u8) ![]const u8 {
    return std.mem.concat(gpa, u8, &.{ a, a });
}
pub fn total(v: o.View(f64, 2)) f64 {
    var sum: f64 = 0;
    for (0..v.shape[0]) |i| for (0..v.shape[1]) |j| {
        sum = sum * 3 + v.at(.{ i, j });
    };
    return sum;
}
pub fn stamp(v: o.ViewMut(i16, 3)) usize {
    for (0..v.shape[0]) |i| for (0..v.shape[1]) |j| for (0..v.shape[2]) |k|
        v.set(.{ i, j, k }, @intCast(100 * i + 10 * j + k));
    return v.count();
}
pub fn rows(m: o.Matrix(f32)) f32 {
    var sum: f32 = 0;
    for (0..m.rows) |i| for (m.row(i)) |x| {
        sum = sum * 2 + x;
    };
    return sum;
}
pub fn dot(a: [3]f64, b: [3]f64) f64 {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
pub fn cross(a: [3]f64) [3]f64 {
    return .{ a[1], a[2], a[0] };
}
pub fn swap(p: Pair) Pair {
    return .{ .low = p.high, .high = p.low };
}
pub fn inner(d: Inner) Inner {
    return d;
}
pub fn both(t: struct { i32, bool }) struct { bool, i32 } {
    return .{ t[1], t[0] };
}
pub fn next(c: Color) Color {
    return switch (c) {
        .red => .green,
        .green => .blue,
        .blue => .red,
    };
}
pub fn level(a: ?Level) ?Level {
    return a;
}
pub fn ids(p: []const Particle) u64 {
    var sum: u64 = 0;
    for (p) |q| {
        if (q.on) sum += q.id;
    }
    return sum;
}
pub fn move(p: []Particle, dx: f32) void {
    for (p) |*q| {
        q.x += dx;
        q.v[2] = dx;
    }
}
pub fn cloud(gpa: Allocator, n: usize) ![]Particle {
    const out = try gpa.alloc(Particle, n);
    for (out, 0..) |*q, i| q.* = .{ .x = 0.5, .id = i, .v = .{ 1, 2, 3 }, .on = i % 2 == 0 };
    return out;
}
pub fn pick(p: []const Particle, i: usize) error{ Missing, Off }!Particle {
    if (i >= p.len) return error.Missing;
    return if (p[i].on) p[i] else error.Off;
}
pub fn centre(p: []const [3]f64) [3]f64 {
    var sum: [3]f64 = @splat(0);
    for (p) |row| {
        for (&sum, row) |*s, x| s.* += x;
    }
    return sum;
}
pub fn shift(p: [][2]i16, by: i16) void {
    for (p) |*row| row[1] +%= by;
}
pub fn above(gpa: Allocator, p: []const [4]u8, least: u8) ![][4]bool {
    const out = try gpa.alloc([4]bool, p.len);
    for (out, p) |*to, row| {
        for (to, row) |*yes, x| yes.* = x > least;
    }
    return out;
}
pub fn corners(p: ?[]const [2]f32) ?[]const [2]f32 {
    return p;
}
pub fn root(a: f64) !?f64 {
    if (a < 0) return error.Negative;
    return if (a == 0) null else @sqrt(a);
}
pub fn first(a: ?[]const f64) ?f64 {
    const b = a orelse return null;
    return if (b.len > 0) b[0] else null;
}
pub fn range(gpa: Allocator, n: u32) ![]u32 {
    const out = try gpa.alloc(u32, n);
    for (out, 0..) |*x, i| x.* = @intCast(i);
    return out;
}
