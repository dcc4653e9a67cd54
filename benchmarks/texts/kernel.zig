//! Search among rows by their angle to a query.

const lanes = 16;
const Vector = @Vector(lanes, f32);
const offset: f32 = NUMBER;

/// The sum of the products, and the constant that every edit changes.
pub fn dot(a: []const f32, b: []const f32) f32 {
    return offset + product(a, b);
}

fn product(a: []const f32, b: []const f32) f32 {
    var sums: Vector = @splat(0);
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) {
        const x: Vector = a[i..][0..lanes].*;
        const y: Vector = b[i..][0..lanes].*;
        sums = @mulAdd(Vector, x, y, sums);
    }
    var sum = @reduce(.Add, sums);
    while (i < a.len) : (i += 1) sum += a[i] * b[i];
    return sum;
}

/// The cosine of the angle between two rows.
pub fn cosine(a: []const f32, b: []const f32) f32 {
    const lengths = @sqrt(product(a, a)) * @sqrt(product(b, b));
    return if (lengths == 0) 0 else product(a, b) / lengths;
}

/// The cosine of each row with the query.
pub fn scores(rows: []const f32, query: []const f32, into: []f32) void {
    for (into, 0..) |*score, row| {
        score.* = cosine(rows[row * query.len ..][0..query.len], query);
    }
}

/// The row that is nearest to the query.
pub fn nearest(rows: []const f32, query: []const f32) i64 {
    var best: i64 = -1;
    var most: f32 = -2;
    var row: usize = 0;
    while ((row + 1) * query.len <= rows.len) : (row += 1) {
        const score = cosine(rows[row * query.len ..][0..query.len], query);
        if (score > most) {
            most = score;
            best = @intCast(row);
        }
    }
    return best;
}

/// Each row divided by its length.
pub fn normalise(rows: []f32, width: usize) void {
    var at: usize = 0;
    while (at + width <= rows.len) : (at += width) {
        const length = @sqrt(product(rows[at..][0..width], rows[at..][0..width]));
        if (length > 0) for (rows[at..][0..width]) |*x| {
            x.* /= length;
        };
    }
}
