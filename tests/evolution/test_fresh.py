"""Inputs of timings: each pair has one that nobody has seen, of several sizes, the same for the same seed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from project_o.evolution.fresh import Fresh, digest
from project_o.evolution.inputs import Case, Inputs
from project_o.evolution.near import near
from project_o.values import NativeFunction, NativeType

F64 = NativeType("float", bits=64)
I64 = NativeType("int", bits=64, signed=True)
I8 = NativeType("int", bits=8, signed=True)
ANY = NativeType("any")
SLICE = NativeType("slice", const=True, child=F64)
OUT = NativeType("slice", const=False, child=F64)
TEXT = NativeType("slice", const=True, child=NativeType("int", bits=8))


def fresh(kinds: list[NativeType], *samples: tuple[Any, ...], fits: Any = lambda case: True, seed: int = 0) -> Fresh:
    wanted = NativeFunction("f", tuple((f"a{k}", kind) for k, kind in enumerate(kinds)), F64)
    inputs = Inputs(wanted, samples, seed)
    return Fresh(inputs, fits, Case(samples[0] if samples else (), "known"))


def test_each_pair_has_an_input_of_its_own_of_several_sizes() -> None:
    sample = np.arange(400.0)
    draw = fresh([SLICE], (sample,)).draw("final")
    cases = [draw(number) for number in range(200)]

    assert len({digest(case) for case in cases}) > 190, "a sorted sample has few neighbours"
    assert {case.args[0].size for case in cases} == {400, 200, 248, 300, 348}
    assert not any(np.array_equal(case.args[0], sample) for case in cases)
    near_the_sample = [case for case in cases if case.args[0].size == 400 and (case.args[0] != sample).sum() == 1]
    assert 20 < len(near_the_sample) < 80, "a quarter is the sample with one element changed"


def test_the_same_seed_purpose_and_number_give_the_same_input() -> None:
    def drawn(seed: int, purpose: str) -> list[bytes]:
        draw = fresh([SLICE], (np.arange(90.0) % 7,), seed=seed).draw(purpose)
        return [digest(draw(number)) for number in range(12)]

    assert drawn(1, "a") == drawn(1, "a")
    assert not set(drawn(1, "a")) & set(drawn(1, "b"))
    assert not set(drawn(1, "a")) & set(drawn(2, "a"))


def test_unseen_inputs_have_the_size_of_their_pair_and_no_two_are_alike() -> None:
    found = fresh([SLICE], (np.arange(400.0),))
    for number in range(20):
        pair = found.draw("final")(number)
        cases = found.unseen("final", number, 50)
        assert {case.args[0].size for case in cases} == {pair.args[0].size}
        assert len({digest(case) for case in (pair, *cases)}) == 51


def test_sizes_that_the_incumbent_refuses_are_not_drawn() -> None:
    found = fresh(
        [SLICE], (np.arange(400.0),), fits=lambda case: case.args[0].size % 4 == 0 and case.args[0].size > 210
    )

    assert {found.draw("x")(k).args[0].size for k in range(60)} == {400, 248, 300, 348}


def test_samples_that_the_incumbent_refuses_are_not_timed() -> None:
    found = fresh([I64], (-3,), (100_000,), fits=lambda case: case.args[0] > 0)

    assert found.first.args == (100_000,)
    assert all(found.draw("x")(k).args[0] > 0 for k in range(40))


def test_numbers_move_only_where_there_is_nothing_else_that_could() -> None:
    alone = fresh([I64, F64], (100_000, 2.5))
    beside = fresh([SLICE, I64], (np.arange(40.0), 100_000))
    moved = [alone.draw("x")(k).args for k in range(40)]

    assert len(set(moved)) > 30
    assert all(abs(n - 100_000) <= 6250 and abs(x - 2.5) <= 2.5 / 16 for n, x in moved)
    assert all(beside.draw("x")(k).args[1] == 100_000 for k in range(40))


def test_an_input_that_cannot_be_varied_is_the_sample() -> None:
    class Thing:
        pass

    thing = Thing()
    found = fresh([ANY], (thing,))

    assert not found.varied
    assert found.draw("x")(5).args == (thing,)
    assert found.unseen("x", 0, 5) == []
    assert found.told() == "on the same input"


def test_a_few_possible_inputs_are_given_once_each() -> None:
    found = fresh([NativeType("int", bits=2)], (2,))

    assert 1 <= len(found.unseen("x", 0, 50)) <= 3


def test_larger_inputs_are_larger_by_the_factor() -> None:
    larger = fresh([SLICE], (np.arange(100.0),)).scaled(8.0)

    assert {larger.draw("x")(k).args[0].size for k in range(20)} == {800}
    assert {case.args[0].size for case in larger.unseen("x", 0, 5)} == {800}


def test_a_buffer_for_results_does_not_hold_what_a_sample_held() -> None:
    """What writes too much, or relies on zeros, shows only where something else stood before."""
    found = fresh([SLICE, OUT], (np.arange(50.0), np.zeros(60)))

    assert all(found.draw("x")(k).args[1].any() for k in range(40))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (SLICE, np.arange(5.0)),
        (SLICE, np.ones(5)),
        (SLICE, np.zeros(5)),
        (NativeType("slice", const=True, child=I8), np.full(5, 127, np.int8)),
        (NativeType("slice", const=True, child=NativeType("bool")), np.ones(5, bool)),
        (NativeType("matrix", const=True, child=F64), np.arange(12.0).reshape(4, 3)),
        (TEXT, "aaaa"),
        (TEXT, b"abab"),
        (I64, 5),
        (I8, 127),
        (F64, 0.0),
        (ANY, [1, "a", 2.5]),
        (ANY, {"a": [1, 2], "b": (3, 4)}),
        (ANY, ["x", "y"]),
        (ANY, (1, 2.0)),
        (ANY, {1, 2, 3}),
    ],
    ids=repr,
)
def test_the_nearest_input_differs_in_one_place_and_keeps_type_and_size(kind: NativeType, value: Any) -> None:
    inputs = Inputs(NativeFunction("f", (("a", kind),), F64), [(value,)], 0)
    rng = np.random.default_rng(0)
    before = repr(value)
    found = [near(rng, inputs.leaves, [leaf.values[0] for leaf in inputs.leaves], 0)[0] for _ in range(30)]

    assert repr(value) == before, "the user's own value stays as it is"
    assert all(type(item) is type(value) for item in found)
    changed = [item for item in found if repr(item) != repr(value)]
    assert len(changed) > 20
    for item in changed:
        if isinstance(value, np.ndarray):
            assert item.shape == value.shape
            assert item.dtype == value.dtype
            assert (item != value).reshape(len(value), -1).any(axis=1).sum() == 1
        elif not isinstance(value, (int, float)):
            assert len(item) >= len(value) - 1
