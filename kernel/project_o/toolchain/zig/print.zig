//! What `std.debug.print` and `std.log` write with: the standard library brings all of its `Io` for it, threads, files and
//! sockets, which takes LLVM seconds, and a cell that keeps something waits for them at each edit.
//!
//! Whatever else asks for this `Io` is refused, as `std.Io.failing` refuses: the standard library asks it for the debug
//! information of this process alone, and lines of errors are the host's to find.

const std = @import("std");
const Io = std.Io;

pub const io: Io = .{ .userdata = null, .vtable = &vtable };

const vtable: Io.VTable = blk: {
    var all = Io.failing.vtable.*;
    all.swapCancelProtection = &keepProtection;
    all.lockStderr = &lock;
    all.tryLockStderr = &tryLock;
    all.unlockStderr = &unlock;
    break :blk all;
};

/// Nothing is ever cancelled here.
fn keepProtection(_: ?*anyopaque, _: Io.CancelProtection) Io.CancelProtection {
    return .blocked;
}

const nobody = 0;
var owner: std.atomic.Value(u32) = .init(nobody);
/// How often its owner holds it: what is printed may print itself.
var depth: usize = 0;
var writer: Io.File.Writer = .{
    .io = io,
    .file = .stderr(),
    .mode = .streaming,
    .interface = .{ .vtable = &.{ .drain = drain }, .buffer = &.{} },
};

fn take() bool {
    const me: u32 = @intCast(std.Thread.getCurrentId());
    if (owner.load(.monotonic) != me) {
        if (owner.cmpxchgStrong(nobody, me, .acquire, .monotonic) != null) return false;
        depth = 0;
    }
    depth += 1;
    return true;
}

/// About a second: who was stopped amid a print never gives it back.
const tries_max = 1_000_000;

fn lock(_: ?*anyopaque, mode: ?Io.Terminal.Mode) Io.Cancelable!Io.LockedStderr {
    for (0..tries_max) |_| {
        if (take()) break;
        std.Thread.yield() catch {};
    } else {
        owner.store(@intCast(std.Thread.getCurrentId()), .monotonic);
        writer.interface.end = 0;
        depth = 1;
    }
    return locked(mode);
}

fn tryLock(_: ?*anyopaque, mode: ?Io.Terminal.Mode) Io.Cancelable!?Io.LockedStderr {
    return if (take()) locked(mode) else null;
}

fn locked(mode: ?Io.Terminal.Mode) Io.LockedStderr {
    return .{ .file_writer = &writer, .terminal_mode = mode orelse .no_color };
}

fn unlock(_: ?*anyopaque) void {
    writer.interface.flush() catch {};
    writer.interface.end = 0;
    writer.interface.buffer = &.{};
    depth -= 1;
    if (depth == 0) owner.store(nobody, .release);
}

fn drain(w: *Io.Writer, data: []const []const u8, splat: usize) Io.Writer.Error!usize {
    try put(w.buffered());
    w.end = 0;
    var sum: usize = 0;
    for (data, 1..) |part, k| {
        for (0..if (k == data.len) splat else 1) |_| {
            try put(part);
            sum += part.len;
        }
    }
    return sum;
}

fn put(bytes: []const u8) Io.Writer.Error!void {
    var left = bytes;
    while (left.len > 0) {
        const status = std.posix.system.write(2, left.ptr, left.len);
        switch (std.posix.errno(status)) {
            .SUCCESS => left = left[@intCast(status)..],
            .INTR, .AGAIN => {},
            else => return error.WriteFailed,
        }
    }
}
