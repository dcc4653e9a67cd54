"""Every mapped type through a real compiled cell and back."""

from __future__ import annotations

import gc
import math
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o.errors import InterfaceError, NativeResultError
from project_o.toolchain import Library

sys.path.insert(0, str(Path(__file__).parent))
from held import resident_growth

INTEGERS = [(sign, bits) for sign in "iu" for bits in (1, 2, 7, 8, 13, 16, 24, 31, 32, 33, 48, 63, 64)]
ELEMENTS = {
    "bool": "bool", "u8": "uint8", "i8": "int8", "u16": "uint16", "i16": "int16", "u32": "uint32", "i32": "int32",
    "u64": "uint64", "i64": "int64", "f16": "float16", "f32": "float32", "f64": "float64", "usize": "uint64",
}  # fmt: skip

CELL = (
    """
const std = @import("std");
const o = @import("o");
pub const Point = struct { x: f64, y: f32 };
pub const Flat = extern struct { a: u8, b: i64, c: bool };
const Deep = struct { p: Point, maybe: ?[3]i16, name: []const u8 };
fn Pair(comptime T: type) type {
    return struct { first: T, second: T };
}
pub fn same_bool(a: bool) bool {
    return a;
}
pub fn same_f16(a: f16) f16 {
    return a;
}
pub fn same_f32(a: f32) f32 {
    return a;
}
pub fn same_f64(a: f64) f64 {
    return a;
}
pub fn nothing() void {}
pub fn same_point(p: Point) Point {
    return p;
}
pub fn same_flat(p: Flat) Flat {
    return p;
}
pub fn same_pair(p: Pair(f32)) Pair(f32) {
    return p;
}
pub fn same_tuple(t: struct { u7, bool, [3]i16 }) struct { u7, bool, [3]i16 } {
    return t;
}
pub fn same_deep(d: Deep) Deep {
    return d;
}
pub fn same_optional(a: ?i32) ?i32 {
    return a;
}
pub fn same_optional_slice(a: ?[]const f64) ?[]const f64 {
    return a;
}
pub fn same_optional_point(a: ?Point) ?Point {
    return a;
}
pub fn same_array(a: [4]f32) [4]f32 {
    return a;
}
pub fn same_empty_array(a: [0]f32, b: i32) i32 {
    _ = a;
    return b;
}
pub fn same_text(a: []const u8) []const u8 {
    return a;
}
pub fn same_terminated(a: [:0]const u8) [:0]const u8 {
    return a;
}
pub fn terminated_length(a: [:0]const u8) usize {
    return std.mem.len(a.ptr);
}
pub fn after_absent(a: ?Deep, b: i32) i32 {
    return if (a == null) b else 0;
}
pub fn fill(a: []f32, value: f32) void {
    @memset(a, value);
}
pub fn transpose(a: o.Matrix(f64), b: o.MatrixMut(f64)) !void {
    if (a.rows != b.cols or a.cols != b.rows) return error.ShapesDiffer;
    for (0..a.rows) |i| for (0..a.cols) |j| b.set(j, i, a.at(i, j));
}
pub fn total(a: o.Matrix(u8)) u64 {
    var sum: u64 = 0;
    for (0..a.rows) |i| for (a.row(i)) |x| {
        sum += x;
    };
    return sum;
}
pub fn row_maxima(gpa: std.mem.Allocator, a: o.Matrix(f64)) ![]f64 {
    const out = try gpa.alloc(f64, a.rows);
    for (out, 0..) |*x, i| x.* = std.mem.max(f64, a.row(i));
    return out;
}
pub fn count(n: usize, gpa: std.mem.Allocator, start: u16) ![]u16 {
    var list: std.ArrayList(u16) = .empty;
    for (0..n) |i| try list.append(gpa, @intCast(start + i));
    gpa.free(try gpa.alloc(u64, 100));
    return list.toOwnedSlice(gpa);
}
pub fn words(gpa: std.mem.Allocator, a: []const u8) !struct { []const u8, ?[]const u8 } {
    const upper = try std.ascii.allocUpperString(gpa, a);
    return .{ upper, if (a.len > 1) a[1..] else null };
}
pub fn too_much(gpa: std.mem.Allocator) ![]u8 {
    return gpa.alloc(u8, std.math.maxInt(usize) / 2);
}
pub fn aligned(gpa: std.mem.Allocator, n: usize) !bool {
    const a = try gpa.alignedAlloc(u8, .@"64", n);
    const b = try gpa.alignedAlloc(u8, .fromByteUnits(4096), n);
    return std.mem.isAligned(@intFromPtr(a.ptr), 64) and std.mem.isAligned(@intFromPtr(b.ptr), 4096);
}
pub fn risky(a: i32) !?u8 {
    if (a < 0) return error.Negative;
    if (a == 0) return null;
    return std.math.cast(u8, a) orelse error.TooLarge;
}
pub fn risky_inside(a: i32) ?anyerror!i32 {
    if (a == 0) return null;
    if (a < 0) return error.Negative;
    return a;
}
pub fn risky_point(a: f64) error{Bad}!Point {
    return if (a != a) error.Bad else .{ .x = a, .y = 1 };
}
pub extern fn abs(a: c_int) c_int;
"""
    + "".join(f"pub fn same_{s}{b}(a: {s}{b}) {s}{b} {{\n    return a;\n}}\n" for s, b in INTEGERS)
    + "".join(
        f"pub fn same_slice_{z}(a: []const {z}) []const {z} {{\n    return a;\n}}\n"
        f"pub fn reverse_{z}(a: []{z}) void {{\n    std.mem.reverse({z}, a);\n}}\n"
        for z in ELEMENTS
    )
)


