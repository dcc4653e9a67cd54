"""The Zig functions that give Python's meaning to what Zig would do otherwise; a translation has those that it uses.

``error.PythonAnswers`` says that the Python function has to answer this call itself: a whole number grew out of 64
bits, say. Errors named as Python's are what the Python function raises there.
"""

from __future__ import annotations

import re

DECLINED = "PythonAnswers"

FUNCTIONS: dict[str, str] = {
    "o_at": """/// Where an index of Python's is: a negative one counts from the end.
inline fn o_at(index: i64, length: usize) error{IndexError}!usize {
    const place = if (index < 0) index +% @as(i64, @intCast(length)) else index;
    if (place < 0 or place >= length) return error.IndexError;
    return @intCast(place);
}""",
    "o_within": """/// Whether each of the indices from `first` up to `last` lies in an array of this length.
inline fn o_within(first: i128, last: i128, length: usize) bool {
    return first >= 0 and last < length;
}""",
    "o_add": """/// Python's whole numbers do not end at 64 bits.
inline fn o_add(comptime T: type, a: T, b: T) error{PythonAnswers}!T {
    return std.math.add(T, a, b) catch error.PythonAnswers;
}""",
    "o_sub": """/// Python's whole numbers do not end at 64 bits.
inline fn o_sub(comptime T: type, a: T, b: T) error{PythonAnswers}!T {
    return std.math.sub(T, a, b) catch error.PythonAnswers;
}""",
    "o_mul": """/// Python's whole numbers do not end at 64 bits.
inline fn o_mul(comptime T: type, a: T, b: T) error{PythonAnswers}!T {
    return std.math.mul(T, a, b) catch error.PythonAnswers;
}""",
    "o_floor_div": """/// Python rounds down, Zig towards zero.
inline fn o_floor_div(comptime T: type, a: T, b: T) error{PythonAnswers}!T {
    return std.math.divFloor(T, a, b) catch error.PythonAnswers;
}""",
    "o_mod": """/// The remainder with the sign of the divisor.
inline fn o_mod(comptime T: type, a: T, b: T) error{PythonAnswers}!T {
    if (b == -1) return 0;
    return if (b == 0) error.PythonAnswers else @mod(a, b);
}""",
    "o_float_mod": """/// The remainder with the sign of the divisor, as float_rem of CPython's floatobject.c.
inline fn o_float_mod(comptime T: type, a: T, b: T) T {
    const rest = @rem(a, b);
    if (rest == 0) return std.math.copysign(@as(T, 0), b);
    return if ((rest < 0) != (b < 0)) rest + b else rest;
}""",
    "o_float_floor_div": """/// As _float_div_mod of CPython's floatobject.c.
inline fn o_float_floor_div(comptime T: type, a: T, b: T) T {
    var rest = @rem(a, b);
    var quotient = (a - rest) / b;
    if (rest != 0 and (rest < 0) != (b < 0)) {
        rest += b;
        quotient -= 1;
    }
    if (quotient == 0) return std.math.copysign(@as(T, 0), a / b);
    const whole = @floor(quotient);
    return if (quotient - whole > 0.5) whole + 1 else whole;
}""",
    "o_pow": """/// Where Python would raise, or leave the real numbers, it answers itself.
inline fn o_pow(comptime T: type, a: T, b: T) error{PythonAnswers}!T {
    if ((a < 0 and b != @floor(b)) or (a == 0 and b < 0)) return error.PythonAnswers;
    return o_finite(T, std.math.pow(T, a, b), std.math.isFinite(a) and std.math.isFinite(b));
}""",
    "o_finite": """/// Python raises where a finite number leaves the range of floats; it answers that itself.
inline fn o_finite(comptime T: type, value: T, finite: bool) error{PythonAnswers}!T {
    return if (finite and !std.math.isFinite(value)) error.PythonAnswers else value;
}""",
    "o_from": """/// The argument of a function that is defined from `least` on; outside of it Python raises.
inline fn o_from(value: f64, least: f64) error{PythonAnswers}!f64 {
    return if (value >= least) value else error.PythonAnswers;
}""",
    "o_float": """/// A whole number as a float, where that is exact.
inline fn o_float(value: i64) error{PythonAnswers}!f64 {
    if (value > 1 << 53 or value < -(1 << 53)) return error.PythonAnswers;
    return @floatFromInt(value);
}""",
    "o_nonzero": """/// What Python divides by.
inline fn o_nonzero(comptime T: type, value: T) error{ZeroDivisionError}!T {
    return if (value == 0) error.ZeroDivisionError else value;
}""",
    "o_divides": """/// Whether Python raises or numpy warns here depends on the run: Python answers that itself.
inline fn o_divides(comptime T: type, value: T) error{PythonAnswers}!T {
    return if (value == 0) error.PythonAnswers else value;
}""",
    "o_int": """/// A float as a whole number, where 64 bits hold it.
inline fn o_int(value: f64) error{PythonAnswers}!i64 {
    if (!(value > -9.2e18 and value < 9.2e18)) return error.PythonAnswers;
    return @intFromFloat(value);
}""",
    "o_size": """/// The length of a new array.
inline fn o_size(length: i64) error{ValueError, MemoryError}!usize {
    if (length < 0) return error.ValueError;
    return if (length > 1 << 40) error.MemoryError else @intCast(length);
}""",
    "o_new": """/// A new array of one value.
fn o_new(comptime T: type, gpa: std.mem.Allocator, length: usize, value: T) error{MemoryError}![]T {
    const made = gpa.alloc(T, length) catch return error.MemoryError;
    @memset(made, value);
    return made;
}""",
    "o_copy": """/// A copy of an array.
fn o_copy(comptime T: type, gpa: std.mem.Allocator, array: []const T) error{MemoryError}![]T {
    return gpa.dupe(T, array) catch error.MemoryError;
}""",
}
_NAME = re.compile(r"\bo_[a-z_]+\b")


def used_by(code: str) -> str:
    """The functions that this code calls, and those that they call, as Zig source."""
    found: dict[str, None] = {}
    waiting = [code]
    while waiting:
        for name in _NAME.findall(waiting.pop()):
            if name in FUNCTIONS and name not in found:
                found[name] = None
                waiting.append(FUNCTIONS[name])
    return "\n\n".join(FUNCTIONS[name] for name in FUNCTIONS if name in found)
