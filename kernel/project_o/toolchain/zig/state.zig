//! The state of a library module: its `pub const State`, of which each context of the host holds one. Its functions
//! take it as `*State` where they change it and as `*const State` where they only look, before all other parameters.
//!
//! A context comes from the C library's memory and is left as it is when another build takes it over, so the layout of
//! the state is described in full: builds that do not agree on it do not hand it over.

const std = @import("std");
const cell = @import("cell");
const module = @import("module.zig");
const interface = @import("interface.zig");

pub const present = module.is_module and @hasDecl(cell, "State");
const State = if (present) cell.State else void;

const null_pointer = -2;
const invalid_parameter = -3;

extern "c" fn aligned_alloc(alignment: usize, size: usize) ?*anyopaque;
extern "c" fn free(pointer: ?*anyopaque) void;

const magic: u64 = 0x6f5f_7374_6174_6531;
const Context = extern struct { magic: u64, state: *State };

/// A module without a state has this one context.
var stateless: u8 = 0;

pub fn init() anyerror!*anyopaque {
    if (!present) return &stateless;
    const context: *Context = try create(Context);
    errdefer free(context);
    context.* = .{ .magic = magic, .state = try create(State) };
    errdefer free(context.state);
    if (@hasDecl(State, "init")) {
        const made = State.init();
        context.state.* = if (@typeInfo(@TypeOf(made)) == .error_union) try made else made;
    } else context.state.* = .{};
    return context;
}

pub fn shutdown(address: ?*anyopaque) i32 {
    const status = check(address);
    if (status != 0 or !present) return status;
    const context = of(address.?);
    context.magic = 0;
    if (@hasDecl(State, "deinit")) context.state.deinit();
    free(context.state);
    free(context);
    return 0;
}

/// The state is one of another build of this module from now on: a hook for what depends on the build.
pub fn reload(address: *anyopaque) anyerror!void {
    if (present and @hasDecl(State, "reloaded")) {
        const done = of(address).state.reloaded();
        if (@typeInfo(@TypeOf(done)) == .error_union) try done;
    }
}

/// -2: null pointer, -3: not a context of this library.
pub fn check(address: ?*anyopaque) i32 {
    const pointer = address orelse return null_pointer;
    if (!present) return if (pointer == @as(*anyopaque, &stateless)) 0 else invalid_parameter;
    if (@intFromPtr(pointer) % @alignOf(Context) != 0) return invalid_parameter;
    return if (of(pointer).magic == magic) 0 else invalid_parameter;
}

/// The state behind a context that `check` has found good.
pub fn stateOf(cell_of_arguments: u64) *State {
    // SAFETY: the caller has asked `check`.
    return of(@as(*anyopaque, @ptrFromInt(@as(usize, @intCast(cell_of_arguments))))).state;
}

fn of(address: *anyopaque) *Context {
    // SAFETY: a context of this module, whichever build made it: the host passes no other, and `check` finds those that
    // were shut down.
    return @ptrCast(@alignCast(address));
}

fn create(comptime T: type) error{OutOfMemory}!*T {
    const size = std.mem.alignForward(usize, @max(1, @sizeOf(T)), @alignOf(T));
    const raw = aligned_alloc(@max(@sizeOf(usize), @alignOf(T)), size) orelse return error.OutOfMemory;
    // SAFETY: just allocated, with the size and alignment of a T.
    return @ptrCast(@alignCast(raw));
}

/// Whether a parameter is the state.
pub fn isState(comptime P: type) bool {
    return present and (P == *State or P == *const State);
}

// ------------------------------------------------------------------------------- layout

/// {"size": N, "align": N, "pointers": true, "types": [["State", "count: u64 at 0, ..."], ...]}: every type of the state
/// that is not the language's own, with the places of its fields.
pub fn layout() []const u8 {
    var walk: Walk = .{};
    walk.visit(State);
    return "{\"size\":" ++ interface.decimal(@sizeOf(State)) ++ ",\"align\":" ++ interface.decimal(@alignOf(State)) ++
        ",\"pointers\":" ++ interface.boolean(walk.pointers) ++ ",\"types\":[" ++ walk.text ++ "]}";
}

const Walk = struct {
    seen: []const type = &.{},
    text: []const u8 = "",
    pointers: bool = false,

    fn visit(comptime walk: *Walk, comptime T: type) void {
        switch (@typeInfo(T)) {
            .pointer => |p| {
                walk.pointers = true;
                if (p.child != anyopaque and @typeInfo(p.child) != .@"fn" and @typeInfo(p.child) != .@"opaque") walk.visit(p.child);
            },
            .array => |a| walk.visit(a.child),
            .vector => |v| walk.visit(v.child),
            .optional => |p| walk.visit(p.child),
            .error_union => |e| walk.visit(e.payload),
            .@"struct" => |s| if (walk.isNew(T)) walk.container(T, s.field_names, s.field_types),
            .@"union" => |u| if (walk.isNew(T)) walk.container(T, u.field_names, u.field_types),
            .@"enum" => |e| if (walk.isNew(T)) {
                var names: []const u8 = "";
                for (e.field_names) |name| names = names ++ " " ++ name ++ "=" ++
                    interface.decimal(@intFromEnum(@field(T, name)));
                walk.add(T, "enum" ++ names);
            },
            else => {},
        }
    }

    fn isNew(comptime walk: *Walk, comptime T: type) bool {
        for (walk.seen) |S| if (S == T) return false;
        walk.seen = walk.seen ++ &[_]type{T};
        return true;
    }

    fn container(comptime walk: *Walk, comptime T: type, comptime names: anytype, comptime types: anytype) void {
        var fields: []const u8 = "";
        for (names, types) |name, F| {
            if (fields.len > 0) fields = fields ++ ", ";
            fields = fields ++ name ++ ": " ++ @typeName(F);
            if (@typeInfo(T) == .@"struct" and @typeInfo(T).@"struct".layout != .@"packed" and !isComptime(T, name))
                fields = fields ++ " at " ++ interface.decimal(@offsetOf(T, name));
        }
        walk.add(T, fields ++ ", size " ++ interface.decimal(@sizeOf(T)));
        for (types) |F| walk.visit(F);
    }

    fn add(comptime walk: *Walk, comptime T: type, comptime words: []const u8) void {
        if (walk.text.len > 0) walk.text = walk.text ++ ",";
        walk.text = walk.text ++ "[" ++ interface.quoted(@typeName(T)) ++ "," ++ interface.quoted(words) ++ "]";
    }
};

fn isComptime(comptime T: type, comptime name: []const u8) bool {
    const s = @typeInfo(T).@"struct";
    for (s.field_names, s.field_attrs) |field, attrs| if (std.mem.eql(u8, field, name)) return attrs.@"comptime";
    return false;
}
