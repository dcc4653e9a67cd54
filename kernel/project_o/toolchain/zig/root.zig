//! The root of every Zig library we load: it reflects over the user's module `cell` and exports one shim for
//! each public function whose types we map, and what the host must know about them.
//!
//! Every shim is `int32_t o_cell_NAME(const uint64_t *args, uint64_t *ret)`, in a module `o_MODULE_NAME`; the cells of `args` and `ret` are
//! laid out as kernel/project_o/abi says. The result is followed by the handle of the memory that the call
//! allocated, for `o_free`; with a status of -1 `ret` holds the address and length of the error's name, nothing
//! was allocated, and there is no handle.

const std = @import("std");
const cell = @import("cell");
const module = @import("module.zig");
const state = @import("state.zig");
const interface = @import("interface.zig");
const half = @import("half.zig");
const isAllocator = interface.isAllocator;
const isMatrix = interface.isMatrix;
const isView = interface.isView;

// ------------------------------------------------------------------------------- panics

pub const panic = @import("panics.zig").Panics(hook);
pub const std_options: std.Options = .{ .enable_segfault_handler = false };
pub const std_options_debug_io = @import("print.zig").io;
/// No reader of debug information: a `DebugAllocator` would bring one for the stack traces of leaks, which are empty here.
pub const debug = struct {
    pub const SelfInfo = void;
};

pub const OnPanic = *const fn ([*]const u8, usize, usize) callconv(.c) void;
var own_on_panic: OnPanic = &ignore;
/// One for the whole library, whichever object it is in.
pub const on_panic: *OnPanic = if (half.is_second) @extern(*OnPanic, .{ .name = "o_on_panic" }) else &own_on_panic;

fn ignore(_: [*]const u8, _: usize, _: usize) callconv(.c) void {}

/// The host leaves the call from within `on_panic`; without a host there is nothing to return to.
fn hook(message: []const u8, return_address: ?usize) noreturn {
    @branchHint(.cold);
    on_panic.*(message.ptr, message.len, return_address orelse 0);
    @trap();
}

// ------------------------------------------------------------------------------- memory of a call

const Arena = @import("arena.zig").Arena;

// ------------------------------------------------------------------------------- shims

fn next(args: [*]const u64, at: *usize) u64 {
    defer at.* += 1;
    return args[at.*];
}

fn argumentCells(comptime T: type) usize {
    return switch (@typeInfo(T)) {
        .pointer => 2,
        .int => |i| if (i.bits > 64) 2 else 1,
        .optional => |p| 1 + argumentCells(p.child),
        .@"struct" => |s| if (isMatrix(T)) 4 else if (isView(T)) 1 + 2 * T.o_view.dimensions else blk: {
            var sum: usize = 0;
            for (s.field_types) |F| sum += argumentCells(F);
            break :blk sum;
        },
        else => 1,
    };
}

/// SAFETY: the host passes addresses of live, aligned memory of the length it states, for the time of the call.
fn many(comptime P: type, address: u64) P {
    // Nothing is read from an empty array, but its address must still be one that the language allows.
    return @ptrFromInt(if (address == 0) @alignOf(@typeInfo(P).pointer.child) else @as(usize, @intCast(address)));
}

fn take(comptime T: type, args: [*]const u64, at: *usize) T {
    switch (@typeInfo(T)) {
        .bool => return next(args, at) & 1 != 0,
        .int => |i| {
            if (i.bits <= 64) return @bitCast(@as(@Int(.unsigned, i.bits), @truncate(next(args, at))));
            const low: u128 = next(args, at);
            return @bitCast(@as(@Int(.unsigned, i.bits), @truncate(low | @as(u128, next(args, at)) << 64)));
        },
        .@"enum" => |e| {
            const bits = @typeInfo(e.tag_type).int.bits;
            const tag: @Int(.unsigned, bits) = @truncate(next(args, at));
            return @fromBackingInt(@intCast(@as(e.tag_type, @bitCast(tag))));
        },
        .float => return @floatCast(@as(f64, @bitCast(next(args, at)))),
        .pointer => |p| {
            if (comptime state.isState(T)) return state.stateOf(next(args, at));
            const Many = if (p.sentinel() != null) [*:0]const u8 else if (p.attrs.@"const") [*]const p.child else [*]p.child;
            const pointer = many(Many, next(args, at));
            const length: usize = @intCast(next(args, at));
            return if (comptime p.sentinel() != null) pointer[0..length :0] else pointer[0..length];
        },
        .array => |a| {
            const address = next(args, at);
            if (a.len == 0) return .{};
            return many([*]const a.child, address)[0..a.len].*;
        },
        .optional => |p| {
            if (next(args, at) == 0) {
                at.* += comptime argumentCells(p.child);
                return null;
            }
            return take(p.child, args, at);
        },
        .@"struct" => |s| {
            if (comptime isMatrix(T)) return .{
                .ptr = many(@FieldType(T, "ptr"), next(args, at)),
                .rows = @intCast(next(args, at)),
                .cols = @intCast(next(args, at)),
                .stride = @intCast(next(args, at)),
            };
            if (comptime isView(T)) {
                var view: T = undefined;
                view.ptr = many(@FieldType(T, "ptr"), next(args, at));
                for (&view.shape) |*extent| extent.* = @intCast(next(args, at));
                for (&view.strides) |*stride| stride.* = @bitCast(next(args, at));
                return view;
            }
            var value: T = undefined;
            inline for (s.field_names, s.field_types) |name, F| @field(value, name) = take(F, args, at);
            return value;
        },
        else => comptime unreachable,
    }
}

