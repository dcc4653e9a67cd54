//! The sum of the products of two rows, in vectors, and a number.

const lanes = 16;
const Vector = @Vector(lanes, f32);
const shift: f32 = NUMBER;

/// The sum of the products, and the number that the variants differ in.
pub fn dot(a: []const f32, b: []const f32) f32 {
    var sums: Vector = @splat(0);
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) {
        const x: Vector = a[i..][0..lanes].*;
        const y: Vector = b[i..][0..lanes].*;
        sums = @mulAdd(Vector, x, y, sums);
    }
    var sum = shift + @reduce(.Add, sums);
    while (i < a.len) : (i += 1) sum += a[i] * b[i];
    return sum;
}
