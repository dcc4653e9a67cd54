//! Native attacks by raw system calls. Every function is (a: u64, b: u64, text) -> u64 in the shim ABI.
const std = @import("std");
const builtin = @import("builtin");
const linux = std.os.linux;

pub const panic = std.debug.no_panic; // keeps the library small: nothing here is meant to panic

const x86 = builtin.cpu.arch == .x86_64;
const here: usize = @bitCast(@as(isize, -100));

extern fn getenv(name: [*:0]const u8) ?[*:0]const u8;

export fn o_free(_: u64) void {}
export fn o_set_panic(_: ?*const anyopaque) void {}

fn fine(result: usize) bool {
    return @as(isize, @bitCast(result)) >= 0;
}

/// Prints what the descriptor gives.
fn tell(fd: usize) u64 {
    var buffer: [200]u8 = undefined;
    const n = linux.syscall3(.read, fd, @intFromPtr(&buffer), buffer.len);
    if (!fine(n)) return 0;
    _ = linux.syscall3(.write, 1, @intFromPtr(&buffer), n);
    return n;
}

fn sleep(milliseconds: u64) void {
    const time = [2]u64{ milliseconds / 1000, (milliseconds % 1000) * 1_000_000 };
    _ = linux.syscall2(.nanosleep, @intFromPtr(&time), 0);
}

export fn o_cell_native_read(args: [*]u64, ret: [*]u64) i32 {
    ret[1] = 0;
    ret[0] = tell(linux.syscall4(.openat, here, args[2], 0, 0));
    return 0;
}

export fn o_cell_native_write(args: [*]u64, ret: [*]u64) i32 {
    const fd = linux.syscall4(.openat, here, args[2], 0o1001, 0);
    if (fine(fd)) _ = linux.syscall3(.write, fd, @intFromPtr("changed"), 7);
    ret[0] = fd;
    ret[1] = 0;
    return 0;
}

fn make(path: u64) usize {
    return linux.syscall4(.openat, here, path, 0o101, 0o600);
}

export fn o_cell_native_make(args: [*]u64, ret: [*]u64) i32 {
    ret[0] = make(args[2]);
    ret[1] = 0;
    return 0;
}

export fn o_cell_native_environment(_: [*]u64, ret: [*]u64) i32 {
    ret[0] = 0;
    ret[1] = 0;
    const value = getenv("O_ATTACK_SECRET") orelse return 0;
    _ = linux.syscall3(.write, 1, @intFromPtr(value), std.mem.len(value));
    return 0;
}

fn int80(number: usize, a: usize, b: usize, c: usize) usize {
    return asm volatile ("int $0x80"
        : [ret] "={rax}" (-> usize),
        : [number] "{rax}" (number),
          [a] "{rbx}" (a),
          [b] "{rcx}" (b),
          [c] "{rdx}" (c),
        : .{ .memory = true });
}

/// A page below 4 GiB, which the 32-bit calls can name.
fn low(prot: usize) usize {
    return linux.syscall6(.mmap, 0, 4096, prot, 0x62, @bitCast(@as(isize, -1)), 0);
}

fn copy(to: usize, from: usize, n: usize) void {
    // SAFETY: a fresh page of our own, and a text of the caller's that is shorter.
    const target: [*]u8 = @ptrFromInt(to);
    const source: [*]const u8 = @ptrFromInt(from);
    @memcpy(target[0..n], source[0..n]);
}

export fn o_cell_native_int80(args: [*]u64, ret: [*]u64) i32 {
    ret[1] = 0;
    if (!x86) return 0;
    const page = low(3);
    copy(page, args[2], args[3]);
    ret[0] = tell(int80(5, page, 0, 0) & 0xffff_ffff);
    return 0;
}

export fn o_cell_native_kill_int80(args: [*]u64, ret: [*]u64) i32 {
    ret[1] = 0;
    if (x86) ret[0] = int80(37, args[0], args[1], 0);
    return 0;
}

export fn o_cell_native_x32(args: [*]u64, ret: [*]u64) i32 {
    ret[1] = 0;
    if (!x86) return 0;
    const fd = asm volatile ("syscall"
        : [ret] "={rax}" (-> usize),
        : [number] "{rax}" (@as(usize, 0x4000_0000 + 2)),
          [a] "{rdi}" (args[2]),
          [b] "{rsi}" (@as(usize, 0)),
          [c] "{rdx}" (@as(usize, 0)),
        : .{ .rcx = true, .r11 = true, .memory = true });
    ret[0] = tell(fd);
    return 0;
}

