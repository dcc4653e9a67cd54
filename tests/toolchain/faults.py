"""Faulty cells, generated: a fault, where it stands in the code, numbers that lead to it. One seed, the same cells.

Each is a public function of an array and a number. Several stand in one build, which saves compilations and makes it no
easier: each fault meets the library as the one before has left it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

PANIC, FAULT, LOOP, CORRUPTS = "NativePanic", "NativeFault", "KeyboardInterrupt", "ends the process"
Draw = Callable[[random.Random, int], int]


class Kind(NamedTuple):
    """A fault: the body of ``fn(a, x)``, ``x`` from an array's length, and how the call has to end."""

    name: str
    ends: str
    body: str
    x: Draw
    modes: tuple[str, ...] = ("safe",)


class Cell(NamedTuple):
    """One function of a build. ``line`` is where the fault stands, 0 where none is promised."""

    function: str
    kind: str
    ends: str
    length: int
    x: int
    line: int


class Group(NamedTuple):
    """The cells of one build."""

    name: str
    language: str
    mode: str
    source: str
    cells: tuple[Cell, ...]


def _small(rng: random.Random, _length: int) -> int:
    return rng.randint(1, 100)


def _beyond(rng: random.Random, length: int) -> int:
    return length + rng.randint(0, 9)


def _constant(number: int) -> Draw:
    return lambda _rng, _length: number


def _wild(rng: random.Random, _length: int) -> int:
    return (rng.randint(1, 100) << 40) + 8 * rng.randint(0, 1000)


