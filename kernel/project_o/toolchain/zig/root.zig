//! The root of every Zig library we load: it reflects over the user's module `cell` and exports one shim for
//! each public function whose types we map, and what the host must know about them.
//!
//! Every shim is `int32_t o_cell_NAME(const uint64_t *args, uint64_t *ret)`; the cells of `args` and `ret` are
//! laid out as kernel/project_o/abi says. The result is followed by the handle of the memory that the call
//! allocated, for `o_free`; with a status of -1 `ret` holds the address and length of the error's name, nothing
//! was allocated, and there is no handle.

const std = @import("std");
const cell = @import("cell");

// ------------------------------------------------------------------------------- panics

pub const panic = @import("panics.zig").Panics(hook);
pub const std_options: std.Options = .{ .enable_segfault_handler = false };

const OnPanic = *const fn ([*]const u8, usize, usize) callconv(.c) void;
var on_panic: OnPanic = &ignore;

fn ignore(_: [*]const u8, _: usize, _: usize) callconv(.c) void {}

/// The host leaves the call from within `on_panic`; without a host there is nothing to return to.
fn hook(message: []const u8, return_address: ?usize) noreturn {
    @branchHint(.cold);
    on_panic(message.ptr, message.len, return_address orelse 0);
    @trap();
}

export fn o_set_panic(function: OnPanic) callconv(.c) void {
    on_panic = function;
}

// ------------------------------------------------------------------------------- memory of a call

const Arena = @import("arena.zig").Arena;

export fn o_free(handle: u64) callconv(.c) void {
    if (handle == 0) return;
    // SAFETY: a handle other than 0 is the arena that a shim below made, given back once.
    const arena: *Arena = @ptrFromInt(@as(usize, @intCast(handle)));
    arena.destroy();
}

// ------------------------------------------------------------------------------- what is mapped

const array_elements_max = 1024;

fn isAllocator(comptime T: type) bool {
    return T == std.mem.Allocator;
}

fn isMatrix(comptime T: type) bool {
    return @typeInfo(T) == .@"struct" and @hasDecl(T, "o_matrix");
}

/// Elements that numpy has a type for.
fn isElement(comptime T: type) bool {
    return switch (@typeInfo(T)) {
        .bool => true,
        .int => |i| i.bits == 8 or i.bits == 16 or i.bits == 32 or i.bits == 64,
        .float => |f| f.bits <= 64,
        else => false,
    };
}

const Role = enum { parameter, result };

/// Why a type cannot cross, in words for the user; null where it can.
fn obstacle(comptime T: type, comptime role: Role) ?[]const u8 {
    return switch (@typeInfo(T)) {
        .void, .noreturn => if (role == .parameter) "void cannot be passed" else null,
        .bool => null,
        .int => |i| if (i.bits == 0 or i.bits > 64) named(T, "integers have 1 to 64 bits here") else null,
        .float => |f| if (f.bits > 64) named(T, "floats have up to 64 bits here") else null,
        .pointer => |p| pointerObstacle(T, p),
        .array => |a| if (!isElement(a.child))
            named(T, "arrays hold bool, 8 to 64 bit integers or floats")
        else if (a.len > array_elements_max)
            named(T, "arrays by value have up to 1024 elements, pass a slice")
        else
            null,
        .optional => |p| switch (@typeInfo(p.child)) {
            .optional, .void => named(T, "None would have two meanings"),
            else => obstacle(p.child, role),
        },
        .error_union => |e| if (role == .parameter) named(T, "errors cannot be passed") else obstacle(e.payload, role),
        .@"struct" => |s| structObstacle(T, s, role),
        else => named(T, "this kind of type has no counterpart in Python"),
    };
}

fn pointerObstacle(comptime T: type, comptime p: std.lang.Type.Pointer) ?[]const u8 {
    if (p.size != .slice) return named(T, "pointers cannot be passed, use a slice");
    if (!isElement(p.child)) return named(T, "slices hold bool, 8 to 64 bit integers or floats");
    if (p.attrs.@"volatile" or p.attrs.@"allowzero") return named(T, "volatile and allowzero slices are not mapped");
    if (p.attrs.@"align") |a| if (a > @alignOf(p.child))
        return named(T, "arrays from Python are not aligned beyond their elements");
    if (p.sentinel()) |s| if (p.child != u8 or !p.attrs.@"const" or s != 0)
        return named(T, "of the slices with a sentinel only [:0]const u8 is mapped");
    return null;
}

fn structObstacle(comptime T: type, comptime s: std.lang.Type.Struct, comptime role: Role) ?[]const u8 {
    if (isAllocator(T)) return named(T, "an allocator is given as a parameter of its own");
    if (isMatrix(T)) {
        if (role == .result) return named(T, "return a slice, it is copied into a new array");
        return if (isElement(T.o_matrix.child)) null else named(T, "matrices hold bool, 8 to 64 bit integers or floats");
    }
    if (s.layout == .@"packed") return named(T, "packed structs are not mapped");
    for (s.field_names, s.field_types, s.field_attrs) |name, F, attrs| {
        if (attrs.@"comptime") return named(T, "field " ++ name ++ " is comptime");
        if (obstacle(F, role)) |why| return "field " ++ name ++ ": " ++ why;
    }
    return null;
}

