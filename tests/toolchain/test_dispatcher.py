"""Both ways of a call: through the dispatcher and through cffi. Results and messages are the same, value by value."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.deploy import NativeModule

sys.path.insert(0, str(Path(__file__).parent))
from held import resident_growth

CELL = """
const std = @import("std");
const o = @import("o");
const Pair = struct { low: f64, high: f64 };
pub fn no() void {}
pub fn flag(a: bool) bool {
    return !a;
}
pub fn i8_(a: i8) i8 {
    return a;
}
pub fn u3_(a: u3) u3 {
    return a;
}
pub fn i64_(a: i64) i64 {
    return a;
}
pub fn u64_(a: u64) u64 {
    return a;
}
pub fn f16_(a: f16) f16 {
    return a;
}
pub fn f64_(a: f64) f64 {
    return a;
}
pub fn read(a: []const f32, b: []const i64) f64 {
    var sum: f64 = 0;
    for (a) |x| sum += x;
    for (b) |x| sum += @floatFromInt(x);
    return sum;
}
pub fn fill(a: []i16, x: i16) void {
    @memset(a, x);
}
pub fn text(a: []const u8) []const u8 {
    return a;
}
pub fn ended(a: [:0]const u8) usize {
    return a.len;
}
pub fn matrix(m: o.Matrix(f64)) f64 {
    var sum: f64 = 0;
    for (0..m.rows) |i| for (m.row(i)) |x| {
        sum = sum * 3 + x;
    };
    return sum;
}
pub fn rows(a: []const [3]f64, b: ?[]const [2]bool) []const [3]f64 {
    return if (b) |c| a[c.len..] else a;
}
pub fn turn(a: [][2]i16) void {
    for (a) |*x| x.* = .{ x[1], x[0] };
}
pub fn grid(gpa: std.mem.Allocator, n: u16) !struct { i32, ?[][2]u16 } {
    const out = try gpa.alloc([2]u16, n);
    for (out, 0..) |*x, i| x.* = .{ @intCast(i), 7 };
    return .{ 1, if (n == 9) null else out };
}
pub fn maybe(a: ?i32, b: ?[]const f64) ?f64 {
    const c = b orelse return if (a) |x| @floatFromInt(x) else null;
    return c[0];
}
pub fn range(gpa: std.mem.Allocator, n: u16) ![]u16 {
    const out = try gpa.alloc(u16, n);
    for (out, 0..) |*x, i| x.* = @intCast(i);
    return out;
}
pub fn bounds(a: []const f64) !Pair {
    if (a.len == 0) return error.Empty;
    return .{ .low = std.mem.min(f64, a), .high = std.mem.max(f64, a) };
}
pub fn several(a: i32) struct { i32, bool, ?f64, []const u8 } {
    return .{ a, a > 0, if (a > 1) 1.5 else null, "words" };
}
pub fn plus(a: i32) i32 {
    return a + 1;
}
pub fn wild(at: usize) void {
    const p: *allowzero volatile u8 = @ptrFromInt(at);
    p.* = 1;
}
pub fn list(a: [3]f64) f64 {
    return a[0] + a[1] + a[2];
}
"""
FAST = ("no", "flag", "i8_", "u3_", "i64_", "u64_", "f16_", "f64_", "read", "fill", "text", "ended", "matrix", "maybe",
        "rows", "turn", "grid", "range", "bounds", "several", "plus", "wild")  # fmt: skip


class Floats:
    """A value that only Python code can make a number of."""

    def __float__(self) -> float:
        return 2.5

    def __index__(self) -> int:
        return 3


F64S = np.arange(6.0)
READ_ONLY = np.zeros(3, np.int16)
READ_ONLY.flags.writeable = False
ODD = np.frombuffer(b"\0" * 33, np.uint8)[1:]
NUMBERS = [0, 1, -1, 3, 7, 8, 127, 128, -128, -129, 2**31, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 2**64, 10**400, True,
           1.5, -0.0, math.inf, 1e300, np.int8(5), np.uint64(2**63), np.float32(0.1), np.float64(0.1), np.bool_(True),
           "1", b"1", None, [1], np.ones(1), np.array(3), np.array(2.0), Floats(), 1j]  # fmt: skip
ARRAYS = [
    np.ones(4, np.float32), np.ones(4), np.ones(0, np.float32), np.ones((2, 3), np.float32),
    np.ones(8, np.float32)[::2], np.ones(4, ">f4"), ODD[:32].view(np.float32), np.float32(3),
    [1.0, 2], [], [None], (1, 2.5), "text", b"\1\2\3\4",
    bytearray(8), memoryview(b"12345678"), np.ones(2, np.int64), np.ones(2, np.longlong), np.ones(2, "m8[s]"),
    np.ma.masked_array([1.0], dtype=np.float32), np.zeros(2, [("x", "f4")]), np.array(1, np.float32), None, {},
    np.asfortranarray(np.ones((2, 3), np.float32)), np.broadcast_to(np.float32(1), (4,)), np.ones(3, bool),
]  # fmt: skip
TEXTS = ["", "plain", "größer \N{SNOWMAN}", "a\0b", "half \ud800", b"", b"\xff\0", bytearray(b"ab"),
         np.frombuffer(b"ab", np.uint8), np.ones(2, np.int8), [97], 5, None]  # fmt: skip
MATRICES = [F64S.reshape(2, 3), F64S.reshape(2, 3).T, np.ones((4, 6))[1:3, 2:5], np.ones((4, 4))[::-1], np.ones((0, 3)),
            np.ones((3, 0)), np.ones((1, 4))[:, ::2], np.ones((4, 1)), np.ones((4, 8))[:, :1], F64S, [[1, 2], [3, 4]],
            np.ones((2, 2), np.float32), np.ones((2, 2, 2)), np.ones((3, 3), ">f8"), None]  # fmt: skip

ROWS = [F64S.reshape(2, 3), F64S.reshape(3, 2), F64S, np.ones((0, 3)), np.ones(0), np.ones((3, 0)), np.ones((0, 2)),
        np.ones((2, 2, 3)), np.ones((3, 2)).T, np.ones((2, 3), np.float32), [[1, 2, 3]], [], [1, 2, 3], [[1, 2]],
        b"", 3, ODD[:24].view(np.float64).reshape(1, 3)]  # fmt: skip
TURNED = [np.arange(6, dtype="i2").reshape(3, 2), np.zeros((2, 3), "i2"), READ_ONLY, [[1, 2]], np.zeros((0, 2), "i2"),
          np.zeros(0, "i2"), np.zeros((3, 4), "i2")[:, ::2], None]  # fmt: skip
BOOLS = [None, np.ones((1, 2), bool), np.full((1, 2), 2, np.uint8).view(bool), [[True, False]], np.ones(2, bool)]

CASES: list[tuple[str, tuple[Any, ...]]] = [
    ("no", ()), ("no", (1,)), ("plus", ()), ("plus", (1, 2)),
    *[("flag", (item,)) for item in (True, False, np.True_, np.bool_(False), 1, 0, None, "True", np.ones(1, bool))],
    *[(name, (item,)) for name in ("i8_", "u3_", "i64_", "u64_", "f16_", "f64_") for item in NUMBERS],
    *[("read", (item, np.ones(2, np.int64))) for item in ARRAYS],
    *[("read", (np.ones(2, np.float32), item)) for item in ARRAYS],
    *[("fill", (item, 3)) for item in (np.zeros(3, np.int16), READ_ONLY, np.zeros(4, np.int16)[::2], [0], bytearray(2),
                                       np.zeros(3, np.int32), np.zeros((2, 2), np.int16), None)],
    *[("fill", (np.zeros(1, np.int16), item)) for item in NUMBERS],
    *[(name, (item,)) for name in ("text", "ended") for item in TEXTS],
    *[("matrix", (item,)) for item in MATRICES],
    *[("maybe", (a, b)) for a in (None, 3, 2**31, "x") for b in (None, F64S, F64S[::2], [4.5], 1)],
    *[("range", (n,)) for n in (0, 3, 70_000)], *[("grid", (n,)) for n in (0, 3, 9, 70_000)],
    *[("rows", (item, None)) for item in ROWS], *[("rows", (F64S.reshape(2, 3), item)) for item in BOOLS],
    *[("turn", (item,)) for item in TURNED],
    *[("bounds", (item,)) for item in (F64S, np.ones(0), [3, 1], None)],
    *[("several", (n,)) for n in (0, 1, 2)],
    ("plus", (1,)), ("plus", (2**31 - 1,)), ("list", ([1, 2, 3],)), ("list", ([1, 2],)),
]  # fmt: skip


@pytest.fixture(scope="module")
def module(served: Callable[..., NativeModule]) -> NativeModule:
    """One whose functions were all called before, so that they have their entries."""
    found = served(CELL)
    warm(found)
    return found


def warm(found: NativeModule) -> None:
    for name, args in (("no", ()), ("flag", (True,)), ("read", ([1], [1])), ("fill", (np.zeros(1, np.int16), 1)),
                       ("text", ("",)), ("ended", ("",)), ("matrix", ([[1]],)), ("maybe", (None, None)),
                       ("rows", ([[1, 2, 3]], None)), ("turn", (np.zeros((1, 2), np.int16),)), ("grid", (1,)),
                       ("range", (1,)), ("bounds", ([1],)), ("several", (1,)), ("plus", (1,)),
                       ("list", ([1, 2, 3],)), ("i8_", (1,)),
                       ("u3_", (1,)), ("i64_", (1,)), ("u64_", (1,)), ("f16_", (1,)), ("f64_", (1,))):  # fmt: skip
        getattr(found, name)(*args)


def told(call: Callable[[], Any]) -> Any:
    """What a call gave, in a form that can be compared to the last bit; for an exception its type and text."""
    try:
        value = call()
    except Exception as error:  # noqa: BLE001 - the exception is what is compared
        return type(error), str(error), getattr(error, "name", ""), getattr(error, "line", 0)
    return exact(value)


def exact(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes(), value.flags.writeable, value.flags.owndata
    if isinstance(value, tuple):
        return type(value), tuple(map(exact, value))
    return type(value), value.hex() if isinstance(value, float) else value


def both(module: NativeModule, name: str, args: tuple[Any, ...]) -> tuple[Any, Any]:
    """What the dispatcher's function says, and what the portable path says."""
    function = getattr(module, name)
    portable = told(lambda: module.slot.version.call(name, args))
    return told(lambda: function(*args)), portable


