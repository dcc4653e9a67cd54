//! Which functions of the cell this object holds: all of them, but where a library is made of two objects.

const std = @import("std");

/// Whether it is the second one, which has functions and nothing else.
pub const is_second = false;
/// The functions that the second one holds.
pub const apart: []const []const u8 = &.{};

pub fn has(name: []const u8) bool {
    for (apart) |one| if (std.mem.eql(u8, one, name)) return is_second;
    return !is_second;
}
