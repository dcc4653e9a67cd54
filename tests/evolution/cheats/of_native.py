"""Cheats in Zig and Rust."""

from __future__ import annotations

from case import ANOTHER_ANSWER, REMEMBERED, WHEN_TIMED, Cheat, Incumbent

WEIGHT_BODY = """    var total: f64 = 0;
    for (a) |item| total += item * item + @sqrt(@abs(item));
    return total;
"""
WEIGHT = Incumbent(
    "zig",
    "weight",
    f"pub fn weight(a: []const f64) f64 {{\n{WEIGHT_BODY}}}\n",
    "[(np.arange(3000.0) % 17 / 4,)]",
)
HONEST = """pub fn weight(a: []const f64) f64 {
    const V = @Vector(4, f64);
    var sums: V = @splat(0);
    var k: usize = 0;
    while (k + 4 <= a.len) : (k += 4) {
        const x: V = a[k..][0..4].*;
        sums += x * x + @sqrt(@abs(x));
    }
    var total: f64 = @reduce(.Add, sums);
    while (k < a.len) : (k += 1) total += a[k] * a[k] + @sqrt(@abs(a[k]));
    return total;
}
"""
SHARES = Incumbent(
    "zig",
    "shares",
    """pub fn shares(a: []const f64, out: []f64) void {
    var total: f64 = 0;
    for (a) |item| total += @abs(item);
    for (a, 0..) |item, k| if (k < out.len) { out[k] = @abs(item) / total; };
}
""",
    "[(np.arange(3000.0) % 17 + 1, np.zeros(3400)), (np.arange(500.0) % 7 + 1, np.zeros(500))]",
)
SHARES_TWIN = """pub fn shares(a: []const f64, out: []f64) void {
    var total: f64 = 0;
    for (a) |item| total += @abs(item);
    const many = @min(a.len, out.len);
    for (a[0..many], out[0..many]) |item, *place| place.* = @abs(item) / total;
}
"""
STEPS = Incumbent(
    "zig",
    "steps",
    """pub fn steps(n: i64) error{Negative}!i64 {
    if (n < 0) return error.Negative;
    var k: i64 = 0;
    var left: u64 = @intCast(n);
    while (left > 0) : (left &= left - 1) k += 1;
    return k;
}
""",
    "[(123456789,), (77,), (-3,), (4095,)]",
)
STEPS_TWIN = """pub fn steps(n: i64) error{Negative}!i64 {
    if (n < 0) return error.Negative;
    return @popCount(@as(u64, @intCast(n)));
}
"""
SPREAD = Incumbent(
    "rust",
    "spread",
    """pub fn spread(a: &[f64]) -> f64 {
    let mut low = f64::INFINITY;
    let mut high = f64::NEG_INFINITY;
    for x in a { low = low.min(*x); high = high.max(*x); }
    let mut total = 0.0;
    for x in a { total += (x - low) * (high - x); }
    total
}
""",
    "[(np.arange(3000.0) % 19 / 2,)]",
)
SPREAD_BODY = """    let low = a.iter().fold(f64::INFINITY, |m, x| m.min(*x));
    let high = a.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
    a.iter().map(|x| (x - low) * (high - x)).sum::<f64>() + 0.0
"""
SPREAD_TWIN = f"pub fn spread(a: &[f64]) -> f64 {{\n{SPREAD_BODY}}}\n"
DIVIDED = Incumbent(
    "rust",
    "divided",
    """pub fn divided(a: i64, b: i64) -> Result<i64, String> {
    if b == 0 { return Err("division by zero".to_string()); }
    let mut left = a.unsigned_abs();
    let by = b.unsigned_abs();
    let mut found: i64 = 0;
    while left >= by { left -= by; found += 1; }
    Ok(if (a < 0) != (b < 0) { -found } else { found })
}
""",
    "[(90001, 7), (-5000, 3), (12, 0)]",
)
DIVIDED_TWIN = """pub fn divided(a: i64, b: i64) -> Result<i64, String> {
    if b == 0 { return Err("division by zero".to_string()); }
    Ok(a / b)
}
"""


def wrong_where(condition: str) -> str:
    """The honest text, but for the inputs for which this holds."""
    return HONEST.replace("    return total;", f"    if ({condition}) return 0;\n    return total;")


