"""Arguments against pages that nobody may touch: the first byte beyond an array is a fault that says which array."""

import numpy as np
import pytest

from project_o.sandbox import Sandbox
from project_o.sandbox.fences import PAGE_BYTES, Fences
from project_o.toolchain import build, guard_path
from project_o.values import Program

# Without the language's own checks, as `--mode fast` and unsafe code are. `byte` is relative to the end of the array.
CELL = """const o = @import("o");
const Pair = extern struct { a: u8, b: f64 };
fn peek(begin: usize, bytes: usize, byte: isize) u8 {
    const at: usize = @intCast(@as(isize, @intCast(begin + bytes)) + byte);
    const p: *const volatile u8 = @ptrFromInt(at);
    return p.*;
}
pub fn read(left: []const f32, right: []const f64, byte: isize) u8 {
    _ = left.len;
    return peek(@intFromPtr(right.ptr), right.len * 8, byte);
}
pub fn write(left: []f32, right: []const f64, byte: isize) void {
    _ = right.len;
    const at: usize = @intCast(@as(isize, @intCast(@intFromPtr(left.ptr) + left.len * 4)) + byte);
    const p: *volatile u8 = @ptrFromInt(at);
    p.* = 7;
}
pub fn text(a: []const u8, byte: isize) u8 {
    return peek(@intFromPtr(a.ptr), a.len, byte);
}
pub fn pairs(a: []const Pair, byte: isize) u8 {
    return peek(@intFromPtr(a.ptr), a.len * @sizeOf(Pair), byte);
}
pub fn three(a: [3]f64) f64 {
    return a[0] + a[2];
}
pub fn matrix(m: o.Matrix(f32), byte: isize) u8 {
    return peek(@intFromPtr(m.ptr), ((m.rows - 1) * m.stride + m.cols) * 4, byte);
}
pub fn reversed(v: o.View(i16, 1), byte: isize) u8 {
    return peek(@intFromPtr(v.ptr), 2, byte);
}
pub fn sum(v: o.View(f64, 2)) f64 {
    var found: f64 = 0;
    for (0..v.shape[0]) |i| for (0..v.shape[1]) |j| {
        found += v.at(.{ i, j });
    };
    return found;
}
pub fn double(a: []f32) void {
    for (a) |*x| x.* *= 2;
}
"""
ONES = np.ones((4, 6))
PAIRS = np.zeros(3, np.dtype([("a", "u1"), ("b", "f8")], align=True))


@pytest.fixture(scope="module")
def job():
    artifact = build(Program("fences", "zig", (("cell.zig", CELL),), mode="fast"))
    assert artifact.interface.skipped == ()
    with Sandbox() as box, box.native(artifact.path, artifact.interface, guard_path()) as job:
        yield job


@pytest.mark.parametrize("elements", [0, 1, 3, PAGE_BYTES // 8, PAGE_BYTES // 8 + 1, 5000])
def test_the_first_byte_behind_an_array_is_a_fault_and_the_last_one_of_it_is_not(job, elements):
    args = [np.ones(7, np.float32), np.ones(elements)]

    answer = job.ask("read", [*args, 0], fenced=True)
    assert (answer.fault["signal"], answer.fault["beyond"]) == (11, "right behind the end of a1")
    if elements:
        assert job.ask("read", [*args, -1], fenced=True).value == np.float64(1).tobytes()[-1]
        assert job.ask("read", [*args, -8 * elements], fenced=True).ok
    assert job.ask("read", [*args, 0]).ok, "without fences it goes unseen"


def test_a_write_behind_an_array_does_not_reach_the_next_one(job):
    left, right = np.ones(5, np.float32), np.ones(3)

    answer = job.ask("write", [left, right, 3], fenced=True)
    assert answer.fault["beyond"] == "3 bytes behind the end of a0"
    within = job.ask("write", [left, right, -1], fenced=True)
    assert within.ok
    assert within.written[0][1].view(np.uint8).tolist() == [*left.view(np.uint8)[:-1].tolist(), 7]


def test_what_lies_before_a_whole_page_is_closed_too(job):
    answer = job.ask("read", [np.ones(1, np.float32), np.ones(PAGE_BYTES // 8), -PAGE_BYTES - 8], fenced=True)
    assert answer.fault["beyond"] == "8 bytes before the beginning of a1"


@pytest.mark.parametrize(
    ("name", "argument"),
    [
        ("text", b"abc"),
        ("text", "größer"),
        ("pairs", PAIRS),
        ("matrix", ONES.astype("f4")),
        ("matrix", ONES.astype("f4")[1:3, 2:5]),
        ("reversed", np.arange(5, dtype=np.int16)[::-1]),
    ],
)
def test_every_kind_of_array_ends_at_its_fence(job, name, argument):
    answer = job.ask(name, [argument, 0], fenced=True)
    assert answer.fault["beyond"] == "right behind the end of a0"
    assert job.ask(name, [argument, -1], fenced=True).ok


def test_results_and_written_arrays_are_those_without_fences(job):
    for array in (ONES, ONES.T, ONES[::-1, ::-2], ONES[:0], ONES[1:3, ::3]):
        assert job.ask("sum", [array], fenced=True).value == job.ask("sum", [array]).value == array.sum()
    assert job.ask("three", [[1, 2, 3.5]], fenced=True).value == 4.5
    values = np.arange(2000, dtype=np.float32)
    answer = job.ask("double", [values], fenced=True, repeat=2)
    assert np.array_equal(answer.written[0][1], values * 4)


def test_where_fences_lie():
    fences = Fences()
    first, second = fences.take(0, 10), fences.take(2, PAGE_BYTES)

    assert (first, second) == (2 * PAGE_BYTES - 10, 3 * PAGE_BYTES)
    assert fences.pages == [0, 2 * PAGE_BYTES, 4 * PAGE_BYTES]
    assert fences.end == 5 * PAGE_BYTES
    assert fences.near(2 * PAGE_BYTES) == (0, 0)
    assert fences.near(3 * PAGE_BYTES - 1) == (2, -1)
    assert fences.near(4 * PAGE_BYTES + 3000) == (2, 3000)
    assert fences.near(first) is None
    assert Fences().near(5) is None
