"""Types read off the samples of a function that takes any values, and what is generated from them."""

import numpy as np
import pytest

from project_o.errors import EvolutionError
from project_o.evolution.infer import typed
from project_o.evolution.inputs import Inputs
from project_o.values import NativeFunction, NativeType

ANY = NativeType("any")


def function(*names):
    return NativeFunction("f", tuple((name, ANY) for name in names), ANY)


@pytest.mark.parametrize(
    ("value", "kind", "element"),
    [
        (True, "bool", None),
        (3, "int", None),
        (1 << 70, "any", None),
        (0.5, "float", None),
        ("abc", "slice", "int"),
        (b"abc", "slice", "int"),
        (np.ones(3), "slice", "float"),
        (np.ones((3, 2), "f4"), "matrix", "float"),
        (np.array([True]), "slice", "bool"),
        (np.ones(3, "i2"), "slice", "int"),
        (np.array(3.0), "any", None),
        (np.ones((2, 2, 2)), "any", None),
        (np.ones(2, ">f8"), "any", None),
        (np.ones(2, complex), "any", None),
        (np.array(["a"]), "any", None),
        ([1.0, 2.0], "slice", "float"),
        ([1, 2], "slice", "int"),
        ([1, 2.0], "any", None),
        ([], "any", None),
        (None, "any", None),
        ({"a": 1}, "any", None),
    ],
)
def test_the_type_of_a_sample(value, kind, element):
    found = dict(typed(function("x"), [(value,)]).parameters)["x"]

    assert (found.kind, found.child.kind if found.child else None) == (kind, element)


def test_samples_that_differ_in_type_are_not_varied():
    assert dict(typed(function("x"), [(1,), (2.0,)]).parameters)["x"] == ANY


def test_arguments_may_be_left_out_or_beyond_the_named_ones():
    assert [name for name, _ in typed(function("x", "n"), [(1,)]).parameters] == ["x"]
    assert [name for name, _ in typed(function("x"), [(1, 2)]).parameters] == ["x", "argument_2"]


def test_no_sample_or_unequal_ones_are_refused():
    with pytest.raises(EvolutionError, match=r"which arguments f\(x, n\) is meant for"):
        typed(function("x", "n"), [])
    with pytest.raises(EvolutionError, match="as many arguments"):
        typed(function("x"), [(1,), (1, 2)])
    assert typed(function(), []).parameters == ()


def test_a_function_with_types_keeps_them():
    native = NativeFunction("f", (("x", NativeType("float", bits=32)),), NativeType("void"))

    assert typed(native, [(1.0,)]) is native


def test_lists_stay_lists_and_are_varied():
    samples = [([1.0, 2.0, 4.0], {"fixed": 1})]
    inputs = Inputs(typed(function("x", "how"), samples), samples, 0)
    cases = inputs.checks(30)

    assert all(type(case.args[0]) is list and case.args[1] == {"fixed": 1} for case in cases)
    assert {len(case.args[0]) for case in cases} > {0, 1, 3}
    assert all(type(item) is float for case in cases for item in case.args[0])


def test_what_cannot_be_varied_is_asked_once():
    samples = [({"a": 1},), ({"a": 2},)]

    assert len(Inputs(typed(function("x"), samples), samples, 0).checks(30)) == 2
