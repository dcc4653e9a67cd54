"""Random cells with a known answer for each function: pieces come, change, go, come back; some do not compile.

Each piece is a text with a number of its own, the function to call, its arguments, and what it answers.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Call:
    """What to ask, and what the answer is; an error's name begins with ``!``."""

    function: str
    args: tuple[Any, ...]
    expected: Any


Piece = tuple[str, list[Call]]
HEAD = 'const std = @import("std");\n'


def constant(n: int) -> Piece:
    return f"pub fn constant() i64 {{\n    return {n};\n}}\n", [Call("constant", (), n)]


def helper(n: int) -> Piece:
    text = f"""fn part(a: i64) i64 {{ return @divTrunc(a, {n % 7 + 1}); }}
pub fn helped(a: i64) i64 {{ return part(a) + {n}; }}
"""
    return text, [Call("helped", (840,), 840 // (n % 7 + 1) + n)]


def words(n: int) -> Piece:
    text = "x" * (n % 60) + str(n)
    return f'const said = "{text}";\npub fn word() []const u8 {{ return said; }}\n', [Call("word", (), text)]


def summed(n: int) -> Piece:
    lanes = 1 << n % 5
    text = f"""const lanes = {lanes};
pub fn summed(a: []const f32) f32 {{
    var sums: @Vector(lanes, f32) = @splat({n});
    var i: usize = 0;
    while (i + lanes <= a.len) : (i += lanes) sums += a[i..][0..lanes].*;
    var sum = @reduce(.Add, sums);
    while (i < a.len) : (i += 1) sum += a[i];
    return sum;
}}
"""
    return text, [Call("summed", (np.ones(37, np.float32),), 37.0 + n * lanes)]


def shaped(n: int) -> Piece:
    fields = [f"f{k}" for k in range(n % 3 + 1)]
    inside = ", ".join(f"{name}: i32" for name in fields)
    values = ", ".join(f".{name} = {n + k}" for k, name in enumerate(fields))
    text = f"pub const Shape = struct {{ {inside} }};\npub fn shaped() Shape {{ return .{{ {values} }}; }}\n"
    return text, [Call("shaped", (), tuple(n + k for k in range(len(fields))))]


def failing(n: int) -> Piece:
    text = f"""pub fn failing(a: i64) error{{ Too{n % 5}, Low }}!i64 {{
    if (a < {n}) return error.Too{n % 5};
    return a;
}}
"""
    return text, [Call("failing", (n - 1,), f"!Too{n % 5}"), Call("failing", (n,), n)]


def maybe(n: int) -> Piece:
    text = f"pub fn maybe(a: ?i64) ?i64 {{\n    const b = a orelse return null;\n    return b * {n};\n}}\n"
    return text, [Call("maybe", (None,), None), Call("maybe", (3,), 3 * n)]


def generic(n: int) -> Piece:
    text = f"""fn largest(comptime T: type, a: T, b: T) T {{ return if (a > b) a else b; }}
pub fn larger(a: i32) i32 {{ return largest(i32, a, {n}); }}
pub fn larger_float(a: f64) f64 {{ return largest(f64, a, {n}.5); }}
"""
    return text, [Call("larger", (n - 1,), n), Call("larger_float", (0.0,), n + 0.5)]


def table(n: int) -> Piece:
    size = n % 9 + 2
    text = f"""const squares = blk: {{
    var all: [{size}]u64 = undefined;
    for (&all, 0..) |*x, i| x.* = i * i + {n};
    break :blk all;
}};
pub fn square(i: usize) u64 {{ return squares[i]; }}
"""
    return text, [Call("square", (size - 1,), (size - 1) ** 2 + n)]


def sorted_(n: int) -> Piece:
    text = f"""pub fn order(a: []i64) void {{
    std.sort.pdq(i64, a, {{}}, std.sort.{"asc" if n % 2 else "desc"}(i64));
    a[0] += {n};
}}
"""
    values = sorted([5, 3, 9, 1], reverse=not n % 2)
    values[0] += n
    return text, [Call("order", (np.array([5, 3, 9, 1]),), values)]


def recursive(n: int) -> Piece:
    text = f"""pub fn ackermann(m: u64, k: u64) u64 {{
    if (m == 0) return k + {n % 3 + 1};
    if (k == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, k - 1));
}}
"""

    def known(m: int, k: int) -> int:
        return k + n % 3 + 1 if m == 0 else known(m - 1, 1) if k == 0 else known(m - 1, known(m, k - 1))

    return text, [Call("ackermann", (2, 3), known(2, 3))]


def formatted(n: int) -> Piece:
    text = f"""pub fn shown(allocator: std.mem.Allocator, a: i64) ![]const u8 {{
    return std.fmt.allocPrint(allocator, "{n}:{{d}}", .{{a}});
}}
"""
    return text, [Call("shown", (7,), f"{n}:7")]


def allocated(n: int) -> Piece:
    text = f"""pub fn counting(allocator: std.mem.Allocator, count: usize) ![]u32 {{
    const all = try allocator.alloc(u32, count);
    for (all, 0..) |*x, i| x.* = @intCast(i + {n});
    return all;
}}
"""
    return text, [Call("counting", (4,), [n, n + 1, n + 2, n + 3])]


PIECES: tuple[Callable[[int], Piece], ...] = (
    constant, helper, words, summed, shaped, failing, maybe, generic, table, sorted_, recursive, formatted, allocated,
)  # fmt: skip
BREAKS = (
    "pub fn broken() i32 {{\n    return missing{n};\n}}\n",
    "pub fn broken( {{\n",
    'pub fn broken() i32 {{\n    return "text";\n}}\n',
    'const unused_{n} = @compileError("now");\npub fn broken() void {{ _ = unused_{n}; }}\n',
)


def edits(seed: int, count: int) -> Iterator[tuple[str, list[Call] | None]]:
    """Cell after cell, with what to ask of it; None where it does not compile."""
    order = random.Random(seed)
    there: dict[int, int] = {0: 1}
    for n in range(count):
        for _ in range(order.randint(1, 3)):
            which = order.randrange(len(PIECES))
            if which in there and order.random() < 0.4:
                del there[which]
            else:
                there[which] = order.randint(2, 1000)
        if order.random() < 0.15:
            there = {order.randrange(len(PIECES)): n + 2}
        kinds = list(there)
        order.shuffle(kinds)
        made = [PIECES[which](there[which]) for which in kinds]
        text = HEAD + "comptime {\n    _ = std;\n}\n" + "\n".join(piece for piece, _ in made)
        if not made or order.random() < 0.2:
            yield text + order.choice(BREAKS).format(n=n), None
        else:
            yield text, [call for _, calls in made for call in calls]
