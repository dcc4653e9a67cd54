//! What a library offers once, beside its functions: how it describes itself, where its panics go, the memory of calls,
//! and the ABI of modules.

const std = @import("std");
const cell = @import("cell");
const root = @import("root.zig");
const half = @import("half.zig");
const module = @import("module.zig");
const state = @import("state.zig");
const interface = @import("interface.zig");
const Arena = @import("arena.zig").Arena;

export fn o_set_panic(function: root.OnPanic) callconv(.c) void {
    root.on_panic.* = function;
}

comptime {
    if (half.apart.len > 0) @export(root.on_panic, .{ .name = "o_on_panic", .visibility = .hidden });
}

export fn o_free(handle: u64) callconv(.c) void {
    if (handle == 0) return;
    // SAFETY: a handle other than 0 is the arena that a shim below made, given back once.
    const arena: *Arena = @ptrFromInt(@as(usize, @intCast(handle)));
    arena.destroy();
}

// ------------------------------------------------------------------------------- description

const description = blk: {
    @setEvalBranchQuota(10_000_000);
    const text = interface.describe(cell);
    break :blk text[0..text.len].* ++ [1]u8{0};
};

/// The same bytes as `o_describe`, as data: read from the file without running anything of it.
export const o_description: [description.len]u8 = description;

export fn o_describe() callconv(.c) [*:0]const u8 {
    // SAFETY: the last byte of the description is the zero.
    return @ptrCast(&o_description);
}

// ------------------------------------------------------------------------------- the module ABI

const Version = extern struct { major: u32, minor: u32, patch: u32, git_hash: [*:0]const u8 };

const version_text: [:0]const u8 = module.version orelse if (@hasDecl(cell, "o_version")) cell.o_version else "0.0.0";
const version: Version = blk: {
    // Reading a version costs more of a build than a small cell does.
    if (module.version == null and !@hasDecl(cell, "o_version"))
        break :blk .{ .major = 0, .minor = 0, .patch = 0, .git_hash = "" };
    const parsed = std.SemanticVersion.parse(version_text) catch
        @compileError("o_version must read like \"1.2.3\", got \"" ++ version_text ++ "\"");
    break :blk .{ .major = parsed.major, .minor = parsed.minor, .patch = parsed.patch, .git_hash = module.git_hash };
};

export fn o_get_name() callconv(.c) [*:0]const u8 {
    return module.name orelse if (@hasDecl(cell, "o_name")) cell.o_name else "cell";
}

export fn o_get_version() callconv(.c) [*:0]const u8 {
    return version_text.ptr;
}

export fn o_get_version_struct() callconv(.c) *const Version {
    return &version;
}

/// -2: null pointer. A cell keeps its state in its own variables, so one context serves all; a module has as many states
/// as it has contexts.
export fn o_init(out: ?*?*anyopaque) callconv(.c) i32 {
    const place = out orelse return -2;
    place.* = null;
    place.* = state.init() catch |e| return noted(e);
    return 0;
}

/// -2: null pointer, -3: not a context of this library.
export fn o_shutdown(ctx: ?*anyopaque) callconv(.c) i32 {
    return state.shutdown(ctx);
}

/// Take over a context that another build of this module has made. -2, -3 as above; what the module's own hook says.
export fn o_reload(ctx: ?*anyopaque) callconv(.c) i32 {
    const status = state.check(ctx);
    if (status != 0) return status;
    state.reload(ctx.?) catch |e| return noted(e);
    return 0;
}

/// The name of the error that a function returned last, "" where there was none.
export fn o_get_last_error(_: ?*anyopaque) callconv(.c) [*:0]const u8 {
    return @atomicLoad(?[*:0]const u8, &root.last_error, .monotonic) orelse "";
}

export fn o_can_reload() callconv(.c) i32 {
    return @intFromBool(module.hot_reload);
}

fn noted(e: anyerror) i32 {
    var unused: [2]u64 = undefined;
    return root.failed(&unused, e);
}

comptime {
    if (state.present) {
        @setEvalBranchQuota(10_000_000);
        const text = state.layout();
        const bytes = text[0..text.len].* ++ [1]u8{0};
        @export(&bytes, .{ .name = "o_state_layout" });
    }
}
