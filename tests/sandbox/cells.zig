//! A library of the shim ABI, written by hand: every function is int32(args*, ret*).
const std = @import("std");

pub const panic = std.debug.no_panic; // keeps the library small: nothing here is meant to panic

const gpa = std.heap.page_allocator;

fn slice(comptime T: type, address: u64, length: u64) []T {
    return @as([*]T, @ptrFromInt(address))[0..length];
}

/// sum([]const f64) f64
export fn o_cell_sum(args: [*]u64, ret: [*]u64) i32 {
    var total: f64 = 0;
    for (slice(f64, args[0], args[1])) |x| total += x;
    ret[0] = @bitCast(total);
    ret[1] = 0;
    return 0;
}

/// scale([]f64, f64) void
export fn o_cell_scale(args: [*]u64, ret: [*]u64) i32 {
    const factor: f64 = @bitCast(args[2]);
    for (slice(f64, args[0], args[1])) |*x| x.* *= factor;
    ret[0] = 0;
    return 0;
}

var allocated: u64 = 0;

const Block = struct { address: u64, bytes: u64 };

/// range(u64) []const i64, memory that the caller frees by the handle
export fn o_cell_range(args: [*]u64, ret: [*]u64) i32 {
    const n = args[0];
    const items = gpa.alloc(i64, n) catch return -1;
    for (items, 0..) |*x, i| x.* = @intCast(i);
    const block = gpa.create(Block) catch return -1;
    block.* = .{ .address = @intFromPtr(items.ptr), .bytes = n };
    allocated += 1;
    ret[0] = @intFromPtr(items.ptr);
    ret[1] = n;
    ret[2] = @intFromPtr(block);
    return 0;
}

export fn o_free(handle: u64) void {
    const block: *Block = @ptrFromInt(handle);
    gpa.free(slice(i64, block.address, block.bytes));
    gpa.destroy(block);
    allocated -= 1;
}

/// living() u64: how many results have not been freed
export fn o_cell_living(_: [*]u64, ret: [*]u64) i32 {
    ret[0] = allocated;
    ret[1] = 0;
    return 0;
}

/// address([]const u8) u64
export fn o_cell_address(args: [*]u64, ret: [*]u64) i32 {
    ret[0] = args[0];
    ret[1] = 0;
    return 0;
}

/// corner(matrix const f32) f32: the last element, by the row stride
export fn o_cell_corner(args: [*]u64, ret: [*]u64) i32 {
    const items = slice(f32, args[0], (args[1] - 1) * args[3] + args[2]);
    const value: f64 = items[items.len - 1];
    ret[0] = @bitCast(value);
    ret[1] = 0;
    return 0;
}

/// refuse() !void
export fn o_cell_refuse(_: [*]u64, ret: [*]u64) i32 {
    const name = "NotToday";
    ret[0] = @intFromPtr(name.ptr);
    ret[1] = name.len;
    return -1;
}

/// maybe(bool) ?[]const u8
export fn o_cell_maybe(args: [*]u64, ret: [*]u64) i32 {
    const text = "here";
    ret[0] = args[0] & 1;
    ret[1] = @intFromPtr(text.ptr);
    ret[2] = text.len;
    ret[3] = 0;
    return 0;
}

/// wild() void: a null access
export fn o_cell_wild(_: [*]u64, _: [*]u64) i32 {
    const p: *allowzero volatile u8 = @ptrFromInt(0);
    p.* = 1;
    return 0;
}

/// spin() void: never returns
export fn o_cell_spin(_: [*]u64, _: [*]u64) i32 {
    var i: u64 = 0;
    while (true) {
        std.mem.doNotOptimizeAway(&i);
        i +%= 1;
    }
}

/// peek([:0]const u8) !void: opens a file by a raw system call
export fn o_cell_peek(args: [*]u64, ret: [*]u64) i32 {
    const path: [*:0]const u8 = @ptrFromInt(args[0]);
    const result: isize = @bitCast(std.os.linux.open(path, .{}, 0));
    if (result < 0) {
        const name = if (result == -1 or result == -13) "AccessDenied" else "FileNotFound";
        ret[0] = @intFromPtr(name.ptr);
        ret[1] = name.len;
        return -1;
    }
    ret[0] = 0;
    return 0;
}

/// lie() []const i64: says that memory is there which is not
export fn o_cell_lie(_: [*]u64, ret: [*]u64) i32 {
    ret[0] = 0x10;
    ret[1] = 1 << 40;
    ret[2] = 0;
    return 0;
}
