"""Generated inputs: sizes that belong together stay together, values come from the samples."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.errors import EvolutionError
from project_o.evolution.inputs import SPECIALS, Inputs
from project_o.evolution.sizes import Dimension, infer
from project_o.values import NativeFunction, NativeType

F32 = NativeType("float", bits=32)
U32 = NativeType("int", bits=32)
USIZE = NativeType("int", bits=64)
U8 = NativeType("int", bits=8)


def array(child: NativeType, *, const: bool = True, kind: Any = "slice") -> NativeType:
    return NativeType(kind, const=const, child=child)


def function(**parameters: NativeType) -> NativeFunction:
    return NativeFunction("f", tuple(parameters.items()), F32)


TOP_K = function(
    data=array(F32), queries=array(F32), dim=USIZE, k=USIZE, out=array(U32, const=False)
)  # fmt: skip


def top_k_sample() -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 17, 101 * 8).astype(np.float32)
    return data, data[: 6 * 8].copy(), 8, 5, np.zeros(6 * 5, np.uint32)


def test_products_and_shared_quotients_are_inferred_from_one_sample() -> None:
    """data = rows x dim, queries = count x dim, out = count x k: only rows, count, dim and k are free."""
    for case in Inputs(TOP_K, [top_k_sample()], seed=3).checks(60):
        data, queries, dim, k, out = case.args
        if dim and k:
            assert data.size % dim == 0
            assert queries.size % dim == 0
            assert out.size == queries.size // dim * k, case.label


def test_edge_sizes_special_values_and_larger_ones_are_all_there() -> None:
    inputs = Inputs(function(a=array(F32), b=array(F32)), [(np.arange(100, dtype=np.float32),) * 2], seed=1)
    cases = inputs.checks(40)

    sizes = {case.args[0].size for case in cases}
    assert {0, 1, 100, 101, 201} <= sizes
    assert sizes & {3, 5, 7, 9, 13}
    assert all(case.args[0].size == case.args[1].size for case in cases)
    assert any(np.isnan(case.args[0]).any() for case in cases)
    assert any(np.isinf(case.args[0]).any() for case in cases)
    assert any(case.args[0].size and not case.args[0].any() for case in cases)
    assert len(cases) >= 40
    assert {special for special in SPECIALS if any(special in case.label for case in cases)} == set(SPECIALS)


def test_values_are_the_samples_own_and_the_samples_are_never_touched() -> None:
    sample = np.array([1, 2, 4, 1024], dtype=np.float32)
    inputs = Inputs(function(a=array(F32)), [(sample,)], seed=1)

    cases = inputs.checks(40)
    for case in cases:
        values = case.args[0][np.isfinite(case.args[0])]
        assert set(values.tolist()) <= {0.0, 1.0, 2.0, 4.0, 1024.0}
        case.args[0][...] = -1
    assert sample.tolist() == [1, 2, 4, 1024]
    assert inputs.example(3).args[0].tolist() == [1, 2, 4, 1024]


def test_sorted_samples_give_sorted_inputs_and_rows_stay_whole() -> None:
    rows = np.array([[1, 10], [2, 20], [3, 30]], dtype=np.float32)
    wanted = function(a=array(F32), m=array(F32, kind="matrix"))
    inputs = Inputs(wanted, [(np.arange(9, dtype=np.float32), rows)], seed=2)
    rng = np.random.default_rng(1)
    for case in (*(inputs.like(rng, 0, 1.0) for _ in range(20)), *(inputs.near(rng, 0) for _ in range(20))):
        assert (np.diff(case.args[0]) >= 0).all()
        assert (case.args[1][:, 1] == 10 * case.args[1][:, 0]).all()


def test_the_same_seed_and_purpose_give_the_same_bytes() -> None:
    def drawn(seed: int, purpose: str) -> list[bytes]:
        return [c.args[0].tobytes() for c in Inputs(TOP_K, [top_k_sample()], seed).checks(20, purpose)[1:]]

    assert drawn(1, "a") == drawn(1, "a")
    assert drawn(1, "a") != drawn(1, "b")
    assert drawn(1, "a") != drawn(2, "a")


def test_outputs_are_poisoned_once_and_fresh_each_time() -> None:
    cases = Inputs(TOP_K, [top_k_sample()], seed=3).checks(40)
    poisoned = [case for case in cases if case.label.startswith("poison")]

    assert all((case.args[4] == 77).all() for case in poisoned)
    assert len({id(case.args[4]) for case in cases}) == len(cases)


def test_types_alone_are_enough() -> None:
    pair = NativeType("struct", name="Pair", fields=(("x", F32), ("n", U8)))
    kinds = {
        "a": array(F32),
        "m": array(F32, kind="matrix"),
        "text": array(U8),
        "flag": NativeType("bool"),
        "n": USIZE,
        "pair": pair,
        "maybe": NativeType("optional", child=F32),
        "out": array(F32, const=False),
        "three": NativeType("array", length=3, child=F32),
    }
    cases = Inputs(function(**kinds), [], seed=0).checks(40)

    for case in cases:
        named = dict(zip(kinds, case.args, strict=True))
        assert named["a"].dtype == np.float32
        assert named["m"].ndim == 2
        assert isinstance(named["text"], str)
        assert isinstance(named["flag"], bool)
        assert 0 <= named["pair"][1] <= 255
        assert named["three"].shape == (3,)


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        ((1, 2), "takes 5 arguments"),
        ((np.zeros(4), np.zeros(4, np.float32), 2, 1, np.zeros(2, np.uint32)), "data must be a numpy array of float32"),
    ],
)
def test_samples_that_do_not_fit_are_refused(sample: tuple[Any, ...], says: str) -> None:
    with pytest.raises(EvolutionError, match=says):
        Inputs(TOP_K, [sample], seed=0)


@settings(max_examples=200)
@given(rows=st.integers(2, 40), dim=st.integers(2, 40), chosen=st.lists(st.integers(0, 50), min_size=8, max_size=8))
def test_whatever_is_chosen_a_flat_matrix_stays_rows_times_columns(rows: int, dim: int, chosen: list[int]) -> None:
    ties = infer([Dimension(0, 0, (rows * dim,)), Dimension(1, 0, (rows,)), Dimension(2, -1, (dim,))])
    sizes = ties.sizes(chosen[: len(ties.free)])

    assert sizes[(0, 0)] == sizes[(1, 0)] * sizes[(2, -1)]


def test_two_samples_tell_a_chance_tie_from_a_real_one() -> None:
    one = infer([Dimension(0, 0, (5,)), Dimension(1, 0, (5,))])
    two = infer([Dimension(0, 0, (5, 6)), Dimension(1, 0, (5, 9))])

    assert len(one.free) == 1
    assert len(two.free) == 2


NAMES = (("red", U8), ("green", U8), ("blue", U8))
COLOUR = NativeType("enum", name="Colour", bits=8, fields=NAMES, numbers=(1, 2, 4))


class Colour(enum.Enum):
    red = 1
    green = 2
    blue = 4


def test_enums_are_those_that_were_observed() -> None:
    samples = [(np.arange(9, dtype=np.float32), Colour.green), (np.arange(5, dtype=np.float32), Colour.blue)]
    inputs = Inputs(function(a=array(F32), colour=COLOUR), samples, seed=4)
    cases = inputs.checks(60)

    assert {case.args[1] for case in cases} == {Colour.green, Colour.blue}
    assert len({case.args[0].size for case in cases}) > 5
    assert {inputs.near(np.random.default_rng(k), 1).args[1] for k in range(9)} == {Colour.blue}


def test_without_samples_an_enum_is_its_first_member() -> None:
    assert {case.args[0] for case in Inputs(function(colour=COLOUR, n=U8), [], seed=4).checks(30)} == {1}


STRUCTURED = np.dtype([("x", np.float32), ("n", np.uint8)], align=True)
POINT = NativeType("struct", name="Point", bits=64, fields=(("x", F32), ("n", U8)), numbers=(8, 0, 4))


def test_arrays_of_structs_vary_in_how_many_there_are_and_hold_what_was_observed() -> None:
    """Whole elements: what the fields of one mean to each other stays. What is only read is zero at times."""
    points = np.array([(0.5, 3), (1.5, 4), (2.5, 5)], STRUCTURED)
    cases = Inputs(function(points=array(POINT), n=USIZE), [(points, 3)], seed=4).checks(30)

    assert len(cases) >= 30
    assert {case.args[0].dtype for case in cases} == {STRUCTURED}
    assert {point for case in cases for point in case.args[0].tolist()} == {*points.tolist(), (0.0, 0)}
    sizes = {len(case.args[0]) for case in cases}
    assert {0, 1, 3} <= sizes
    assert len(sizes) > 6
    assert all(len(case.args[0]) == case.args[1] for case in cases[:20]), "both are one size, as in the sample"


def test_arrays_of_structs_that_are_written_are_copies() -> None:
    points = np.array([(0.5, 3), (1.5, 4), (2.5, 5)], STRUCTURED)
    cases = Inputs(function(points=array(POINT, const=False)), [(points,)], seed=4).checks(30)
    for case in cases:
        case.args[0]["x"] = -1

    assert points.tolist() == [(0.5, 3), (1.5, 4), (2.5, 5)]
    assert {point for case in cases for point in case.args[0].tolist()} <= {(-1.0, n) for n in (3, 4, 5, 77)}


def test_lists_of_tuples_for_structs_are_used_as_they_are_given() -> None:
    cases = Inputs(function(points=array(POINT), n=USIZE), [([(0.5, 3)], 1)], seed=4).checks(10)
    assert all(case.args[0] == [(0.5, 3)] for case in cases)


ROW = NativeType("array", length=3, child=F32)


def test_slices_of_rows_vary_in_how_many_there_are_and_in_what_they_hold() -> None:
    rows = np.arange(24, dtype=np.float32).reshape(8, 3)
    cases = Inputs(function(rows=array(ROW)), [(rows,)], seed=4).checks(30)
    drawn = [case.args[0] for case in cases]

    assert {one.shape[1:] for one in drawn} == {(3,)}
    assert {one.dtype for one in drawn} == {np.dtype(np.float32)}
    assert {0, 1, 8, 9, 17} <= {len(one) for one in drawn}
    assert any(np.isnan(one).any() for one in drawn)
    assert len({one.tobytes() for one in drawn if len(one) == 8}) > 1


def test_without_samples_rows_are_made_up() -> None:
    made = Inputs(function(rows=array(ROW)), [], seed=4).checks(10)[0].args[0]

    assert made.shape[1] == 3
    assert len(set(made.reshape(-1).tolist())) > 5


def test_samples_of_rows_have_the_columns_of_the_type() -> None:
    assert Inputs(function(rows=array(ROW)), [([],)], seed=4).checks(1)[0].args[0].shape == (0, 3)
    with pytest.raises(EvolutionError, match=r"rows must be of shape \(n, 3\)"):
        Inputs(function(rows=array(ROW)), [(np.zeros((3, 2), np.float32),)], seed=4)


def test_without_samples_arrays_of_structs_are_made_up() -> None:
    made = Inputs(function(points=array(POINT), n=U8), [], seed=4).checks(10)[0].args[0]

    assert made.dtype == STRUCTURED
    assert len(set(made["n"].tolist())) > 5
