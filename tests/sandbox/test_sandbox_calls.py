"""Many calls in one question, and what a call of a Python function leaves behind: found by this side, not told."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from project_o import toolchain
from project_o.errors import SandboxError, UsageError
from project_o.languages import tools_for
from project_o.sandbox import Sandbox

KERNELS = """
pub fn total(a: []const f64) f64 {
    var found: f64 = 0;
    for (a) |x| found += x;
    return found;
}
pub fn double(a: []const f64, out: []f64) void {
    for (a, 0..) |x, k| out[k] = 2 * x;
}
pub fn half(n: i64) error{Odd}!i64 {
    if (@mod(n, 2) != 0) return error.Odd;
    return @divExact(n, 2);
}
var kept: [64]f64 = undefined;
pub fn same_place(x: f64) []const f64 {
    for (&kept) |*place| place.* = x;
    return &kept;
}
pub fn text(n: u64) []const u8 {
    return if (n % 2 == 0) "even" else "odd";
}
pub fn crash(n: u64) u64 {
    if (n == 3) @panic("three");
    return n;
}
"""


@pytest.fixture(scope="module")
def box():
    with Sandbox(wall_seconds=5) as made:
        yield made


@pytest.fixture(scope="module")
def kernels(box):
    tools = tools_for("zig")
    found = tools.signatures(KERNELS)
    names = {name: (item.parameters, item.doc, item.line) for name, item in found.items()}
    built = toolchain.build(tools.program("kernels", KERNELS), names=names)
    jobs = []

    def opened():
        jobs.append(box.native(built.path, built.interface, guard_path=toolchain.guard_path()))
        return jobs[-1]

    yield opened
    for job in jobs:
        job.close()


@pytest.fixture
def function(box):
    """``function(text)``: a job of the function f of this text."""
    jobs = []

    def opened(text):
        program = {"modules": [["np", "numpy"]], "names": [], "values": [0, 0], "aliases": [], "sources": [],
                   "text": text, "name": "f", "first_line": 1}  # fmt: skip
        job = box.function(program)
        assert job.loaded.ok, job.loaded.error
        jobs.append(job)
        return job

    yield opened
    for job in jobs:
        job.close()


# ------------------------------------------------------------------ many calls in one question


def test_each_call_has_its_own_answer_and_all_have_one_time(kernels):
    arrays = [np.arange(k + 1.0) for k in range(200)]
    found = kernels().ask_each("total", [(array,) for array in arrays])

    assert found.whole.ok
    assert found.whole.value is None
    assert [answer.value for answer in found.each] == [array.sum() for array in arrays]
    assert found.whole.wall_seconds > 0
    assert all(answer.ok for answer in found.each)


def test_what_each_call_writes_comes_back_with_it_and_offsets_are_kept(kernels):
    calls = [(np.arange(k + 1.0), np.zeros(k + 1)) for k in range(50)]
    found = kernels().ask_each("double", calls, offset_bytes=16)

    for (array, out), answer in zip(calls, found.each, strict=True):
        ((place, written),) = answer.written
        assert place == 1
        assert written.tolist() == (2 * array).tolist()
        assert not out.any(), "the caller's own array stays as it is"


def test_results_that_lie_in_one_place_are_taken_before_the_next_call_writes_there(kernels):
    found = kernels().ask_each("same_place", [(float(k),) for k in range(20)])

    assert found.whole.ok, found.whole.error
    assert [answer.value.tolist() for answer in found.each] == [[float(k)] * 64 for k in range(20)]


def test_texts_and_numbers_come_back_too(kernels):
    job = kernels()

    assert [answer.value for answer in job.ask_each("text", [(k,) for k in range(4)]).each] == ["even", "odd"] * 2
    assert [answer.value for answer in job.ask_each("half", [(8,), (-2,)]).each] == [4, -1]


def test_the_first_call_that_fails_ends_it(kernels):
    job = kernels()
    odd, panic = job.ask_each("half", [(2,), (3,), (4,)]), job.ask_each("crash", [(1,), (3,)])

    assert (odd.whole.ok, odd.whole.error_name, odd.each) == (False, "Odd", ())
    assert "three" in panic.whole.error
    assert job.ask_each("half", [(2,)]).whole.ok, "a panic under the guard is outlived"


def test_no_calls_are_no_answers(kernels, function):
    assert kernels().ask_each("total", []).each == ()
    assert function("def f(x):\n    return x\n").ask_each("f", []).each == ()


def test_what_cannot_be_asked_is_refused(kernels):
    job = kernels()

    with pytest.raises(UsageError, match="no function other"):
        job.ask_each("other", [])
    with pytest.raises(UsageError, match="offset_bytes"):
        job.ask_each("total", [(np.zeros(2),)], offset_bytes=3)
    job.close()
    with pytest.raises(SandboxError, match="closed"):
        job.ask_each("total", [(np.zeros(2),)])


def test_many_calls_of_a_python_function(function):
    job = function("def f(values, out):\n    out[0] = values[0]\n    return [v * 2 for v in values.tolist()]\n")
    calls = [(np.arange(3.0) + k + 1, np.zeros(700)) for k in range(30)]
    found = job.ask_each("f", calls)

    assert found.whole.ok, found.whole.error
    assert [answer.value for answer in found.each] == [[2 * v for v in call[0].tolist()] for call in calls]
    assert [answer.written[0][1][0] for answer in found.each] == [k + 1 for k in range(30)]
    assert not function("def f(x):\n    return 1 / x\n").ask_each("f", [(1.0,), (0.0,)]).whole.ok


def test_results_larger_than_the_arena_are_fetched(function):
    found = function("def f(n):\n    return np.full(n, float(n))\n").ask_each("f", [(50_000,), (60_000,)])

    assert [answer.value.size for answer in found.each] == [50_000, 60_000]
    assert found.each[1].value[-1] == 60_000


# ------------------------------------------------------------------ what a call leaves behind


@pytest.mark.parametrize(
    ("body", "args", "shares"),
    [
        ("return v", (np.arange(900.0),), True),
        ("return v", (np.arange(3.0),), True),
        ("return v[::2]", (np.arange(9.0),), True),
        ("return {'a': (v[1:], 1)}", (np.arange(9.0),), True),
        ("return v.copy()", (np.arange(9.0),), False),
        ("return v * 1.0", (np.arange(900.0),), False),
        ("return v", ([1, 2],), True),
        ("return [v]", ({"a": 1},), True),
        ("return v[0]", (([1], 2),), True),
        ("return list(v)", ([1, 2],), False),
        ("return sorted(v)", ({3, 1},), False),
        ("return v", ((1, 2),), False),
        ("return v", ("text",), False),
        ("return v[0]", ([float("nan")],), False),
    ],
    ids=str,
)
def test_a_result_that_lies_in_the_arguments_is_noticed(function, body, args, shares):
    given = copy.deepcopy(args)
    answer = function(f"def f(v):\n    {body}\n").ask("f", args)

    assert answer.ok, answer.error
    assert answer.shares == shares
    assert answer.written == ()
    assert repr(args) == repr(given), "the caller's own stays as it is"


@pytest.mark.parametrize(
    ("body", "args", "left"),
    [
        ("v.sort()", ([3, 1],), [1, 3]),
        ("v.append(1)", ([],), [1]),
        ("v[0].append(1)", ([[2]],), [[2, 1]]),
        ("v['a'] = 1", ({"b": 2},), {"b": 2, "a": 1}),
        ("v.add(1)", ({2},), {1, 2}),
        ("v[0].clear()", (([1], 2),), ([], 2)),
        ("v[0] = 9", (np.arange(3.0),), [9.0, 1.0, 2.0]),
        ("v[0] = True", ([1],), [True]),
        ("v.sort()", ([1, 3],), None),
        ("v[0] = 0", (np.arange(3.0),), None),
        ("v[0] = v[0]", ([float("nan")],), None),
    ],
    ids=str,
)
def test_what_a_call_changes_in_its_arguments_is_noticed(function, body, args, left):
    answer = function(f"def f(v):\n    {body}\n    return 1\n").ask("f", args)

    assert answer.ok, answer.error
    written = [(place, item.tolist() if hasattr(item, "tolist") else item) for place, item in answer.written]
    assert repr(written) == repr([] if left is None else [(0, left)])


def test_changes_and_sharing_are_seen_after_repeated_calls_too(function):
    answer = function("def f(v):\n    v.append(len(v))\n    return v\n").ask("f", ([7],), repeat=3)

    assert answer.value == [7, 1, 2, 3]
    assert answer.written == ((0, [7, 1, 2, 3]),)
    assert answer.shares


def test_what_cannot_cross_back_in_an_argument_is_a_failure(function):
    answer = function("def f(v):\n    v.append(object())\n    return 1\n").ask("f", ([],))

    assert not answer.ok
    assert "cannot cross the sandbox" in answer.error


@pytest.mark.parametrize(
    ("body", "name", "meant"),
    [
        ("raise ValueError('negative')", "ValueError", True),
        ("raise KeyError(v)", "KeyError", True),
        ("return 1 / v", "ZeroDivisionError", False),
        ("return [1][9]", "IndexError", False),
        ("return np.linalg.inv(np.zeros((2, 2)))", "LinAlgError", False),
        ("assert v", "AssertionError", False),
        ("try:\n        1 / v\n    except ZeroDivisionError:\n        raise ValueError from None", "ValueError", True),
        ("try:\n        1 / v\n    except ZeroDivisionError:\n        raise", "ZeroDivisionError", False),
        ("import socket\n    socket.socket()", "", False),
    ],
    ids=str,
)
def test_an_exception_is_an_answer_where_its_own_text_raised_it(function, body, name, meant):
    """What an operation brings about on an input that nobody thought of is none, and what is refused says nothing."""
    answer = function(f"def f(v):\n    {body}\n").ask("f", (0,))

    assert not answer.ok
    assert (answer.error_name, answer.meant) == (name, meant)


def test_a_helper_of_the_function_raises_for_it(function):
    job = function("def check(v):\n    if v < 0:\n        raise ValueError('negative')\n\ndef f(v):\n    check(v)\n")

    assert job.ask("f", (-1,)).meant
    assert job.ask("f", (1,)).ok, "the process outlives its answer"


def test_a_process_that_is_gone_since_its_answer_is_told_and_no_error_of_ours(function):
    text = "import os, signal\n\ndef f(v):\n    signal.signal(signal.SIGALRM, lambda *_: os._exit(3))\n    return v\n"
    job = function(text)
    assert job.ask("f", (1,)).ok
    job._channel.kill()

    for _ in range(3):
        answer = job.ask("f", (1,))
        assert not answer.ok
        assert answer.ended


def test_the_arguments_may_be_written_as_a_person_would(box):
    source = "def total(xs): return sum(xs)\ndef both(a, b=1): return a, b\ndef none(): return 0"
    with box.python(source) as job:
        assert job.ask("total", [[1, 2, 3]]).value == 6
        assert job.ask("total", [1, 2, 3]).value == 6, "a list for a function that takes one"
        assert job.ask("total", [[]]).value == 0
        assert "missing 1 required positional argument" in job.ask("total", []).error
        assert job.ask("both", [1, 2]).value == (1, 2)
        assert job.ask("both", 5).value == (5, 1)
        assert job.ask("both", "text").value == ("text", 1)
        assert job.ask("total", np.arange(3)).value == 3
        assert "takes 0 positional arguments but 1 was given" in job.ask("none", [1]).error
        assert "takes 1 positional argument but 3 were given" in job.ask("total", (1, 2, 3)).error


def test_the_one_argument_of_a_native_function_too(box):
    source = "pub fn total(xs: []const f32) f32 { var s: f32 = 0; for (xs) |x| s += x; return s; }"
    built = toolchain.build(tools_for("zig").program("totals", source))
    with box.native(built.path, built.interface, guard_path=toolchain.guard_path()) as job:
        row = np.arange(4, dtype=np.float32)
        for args in ([row], row, (row,), [1, 2, 3], [[1, 2, 3]]):
            assert job.ask("total", args).value == 6
