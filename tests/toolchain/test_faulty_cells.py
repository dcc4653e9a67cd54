"""Faulty cells, each built and called in one interpreter that must live through all of them with its variables.

A line that ends in ``// HERE`` is the one that the exception must name. Each cell also has a good function,
``well``, which is called after the fault.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

LINE_OFFSET = 1
GOOD = "pub fn well(a: i32) i32 { return a + 1; }\n"


class Case(NamedTuple):
    name: str
    body: str
    args: tuple[Any, ...] = ()
    error: str = "NativePanic"
    says: str = ""
    mode: str = "safe"
    how: str = "call"


# A frame that its callee points into cannot be folded into a loop.
DEEP = """noinline fn g(n: u64, p: *volatile u64) u64 {
    var x: u64 = n;
    p.* = n;
    return g(n +% 1, &x) +% x;
}
pub fn f(n: u64) u64 {
    var x: u64 = n;
    return g(n, &x);
}"""
WILD = "const p: *allowzero volatile u32 = @ptrFromInt(at);"

CASES = [
    # ----- safety checks: a panic with its line
    Case("read out of bounds", "pub fn f(a: []const f32, i: usize) f32 {\n    return a[i]; // HERE\n}", (["f32", 3], 3),
         says="index out of bounds: index 3, len 3"),
    Case("write out of bounds", "pub fn f(a: []f32, i: usize) void {\n    a[i] = 1; // HERE\n}", (["f32", 3], 9),
         says="index out of bounds: index 9, len 3"),
    Case("slice end out of bounds",
         "pub fn f(a: []const u8, n: usize) usize {\n    const b = a[0..n]; // HERE\n    return b[0];\n}",
         (["u8", 3], 4), says="index out of bounds: index 4, len 3"),
    Case("slice start after its end",
         "pub fn f(a: []const u8, n: usize) usize {\n    const b = a[n..1]; // HERE\n    return b.len;\n}",
         (["u8", 3], 2), says="start index 2 is larger than end index 1"),
    Case("addition overflows", "pub fn f(a: i32) i32 {\n    return a + 1; // HERE\n}", (2**31 - 1,),
         says="integer overflow"),
    Case("subtraction overflows", "pub fn f(a: u32) u32 {\n    return a - 1; // HERE\n}", (0,),
         says="integer overflow"),
    Case("multiplication overflows", "pub fn f(a: u64) u64 {\n    return a * a; // HERE\n}", (2**63,),
         says="integer overflow"),
    Case("negation overflows", "pub fn f(a: i8) i8 {\n    return -a; // HERE\n}", (-128,), says="integer overflow"),
    Case("the second of two additions overflows",
         "pub fn f(a: i32, b: i32) i32 {\n    const c = a + 1;\n    const d = b + 1; // HERE\n    return c ^ d;\n}",
         (1, 2**31 - 1), says="integer overflow"),
    Case("the first of two additions overflows",
         "pub fn f(a: i32, b: i32) i32 {\n    const c = a + 1; // HERE\n    const d = b + 1;\n    return c ^ d;\n}",
         (2**31 - 1, 1), says="integer overflow"),
    Case("the second of two indices is out of bounds",
         "pub fn f(a: []const i32, b: []const i32, i: usize) i32 {\n    const x = a[i];\n    const y = b[i]; // HERE\n"
         "    return x ^ y;\n}", (["i32", 5], ["i32", 3], 4), says="index 4, len 3"),
    Case("a cast loses bits", "pub fn f(a: u32) u8 {\n    return @intCast(a); // HERE\n}", (256,),
         says="does not fit in destination type"),
    Case("a cast loses the sign", "pub fn f(a: i32) u32 {\n    return @intCast(a); // HERE\n}", (-1,),
         says="does not fit in destination type"),
    Case("a null is unwrapped", "pub fn f(a: ?i32) i32 {\n    return a.?; // HERE\n}", (None,),
         says="attempt to use null value"),
    Case("unreachable", "pub fn f(a: i32) i32 {\n    if (a > 1) unreachable; // HERE\n    return a;\n}", (2,),
         says="reached unreachable code"),
    Case("an explicit panic", 'pub fn f() void {\n    @panic("the cell gives up"); // HERE\n}',
         says="the cell gives up"),
    Case("an assertion", 'const std = @import("std");\npub fn f(a: i32) i32 {\n    std.debug.assert(a == 1); // HERE\n'
         "    return a;\n}", (2,), says="reached unreachable code"),
    Case("division by zero", "pub fn f(a: i32) i32 {\n    return @divTrunc(10, a); // HERE\n}", (0,),
         says="division by zero"),
    Case("remainder by zero", "pub fn f(a: u32) u32 {\n    return 10 % a; // HERE\n}", (0,), says="division by zero"),
    Case("the smallest number by -1", "pub fn f(a: i32, b: i32) i32 {\n    return @divTrunc(a, b); // HERE\n}",
         (-(2**31), -1), says="integer overflow"),
    Case("an exact division that is not", "pub fn f(a: u32) u32 {\n    return @divExact(a, 2); // HERE\n}", (3,),
         says="exact division produced remainder"),
    Case("a shift that loses bits", "pub fn f(a: u8) u8 {\n    return @shlExact(a, 1); // HERE\n}", (255,),
         says="left shift overflowed bits"),
    Case("a shift that is too far",
         "pub fn f(a: u24, n: u5) u24 {\n    return a << n; // HERE\n}", (1, 24),
         says="shift amount is greater than the type size"),
    Case("a number that is no enum value",
         "const E = enum(u8) { a, b };\npub fn f(a: u8) bool {\n    const e: E = @enumFromInt(a); // HERE\n"
         "    return e == .a;\n}", (7,), says="invalid enum value"),
    Case("an error that is not handled",
         "fn g(a: i32) !i32 {\n    return if (a > 0) error.TooLarge else a;\n}\n"
         "pub fn f(a: i32) i32 {\n    return g(a) catch unreachable; // HERE\n}", (1,),
         says="attempt to unwrap error: TooLarge"),
    Case("the wrong field of a union",
         "const U = union(enum) { a: i32, b: f32 };\npub fn f(a: i32) f32 {\n    var u: U = .{ .a = a };\n    _ = &u;\n"
         "    return u.b; // HERE\n}", (1,), says="access of union field 'b' while field 'a' is active"),
    Case("a float that is no integer", "pub fn f(a: f64) i8 {\n    return @intFromFloat(a); // HERE\n}", (1e9,),
         says="integer part of floating point value out of bounds"),
    Case("an address that is not aligned",
         "pub fn f(a: []const u8) u32 {\n    const p: *const u32 = @ptrCast(@alignCast(a.ptr + 1)); // HERE\n"
         "    return p.*;\n}", (["u8", 16],), says="incorrect alignment"),
    Case("an integer that is a null pointer",
         "pub fn f(a: usize) u8 {\n    const p: *const u8 = @ptrFromInt(a); // HERE\n    return p.*;\n}", (0,),
         says="null"),
    Case("copies of different lengths",
         "pub fn f(a: []u8, b: []const u8) void {\n    @memcpy(a, b); // HERE\n}", (["u8", 3], ["u8", 4]),
         says="non-equal lengths"),
    Case("loops of different lengths",
         "pub fn f(a: []const u8, b: []const u8) u8 {\n    var s: u8 = 0;\n    for (a, b) |x, y| s +%= x ^ y; // HERE\n"
         "    return s;\n}", (["u8", 3], ["u8", 4]), says="non-equal lengths"),
    Case("a copy onto itself",
         "pub fn f(a: []u8) void {\n    @memcpy(a[0..4], a[2..6]); // HERE\n}", (["u8", 8],), says="alias"),
    Case("a missing sentinel",
         "pub fn f(a: []u8, n: usize) usize {\n    const b = a[0..n :0]; // HERE\n    return b.len;\n}", (["u8", 4], 2),
         says="sentinel mismatch"),
    # ----- where it happens
    Case("three functions deep",
         "noinline fn g(a: []const i32, i: usize) i32 {\n    return a[i]; // HERE\n}\n"
         "noinline fn h(a: []const i32, i: usize) i32 {\n    return g(a, i + 1) ^ 1;\n}\n"
         "pub fn f(a: []const i32, i: usize) i32 {\n    return h(a, i + 1) ^ 2;\n}", (["i32", 3], 2),
         says="index 4, len 3"),
    Case("in an inline function",
         "inline fn g(a: []const i32, i: usize) i32 {\n    return a[i]; // HERE\n}\n"
         "pub fn f(a: []const i32, i: usize) i32 {\n    return g(a, i);\n}", (["i32", 3], 3), says="index 3, len 3"),
    Case("in a method",
         "const S = struct {\n    n: u8,\n    fn bump(s: *S) void {\n        s.n += 1; // HERE\n    }\n};\n"
         "pub fn f(a: u8) u8 {\n    var s: S = .{ .n = a };\n    s.bump();\n    return s.n;\n}", (255,),
         says="integer overflow"),
    Case("in a generic function",
         "fn add(comptime T: type, a: T, b: T) T {\n    return a + b; // HERE\n}\n"
         "pub fn f(a: u8) u8 {\n    return add(u8, a, 1);\n}", (255,), says="integer overflow"),
    Case("in std code that the cell calls",
         'const std = @import("std");\npub fn f(a: u32) u32 {\n    return std.math.log2_int(u32, a); // HERE\n}', (0,),
         says="reached unreachable code"),
    Case("in a comparison that std calls",
         'const std = @import("std");\nfn less(_: void, a: i32, b: i32) bool {\n'
         '    if (a == 7 or b == 7) @panic("seven"); // HERE\n    return a < b;\n}\n'
         "pub fn f(a: []i32) void {\n    a[0] = 7;\n    std.sort.insertion(i32, a, {}, less);\n}", (["i32", 4],),
         says="seven"),
    Case("while it holds memory",
         'const std = @import("std");\npub fn f(gpa: std.mem.Allocator, n: usize) !usize {\n'
         "    const a = try gpa.alloc(u64, n);\n    @memset(a, 1);\n    return a[n]; // HERE\n}", (1000,),
         says="index 1000, len 1000"),
    Case("in a matrix", 'const o = @import("o");\npub fn f(n: usize) f32 {\n    const d = [_]f32{ 1, 2, 3, 4 };\n'
         "    const m: o.Matrix(f32) = .{ .ptr = &d, .rows = 2, .cols = 2, .stride = 2 };\n"
         "    return m.at(n, 0); // HERE\n}", (2,), says="index 2, len 2"),
    Case("a panic in another Python thread", "pub fn f(a: i32) i32 {\n    return a + 1; // HERE\n}", (2**31 - 1,),
         says="integer overflow", how="thread"),
    # ----- hardware faults
    Case("a null pointer", f"pub fn f(at: usize) u32 {{\n    {WILD}\n    return p.*; // HERE\n}}", (0,), "NativeFault",
         "SIGSEGV, access to memory that is not there (segmentation fault) at 0x0, a null pointer"),
    Case("a wild write", f"pub fn f(at: usize) void {{\n    {WILD}\n    p.* = 1; // HERE\n}}", (2**40,), "NativeFault",
         "at 0x10000000000"),
    Case("an address that no processor has", f"pub fn f(at: usize) u32 {{\n    {WILD}\n    return p.*; // HERE\n}}",
         (2**63 + 8,), "NativeFault", "SIGSEGV"),
    Case("a write to constants", 'const text: [4]u8 = "abcd".*;\npub fn f() void {\n'
         "    const p: *volatile u8 = @constCast(&text[1]);\n    p.* = 1; // HERE\n}", (), "NativeFault", "SIGSEGV"),
    Case("a jump to nowhere",
         "pub fn f(at: usize) void {\n    const g: *const fn () callconv(.c) void = @ptrFromInt(at);\n"
         "    g(); // HERE\n}", (4096,), "NativeFault", "SIGSEGV"),
    Case("a wild fill by the C library",
         "pub fn f(at: usize, n: usize) void {\n    const p: [*]u8 = @ptrFromInt(at);\n"
         "    @memset(p[0..n], 1); // HERE\n}",
         (2**40, 100_000), "NativeFault", "SIGSEGV"),
    Case("a trap", "pub fn f(a: i32) i32 {\n    if (a > 0) @trap(); // HERE\n    return a;\n}", (1,), "NativeFault",
         "SIG"),
    Case("a breakpoint", "pub fn f() void {\n    @breakpoint();\n}", (), "NativeFault", "SIGTRAP"),
    Case("a stack overflow",
         DEEP, (1,),
         "NativeFault", "SIGSEGV"),
    Case("a stack overflow of large frames",
         "noinline fn g(n: u64) u64 {\n    var a: [9000]u64 = undefined;\n    const v: []volatile u64 = &a;\n"
         "    v[n % 9000] = n;\n    return g(n + 1) ^ v[n % 9000];\n}\npub fn f(n: u64) u64 {\n    return g(n);\n}",
         (1,), "NativeFault", "SIGSEGV"),
    Case("a stack overflow in another Python thread",
         DEEP, (1,),
         "NativeFault", "SIGSEGV", how="thread"),
    Case("a wild write in another Python thread", f"pub fn f(at: usize) void {{\n    {WILD}\n    p.* = 1; // HERE\n}}",
         (2**40,), "NativeFault", "SIGSEGV", how="thread"),
    # ----- other modes
    Case("fast: division by zero", "pub fn f(a: i32) i32 {\n    return @divTrunc(10, a); // HERE\n}", (0,),
         "NativeFault", "SIGFPE", mode="fast"),
    Case("fast: the smallest number by -1", "pub fn f(a: i32, b: i32) i32 {\n    return @divTrunc(a, b); // HERE\n}",
         (-(2**31), -1), "NativeFault", "SIGFPE", mode="fast"),
    Case("fast: far out of bounds", "pub fn f(a: []const f32, i: usize) f32 {\n    return a[i]; // HERE\n}",
         (["f32", 3], 2**40), "NativeFault", "SIGSEGV", mode="fast"),
    Case("fast: an explicit panic", 'pub fn f() void {\n    @panic("even when fast"); // HERE\n}',
         says="even when fast", mode="fast"),
    Case("fast: a stack overflow",
         DEEP, (1,), "NativeFault", "SIGSEGV", mode="fast"),
    Case("debug: out of bounds",
         "pub fn f(a: []const f32, i: usize) f32 {\n    return a[i]; // HERE\n}", (["f32", 3], 3),
         says="index 3, len 3", mode="debug"),
    Case("debug: three functions deep",
         "fn g(a: i32) i32 {\n    return a + 1; // HERE\n}\nfn h(a: i32) i32 {\n    return g(a);\n}\n"
         "pub fn f(a: i32) i32 {\n    return h(a);\n}", (2**31 - 1,), says="integer overflow", mode="debug"),
    Case("debug: a wild write", f"pub fn f(at: usize) void {{\n    {WILD}\n    p.* = 1; // HERE\n}}", (2**40,),
         "NativeFault", "SIGSEGV", mode="debug"),
    # ----- endless loops, ended by Ctrl-C
    Case("an endless loop", "var n: u64 = 0;\npub fn f() u64 {\n    const p: *volatile u64 = &n;\n"
         "    while (true) p.* +%= 1;\n}", (), "KeyboardInterrupt", how="interrupt"),
    Case("an endless loop that allocates",
         'const std = @import("std");\nvar kept: [*]u8 = undefined;\npub fn f() u64 {\n    var s: u64 = 0;\n'
         "    const k: *volatile [*]u8 = &kept;\n    while (true) {\n"
         "        const a = std.heap.c_allocator.alloc(u8, 1 + s % 4000) catch continue;\n        k.* = a.ptr;\n"
         "        s += 1;\n        std.heap.c_allocator.free(k.*[0..a.len]);\n    }\n}", (), "KeyboardInterrupt",
         how="interrupt"),
    Case("debug: an endless loop", "var n: u64 = 0;\npub fn f() u64 {\n    const p: *volatile u64 = &n;\n"
         "    while (true) p.* +%= 1;\n}", (), "KeyboardInterrupt", mode="debug", how="interrupt"),
    # ----- not a fault
    Case("an error result", "pub fn f(a: i32) !i32 {\n    if (a < 0) return error.Negative;\n    return a;\n}", (-1,),
         "NativeResultError", "returned error.Negative"),
]  # fmt: skip


@pytest.fixture(scope="module")
def reports(zig_there: Path) -> dict[str, dict[str, Any]]:
    """What the child said of each case, as far as it came."""
    table = [{**case._asdict(), "source": GOOD + case.body} for case in CASES]
    child = Path(__file__).with_name("crash_child.py")
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", str(child)],
        input=json.dumps(table),
        capture_output=True,
        text=True,
        timeout=150,
        env={**os.environ},
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    found = {report["name"]: report for report in map(json.loads, lines)}
    found[""] = {"ended": done.stdout.endswith("done\n") and done.returncode == 0, "errors": done.stderr[-2000:]}
    return found


def test_the_interpreter_lives_to_the_end(reports: dict[str, dict[str, Any]]) -> None:
    assert reports[""]["ended"], reports[""]["errors"]


def test_there_are_at_least_fifty() -> None:
    assert len(CASES) >= 50
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_faulty_cell(case: Case, reports: dict[str, dict[str, Any]]) -> None:
    assert case.name in reports, f"the interpreter died: {reports['']['errors']}"
    report = reports[case.name]

    assert report["type"] == case.error, report["message"]
    assert case.says in report["message"]
    assert report["again"] == 21, "the cell's good function, called after the fault"
    assert report["variables"]
    assert report["python"]
    marked = [k for k, line in enumerate((GOOD + case.body).split("\n"), 1) if line.endswith("// HERE")]
    if marked:
        assert report["line"] == marked[0] + LINE_OFFSET, report["message"]
