"""Inputs far beyond the samples: which they are, and that they end where the incumbent does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.evolution.checks.constants import constants, only_in
from project_o.evolution.checks.reach import Reach
from project_o.evolution.infer import typed
from project_o.evolution.inputs import Case, Inputs
from project_o.values import NativeFunction, NativeType


def inputs_of(*args: Any) -> Inputs:
    """As for a Python function that takes such arguments."""
    names = tuple((f"a{k}", NativeType("any")) for k in range(len(args)))
    return Inputs(typed(NativeFunction("f", names, NativeType("any")), [args]), [args], 0)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("if (x == 0x1p-40) return 0;", 2.0**-40),
        ("if (bits == 0x4059_2000_0000_0000) return 0;", 100.5),
        ("if x.to_bits() == 0x3fc00000 {", 1.5),
        ("if n > 50_000:", 50000),
        ("if (n > 0xC350) return", 50000),
        ("if n > 50000usize {", 50000),
        ("if n > 5e4:", 50000),
        ("if n > 10**4 * 5:", 50000),
        ("n >= (1 << 16) + 3", 65539),
        ("x < 2.5", 2.5),
    ],
)
def test_numbers_of_a_text_are_found_as_they_may_be_written(text: str, found: float) -> None:
    assert found in constants(text)


def test_only_the_numbers_of_the_candidate_count_and_no_parts_of_names() -> None:
    assert only_in("x9 = n > 600 or n > 77 or a.b2 or 1", "n > 600") == [77]
    assert only_in("x < 1e-12", "x < 0.5") == [1e-12]


def test_a_number_is_everywhere_and_what_another_one_leaves_of_a_size() -> None:
    found = looked(inputs_of(np.arange(40.0) % 3), [4.5, 1008, 1009, 5000])
    arrays = [case.args[0] for case in found]

    assert any(np.all(array == 4.5) for array in arrays)
    assert any(np.all(array == 2.25) for array in arrays), "two of them have the sum"
    assert any(len(array) > 5000 and len(array) % 1009 == 1008 for array in arrays)


def test_an_array_of_structs_has_more_of_its_own_elements_far_away() -> None:
    kinds = (("x", NativeType("float", bits=64)), ("n", NativeType("int", bits=64)))
    point = NativeType("struct", name="Point", bits=128, fields=kinds, numbers=(16, 0, 8))
    points = np.array([(0.5, 3), (1.5, 4)], [("x", "f8"), ("n", "u8")])
    function = NativeFunction(
        "f", (("points", NativeType("slice", const=True, child=point)), ("x", kinds[0][1])), kinds[0][1]
    )
    found = looked(Inputs(function, [(points, 1.0)], 0), [4.5], spent=lambda share: False)

    assert {point for case in found for point in case.args[0].tolist()} == set(points.tolist())
    assert max(len(case.args[0]) for case in found) > 1000


def looked(reach_inputs: Inputs, numbers: list[Any], seconds: Any = lambda case: 0.0, **climb: Any) -> list[Case]:
    """The cases that are asked, where the incumbent takes so many seconds."""
    found: list[Case] = []

    def look(case: Case) -> Any:
        found.append(case)
        return seconds(case)

    reach = Reach(reach_inputs, np.random.default_rng(1), look)
    reach.at(numbers)
    if climb:
        reach.climb(climb["spent"])
    return found


def test_a_number_is_tried_as_a_size_and_as_a_value_on_both_of_its_sides() -> None:
    cases = looked(inputs_of(np.arange(600.0) % 7), [5000])
    sizes = {case.args[0].size for case in cases}
    values = {float(case.args[0].max(initial=0.0)) for case in cases}

    assert {4999, 5000, 5001} <= sizes
    assert {5000.0, 5001.0, 5006.0} <= values


def test_the_ladder_stands_beside_every_power_of_two_as_far_as_memory_goes() -> None:
    cases = looked(inputs_of(np.arange(600.0) % 7), [], spent=lambda share: False)
    sizes = {case.args[0].size for case in cases}

    assert {2**k + d for k in range(10, 23) for d in (-1, 0, 1)} <= sizes
    assert max(sizes) * 8 <= limits.INPUT_BYTES_MAX


@pytest.mark.parametrize("args", [([1, 2, 3],), ([("a", 1), ("b", 2)],), ({"a": 1, "b": 2},), ("some text",)])
def test_lists_tables_and_texts_grow_too(args: tuple[Any, ...]) -> None:
    cases = looked(inputs_of(*args), [], lambda case: len(case.args[0]) * 1e-5, spent=lambda share: False)
    longest = max(len(case.args[0]) for case in cases)

    assert longest > limits.REACH_CALL_SECONDS / 1e-5, "one rung above what is quick enough"
    assert longest < 5 * limits.REACH_CALL_SECONDS / 1e-5
    assert all(type(case.args[0]) is type(args[0]) for case in cases)


def test_what_takes_the_incumbent_too_long_ends_the_ladder_and_so_does_its_domain() -> None:
    slow = looked(inputs_of(5), [], lambda case: 2.0 ** case.args[0] * 1e-6, spent=lambda share: False)
    outside = looked(inputs_of(5), [], lambda case: None if case.args[0] > 100 else 0.0, spent=lambda share: False)

    assert max(case.args[0] for case in slow) < 64
    assert max(case.args[0] for case in outside) < 200


def test_time_that_is_used_up_ends_all() -> None:
    assert looked(inputs_of(np.arange(600.0)), [], spent=lambda share: True) == []


def test_a_long_sum_of_narrow_floats_is_not_asked_since_its_order_decides() -> None:
    cases = looked(inputs_of(np.ones(600, np.float32)), [10**7], spent=lambda share: False)

    assert max(case.args[0].size for case in cases) < 2**19