fn named(comptime T: type, comptime why: []const u8) []const u8 {
    return shortName(T) ++ ": " ++ why;
}

/// Why a function cannot be offered; null where it can.
fn functionObstacle(comptime F: type) ?[]const u8 {
    const info = @typeInfo(F).@"fn";
    if (info.attrs.varargs) return "it takes a variable number of arguments";
    for (info.param_types, 1..) |parameter, number| {
        const where = "parameter " ++ decimal(number) ++ ": ";
        const P = parameter orelse return where ++ "anytype or a type that depends on another parameter";
        if (isAllocator(P)) continue;
        if (obstacle(P, .parameter)) |why| return where ++ why;
    }
    if (info.is_generic) return "it has a comptime parameter";
    const R = info.return_type orelse return "its result type depends on its parameters";
    if (obstacle(R, .result)) |why| return "result: " ++ why;
    return null;
}

// ------------------------------------------------------------------------------- description

/// The name without the modules it stands in: `cell.Point` is `Point`.
fn shortName(comptime T: type) []const u8 {
    const full = @typeName(T);
    var start: usize = 0;
    var end: usize = 0;
    while (end < full.len and full[end] != '(') : (end += 1) {
        if (full[end] == '.') start = end + 1;
    }
    return if (std.mem.find(u8, full[start..end], "__struct_") != null) "struct" else full[start..];
}

// `std.fmt` at compile time costs more than all of the description.

fn decimal(comptime value: usize) []const u8 {
    const last = [1]u8{'0' + @as(u8, value % 10)};
    return if (value < 10) &last else decimal(value / 10) ++ &last;
}

fn boolean(comptime value: bool) []const u8 {
    return if (value) "true" else "false";
}

fn quoted(comptime text: []const u8) []const u8 {
    if (for (text) |c| {
        if (c < 32 or c == '"' or c == '\\') break false;
    } else true) return "\"" ++ text ++ "\"";
    var out: []const u8 = "\"";
    for (text) |c| out = out ++ switch (c) {
        '"', '\\' => &[_]u8{ '\\', c },
        0...31 => "?",
        else => &[_]u8{c},
    };
    return out ++ "\"";
}

fn describeType(comptime T: type) []const u8 {
    return switch (@typeInfo(T)) {
        .void, .noreturn => "{\"kind\":\"void\"}",
        .bool => "{\"kind\":\"bool\",\"bits\":8}",
        .int => |i| "{\"kind\":\"int\",\"bits\":" ++ decimal(i.bits) ++ ",\"signed\":" ++ boolean(i.signedness == .signed) ++ "}",
        .float => |f| "{\"kind\":\"float\",\"bits\":" ++ decimal(f.bits) ++ ",\"signed\":true}",
        .pointer => |p| "{\"kind\":\"slice\",\"const\":" ++ boolean(p.attrs.@"const") ++
            ",\"sentinel\":" ++ boolean(p.sentinel() != null) ++ ",\"child\":" ++ describeType(p.child) ++ "}",
        .array => |a| "{\"kind\":\"array\",\"length\":" ++ decimal(a.len) ++ ",\"child\":" ++ describeType(a.child) ++ "}",
        .optional => |p| "{\"kind\":\"optional\",\"child\":" ++ describeType(p.child) ++ "}",
        .error_union => |e| "{\"kind\":\"error_union\",\"child\":" ++ describeType(e.payload) ++ "}",
        .@"struct" => |s| if (isMatrix(T)) "{\"kind\":\"matrix\",\"const\":" ++ boolean(T.o_matrix.is_const) ++
            ",\"child\":" ++ describeType(T.o_matrix.child) ++ "}" else describeStruct(T, s),
        else => unreachable,
    };
}

fn describeStruct(comptime T: type, comptime s: std.lang.Type.Struct) []const u8 {
    var out: []const u8 = "{\"kind\":\"" ++ (if (s.is_tuple) "tuple" else "struct") ++ "\",\"name\":" ++
        (if (s.is_tuple) "\"\"" else quoted(shortName(T))) ++ ",\"fields\":[";
    for (s.field_names, s.field_types, 0..) |name, F, i| {
        out = out ++ (if (i > 0) "," else "") ++ "[" ++ quoted(name) ++ "," ++ describeType(F) ++ "]";
    }
    return out ++ "]}";
}

fn describeFunction(comptime name: []const u8, comptime F: type) []const u8 {
    const info = @typeInfo(F).@"fn";
    var out: []const u8 = "{\"name\":" ++ quoted(name) ++ ",\"parameters\":[";
    var first = true;
    for (info.param_types) |P| {
        if (isAllocator(P.?)) continue;
        out = out ++ (if (first) "" else ",") ++ describeType(P.?);
        first = false;
    }
    return out ++ "],\"result\":" ++ describeType(info.return_type.?) ++ "}";
}

