//! What a cell may import as `o`: views of numpy arrays. `Matrix` has contiguous rows and is the faster one; `View` has
//! any number of dimensions and any strides, so that a transposed or reversed array needs no copy.
//!
//!     const o = @import("o");
//!     pub fn trace(m: o.Matrix(f64)) f64 { ... m.at(i, i) ... }
//!     pub fn corner(v: o.View(f32, 2)) f32 { return v.at(.{ 0, v.shape[1] - 1 }); }

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

/// A read-only view of an array of `n` dimensions: `shape` and, in elements, `strides`, which may be negative.
pub fn View(comptime T: type, comptime n: usize) type {
    return struct {
        ptr: [*]const T,
        shape: [n]usize,
        strides: [n]isize,

        const Self = @This();
        pub const o_view = .{ .child = T, .dimensions = n, .is_const = true };

        /// The element at `index`.
        pub fn at(self: Self, index: [n]usize) T {
            return element(T, @constCast(self.ptr), self.shape, self.strides, index).*;
        }

        /// How many elements there are.
        pub fn count(self: Self) usize {
            return product(self.shape);
        }
    };
}

/// The writable twin of `View`.
pub fn ViewMut(comptime T: type, comptime n: usize) type {
    return struct {
        ptr: [*]T,
        shape: [n]usize,
        strides: [n]isize,

        const Self = @This();
        pub const o_view = .{ .child = T, .dimensions = n, .is_const = false };

        /// The element at `index`.
        pub fn at(self: Self, index: [n]usize) T {
            return element(T, self.ptr, self.shape, self.strides, index).*;
        }

        /// Write `value` to the element at `index`.
        pub fn set(self: Self, index: [n]usize, value: T) void {
            element(T, self.ptr, self.shape, self.strides, index).* = value;
        }

        /// How many elements there are.
        pub fn count(self: Self) usize {
            return product(self.shape);
        }

        /// The same elements, read-only.
        pub fn view(self: Self) View(T, n) {
            return .{ .ptr = self.ptr, .shape = self.shape, .strides = self.strides };
        }
    };
}

inline fn element(comptime T: type, ptr: [*]T, shape: anytype, strides: anytype, index: anytype) *T {
    var offset: isize = 0;
    inline for (0..shape.len) |k| {
        within(index[k], shape[k]);
        offset +%= @as(isize, @bitCast(index[k])) *% strides[k];
    }
    const bytes: usize = @bitCast(offset *% @as(isize, @sizeOf(T)));
    // SAFETY: the index is within the shape, and the host gives strides that stay within the array.
    return @ptrFromInt(@intFromPtr(ptr) +% bytes);
}

inline fn product(shape: anytype) usize {
    var found: usize = 1;
    for (shape) |extent| found *= extent;
    return found;
}

/// A slice of things without size costs nothing and brings the language's own check and message.
inline fn within(i: usize, rows: usize) void {
    // SAFETY: nothing is ever read through a pointer to nothing.
    const nothing: [*]const void = @ptrFromInt(@alignOf(usize));
    _ = nothing[0..rows][i];
}
