//! The root of a build of several variants of one text: the usual root for the first one, and what the others offer
//! beside it, under names with their numbers.

const root = @import("root.zig");
const interface = @import("interface.zig");
const others = @import("others.zig").all;

pub const panic = root.panic;
pub const std_options = root.std_options;
pub const std_options_debug_io = root.std_options_debug_io;
pub const debug = root.debug;

fn Description(comptime Cell: type) type {
    return struct {
        const text = interface.describe(Cell);
        const bytes = text[0..text.len].* ++ [1]u8{0};
    };
}

comptime {
    @setEvalBranchQuota(100_000_000);
    for (others, 1..) |Other, number| {
        const prefix = "o_variant_" ++ interface.decimal(number);
        @export(&Description(Other).bytes, .{ .name = prefix });
        for (@typeInfo(Other).@"struct".decl_names) |name| {
            if (interface.isOffered(Other, name))
                @export(&root.ShimOf(Other, name).call, .{ .name = prefix ++ "_" ++ name });
        }
    }
}
