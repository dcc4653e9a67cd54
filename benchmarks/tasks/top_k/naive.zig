const std = @import("std");
const o = @import("o");

const most = 16;

fn dot(a: []const f32, b: []const f32) f32 {
    var sum: f32 = 0;
    for (a, b) |x, y| sum += x * y;
    return sum;
}

/// For each query the rows of the largest cosine similarity, best first. `scale` holds 1 / |row|.
pub fn nearest(rows: o.Matrix(f32), scale: []const f32, queries: o.Matrix(f32), found: o.MatrixMut(u32)) error{Shape}!void {
    const k = found.cols;
    if (k == 0 or k > most or rows.cols != queries.cols) return error.Shape;
    if (found.rows != queries.rows or scale.len != rows.rows) return error.Shape;
    for (0..queries.rows) |q| {
        var best: [most]f32 = @splat(-std.math.inf(f32));
        var places: [most]u32 = @splat(0);
        for (scale, 0..) |s, row| {
            const score = dot(rows.row(row), queries.row(q)) * s;
            if (!(score > best[k - 1])) continue;
            var i = k - 1;
            while (i > 0 and score > best[i - 1]) : (i -= 1) {
                best[i] = best[i - 1];
                places[i] = places[i - 1];
            }
            best[i] = score;
            places[i] = @intCast(row);
        }
        @memcpy(found.row(q), places[0..k]);
    }
}