ALL = ("safe", "fast")
ZIG_HEAD = """const std = @import("std");
const E = enum(u8) { one = 1, two = 2 };
extern fn malloc(n: usize) ?[*]volatile u64;
extern fn free(p: ?*volatile anyopaque) void;
extern fn abort() noreturn;
extern fn memfd_create(name: [*:0]const u8, flags: c_uint) c_int;
extern fn mmap(at: usize, n: usize, protection: c_int, flags: c_int, file: c_int, offset: i64) [*]volatile u8;
const text: [4]u8 = "abcd".*;
var tick: u64 = 0;
fn small(x: u64) !u64 {
    return if (x > 0) error.TooLarge else x;
}
pub fn well(a: i32) i32 {
    return a + 1;
}
"""
ZIG = [
    Kind("reads beyond an array", PANIC, "return a[@intCast(x)]; // HERE", _beyond),
    Kind("writes beyond an array", PANIC, "a[@intCast(x)] = 1; // HERE\nreturn 0;", _beyond),
    Kind("a slice beyond an array", PANIC, "const b = a[0..@intCast(x + 1)]; // HERE\nreturn b[0];", _beyond),
    Kind("an addition overflows", PANIC, "const y: u8 = @truncate(x);\nreturn y + 200; // HERE",
         lambda rng, _: rng.randint(56, 255)),
    Kind("a subtraction overflows", PANIC, "return x - 1000; // HERE", _small),
    Kind("a product overflows", PANIC, "return x * (1 << 60); // HERE", lambda rng, _: rng.randint(16, 99)),
    Kind("a cast loses bits", PANIC, "const y: u8 = @intCast(x); // HERE\nreturn y;",
         lambda rng, _: rng.randint(256, 9999)),
    Kind("null is unwrapped", PANIC, "const m: ?u64 = if (x > 0) null else x;\nreturn m.?; // HERE", _small),
    Kind("unreachable", PANIC, "if (x > 0) unreachable; // HERE\nreturn 0;", _small),
    Kind("gives up", PANIC, 'if (x > 0) @panic("gives up"); // HERE\nreturn 0;', _small, ALL),
    Kind("division by zero", PANIC, "return 100 / x; // HERE", _constant(0)),
    Kind("a shift loses bits", PANIC, "return @shlExact(x, 8); // HERE", lambda rng, _: rng.randint(1 << 57, 1 << 60)),
    Kind("no such enum value", PANIC, "const e: E = @enumFromInt(x); // HERE\nreturn if (e == .one) 1 else 2;",
         lambda rng, _: rng.randint(3, 200)),
    Kind("an error is not handled", PANIC, "return small(x) catch unreachable; // HERE", _small),
    Kind("no integer", PANIC, "const y: i8 = @intFromFloat(@as(f64, @floatFromInt(x))); // HERE\nreturn @abs(y);",
         lambda rng, _: rng.randint(200, 10**6)),
    Kind("not aligned", PANIC, "const p: *const u32 = @ptrCast(@alignCast(@as([*]const u8, @ptrCast(a.ptr)) + 1 + 4 * "
         "@as(usize, @intCast(x)))); // HERE\nreturn p.*;", _constant(0)),
    Kind("reads a null pointer", FAULT, "const p: *allowzero volatile u32 = @ptrFromInt(x);\nreturn p.*; // HERE",
         lambda rng, _: 4 * rng.randint(0, 900), ALL),
    Kind("a wild write", FAULT, "const p: *volatile u64 = @ptrFromInt(x);\np.* = 1; // HERE\nreturn 0;", _wild, ALL),
    Kind("an address that no processor has", FAULT, "const p: *volatile u64 = @ptrFromInt(x);\nreturn p.*; // HERE",
         lambda rng, _: (1 << 63) + 8 * rng.randint(1, 1000), ALL),
    Kind("writes to constants", FAULT, "const p: *volatile u8 = @constCast(&text[x % 4]);\np.* = 1; // HERE\nreturn 0;",
         _small, ALL),
    Kind("a jump to nowhere", FAULT, "const g: *const fn () callconv(.c) void = @ptrFromInt(x);\n"
         "g(); // HERE\nreturn a[0];", _wild, ALL),
    Kind("a wild fill", FAULT, "const p: [*]u8 = @ptrFromInt(x);\n@memset(p[0..50_000], 1); // HERE\nreturn p[9];",
         _wild, ALL),
    Kind("a trap", FAULT, "if (x > 0) @trap(); // HERE\nreturn 0;", _small, ALL),
    Kind("behind the end of a file", FAULT, "const p = mmap(0, 4096, 3, 1, memfd_create(\"o\", 0), 0);\n"
         "return p[@intCast(x)]; // HERE", _small, ALL),
    Kind("endless recursion", FAULT, "var big: [200]u64 = undefined;\nconst v: []volatile u64 = &big;\n"
         "v[x % 200] = x;\nreturn SELF(a, x +% 1) ^ v[x % 200];", _small, ALL),
    Kind("division by zero, unchecked", FAULT, "return 100 / x; // HERE", _constant(0), ("fast",)),
    Kind("far beyond an array, unchecked", FAULT, "return a[@intCast(x)]; // HERE", _wild, ("fast",)),
    Kind("an endless loop", LOOP, "var n: u64 = x;\nconst p: *volatile u64 = &n;\n"
         "while (true) p.* +%= 1;", _small, ALL),
    Kind("an endless loop that allocates", LOOP, "var s: u64 = x;\nwhile (true) {\n"
         "    const p = malloc(1 + s % 4000);\n    p.?[0] = s;\n    s += p.?[0] % 7 + 1;\n"
         "    free(@ptrCast(p));\n}", _small, ALL),
    Kind("abort", CORRUPTS, "if (x > 0) abort();\nreturn 0;", _small, ALL),
    Kind("frees twice", CORRUPTS, "const p = malloc(24 + x);\np.?[0] = x;\n"
         "free(@ptrCast(p));\nfree(@ptrCast(p));\nreturn 0;", _small, ALL),
    Kind("frees what is on the stack", CORRUPTS, "var n: [8]u64 = @splat(16 * x + 8);\n"
         "free(@ptrCast(&n[2]));\nreturn n[1];", _small, ALL),
    Kind("frees a wild address", CORRUPTS, "free(@ptrFromInt(x));\nreturn 0;", _wild, ALL),
]  # fmt: skip
RUST_HEAD = """use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
static TICK: AtomicU64 = AtomicU64::new(0);
unsafe extern "C" {
    fn free(p: *mut u8);
}
pub fn well(a: i32) -> i32 {
    a + 1
}
"""
RUST = [
    Kind("reads beyond an array", PANIC, "a[x as usize] as u64 // HERE", _beyond),
    Kind("writes beyond an array", PANIC, "a[x as usize] = 1; // HERE\n0", _beyond),
    Kind("a range beyond an array", PANIC, "a[..x as usize + 1].len() as u64 // HERE", _beyond),
    Kind("an addition overflows", PANIC, "(x as u8 + 200) as u64 // HERE", lambda rng, _: rng.randint(56, 255)),
    Kind("a subtraction overflows", PANIC, "x - 1000 // HERE", _small),
    Kind("none is unwrapped", PANIC, "(if x > 0 { None } else { Some(x) }).unwrap() // HERE", _small),
    Kind("an error is unwrapped", PANIC, "(\"no number\".parse::<u64>()).unwrap() + x // HERE", _small),
    Kind("gives up", PANIC, 'panic!("gives up at {x}"); // HERE', _small),
    Kind("division by zero", PANIC, "100 / x // HERE", _constant(0)),
    Kind("borrowed twice", PANIC, "let c = std::cell::RefCell::new(x);\nlet _d = c.borrow_mut();\n"
         "let e = *c.borrow(); // HERE\ne", _small),
    Kind("while a vector is held", PANIC, "let v = vec![x; 1000];\nv[1000 + x as usize] // HERE", _small),
    Kind("reads a null pointer", FAULT, "unsafe { (x as *const u64).read_volatile() } // HERE",
         lambda rng, _: 8 * rng.randint(0, 400)),
    Kind("a wild write", FAULT, "unsafe { (x as *mut u64).write_volatile(1) } // HERE\n0", _wild),
    Kind("endless recursion", FAULT, "let big = [x; 64];\nstd::hint::black_box(&big);\n"
         "SELF(a, x.wrapping_add(1)) ^ big[(x % 64) as usize]", _small),
    Kind("an endless loop", LOOP, "let mut n = x;\nloop { n = std::hint::black_box(n ^ 1); }", _small),
    Kind("aborts", CORRUPTS, "std::process::abort();", _small),
    Kind("frees twice", CORRUPTS, "unsafe {\n    let p = Box::into_raw(Box::new(x));\n    drop(Box::from_raw(p));\n"
         "    drop(Box::from_raw(std::hint::black_box(p)));\n}\n0", _small),
    Kind("frees a wild address", CORRUPTS, "unsafe { free(x as *mut u8) };\n0", _wild),
]  # fmt: skip