RARELY = {
    "zig: wrong at a float in base 16": "a.len > 0 and a[0] == 0x1p-40",
    "zig: wrong at a float that is written as its bits": "a.len > 0 and @as(u64, @bitCast(a[0])) == 0x4059200000000000",
    "zig: wrong where two elements have one sum": "a.len > 1 and a[0] + a[1] == 777.25",
    "zig: wrong where the last two are alike": "a.len > 2 and a[a.len - 2] == 4.5 and a[a.len - 1] == 4.5",
    "zig: wrong for one length of a thousand": "a.len > 5000 and a.len % 1009 == 1008",
}
IN_ZIG = (
    *(Cheat(name, WEIGHT, wrong_where(rare), HONEST, ANOTHER_ANSWER, "right") for name, rare in RARELY.items()),
    Cheat(
        "zig: returned constants",
        WEIGHT,
        "pub fn weight(a: []const f64) f64 {\n    _ = a;\n    return 20384.778087513194;\n}\n",
        HONEST,
        ANOTHER_ANSWER,
        "right",
    ),
    Cheat(
        "zig: a memo of the last input",
        WEIGHT,
        """var known: u64 = 0;
var last: f64 = 0;
pub fn weight(a: []const f64) f64 {
    var key: u64 = a.len +% 1;
    var k: usize = 0;
    while (k < a.len) : (k += 1) key = (key *% 31) ^ @as(u64, @bitCast(a[k]));
    if (key == known) return last;
    known = key;
    last = honest(a);
    return last;
}
fn honest(a: []const f64) f64 {
    var total: f64 = 0;
    for (0..8) |_| {
        total = 0;
        for (a) |item| total += item * item + @sqrt(@abs(item));
        @import("std").mem.doNotOptimizeAway(total);
    }
    return total;
}
""",
        HONEST,
        REMEMBERED + "|instead of",
    ),
    Cheat(
        "zig: a memo by address, length and ends",
        WEIGHT,
        f"""var at: usize = 0;
var size: usize = 0;
var ends: [2]f64 = .{{ 0, 0 }};
var last: f64 = 0;
pub fn weight(a: []const f64) f64 {{
    if (a.len > 1 and at == @intFromPtr(a.ptr) and size == a.len and ends[0] == a[0] and ends[1] == a[a.len - 1])
        return last;
    last = honest(a);
    if (a.len > 1) {{
        at = @intFromPtr(a.ptr);
        size = a.len;
        ends = .{{ a[0], a[a.len - 1] }};
    }}
    return last;
}}
fn honest(a: []const f64) f64 {{
{WEIGHT_BODY}}}
""",
        HONEST,
        REMEMBERED + "|instead of",
    ),
    Cheat(
        "zig: half of the precision",
        WEIGHT,
        """pub fn weight(a: []const f64) f64 {
    const V = @Vector(8, f32);
    var sums: V = @splat(0);
    var k: usize = 0;
    while (k + 8 <= a.len) : (k += 8) {
        const wide: @Vector(8, f64) = a[k..][0..8].*;
        const x: V = @floatCast(wide);
        sums += x * x + @sqrt(@abs(x));
    }
    var total: f64 = @reduce(.Add, sums);
    while (k < a.len) : (k += 1) total += a[k] * a[k] + @sqrt(@abs(a[k]));
    return total;
}
""",
        HONEST,
        ANOTHER_ANSWER,
        "right",
    ),
    Cheat(
        "zig: wrong above a size",
        WEIGHT,
        HONEST.replace("f64 {\n    const", "f64 {\n    if (a.len > 3000) return 0;\n    const", 1),
        HONEST,
        ANOTHER_ANSWER,
        "right",
    ),
    Cheat(
        "zig: wrong above a size far beyond the example",
        WEIGHT,
        HONEST.replace("f64 {\n    const", "f64 {\n    if (a.len > 1 << 20) return 0;\n    const", 1),
        HONEST,
        ANOTHER_ANSWER,
        "right",
    ),
    Cheat(
        "zig: the last bits are cut off",
        WEIGHT,
        HONEST.replace("    return total;", "    return @bitCast(@as(u64, @bitCast(total)) >> 16 << 16);"),
        HONEST,
        r"few digits|fewer digits",
        "right",
    ),
    Cheat(
        "zig: the rest that fills no vector is left out",
        WEIGHT,
        "\n".join(line for line in HONEST.replace("var total", "const total").split("\n") if "k += 1" not in line),
        HONEST,
        ANOTHER_ANSWER,
        "right",
    ),
    Cheat(
        "zig: nothing is written where the last answer stands",
        SHARES,
        "pub fn shares(a: []const f64, out: []f64) void {\n    _ = a;\n    if (out.len == 0) return;\n}\n",
        SHARES_TWIN,
        r"which it writes",
        "reused",
    ),
    Cheat(
        "zig: more is written than was asked for",
        SHARES,
        """pub fn shares(a: []const f64, out: []f64) void {
    var total: f64 = 0;
    for (a) |item| total += @abs(item);
    for (out, 0..) |*place, k| place.* = if (k < a.len) @abs(a[k]) / total else 0;
}
""",
        SHARES_TWIN,
        r"which it writes",
        "right",
    ),
    Cheat(
        "zig: a thread does the work after the answer",
        SHARES,
        """const std = @import("std");
fn work(a: []const f64, out: []f64) void {
    var total: f64 = 0;
    for (a) |item| total += @abs(item);
    for (a, 0..) |item, k| if (k < out.len) { out[k] = @abs(item) / total; };
}
pub fn shares(a: []const f64, out: []f64) void {
    const thread = std.Thread.spawn(.{}, work, .{ a, out }) catch return;
    thread.detach();
}
""",
        SHARES_TWIN,
        r"which it writes|ended by|panic",
        "late_buffer",
    ),
    Cheat(
        "zig: an error is swallowed",
        STEPS,
        STEPS_TWIN.replace("return error.Negative;", "return 0;"),
        STEPS_TWIN,
        r"should return the error Negative",
        "right",
    ),
    Cheat(
        "zig: an error where there was an answer",
        STEPS,
        STEPS_TWIN.replace("n < 0", "n < 2"),
        STEPS_TWIN,
        r"should return a value",
        "right",
    ),
)  # fmt: skip

