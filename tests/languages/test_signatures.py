"""Names, documentation and lines, which Zig's own reflection does not have."""

from __future__ import annotations

from project_o.languages import tools_for

ZIG = """const std = @import("std");
const Allocator = std.mem.Allocator;
/// Adds two numbers.
///
/// Twice.
pub fn add(left: i32, right: i32) i32 {
    return left + right;
}
//// no documentation
pub inline fn plain(_: u8, noalias data: []const f32) void {
    _ = data;
}
/// lost: a line of code lies between
const x = 1;
pub fn make(gpa: std.mem.Allocator, other: Allocator, n: usize) ![]f32 {
    _ = .{ other, n };
    return gpa.alloc(f32, 1);
}
fn hidden(a: u8) void { _ = a; }
const S = struct { pub fn method(a: u8) void { _ = a; } };
pub fn @"odd name"(a: u8) void { _ = a; }
"""


def test_zig_functions_with_parameters_documentation_and_lines() -> None:
    found = tools_for("zig").signatures(ZIG)

    assert list(found) == ["add", "plain", "make", "odd name"]
    assert found["add"].parameters == ("left", "right")
    assert found["add"].doc == "Adds two numbers.\n\nTwice."
    assert found["add"].line == 6
    assert found["plain"].parameters == ("a0", "data")
    assert found["plain"].doc == ""
    assert found["make"].parameters == ("n",)
    assert found["make"].doc == ""


def test_zig_that_does_not_parse_still_gives_what_could_be_read() -> None:
    assert "add" in tools_for("zig").signatures("pub fn add(a: u8) u8 { return a; }\npub fn broken( {")
    assert tools_for("zig").signatures("") == {}


def test_python_functions() -> None:
    found = tools_for("python").signatures('import os\ndef f(a, /, b, *, c=1):\n    """Does."""\ndef _g(): pass\n')

    assert list(found) == ["f"]
    assert found["f"].parameters == ("a", "b", "c")
    assert (found["f"].doc, found["f"].line) == ("Does.", 2)


def test_comments_and_layout_do_not_make_another_program() -> None:
    zig, python = tools_for("zig").normalised, tools_for("python").normalised

    assert zig("const a = 1; // one\n") == zig("const  a=1;\n\n")
    assert zig("const a = 1;") != zig("const a = 2;")
    assert zig('const a = "x y";') != zig('const a = "xy";')
    assert python("if a:\n    b = 1  # one\n") == python("if a:\n\n        b = 1\n")
    assert python("if a:\n    b = 1\n    c = 2\n") != python("if a:\n    b = 1\nc = 2\n")