fn put(comptime T: type, value: T, ret: [*]u64, at: *usize) anyerror!void {
    switch (@typeInfo(T)) {
        .void => {},
        .bool => write(ret, at, @intFromBool(value)),
        .int => |i| if (i.bits <= 64) {
            write(ret, at, if (i.signedness == .signed) @bitCast(@as(i64, value)) else value);
        } else {
            const wide: u128 = if (i.signedness == .signed) @bitCast(@as(i128, value)) else value;
            write(ret, at, @truncate(wide));
            write(ret, at, @truncate(wide >> 64));
        },
        .@"enum" => |e| try put(e.tag_type, @backingInt(value), ret, at),
        .float => write(ret, at, @bitCast(@as(f64, value))),
        .pointer => {
            write(ret, at, @intFromPtr(value.ptr));
            write(ret, at, value.len);
        },
        .array => |a| for (value) |item| try put(a.child, item, ret, at),
        .optional => |p| {
            write(ret, at, @intFromBool(value != null));
            if (value) |item| try put(p.child, item, ret, at) else at.* += comptime resultCells(p.child);
        },
        .error_union => |e| try put(e.payload, try value, ret, at),
        .@"struct" => |s| inline for (s.field_names, s.field_types) |name, F| try put(F, @field(value, name), ret, at),
        else => comptime unreachable,
    }
}

fn write(ret: [*]u64, at: *usize, bits: u64) void {
    ret[at.*] = bits;
    at.* += 1;
}

fn resultCells(comptime T: type) usize {
    return switch (@typeInfo(T)) {
        .void, .noreturn => 0,
        .pointer => 2,
        .int => |i| if (i.bits > 64) 2 else 1,
        .array => |a| a.len,
        .optional => |p| 1 + resultCells(p.child),
        .error_union => |e| resultCells(e.payload),
        .@"struct" => |s| blk: {
            var sum: usize = 0;
            for (s.field_types) |F| sum += resultCells(F);
            break :blk sum;
        },
        else => 1,
    };
}

fn takesAllocator(comptime F: type) bool {
    for (@typeInfo(F).@"fn".param_types) |P| if (isAllocator(P.?)) return true;
    return false;
}

fn takesState(comptime F: type) bool {
    const types = @typeInfo(F).@"fn".param_types;
    return types.len > 0 and state.isState(types[0].?);
}

pub fn Shim(comptime name: []const u8) type {
    return ShimOf(cell, name);
}

/// The same for a function of another module.
pub fn ShimOf(comptime Cell: type, comptime name: []const u8) type {
    const function = @field(Cell, name);
    const F = @TypeOf(function);
    const R = @typeInfo(F).@"fn".return_type.?;
    const Arguments = std.meta.ArgsTuple(F);
    return struct {
        pub fn call(args: [*]const u64, ret: [*]u64) callconv(.c) i32 {
            if (comptime takesState(F)) {
                // SAFETY: checked here, before it is used.
                const status = state.check(@ptrFromInt(@as(usize, @intCast(args[0]))));
                if (status != 0) return status;
            }
            if (comptime takesAllocator(F)) {
                const arena = Arena.create() orelse return failed(ret, error.OutOfMemory);
                run(args, ret, arena.allocator()) catch |e| {
                    arena.destroy();
                    return failed(ret, e);
                };
                ret[comptime resultCells(R)] = @intFromPtr(arena);
                return 0;
            }
            run(args, ret, undefined) catch |e| return failed(ret, e);
            ret[comptime resultCells(R)] = 0;
            return 0;
        }

        inline fn run(args: [*]const u64, ret: [*]u64, allocator: std.mem.Allocator) anyerror!void {
            var arguments: Arguments = undefined;
            var at: usize = 0;
            inline for (@typeInfo(Arguments).@"struct".field_types, 0..) |T, i| {
                arguments[i] = if (comptime isAllocator(T)) allocator else take(T, args, &at);
            }
            if (R == noreturn) @call(.auto, function, arguments);
            var out: usize = 0;
            try put(R, @call(.auto, function, arguments), ret, &out);
        }
    };
}

pub var last_error: ?[*:0]const u8 = null;

pub fn failed(ret: [*]u64, e: anyerror) i32 {
    const text = @errorName(e);
    ret[0] = @intFromPtr(text.ptr);
    ret[1] = text.len;
    @atomicStore(?[*:0]const u8, &last_error, text.ptr, .monotonic);
    return if (module.is_module) statusOf(e) else -1;
}

/// The codes of native/abi/o.h that an error of a module can mean.
fn statusOf(e: anyerror) i32 {
    return switch (e) {
        error.InvalidParameter => -3,
        error.Timeout => -4,
        else => -1,
    };
}

comptime {
    if (!half.is_second) _ = @import("once.zig");
    @setEvalBranchQuota(10_000_000);
    for (@typeInfo(cell).@"struct".decl_names) |name| {
        if (interface.isOffered(cell, name) and half.has(name)) {
            @export(&Shim(name).call, .{ .name = module.prefix ++ name });
        }
    }
}