@pytest.fixture(scope="module", params=["safe", "fast", "debug"])
def cell(request: pytest.FixtureRequest, loaded: Callable[..., Library]) -> Library:
    return loaded(CELL, request.param)


def test_everything_public_is_offered(cell: Library) -> None:
    assert cell.artifact.interface.skipped == ()
    assert len(cell.artifact.interface.functions) == CELL.count("pub fn") + 1


@pytest.mark.parametrize(("sign", "bits"), INTEGERS)
def test_integers_of_every_width(cell: Library, sign: str, bits: int) -> None:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if sign == "i" else (0, (1 << bits) - 1)
    name = f"same_{sign}{bits}"
    for value in {low, low + 1, -1, 0, 1, high - 1, high}:
        if low <= value <= high:
            assert cell.call(name, [value]) == value
    for value in (low - 1, high + 1):
        with pytest.raises(InterfaceError, match=f"from {low} to {high}"):
            cell.call(name, [value])


@pytest.mark.parametrize("value", [0.0, -0.0, 1.5, math.inf, -math.inf, 5e-324, 1.7e308])
def test_floats(cell: Library, value: float) -> None:
    assert cell.call("same_f64", [value]).hex() == value.hex()
    with np.errstate(over="ignore"):
        assert cell.call("same_f32", [value]) == float(np.float32(value))
        assert cell.call("same_f16", [value]) == float(np.float16(value))


def test_not_a_number(cell: Library) -> None:
    assert all(math.isnan(cell.call(f"same_f{bits}", [math.nan])) for bits in (16, 32, 64))


def test_bool_and_void(cell: Library) -> None:
    assert cell.call("same_bool", [True]) is True
    assert cell.call("same_bool", [np.bool_(False)]) is False
    assert cell.call("nothing", []) is None


@pytest.mark.parametrize(("zig", "dtype"), ELEMENTS.items())
@pytest.mark.parametrize("size", [0, 1, 3, 1000])
def test_slices_of_every_element(cell: Library, zig: str, dtype: str, size: int) -> None:
    array = (np.arange(size) % 100).astype(dtype)
    expected = array.tolist()

    result = cell.call(f"same_slice_{zig}", [array])
    assert (bytes(result, "utf-8") if isinstance(result, str) else np.asarray(result, dtype).tobytes()) == (
        array.tobytes()
    )
    if zig != "u8":
        assert result.dtype == np.dtype(dtype)
        assert result.flags.writeable
        assert not np.shares_memory(result, array)
    cell.call(f"reverse_{zig}", [array])
    assert array.tolist() == expected[::-1]


def test_writes_go_to_the_callers_memory(cell: Library) -> None:
    whole = np.zeros((4, 3), np.float32)
    cell.call("fill", [whole[1:3], 2.0])
    assert whole.tolist() == [[0] * 3, [2] * 3, [2] * 3, [0] * 3]

    raw = bytearray(b"abc")
    cell.call("reverse_u8", [raw])
    assert raw == b"cba"


def test_text(cell: Library) -> None:
    for text in ("", "plain", "größer \N{SNOWMAN}", "a" * 10_000):
        assert cell.call("same_text", [text]) == text
        assert cell.call("same_terminated", [text]) == text
        assert cell.call("terminated_length", [text]) == len(text.encode())
    assert cell.call("same_text", [b"\xff\x00"]) == b"\xff\x00"
    assert cell.call("same_text", ["with\0zero"]) == "with\0zero"


def test_structs_and_tuples(cell: Library) -> None:
    point = cell.call("same_point", [(1.5, 2.5)])
    assert point == (1.5, 2.5)
    assert (type(point).__name__, point.x, point.y) == ("Point", 1.5, 2.5)
    assert cell.call("same_point", [point]) == point
    assert cell.call("same_point", [{"y": 1, "x": 2}]) == (2.0, 1.0)
    assert cell.call("same_flat", [(255, -(2**63), True)]) == (255, -(2**63), True)
    assert cell.call("same_pair", [(1, 2)]) == (1.0, 2.0)
    a, b, c = cell.call("same_tuple", [(127, True, [1, -2, 3])])
    assert (a, b, c.tolist()) == (127, True, [1, -2, 3])