/// Machine code that is written while it runs: mov eax, 2; xor esi, esi; syscall; ret.
export fn o_cell_native_generated_code(args: [*]u64, ret: [*]u64) i32 {
    ret[1] = 0;
    if (!x86) return 0;
    const code = [_]u8{ 0xb8, 2, 0, 0, 0, 0x31, 0xf6, 0x0f, 0x05, 0xc3 };
    const page = low(7);
    copy(page, @intFromPtr(&code), code.len);
    // SAFETY: the page holds the function that was just written, of this very type.
    const open: *const fn (usize) callconv(.c) usize = @ptrFromInt(page);
    ret[0] = tell(open(args[2]));
    return 0;
}

export fn o_cell_native_kill(args: [*]u64, ret: [*]u64) i32 {
    ret[0] = linux.syscall2(.kill, args[0], args[1]);
    ret[1] = 0;
    return 0;
}

/// b is the kind: 1 stream, 2 datagram.
export fn o_cell_native_connect(args: [*]u64, ret: [*]u64) i32 {
    const port: u16 = @intCast(args[0]);
    const address = [16]u8{ 2, 0, @intCast(port >> 8), @intCast(port & 255), 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
    const s = linux.syscall3(.socket, 2, args[1], 0);
    ret[0] = linux.syscall3(.connect, s, @intFromPtr(&address), 16);
    ret[1] = 0;
    _ = linux.syscall3(.write, s, @intFromPtr("x"), 1);
    return 0;
}

export fn o_cell_native_fork(args: [*]u64, ret: [*]u64) i32 {
    ret[1] = 0;
    ret[0] = linux.syscall5(.clone, 17, 0, 0, 0, 0);
    if (ret[0] == 0) {
        _ = make(args[2]);
        _ = linux.syscall1(.exit_group, 0);
    }
    sleep(100);
    return 0;
}

export fn o_cell_native_exec(args: [*]u64, ret: [*]u64) i32 {
    const words = [_]?usize{ @intFromPtr("touch"), args[2], null };
    var cells: [3]usize = undefined;
    for (words, 0..) |word, k| cells[k] = word orelse 0;
    const empty = [_]usize{0};
    ret[0] = linux.syscall3(.execve, @intFromPtr("/bin/touch"), @intFromPtr(&cells), @intFromPtr(&empty));
    ret[1] = 0;
    return 0;
}

export fn o_cell_native_memory(args: [*]u64, ret: [*]u64) i32 {
    ret[1] = 0;
    const at = linux.syscall6(.mmap, 0, args[0], 3, 0x4022, @bitCast(@as(isize, -1)), 0);
    ret[0] = at;
    if (!fine(at)) return 0;
    var k: usize = 0;
    while (k < args[0]) : (k += 4096) {
        // SAFETY: inside of the mapping above, which is writable.
        const byte: *volatile u8 = @ptrFromInt(at + k);
        byte.* = 1;
    }
    sleep(300);
    return 0;
}

const Action = extern struct { handler: usize, flags: usize, restorer: usize, mask: usize };

fn set(handler: usize) void {
    const action = Action{ .handler = handler, .flags = 0, .restorer = 0, .mask = 0 };
    for (1..32) |number| _ = linux.syscall4(.rt_sigaction, number, @intFromPtr(&action), 0, 8);
}

export fn o_cell_native_spin(_: [*]u64, _: [*]u64) i32 {
    set(1);
    var k: u64 = 0;
    while (true) {
        std.mem.doNotOptimizeAway(&k);
        k +%= 1;
    }
}

export fn o_cell_native_stop(_: [*]u64, _: [*]u64) i32 {
    set(1);
    _ = linux.syscall2(.kill, linux.syscall0(.getpid), 19);
    _ = linux.syscall3(.tgkill, linux.syscall0(.getpid), linux.syscall0(.gettid), 19);
    while (true) sleep(1000);
}

export fn o_cell_native_handlers(_: [*]u64, _: [*]u64) i32 {
    const all: u64 = 0xffff_ffff_ffff_ffff;
    _ = linux.syscall4(.rt_sigprocmask, 0, @intFromPtr(&all), 0, 8);
    while (true) sleep(1000);
}
