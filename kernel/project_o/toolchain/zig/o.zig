//! What a cell may import as `o`: two-dimensional views of numpy arrays.
//!
//!     const o = @import("o");
//!     pub fn trace(m: o.Matrix(f64)) f64 { ... m.at(i, i) ... }

const std = @import("std");

/// A read-only view of a 2-d array: `rows` x `cols` elements, `stride` elements from one row to the next.
pub fn Matrix(comptime T: type) type {
    return struct {
        ptr: [*]const T,
        rows: usize,
        cols: usize,
        stride: usize,

        const Self = @This();
        pub const o_matrix = .{ .child = T, .is_const = true };

        /// Row `i` as a slice of `cols` elements.
        pub fn row(self: Self, i: usize) []const T {
            within(i, self.rows);
            return (self.ptr + i * self.stride)[0..self.cols];
        }

        /// The element in row `i`, column `j`.
        pub fn at(self: Self, i: usize, j: usize) T {
            return self.row(i)[j];
        }
    };
}

/// The writable twin of `Matrix`.
pub fn MatrixMut(comptime T: type) type {
    return struct {
        ptr: [*]T,
        rows: usize,
        cols: usize,
        stride: usize,

        const Self = @This();
        pub const o_matrix = .{ .child = T, .is_const = false };

        /// Row `i` as a writable slice of `cols` elements.
        pub fn row(self: Self, i: usize) []T {
            within(i, self.rows);
            return (self.ptr + i * self.stride)[0..self.cols];
        }

        /// The element in row `i`, column `j`.
        pub fn at(self: Self, i: usize, j: usize) T {
            return self.row(i)[j];
        }

        /// Write `value` to row `i`, column `j`.
        pub fn set(self: Self, i: usize, j: usize, value: T) void {
            self.row(i)[j] = value;
        }

        /// The same elements, read-only.
        pub fn view(self: Self) Matrix(T) {
            return .{ .ptr = self.ptr, .rows = self.rows, .cols = self.cols, .stride = self.stride };
        }
    };
}

/// A slice of things without size costs nothing and brings the language's own check and message.
inline fn within(i: usize, rows: usize) void {
    // SAFETY: nothing is ever read through a pointer to nothing.
    const nothing: [*]const void = @ptrFromInt(@alignOf(usize));
    _ = nothing[0..rows][i];
}