fn isFunction(comptime name: []const u8) bool {
    return @typeInfo(@TypeOf(@field(cell, name))) == .@"fn";
}

fn describe() []const u8 {
    var functions: []const u8 = "";
    var skipped: []const u8 = "";
    for (@typeInfo(cell).@"struct".decl_names) |name| {
        if (!isFunction(name)) continue;
        const F = @TypeOf(@field(cell, name));
        if (functionObstacle(F)) |why| {
            skipped = skipped ++ (if (skipped.len > 0) "," else "") ++ "[" ++ quoted(name) ++ "," ++ quoted(why) ++ "]";
        } else {
            functions = functions ++ (if (functions.len > 0) "," else "") ++ describeFunction(name, F);
        }
    }
    return "{\"functions\":[" ++ functions ++ "],\"skipped\":[" ++ skipped ++ "]}";
}

const description = blk: {
    @setEvalBranchQuota(10_000_000);
    const text = describe();
    break :blk text[0..text.len].* ++ [1]u8{0};
};

/// The same bytes as `o_describe`, as data: read from the file without running anything of it.
export const o_description: [description.len]u8 = description;

export fn o_describe() callconv(.c) [*:0]const u8 {
    return @ptrCast(&o_description);
}

// ------------------------------------------------------------------------------- shims

fn next(args: [*]const u64, at: *usize) u64 {
    defer at.* += 1;
    return args[at.*];
}

fn argumentCells(comptime T: type) usize {
    return switch (@typeInfo(T)) {
        .pointer => 2,
        .optional => |p| 1 + argumentCells(p.child),
        .@"struct" => |s| if (isMatrix(T)) 4 else blk: {
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
        .int => |i| return @bitCast(@as(@Int(.unsigned, i.bits), @truncate(next(args, at)))),
        .float => return @floatCast(@as(f64, @bitCast(next(args, at)))),
        .pointer => |p| {
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
        .int => |i| write(ret, at, if (i.signedness == .signed) @bitCast(@as(i64, value)) else value),
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

fn Shim(comptime name: []const u8) type {
    const function = @field(cell, name);
    const F = @TypeOf(function);
    const R = @typeInfo(F).@"fn".return_type.?;
    const Arguments = std.meta.ArgsTuple(F);
    return struct {
        fn call(args: [*]const u64, ret: [*]u64) callconv(.c) i32 {
            if (comptime takesAllocator(F)) {
                const arena = Arena.create() orelse return failed(ret, error.OutOfMemory);
                run(args, ret, arena.allocator()) catch |e| {
                    o_free(@intFromPtr(arena));
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

fn failed(ret: [*]u64, e: anyerror) i32 {
    const text = @errorName(e);
    ret[0] = @intFromPtr(text.ptr);
    ret[1] = text.len;
    @atomicStore(?[*:0]const u8, &last_error, text.ptr, .monotonic);
    return -1;
}

comptime {
    @setEvalBranchQuota(10_000_000);
    for (@typeInfo(cell).@"struct".decl_names) |name| {
        if (isFunction(name) and functionObstacle(@TypeOf(@field(cell, name))) == null) {
            @export(&Shim(name).call, .{ .name = "o_cell_" ++ name });
        }
    }
}

// ------------------------------------------------------------------------------- the module ABI

const Version = extern struct { major: u32, minor: u32, patch: u32, git_hash: [*:0]const u8 };

const version_text: [:0]const u8 = if (@hasDecl(cell, "o_version")) cell.o_version else "0.0.0";
const version: Version = blk: {
    const parsed = std.SemanticVersion.parse(version_text) catch
        @compileError("o_version must read like \"1.2.3\", got \"" ++ version_text ++ "\"");
    break :blk .{ .major = parsed.major, .minor = parsed.minor, .patch = parsed.patch, .git_hash = "" };
};

var last_error: ?[*:0]const u8 = null;
var context: u8 = 0;

export fn o_get_name() callconv(.c) [*:0]const u8 {
    return if (@hasDecl(cell, "o_name")) cell.o_name else "cell";
}

export fn o_get_version() callconv(.c) [*:0]const u8 {
    return version_text.ptr;
}

export fn o_get_version_struct() callconv(.c) *const Version {
    return &version;
}

/// -2: null pointer. A cell keeps its state in its own variables, so one context serves all.
export fn o_init(out: ?*?*anyopaque) callconv(.c) i32 {
    (out orelse return -2).* = &context;
    return 0;
}

/// -2: null pointer, -3: not a context of this library.
export fn o_shutdown(ctx: ?*anyopaque) callconv(.c) i32 {
    if ((ctx orelse return -2) != @as(*anyopaque, &context)) return -3;
    return 0;
}

/// The name of the error that a function returned last, "" where there was none.
export fn o_get_last_error(_: ?*anyopaque) callconv(.c) [*:0]const u8 {
    return @atomicLoad(?[*:0]const u8, &last_error, .monotonic) orelse "";
}

export fn o_can_reload() callconv(.c) i32 {
    return 1;
}
