"""Plain data comes back as what it was: value and type."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from project_o.runtimes.python_refusals import plain_fault
from project_o.sandbox import wire

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.complex_numbers(allow_nan=False),
    st.text(),
    st.binary(),
)
KEYS = st.one_of(SCALARS, st.tuples(SCALARS, SCALARS), st.frozensets(SCALARS))
PLAIN = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner).map(tuple),
        st.dictionaries(KEYS, inner),
        st.sets(KEYS),
        st.frozensets(KEYS),
    ),
    max_leaves=20,
)


def no_memory(*_):
    raise AssertionError("small data is not shared")


def back(value):
    text = json.dumps(wire.encode_exactly(value, no_memory), allow_nan=False)
    return wire.decode(json.loads(text, parse_constant=wire.refuse_constant), no_memory)


@given(PLAIN)
def test_plain_data_comes_back(value):
    assert plain_fault(value) is None
    found = back(value)
    assert (type(found), found) == (type(value), value)


@given(st.sampled_from(["f2", "f4", "f8", "i1", "u8", "?", "c16", "M8[s]"]), st.integers(0, 1))
def test_numbers_of_numpy_come_back_as_such(dtype, number):
    value = np.array(number).astype(dtype)[()]

    assert plain_fault(value) is None
    assert repr(back(value)) == repr(value)


@given(st.sets(st.one_of(st.integers(), st.text())))
def test_a_set_has_one_spelling(value):
    again = set()
    for item in sorted(value, key=repr, reverse=True):
        again.add(item)

    assert json.dumps(wire.encode(value, no_memory)) == json.dumps(wire.encode(again, no_memory))
