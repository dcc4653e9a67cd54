"""The usual mistakes of a beginner, through the real compilers: what to write is said in the names of the line."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from project_o import toolchain, view
from project_o.errors import CompileError
from project_o.toolchain.hints import PREFIX, RUST, ZIG, Hint
from project_o.values import Program

PUBLIC = "write `pub fn secret` there"
MISTAKES_ZIG = [
    (
        "pub fn f(a: u32) u32 {\n    const half = a / 2;\n    return a;\n}",
        "write `_ = half;` below it while it is not needed yet",
    ),
    ("pub fn f(a: u32, by: u32) u32 {\n    return a;\n}", "write `_ = by;` in the function, or call the parameter `_`"),
    ("pub fn f(a: []const u8) u32 { var n: u32 = 0; for (a) |x| n += 1; return n; }", "write `_` in its place"),
    (
        "fn fill(a: []f32) void { a[0] = 1; }\npub fn f(a: []const f32) void { fill(a); }",
        "`[]const f32` is read only: take it as `[]f32`, to which Python passes a writable array",
    ),
    ('pub fn f() []u8 { return "abc"; }', "a literal is read only: let the type be `[]const u8`"),
    (
        "pub fn f(a: []const f32) void {\n    a[0] = 1;\n}",
        "the elements of a `[]const T` are read only: take it as `[]T`, to which Python passes a writable array",
    ),
    (
        "pub fn f(n: u32) u32 {\n    const i: u32 = 0;\n    i = n;\n    return i;\n}",
        "parameters are constants: write `var own = i;`, and change that",
    ),
    ("pub fn f(n: u32) u32 { const i: u32 = 0; i = n; return i; }", "declare it as `var i`"),
    (
        "pub fn f(n: u32) u32 {\n    n += 1;\n    return n;\n}",
        "parameters are constants: write `var own = n;`, and change that",
    ),
    ("pub fn f(x: f32) f32 { return std.math.sqrt(x); }", 'write `const std = @import("std");` at the top of the cell'),
    ("pub fn f(m: o.Matrix(f32)) f32 { return m.at(0, 0); }", 'write `const o = @import("o");` at the top of the cell'),
    ("pub fn f(a: []const f32) usize { return len(a); }", "the length of a slice is its field: `a.len`"),
    ("pub fn f(a: []const f32) usize { return a.len(); }", "it is a field: `.len` without parentheses"),
    ("pub fn f(a: u8) void { print(a); }", 'write `std.debug.print("{d}\\n", .{x});`'),
    ("pub fn f(a: u8) ?u8 { return if (a > 1) a else None; }", "it is called `null` here"),
    ("pub fn f(a: u8) bool { return if (a > 1) True else false; }", "write it in small letters"),
    ("pub fn f(a: []const f32, i: i32) f32 { return a[i]; }", "`@intCast(x)` makes it a number of that type, checked"),
    ("pub fn f(x: f64) f32 { return x; }", "`@floatCast(x)` makes it a number of that type"),
    ("pub fn f(n: i32) f32 { return n; }", "`@floatFromInt(x)` makes it one"),
    ("pub fn f(x: f32) i32 { return x; }", "`@intFromFloat(x)` makes it one, cut off and checked"),
    ("pub fn f(x: f32, n: i32) f32 { return x * n; }", "write `@as(f32, @floatFromInt(n))` for the other one"),
    ("pub fn f(n: i32, x: f32) f32 { return n * x; }", "write `@as(f32, @floatFromInt(n))` for the other one"),
    ("pub fn f(x: i32, n: u32) i64 { return x * n; }", "write `@as(i32, @intCast(n))` for the other one"),
    ("pub fn f(x: i32) f32 { return @intToFloat(f32, x); }", "it is called `@floatFromInt(x)` now"),
    ("pub fn f(x: f32) i32 { return @floatToInt(i32, x); }", "it is called `@intFromFloat(x)` now"),
    ("pub fn f(x: bool) u32 { return @boolToInt(x); }", "it is called `@intFromBool(x)` now"),
    (
        "pub fn f(x: i32) u8 { return @intCast(u8, x); }",
        "the type comes from where the value goes: `@as(T, @intCast(x))`",
    ),
    (
        (
            'const std = @import("std");\npub fn f(a: std.mem.Allocator) !usize {\n'
            "    var l = std.ArrayList(f32).init(a);\n    try l.append(1);\n    return 1;\n}"
        ),
        "write `var list: std.ArrayList(T) = .empty;`, and `try list.append(allocator, x);`",
    ),
    (
        "pub fn f(a: []const f32) f32 { var s: f32 = 0; for (a) |x, i| { s += x; _ = i; } return s; }",
        "the index is a range of its own: `for (a, 0..) |x, i|`",
    ),
    ("pub fn f() u32 { var i: u32 = 0; i++; return i; }", "there is no `++`: write `i += 1`"),
    ('pub fn f(a: []const u8) bool { return a == "x"; }', "write `std.mem.eql(u8, a, b)`"),
    (
        "pub fn f(n: u32) u32 {\n    var i = 0;\n    while (i < n) i += 1;\n    return n;\n}",
        "say which number it is: `var i: usize = 0;`",
    ),
    ("pub fn f(n: u32) callconv(.C) u32 { return n; }", "it is written `callconv(.c)` now"),
    ("pub fn f(x: f32) f32 { return x ** 2; }", "there is no power: write `x * x`, or `std.math.pow(f32, x, y)`"),
    ("pub fn f(n: i32) i32 { return n > 0 ? n : -n; }", "there is no `?:`: write `if (a) b else c`"),
    (
        "pub fn f(n: i32) i32 {\n    int x = 3;\n    return x + n;\n}",
        "declare it as `const x = ...`, or `var x: T = ...` where it changes",
    ),
    ("pub fn f(n: i32) i32 {\n    const x = 3\n    return x + n;\n}", None),
    ("const n = 3;\npub fn f(n: u32) u32 { return n; }", "no name may hide another one: call it something else"),
    ("pub fn f(a: ?u32) u32 { return a + 1; }", "write `(x orelse 0)` where it may be null"),
    ("pub fn f(a: i32, b: i32) i32 { return a / b; }", None),
    ("const E = enum { a }; pub fn f() u8 { return @enumToInt(E.a); }", "it is called `@intFromEnum(x)` now"),
    ("const E = enum { a }; pub fn f() E { return @intToEnum(E, 0); }", "it is called `@enumFromInt(x)` now"),
    ("pub fn f(a: []const u8) usize { return @ptrToInt(a.ptr); }", "it is called `@intFromPtr(x)` now"),
    ("pub fn f(n: u8) void { var s = 0.5; if (n > 1) s = 2; }", "say which number it is: `var s: f64 = 0;`"),
    ("pub fn f() []const u8 { return 'hello'; }", 'a text stands in double quotes: `"..."`'),
    ("pub fn f(x: i32) i32 {\n    if (x > 1) {\n        return 1;\n    return 2;\n}\n", "a `{` above has no `}`"),
    ("def f(x):\n    return x", "a function begins so: `pub fn f(x: f64) f64 {`"),
    (
        "pub fn f(x: i32) { _ = x; }",
        "write the type of the result before the `{`, `void` where there is none",
    ),
    (
        "pub fn f(n: u32) u32 { var s: u32 = 0; for i in range(n) { s += i; } return s; }",
        "write `for (0..n) |i|`, or `for (a) |x|`",
    ),
    (
        "pub fn f(n: u32) u32 { var s: u32 = 0; for (int i = 0; i < n; i++) { s += i; } return s; }",
        "write `for (0..n) |i|`",
    ),
    (
        "pub fn f(x: i32) i32 {\n    if x > 0 { return 1; }\n    return 0;\n}",
        "what `if` asks stands in parentheses: `if (...)`",
    ),
    (
        'const std = @import("std");\npub fn f() void { std.debug.print("hello\\n"); }',
        'what it prints comes in a second argument: `std.debug.print("...", .{})`',
    ),
    (
        'const std = @import("std");\npub fn f(n: i32) void { std.debug.print("{d}\\n", n); }',
        "what is printed stands in `.{...}`",
    ),
    ("pub fn f(x: bool, y: bool) bool { return x || y; }", "write `or`"),
    ("pub fn f(x: bool) bool { return not x; }", "write `!x`"),
    ("pub fn f(a: []const f64) usize { return a.length; }", "it is called `len` here"),
    ("pub fn f(x: f64) f64 { return x ^ 2; }", "there is no power: write `x * x`, or `std.math.pow(f64, x, y)`"),
    ("# The same.\npub fn f(x: f64) f64 { return x; }", "a comment begins with `//`"),
    (
        "pub fn f() f64 {\n    const a = [_]f64{0} ** 4;\n    return a[0];\n}",
        "an array of equal ones is `const a: [4]f64 = @splat(0);`",
    ),
    ("pub fn f(x: float) float { return x; }", "it is called `f64` here"),
    ("pub fn f(x: int) int { return x; }", "it is called `i64` here, or `i32`, `usize`"),
    ("pub fn f(s: str) usize { return s.len; }", "a text is a `[]const u8`"),
    ("pub fn f(x: f64) f64 { return sqrt(x); }", "it is called `@sqrt` here"),
]
MISTAKES_RUST = [
    (
        "fn g(v: Vec<f32>) -> usize { v.len() }\npub fn f(n: usize) -> usize { let v = vec![0.0; n]; g(v) + v.len() }",
        "`&v` lends it: a function that only reads takes `&[T]`",
    ),
    (
        "fn g(v: Vec<f32>) -> usize { v.len() }\npub fn f(n: usize) -> usize { let v = vec![0.0; n]; g(v) + g(v) }",
        "`&v` lends it: a function that only reads takes `&[T]`",
    ),
    ("pub fn f(a: &[f32], i: i32) -> f32 { a[i] }", "an index is a `usize`: `a[i as usize]`"),
    ("pub fn f(a: f32, b: i32) -> f32 { a * b }", "bring both to one type: `x as f32`"),
    ("pub fn f(a: i32, b: f32) -> f32 { a * b }", "bring both to one type: `x as f32`"),
    ("pub fn f(a: f64) -> f32 { a }", "`x as f32` makes it one, cut off without a check"),
    ("pub fn f(a: &[f32]) { a[0] = 1.0; }", "take `a` as `&mut [T]`, to which Python passes a writable array"),
    (
        "use rand::Rng;\npub fn f() -> u8 { 1 }",
        "for a crate write `%%rust --dep 'rand = \"1\"'`; a cell of that name has to be run before",
    ),
    (
        "pub fn f() -> u8 { rand::random() }",
        "for a crate write `%%rust --dep 'rand = \"1\"'`; a cell of that name has to be run before",
    ),
    (
        "pub fn f(a: &str, b: &str) -> &str { if a.len() > 1 { a } else { b } }",
        "return what is its own, a `String` or a `Vec<T>`",
    ),
    (
        "pub fn f(n: usize) -> &'static [f32] { let v = vec![0.0; n]; &v }",
        "return the `Vec<T>`: Python gets a new array",
    ),
    (
        "pub fn f(a: &str) -> f32 { a.parse::<f32>()? }",
        "let the function return `Result<T, E>`: an error is a NativeResultError in Python",
    ),
    ("pub fn f(a: &[f32]) -> f32 { *a.iter().max().unwrap() }", "write `a.iter().copied().fold(f32::MIN, f32::max)`"),
    ("pub fn f(n: usize) -> usize {\n    let i = 0;\n    i += n;\n    i\n}", None),
]


def hints_of(compile_: Callable[..., Any], source: str, **how: Any) -> tuple[CompileError, list[str]]:
    with pytest.raises(CompileError) as told:
        compile_(source, **how)
    notes = [note.message for found in told.value.diagnostics for note in found.notes]
    return told.value, [note.removeprefix(PREFIX) for note in notes if note.startswith(PREFIX)]


def check(compile_: Callable[..., Any], source: str, expected: str | None) -> None:
    error, hints = hints_of(compile_, source)
    if expected is None:
        assert hints == []
        return
    assert expected in hints, error.diagnostics
    shown = view.show_compile_error(error)
    assert f"note: {PREFIX}{expected}" in shown.plain
    assert f"{PREFIX}{html.escape(expected, quote=False)}" in shown.html


@pytest.mark.parametrize(("source", "expected"), MISTAKES_ZIG)
def test_zig(source: str, expected: str | None, compiled: Callable[..., Any]) -> None:
    check(compiled, source, expected)


@pytest.mark.parametrize(("source", "expected"), MISTAKES_RUST)
def test_rust(source: str, expected: str | None, compiled_rust: Callable[..., Any]) -> None:
    check(compiled_rust, source, expected)


@pytest.mark.parametrize("row", [*ZIG, *RUST], ids=lambda row: row.words)
def test_every_hint_is_given_by_one_of_these_mistakes(row: Hint) -> None:
    """A row that no compiler's message reaches says nothing to anybody."""
    form = re.escape(row.words.replace("{{", "\0").replace("}}", "\1"))
    form = re.sub(r"\\{\w+\\}", ".+", form).replace("\0", r"\{").replace("\1", r"\}")
    said = [expected for _, expected in (*MISTAKES_ZIG, *MISTAKES_RUST) if expected] + [PUBLIC]

    assert any(re.fullmatch(form, one) for one in said)


