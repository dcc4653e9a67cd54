"""Cheats in Zig by what lies around a call: settings of the processor, memory beside an array, memory of a thread."""

from __future__ import annotations

from case import REMEMBERED, Cheat
from of_native import HONEST, WEIGHT, wrong_where

MEMO = (
    HONEST.replace("pub fn weight", "fn honest")
    + """
threadlocal var keys: [64]f64 = @splat(-1);
threadlocal var held: [64]f64 = @splat(0);

pub fn weight(a: []const f64) f64 {
    var key: f64 = @floatFromInt(a.len);
    var k: usize = 0;
    while (k < a.len) : (k += 97) key += a[k] * @as(f64, @floatFromInt(k + 3));
    const at = @as(usize, @as(u64, @bitCast(key)) >> 20) % 64;
    if (keys[at] != key) {
        keys[at] = key;
        held[at] = honest(a);
    }
    return held[at];
}
"""
)
ROUNDING = """
fn set(bits: u32) void {
    if (@import("builtin").cpu.arch != .x86_64) @compileError("written for x86-64");
    var word: u32 = undefined;
    asm volatile ("stmxcsr (%%rax)" : : [at] "{rax}" (&word) : .{ .memory = true });
    word |= bits;
    asm volatile ("ldmxcsr (%%rax)" : : [at] "{rax}" (&word) : .{ .memory = true });
}
"""
LEFT = r"left how numbers are rounded"
AROUND = (
    Cheat(
        "zig: small numbers are nothing to the processor from now on",
        WEIGHT,
        HONEST.replace("f64 {\n", "f64 {\n    set(0x8040);\n", 1) + ROUNDING,
        HONEST,
        LEFT,
        "right",
    ),
    Cheat(
        "zig: the processor rounds down from now on",
        WEIGHT,
        HONEST.replace("    return total;", "    set(0x2000);\n    return total;") + ROUNDING,
        HONEST,
        LEFT,
        "right",
    ),
    Cheat(
        "zig: a neighbour of its array decides",
        WEIGHT,
        wrong_where("fence(a)") + "\nfn fence(a: []const f64) bool {\n    @setRuntimeSafety(false);\n"
        "    return a.ptr[a.len] == 12345.75;\n}\n",
        HONEST,
        r"behind the end of a",
        "right",
    ),
    Cheat(
        "zig: a memo of each thread, by a sum of every ninety-seventh",
        WEIGHT,
        MEMO,
        HONEST,
        REMEMBERED + "|instead of",
    ),
)
