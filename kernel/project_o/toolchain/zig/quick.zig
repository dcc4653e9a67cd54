//! The root of a quick build: the usual root, and each function once more under a name that was never used before.
//!
//! A compiler server leaves an exported name where it was when its function goes and comes back; a new name it sets.
//! Whoever takes the library's bytes moves the usual names to where the new ones point.

const root = @import("root.zig");
const cell = @import("cell");
const interface = @import("interface.zig");
const edit = @import("edit.zig").number;

pub const panic = root.panic;
pub const std_options = root.std_options;

comptime {
    @setEvalBranchQuota(10_000_000);
    for (@typeInfo(cell).@"struct".decl_names) |name| {
        if (interface.isOffered(cell, name)) @export(&root.Shim(name).call, .{ .name = "o_new_" ++ edit ++ name });
    }
}