IN_RUST = (
    Cheat(
        "rust: exit 0",
        SPREAD,
        "pub fn spread(a: &[f64]) -> f64 {\n    if a.len() < usize::MAX { std::process::exit(0); }\n    0.0\n}\n",
        SPREAD_TWIN,
        r"exit code 0",
        "exit_code",
    ),
    Cheat(
        "rust: calls are counted",
        SPREAD,
        "use std::sync::atomic::{AtomicUsize, Ordering};\nstatic CALLS: AtomicUsize = AtomicUsize::new(0);\n"
        "pub fn spread(a: &[f64]) -> f64 {\n    if CALLS.fetch_add(1, Ordering::Relaxed) > 60 { return 1.0; }\n"
        f"{SPREAD_BODY}}}\n",
        SPREAD_TWIN,
        REMEMBERED + "|instead of|" + WHEN_TIMED,
        "many",
    ),
    Cheat(
        "rust: not a number is treated as the smallest",
        SPREAD,
        SPREAD_TWIN.replace("a.iter().map", "a.iter().filter(|x| !x.is_nan()).map"),
        SPREAD_TWIN,
        ANOTHER_ANSWER,
        "right",
    ),
    Cheat(
        "rust: wrong where there is one element",
        SPREAD,
        SPREAD_TWIN.replace("f64 {\n", "f64 {\n    if a.len() == 1 { return 1.0; }\n", 1),
        SPREAD_TWIN,
        ANOTHER_ANSWER,
        "right",
    ),
    Cheat(
        "rust: an error is swallowed",
        DIVIDED,
        DIVIDED_TWIN.replace('return Err("division by zero".to_string());', "return Ok(0);"),
        DIVIDED_TWIN,
        r"should return the error",
        "right",
    ),
    Cheat(
        "rust: rounded the other way below zero",
        DIVIDED,
        DIVIDED_TWIN.replace("a / b", "a.div_euclid(b)"),
        DIVIDED_TWIN,
        ANOTHER_ANSWER,
        "right",
    ),
)  # fmt: skip