def test_deep_values(cell: Library) -> None:
    deep = cell.call("same_deep", [((1, 2), [1, 2, 3], "name")])
    assert (deep.p, deep.maybe.tolist(), deep.name) == ((1.0, 2.0), [1, 2, 3], "name")
    assert cell.call("same_deep", [((1, 2), None, "")]) == ((1.0, 2.0), None, "")
    assert cell.call("after_absent", [None, 7]) == 7


def test_optionals(cell: Library) -> None:
    assert cell.call("same_optional", [None]) is None
    assert cell.call("same_optional", [0]) == 0
    assert cell.call("same_optional_slice", [None]) is None
    assert cell.call("same_optional_slice", [np.ones(2)]).tolist() == [1.0, 1.0]
    assert cell.call("same_optional_slice", [np.ones(0)]).tolist() == []
    assert cell.call("same_optional_point", [None]) is None
    assert cell.call("same_optional_point", [(1, 2)]) == (1.0, 2.0)


def test_arrays_by_value(cell: Library) -> None:
    assert cell.call("same_array", [[1, 2, 3, 4]]).tolist() == [1, 2, 3, 4]
    assert cell.call("same_array", [np.ones((2, 2), np.float32)]).tolist() == [1] * 4
    assert cell.call("same_empty_array", [[], 5]) == 5


def test_matrices(cell: Library) -> None:
    whole = np.arange(24.0).reshape(4, 6)
    out = np.zeros((3, 2))
    cell.call("transpose", [whole[1:3, 2:5], out])
    assert out.tolist() == whole[1:3, 2:5].T.tolist()

    assert cell.call("total", [np.full((3, 5), 255, np.uint8)]) == 3 * 5 * 255
    assert cell.call("total", [np.zeros((0, 5), np.uint8)]) == 0
    assert cell.call("total", [[[1, 2], [3, 4]]]) == 10
    with pytest.raises(NativeResultError, match="ShapesDiffer"):
        cell.call("transpose", [whole, out])


def test_memory_of_a_call(cell: Library) -> None:
    assert cell.call("row_maxima", [np.array([[1.0, 3.0], [2.0, 0.0]])]).tolist() == [3.0, 2.0]
    assert cell.call("count", [1000, 7]).tolist() == list(range(7, 1007))
    assert cell.call("count", [0, 7]).tolist() == []
    assert cell.call("words", ["zig"]) == ("ZIG", "ig")
    assert cell.call("words", ["z"]) == ("Z", None)
    assert cell.call("aligned", [10]) is True
    with pytest.raises(NativeResultError, match=r"error\.OutOfMemory"):
        cell.call("too_much", [])


def test_errors(cell: Library) -> None:
    assert cell.call("risky", [7]) == 7
    assert cell.call("risky", [0]) is None
    assert cell.call("risky_inside", [0]) is None
    assert cell.call("risky_inside", [3]) == 3
    assert cell.call("risky_point", [2.0]) == (2.0, 1.0)
    for name, argument, error in (
        ("risky", -1, "Negative"),
        ("risky", 256, "TooLarge"),
        ("risky_inside", -1, "Negative"),
        ("risky_point", math.nan, "Bad"),
    ):
        with pytest.raises(NativeResultError) as caught:
            cell.call(name, [argument])
        assert (caught.value.name, caught.value.function) == (error, name)


def test_functions_of_the_c_library(cell: Library) -> None:
    assert cell.call("abs", [-3]) == 3


def test_unknown_names_and_counts(cell: Library) -> None:
    with pytest.raises(InterfaceError, match="no function missing: there are same_bool"):
        cell.call("missing", [])
    with pytest.raises(InterfaceError, match="takes 1 argument, 0 were given"):
        cell.call("same_bool", [])


def test_arguments_live_as_long_as_the_call_and_no_longer(cell: Library) -> None:
    array = np.ones(3, np.float32)
    cell.call("same_slice_f32", [array])
    seen = weakref.ref(array)
    del array
    gc.collect()

    assert seen() is None


def test_memory_does_not_grow(cell: Library) -> None:
    def use() -> None:
        for _ in range(200):
            cell.call("count", [20_000, 1])

    use()
    assert resident_growth(lambda: (use(), use()), 8 << 20) < 8 << 20  # 16 MB were allocated


def test_calls_in_another_order_of_modes(loaded: Callable[..., Library]) -> None:
    """Two builds of one source are two libraries with their own variables."""
    source = "var n: i32 = 0;\npub fn next() i32 {\n    n += 1;\n    return n;\n}\n"
    first, second, again = loaded(source), loaded(source, "fast"), loaded(source)
    calls: list[Any] = [item.call("next", []) for item in (first, first, second, again, first)]

    assert calls == [1, 2, 1, 1, 3]
