"""What must be read cannot be read faster than memory gives it; what need not be read may be left."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.evolution import bandwidth
from project_o.evolution.bandwidth import bytes_per_second_max
from project_o.evolution.ceiling import read_bytes
from project_o.values import NativeFunction, NativeType

SUM = "pub fn f(a: []const f64) f64 {\n    var total: f64 = 0;\n    for (a) |x| total += x;\n    return total;\n}\n"
FAST_SUM = """pub fn f(a: []const f64) f64 {
    const V = @Vector(16, f64);
    var sums: V = @splat(0);
    var k: usize = 0;
    while (k + 16 <= a.len) : (k += 16) sums += @as(V, a[k..][0..16].*);
    var total: f64 = @reduce(.Add, sums);
    while (k < a.len) : (k += 1) total += a[k];
    return total;
}
"""
FIRST = """pub fn f(a: []const f64) u64 {
    var found: u64 = a.len;
    var k: u64 = a.len;
    while (k > 0) { k -= 1; if (a[k] > 2) found = k; }
    return found;
}
"""
EARLY = "pub fn f(a: []const f64) u64 {\n    for (a, 0..) |x, k| if (x > 2) return k;\n    return a.len;\n}\n"
COUNT = """pub fn f(a: []const f64, x: f64) u64 {
    var below: u64 = 0;
    for (a) |item| { if (item < x) below += 1; }
    return below;
}
"""
BISECT = """pub fn f(a: []const f64, x: f64) u64 {
    var low: u64 = 0;
    var high: u64 = a.len;
    while (low < high) {
        const middle = (low + high) / 2;
        if (a[middle] < x) low = middle + 1 else high = middle;
    }
    return low;
}
"""
SPARSE = """pub fn f(a: []const f64) f64 {
    var total: f64 = 0;
    for (a, 0..) |x, k| { if (k % 512 == 0) total += x; }
    return total;
}
"""
STRIDE = """pub fn f(a: []const f64) f64 {
    var total: f64 = 0;
    var k: usize = 0;
    while (k < a.len) : (k += 512) total += a[k];
    return total;
}
"""
UNIFORM = np.arange(20_000.0) % 5
SORTED = np.arange(20_000.0)


def larger(bench: Any, source: str) -> tuple[Any, Any]:
    """The series of a candidate on larger inputs, and what the ceiling says of it."""
    ceiling = bench.bench._ceiling
    with bench.sides(source) as (incumbent, candidate):
        ceiling.prepare(incumbent, bench.bench._oracle)
        series = ceiling.pairs(incumbent, candidate, "test", None)
        return series, ceiling.defect(candidate, series)


@pytest.mark.parametrize(
    ("incumbent", "candidate", "args"),
    [
        (SUM, FAST_SUM, (UNIFORM,)),
        (FIRST, EARLY, (UNIFORM,)),
        (COUNT, BISECT, (SORTED, 15_000.5)),
        (SPARSE, STRIDE, (UNIFORM,)),
    ],
    ids=["a sum in vectors", "a search that ends early", "a binary search", "sparse reads"],
)
def test_an_honest_gain_is_below_the_ceiling(
    make_task: Any, bench_of: Callable[..., Any], incumbent: str, candidate: str, args: Any
) -> None:
    bench = bench_of(make_task(incumbent, inputs=args))
    series, defect = larger(bench, candidate)

    assert sum(series.cpu[1]) < sum(series.cpu[0]), "it is faster"
    assert defect is None, str(defect)


@pytest.mark.parametrize("share", [0.0, 0.02])
def test_who_takes_no_time_for_what_must_be_read_is_above_it(
    make_task: Any, bench_of: Callable[..., Any], share: float
) -> None:
    """Its answers are right, so it was no one's work that the clock saw."""
    bench = bench_of(make_task(SUM, inputs=(UNIFORM,)))
    ceiling = bench.bench._ceiling
    with bench.sides(FAST_SUM) as (incumbent, candidate):
        ceiling.prepare(incumbent, bench.bench._oracle)
        series = ceiling.pairs(incumbent, candidate, "test", None)
        times = [max(1e-9, share * value) for value in series.cpu[1]]
        forged = dataclasses.replace(series, cpu=(series.cpu[0], times))
        defect = ceiling.defect(candidate, forged)

    assert defect is not None
    assert defect.name == "ceiling"
    assert "GB/s, where this machine's memory gives at most" in str(defect)
    assert "24 of 24 elements that were changed" in str(defect)


def test_who_does_not_follow_when_one_element_changes_is_wrong(make_task: Any, bench_of: Callable[..., Any]) -> None:
    """It is right up to the sizes that are checked, and reads no further."""
    most = 4 * len(UNIFORM)
    short = FAST_SUM.replace("f64 {\n", f"f64 {{\n    if (a.len > {most}) return f(a[0..{most}]);\n", 1)
    bench = bench_of(make_task(SUM, inputs=(UNIFORM,)))
    ceiling = bench.bench._ceiling
    with bench.sides(short) as (incumbent, candidate):
        ceiling.prepare(incumbent, bench.bench._oracle)
        defect = ceiling.defect(candidate, ceiling.pairs(incumbent, incumbent, "test", None))

    assert defect is not None
    assert defect.name == "answers"
    assert "alone is changed" in str(defect)


def test_larger_inputs_stay_within_their_bounds(make_task: Any, bench_of: Callable[..., Any]) -> None:
    bench = bench_of(make_task(SUM, inputs=(UNIFORM,)))
    ceiling = bench.bench._ceiling
    with bench.sides(SUM) as (incumbent, _):
        ceiling.prepare(incumbent, bench.bench._oracle)

    assert UNIFORM.nbytes < read_bytes(ceiling.function, ceiling.case) <= limits.SCRUTINY_INPUT_BYTES
    assert ceiling.factor <= limits.SCRUTINY_GROWTH_MAX


def test_the_bandwidth_is_below_what_no_machine_has() -> None:
    size = 8 << 20

    assert 1e8 < bandwidth.measured(size) < limits.CACHE_BYTES_PER_SECOND_MAX
    assert bytes_per_second_max(1000) == limits.CACHE_BYTES_PER_SECOND_MAX


def test_a_bandwidth_that_was_measured_in_a_bad_moment_refuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    size, moments = 8 << 20, iter([2e9, 20e9, 3e9])
    monkeypatch.setattr(bandwidth, "_best_of", {})
    monkeypatch.setattr(bandwidth, "measured", lambda size: next(moments))
    first, most = (limits.MEMORY_BANDWIDTH_MARGIN * found for found in (2e9, 20e9))

    assert bytes_per_second_max(size) == first
    assert bytes_per_second_max(size, 0.9 * first) == first, "nobody doubts it, so nothing is measured"
    assert bytes_per_second_max(size, 1.1 * first) == most
    assert bytes_per_second_max(size, 1.1 * most) == most, "the best of them is kept"
    assert next(moments, None) is None


def test_only_what_is_read_counts_as_read() -> None:
    floats = NativeType("float", bits=64)
    const, written = (NativeType("slice", const=flag, child=floats) for flag in (True, False))
    text = NativeType("slice", const=True, child=NativeType("int", bits=8))
    function = NativeFunction("f", (("a", const), ("out", written), ("t", text), ("x", floats)), floats)
    case = dataclasses.make_dataclass("Args", ["args"])((np.zeros(10), np.zeros(7), "abc", 1.0))

    assert read_bytes(function, case) == 83
