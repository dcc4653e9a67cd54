"""What a library says of itself: what is skipped and why, and the module ABI."""

from __future__ import annotations

from collections.abc import Callable

from project_o.toolchain import Library
from project_o.values import Artifact

SKIPPED = """
const std = @import("std");
pub fn good(a: i32) i32 { return a; }
pub fn any(a: anytype) void { _ = a; }
pub fn generic(comptime T: type, a: T) T { return a; }
pub fn fixed(comptime n: usize) usize { return n; }
pub fn pointer(a: *u8) void { _ = a; }
pub fn wide(a: i129) void { _ = a; }
pub fn quad(a: f128) void { _ = a; }
pub fn extended() f80 { return 1; }
pub fn kind(a: u8) type { _ = a; return u8; }
pub fn odd(a: []const u7) void { _ = a; }
pub fn slices(a: []const []const u8) void { _ = a; }
pub fn pairs(a: []const [2][2]f32) void { _ = a; }
pub fn apart(a: []const [2:0]f32) void { _ = a; }
pub fn none(a: []const [0]f32) void { _ = a; }
pub fn counted(a: []const struct { n: u32, word: []const u8 }) void { _ = a; }
pub fn table(a: [2][2]f32) void { _ = a; }
pub fn large(a: [5000]u8) void { _ = a; }
pub fn twice(a: ??i32) void { _ = a; }
pub fn failing(a: anyerror!i32) void { _ = a catch 0; }
pub fn choice(a: enum(u65) { x, y }) void { _ = a; }
pub fn nameless(a: enum(u8) { _ }) void { _ = a; }
pub fn nested(a: []const struct { x: []const u8 }) void { _ = a; }
pub fn deep(a: @import("o").View(f32, 9)) void { _ = a; }
pub fn either(a: union(enum) { x: i32, y: f32 }) void { _ = a; }
pub fn opaquely(a: *anyopaque) void { _ = a; }
pub fn four(a: @Vector(4, f32)) void { _ = a; }
pub fn bits(a: packed struct(u8) { x: u4, y: u4 }) void { _ = a; }
pub fn linked(a: struct { next: ?*const u8 }) void { _ = a; }
pub fn over(a: []align(64) const f32) void { _ = a; }
pub fn ended(a: [:0]const u16) void { _ = a; }
pub fn view(a: []const f32) @import("o").Matrix(f32) { return .{ .ptr = a.ptr, .rows = 1, .cols = 1, .stride = 1 }; }
pub fn inner(a: struct { gpa: std.mem.Allocator }) void { _ = a; }
pub fn callback(a: *const fn () void) void { a(); }
pub fn various(a: c_int, ...) callconv(.c) void { _ = a; }
pub fn zero(a: u0) void { _ = a; }
"""


def test_what_cannot_be_mapped_is_skipped_by_name(compiled: Callable[..., Artifact]) -> None:
    interface = compiled(SKIPPED).interface
    reasons = dict(interface.skipped)

    assert [item.name for item in interface.functions] == ["good"]
    assert set(reasons) == {line.split("(")[0][7:] for line in SKIPPED.splitlines() if line.startswith("pub fn")} - {
        "good"
    }
    assert all(len(reason) > 10 for reason in reasons.values())
    assert "anytype" in reasons["any"]
    assert "comptime" in reasons["fixed"]
    assert "1 to 128 bits" in reasons["wide"]
    assert "use a slice" in reasons["pointer"]
    for name in ("pairs", "apart", "none"):
        assert reasons[name].endswith("floats, rows or structs of these")
    assert reasons["slices"].endswith(": join the texts to one, and split it in Python")
    assert reasons["counted"].endswith("or structs of these, which its field word is not")
    assert "field next" in reasons["linked"]
    assert "return a slice, which becomes a new array, and .reshape it" in reasons["view"]
    assert "1 to 8 dimensions" in reasons["deep"]
    assert "up to 64 bits" in reasons["choice"]


def test_the_module_abi(loaded: Callable[..., Library]) -> None:
    from cffi import FFI

    library = loaded(
        'pub const o_name = "small";\npub const o_version = "1.2.3";\n'
        "pub fn f(a: i32) !i32 {\n    return if (a < 0) error.Negative else a;\n}\n"
    )
    ffi = FFI()
    ffi.cdef("""
        struct version { uint32_t major, minor, patch; const char *git_hash; };
        const char *o_get_name(void); const char *o_get_version(void);
        const struct version *o_get_version_struct(void);
        int32_t o_init(void **context); int32_t o_shutdown(void *context);
        const char *o_get_last_error(void *context); int32_t o_can_reload(void); const char *o_describe(void);
    """)
    c = ffi.dlopen(library.artifact.path)
    context = ffi.new("void **")

    assert ffi.string(c.o_get_name()) == b"small"
    assert ffi.string(c.o_get_version()) == b"1.2.3"
    version = c.o_get_version_struct()
    assert (version.major, version.minor, version.patch, ffi.string(version.git_hash)) == (1, 2, 3, b"")
    assert c.o_init(ffi.NULL) == -2
    assert c.o_init(context) == 0
    assert c.o_shutdown(ffi.NULL) == -2
    assert c.o_shutdown(ffi.cast("void *", 8)) == -3
    assert c.o_shutdown(context[0]) == 0
    assert c.o_can_reload() == 1
    assert ffi.string(c.o_get_last_error(context[0])) == b""
    assert ffi.string(c.o_describe()).startswith(b'{"functions":[')
