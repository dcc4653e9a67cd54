//! Vectors of float32: sums, products, distances. Sums are taken in float64, some lanes at a time, so that their error
//! does not grow with the length as that of one float32 would.

const std = @import("std");

const lanes = 8;
const Narrow = @Vector(lanes, f32);
const Wide = @Vector(lanes, f64);

/// The sum of the values; 0 of none.
pub fn sum(values: []const f32) f64 {
    var sums: Wide = @splat(0);
    var i: usize = 0;
    while (i + lanes <= values.len) : (i += lanes) sums += widened(values[i..]);
    var total = @reduce(.Add, sums);
    for (values[i..]) |x| total += x;
    return total;
}

/// The dot product. Vectors of other lengths have none.
pub fn dot(a: []const f32, b: []const f32) error{LengthMismatch}!f64 {
    if (a.len != b.len) return error.LengthMismatch;
    return product(a, b);
}

/// The Euclidean norm.
pub fn norm(values: []const f32) f64 {
    return @sqrt(product(values, values));
}

/// The Euclidean distance.
pub fn distance(a: []const f32, b: []const f32) error{LengthMismatch}!f64 {
    if (a.len != b.len) return error.LengthMismatch;
    var sums: Wide = @splat(0);
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) {
        const apart = widened(a[i..]) - widened(b[i..]);
        sums += apart * apart;
    }
    var total = @reduce(.Add, sums);
    for (a[i..], b[i..]) |x, y| {
        const apart = @as(f64, x) - @as(f64, y);
        total += apart * apart;
    }
    return @sqrt(total);
}

/// The cosine of the angle between two vectors; null where one of them has no direction.
pub fn cosine(a: []const f32, b: []const f32) error{LengthMismatch}!?f64 {
    if (a.len != b.len) return error.LengthMismatch;
    const lengths = norm(a) * norm(b);
    return if (lengths > 0) product(a, b) / lengths else null;
}

/// Multiply each value by `factor`, in place.
pub fn scale(values: []f32, factor: f32) void {
    for (values) |*x| x.* *= factor;
}

/// Add `factor` times `b` to `a`, in place.
pub fn add_scaled(a: []f32, b: []const f32, factor: f32) error{LengthMismatch}!void {
    if (a.len != b.len) return error.LengthMismatch;
    for (a, b) |*x, y| x.* += factor * y;
}

fn product(a: []const f32, b: []const f32) f64 {
    std.debug.assert(a.len == b.len);
    var sums: Wide = @splat(0);
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) sums += widened(a[i..]) * widened(b[i..]);
    var total = @reduce(.Add, sums);
    for (a[i..], b[i..]) |x, y| total += @as(f64, x) * @as(f64, y);
    return total;
}

fn widened(values: []const f32) Wide {
    return @as(Narrow, values[0..lanes].*);
}