@pytest.mark.parametrize(("name", "args"), CASES, ids=[f"{name}-{k}" for k, (name, _) in enumerate(CASES)])
def test_both_ways_say_the_same(module: NativeModule, name: str, args: tuple[Any, ...]) -> None:
    fast, portable = both(module, name, args)

    assert fast == portable


def test_every_covered_function_has_an_entry_and_no_other(module: NativeModule) -> None:
    covered = {name for name in module if getattr(module, name)._entry is not None}

    assert covered == set(FAST) - {"wild"}


def test_errors_are_really_raised_by_both(module: NativeModule) -> None:
    """So that the table above compares more than successes."""
    ends = [both(module, name, args)[0] for name, args in CASES]

    assert sum(isinstance(end[0], type) and issubclass(end[0], Exception) for end in ends) > 80
    assert {"Empty", "NativePanic"} <= {end[2] for end in ends if len(end) == 4} | {
        end[0].__name__ for end in ends if isinstance(end[0], type)
    }


DTYPES = st.sampled_from(["f4", ">f4", "f8", "i2", ">i2", "i8", "u1", "?", "c8", "S3"])


@st.composite
def some_array(draw: st.DrawFn) -> np.ndarray:
    """An array of any dtype and layout: gaps, reversed, transposed, read-only, not aligned."""
    dtype = np.dtype(draw(DTYPES))
    shape = tuple(draw(st.lists(st.integers(0, 4), min_size=0, max_size=3)))
    count = math.prod(shape) * 4 + 8
    raw = np.frombuffer(bytearray(count * dtype.itemsize + 1), np.uint8)[draw(st.integers(0, 1)) :]
    array = raw[: count * dtype.itemsize].view(dtype)[: math.prod(shape)].reshape(shape)
    for axis in range(array.ndim):
        step = draw(st.sampled_from([1, 1, 2, -1]))
        array = array[(slice(None),) * axis + (slice(None, None, step),)]
    if draw(st.booleans()):
        array = array.T
    array.flags.writeable = draw(st.booleans())
    return array


