//! The root of a quick build: the usual root, and a table of where its functions are.
//!
//! A compiler server leaves an exported name where it was when another function takes its place; what is in a constant
//! it sets. Whoever takes the library's bytes moves the names to where the table points.

const root = @import("root.zig");
const cell = @import("cell");
const interface = @import("interface.zig");

pub const panic = root.panic;
pub const std_options = root.std_options;
pub const std_options_debug_io = root.std_options_debug_io;
pub const debug = root.debug;

const Call = *const fn ([*]const u64, [*]u64) callconv(.c) i32;

/// In the order of the description.
export const o_functions: [count]Call = blk: {
    @setEvalBranchQuota(10_000_000);
    var all: [count]Call = undefined;
    var at: usize = 0;
    for (@typeInfo(cell).@"struct".decl_names) |name| {
        if (!interface.isOffered(cell, name)) continue;
        all[at] = &root.Shim(name).call;
        at += 1;
    }
    break :blk all;
};

const count = blk: {
    @setEvalBranchQuota(10_000_000);
    var sum: usize = 0;
    for (@typeInfo(cell).@"struct".decl_names) |name| {
        if (interface.isOffered(cell, name)) sum += 1;
    }
    break :blk sum;
};