def test_what_another_file_does_not_offer_is_to_be_made_public(zig_there: Path) -> None:
    files = (("cell.zig", 'pub fn f() void { @import("other.zig").secret(); }'), ("other.zig", "fn secret() void {}"))
    _, hints = hints_of(lambda _: toolchain.build(Program("cell", "zig", files)), "")

    assert hints == [PUBLIC]


def test_several_errors_of_one_compilation_come_together_in_the_order_of_their_lines(
    compiled: Callable[..., Any], compiled_rust: Callable[..., Any]
) -> None:
    zig = "pub fn b() u32 {\n    return y;\n}\npub fn a() u32 {\n    return x;\n}\npub fn c() u32 {\n    return z;\n}"
    rust = "pub fn b() -> u32 {\n    y\n}\npub fn a() -> f32 {\n    x\n}\npub fn c(v: f64) -> f32 {\n    v\n}"
    for compile_, source, lines in ((compiled, zig, [2, 5, 8]), (compiled_rust, rust, [2, 5, 8])):
        error, _ = hints_of(compile_, source)
        assert [found.line for found in error.diagnostics] == lines
        shown = view.show_compile_error(error)
        for line in lines:
            assert f"cell:{line}:" in shown.plain
            assert f"cell:{line}:" in shown.html
        assert f"{len(lines)} errors" in shown.plain


def test_the_notes_of_the_compilers_are_kept_and_endless_lists_are_not(compiled_rust: Callable[..., Any]) -> None:
    error, _ = hints_of(compiled_rust, "pub fn f(a: &str) -> bool { a == 'x' }")
    notes = [note.message for note in error.diagnostics[0].notes]

    assert any("is not implemented for `&str`" in note for note in notes)
    assert not any("following other types" in note for note in notes)
