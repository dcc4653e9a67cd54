"""What counts as the same answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from project_o.evolution.checks.reference import Right
from project_o.evolution.compare import difference, slack_of, values_differ
from project_o.sandbox.answer import Answer
from project_o.values import NativeType

F32 = NativeType("float", bits=32)
NAN, INF = float("nan"), float("inf")


def f32(*values: float) -> Any:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("left", "right", "bits"),
    [
        (1, 1, 64),
        ("a", "a", 64),
        (None, None, 64),
        (NAN, NAN, 64),
        (INF, INF, 64),
        (1.0, 1.00001, 32),
        (0.0, -0.0, 64),
        (f32(1, NAN, INF), f32(1.00001, NAN, INF), 64),
        (f32(1e6, 1e-3), f32(1e6, 2e-3), 64),
        ((1, f32(2)), (1, f32(2)), 64),
        (f32(), f32(), 64),
    ],
)
def test_equal_up_to_rounding(left: Any, right: Any, bits: int) -> None:
    assert values_differ(left, right, bits) == ""


@pytest.mark.parametrize(
    ("left", "right", "bits"),
    [
        (1, 2, 64),
        (1, 1.0, 64),
        (True, 1, 64),
        ({1: "a"}, {1.0: "a"}, 64),
        ({(1, 2): "a"}, {(1, True + 1.0): "a"}, 64),
        ({0, 1}, {False, 1}, 64),
        ("a", "b", 64),
        (None, 0, 64),
        (1.0, NAN, 64),
        (1.0, INF, 64),
        (INF, -INF, 64),
        (1.0, 1.00001, 64),
        (1.0, 1.01, 32),
        (f32(1, NAN), f32(NAN, 1), 64),
        (f32(1, 2), f32(1, 2.01), 64),
        (f32(1), f32(1, 1), 64),
        (f32(1), np.array([1.0]), 64),
        (np.array([1, 2], np.int32), np.array([1, 3], np.int32), 64),
        (f32(1), [1.0], 64),
        ((1, 2), (1, 2, 3), 64),
    ],
)
def test_different(left: Any, right: Any, bits: int) -> None:
    assert values_differ(left, right, bits) != ""


def test_errors_count_by_their_names_and_written_arrays_by_their_values() -> None:
    empty = Answer(ok=False, error_name="Empty", error="one wording")
    assert difference(empty, Answer(ok=False, error_name="Empty", error="another"), F32) == ""
    assert "should return the error Empty" in difference(empty, Answer(ok=False, error_name="Full"), F32)
    assert "should return the error Empty" in difference(empty, Answer(ok=True, value=1.0), F32)
    assert "should return a value" in difference(Answer(ok=True, value=1.0), empty, F32)
    wrote = Answer(ok=True, written=((2, f32(1, 2)),))
    assert difference(wrote, Answer(ok=True, written=((2, f32(1, 2)),)), F32) == ""
    assert "argument 3, which it writes: [1] is 3.0 instead of 2.0" in difference(
        wrote, Answer(ok=True, written=((2, f32(1, 3)),)), F32
    )


def test_long_sums_may_differ_by_their_rounding_and_no_more() -> None:
    """A float32 sum of squares stops at 2**24 steps: of the two it is the incumbent that is wrong."""
    n = 1_600_000
    values = np.full(n, 77.0, np.float32)
    naive, right = float(np.cumsum(values, dtype=np.float32)[-1]), float(values.sum(dtype=np.float64))
    assert difference(Answer(ok=True, value=naive), Answer(ok=True, value=right), F32)

    slack = slack_of(n, F32)
    assert difference(Answer(ok=True, value=naive), Answer(ok=True, value=right), F32, slack) == ""
    assert difference(Answer(ok=True, value=right), Answer(ok=True, value=right / 2), F32, slack)
    assert slack_of(100, F32) == 1.0
    assert slack_of(10**12, F32) * 1e-4 == pytest.approx(0.25)


def test_how_an_answer_is_held_counts_where_it_was_seen_and_only_what_is_new() -> None:
    plain, kept = Answer(ok=True, value=[1]), Answer(ok=True, value=[1], held=("an answer that it keeps",))
    anyhow = Right([1], 0.0)

    assert difference(plain, kept, F32) == "returned an answer that it keeps"
    assert difference(kept, kept, F32) == difference(kept, plain, F32) == difference(anyhow, kept, F32) == ""


def test_the_order_of_keys_counts_where_a_version_gave_it_and_not_where_a_person_says_what_is_right() -> None:
    right, other = [({"a": 1, "b": {"c": 1, "d": 2}},)], [({"a": 1, "b": {"d": 2, "c": 1}},)]
    given = Answer(ok=True, value=other)

    assert "in the order ['d', 'c'] instead of ['c', 'd']" in difference(Answer(ok=True, value=right), given, F32)
    assert difference(Right(right, 0.0), given, F32) == difference(given, given, F32) == ""
    assert values_differ(right, other) == ""