ANYTHING = st.one_of(
    st.integers(), st.integers(-200, 200), st.floats(), st.booleans(), st.none(), st.text(max_size=5),
    st.binary(max_size=5), st.floats().map(np.float64), st.integers(-100, 100).map(np.int32), some_array(),
    st.lists(st.integers(-5, 5), max_size=3),
)  # fmt: skip


@given(name=st.sampled_from([name for name in FAST if name not in ("wild", "range", "grid")]), data=st.data())
@settings(max_examples=600, deadline=None)
def test_both_ways_say_the_same_of_anything(module: NativeModule, name: str, data: st.DataObject) -> None:
    count = len(module.slot.version.artifact.interface.function(name).parameters)
    args = tuple(data.draw(ANYTHING) for _ in range(count))
    fast, portable = both(module, name, args)

    assert fast == portable


def test_writes_go_to_the_callers_memory(module: NativeModule) -> None:
    whole = np.zeros((3, 4), np.int16)
    module.fill(whole[1], 7)

    assert whole.tolist() == [[0] * 4, [7] * 4, [0] * 4]


def test_calls_leave_nothing_behind(module: NativeModule) -> None:
    array = np.ones(100, np.float32), np.ones(3, np.int64)

    def call(times: int) -> None:
        for _ in range(times):
            module.read(*array)
            module.range(1000)
            module.text("text of some length")
            module.bounds(F64S)
            module.several(2)

    call(2_000)
    gc.collect()
    assert resident_growth(lambda: call(20_000), 1 << 20) < 1 << 20