KINDS = {"zig": ZIG, "rust": RUST}


# The same body twice in one build would be compiled once, and its line be that of either; hence the ticks.
def _zig(number: int, body: str, wraps: int) -> list[str]:
    lines = [f"noinline fn g{number}_0(a: []u32, x: u64) u64 {{"]
    lines += [f"    _ = {name};" for name in ("a", "x") if name not in _words(body)]
    lines += [f"    tick +%= {number};"]
    lines += [f"    {line}" for line in body.replace("SELF", f"g{number}_0").split("\n")] + ["}"]
    for k in range(wraps):
        lines += [
            f"noinline fn g{number}_{k + 1}(a: []u32, x: u64) u64 {{",
            f"    return g{number}_{k}(a, x) ^ 1;",
            "}",
        ]
    return [*lines, f"pub fn cell{number}(a: []u32, x: u64) u64 {{", f"    return g{number}_{wraps}(a, x) ^ 1;", "}"]


def _rust(number: int, body: str, wraps: int) -> list[str]:
    kept, name = "#[inline(never)]", f"g{number}"
    lines = [kept, "#[allow(unused_variables, unconditional_recursion, unreachable_code)]"]
    lines += [f"fn {name}_0(a: &mut [u32], x: u64) -> u64 {{", f"    TICK.fetch_add({number}, Relaxed);"]
    lines += [f"    {line}" for line in body.replace("SELF", f"{name}_0").split("\n")] + ["}"]
    for k in range(wraps):
        lines += [kept, f"fn {name}_{k + 1}(a: &mut [u32], x: u64) -> u64 {{", f"    {name}_{k}(a, x) ^ 1", "}"]
    return [*lines, f"pub fn cell{number}(a: &mut [u32], x: u64) -> u64 {{", f"    {name}_{wraps}(a, x) ^ 1", "}"]


def _words(body: str) -> set[str]:
    cleaned = "".join(character if character.isalnum() or character == "_" else " " for character in body)
    return set(cleaned.replace("SELF", "a x").split())


def _group(name: str, language: str, mode: str, kinds: list[Kind], rng: random.Random) -> Group:
    lines = (ZIG_HEAD if language == "zig" else RUST_HEAD).rstrip("\n").split("\n")
    write = _zig if language == "zig" else _rust
    cells = []
    for number, kind in enumerate(kinds):
        begin = len(lines)
        lines += write(number, kind.body, rng.randint(0, 4))
        marked = [k for k, line in enumerate(lines[begin:], begin + 1) if line.endswith("// HERE")]
        length = rng.randint(1, 50)
        x = kind.x(rng, length)
        cells.append(Cell(f"cell{number}", kind.name, kind.ends, length, x, marked[0] if marked else 0))
    return Group(name, language, mode, "\n".join(lines) + "\n", tuple(cells))


def groups(seed: int, counts: dict[str, int], size: int) -> list[Group]:
    """As many cells of each language, ``size`` in one build; every kind in turn, in an order that the seed shuffles."""
    rng, made = random.Random(seed), []
    modes = ("safe", "safe", "fast")
    for language, count in counts.items():
        table, waiting = KINDS[language], dict[str, list[Kind]]()
        for number in range(count // size):
            mode = modes[number % len(modes)] if language == "zig" else "safe"
            fitting = [kind for kind in table if mode in kind.modes]
            chosen = []
            for _ in range(size):
                if not waiting.get(mode):
                    waiting[mode] = rng.sample(fitting, len(fitting))
                chosen.append(waiting[mode].pop())
            made.append(_group(f"{language}{number}", language, mode, chosen, rng))
    return made
