"""Plain data comes back as what it was: value and type."""

import base64
import json
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.runtimes.python_refusals import plain_fault
from project_o.sandbox import wire
from project_o.sandbox.arena import Arena

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


@pytest.mark.parametrize(
    "items",
    [[1, 2, 3], [-(1 << 63), (1 << 64) - 1], [1 << 64], [-(1 << 63) - 1], [0.5, -0.0], [float("inf"), 1.0],
     [True, 1, None], ["a", None], [[1], 2], [(1, 2)], [{"a": 1}], [], [1, 2.5]],
)  # fmt: skip
def test_a_list_crosses_as_it_was_however_it_is_looked_at(items):
    found = back(items)

    assert repr(found) == repr(items)
    assert wire.encode(items, no_memory) is not items, "what is sent is not the owner's"


def test_not_a_number_in_a_list_is_told_and_never_written():
    assert repr(back([float("nan"), 1.0])) == "[nan, 1.0]"


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


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "[1, 1e400]"])
def test_a_number_that_is_none_is_no_answer(number):
    with pytest.raises(ValueError, match="not JSON"):
        wire.read_line(f'{{"value": {number}}}'.encode())


@pytest.mark.parametrize("tag", ["$set", "$frozenset", "$dict"])
def test_keys_chosen_to_have_one_hash_are_refused_before_they_are_compared(tag):
    """A megabyte of them would keep the kernel busy for a quarter of a minute."""
    keys = [k * (2**61 - 1) for k in range(1, 30_000)]
    began = time.thread_time()
    with pytest.raises(ValueError, match="one hash"):
        wire.decode({tag: [[key, 1] for key in keys] if tag == "$dict" else keys}, no_memory)
    assert time.thread_time() - began < 1.0
    honest = list(range(30_000))
    assert len(wire.decode({tag: [[key, 1] for key in honest] if tag == "$dict" else honest}, no_memory)) == 30_000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "utf-32"])
def test_a_line_in_another_encoding_is_none(encoding):
    with pytest.raises(ValueError, match="ascii"):
        wire.read_line('{"id": 1}'.encode(encoding))


def array_of(dtype, raw):
    return {"$array": [dtype, [len(raw) // np.dtype(dtype).itemsize], base64.b64encode(raw).decode()]}


@pytest.mark.parametrize("dtype", ["<U1", ">U1"])
def test_text_of_what_are_no_characters_is_refused(dtype):
    raw = np.array([0x110000], f"{dtype[0]}u4").tobytes()
    for body in (array_of(dtype, raw), {"$scalar": [dtype, base64.b64encode(raw).decode()]}):
        with pytest.raises(ValueError, match="no characters"):
            wire.decode(body, no_memory)


def test_a_truth_value_is_one_of_two():
    found = wire.decode(array_of("|b1", b"\0\1\2\xff"), no_memory)
    assert found.tobytes() == b"\0\1\1\1"


def test_a_unit_of_time_of_no_length_is_refused():
    """numpy makes such an array, and raises whenever it is shown."""
    with pytest.raises(ValueError, match="no such array"):
        wire.decode({"$array": ["<M8[0Y]", [1], "AAAAAAAAAAA="]}, no_memory)
    assert wire.decode(array_of("<M8[ns]", bytes(8)), no_memory).astype(int).tolist() == [0]
    assert wire.decode(array_of("<M8[25s]", bytes(8)), no_memory).astype(int).tolist() == [0]


def test_one_place_named_often_is_no_larger_than_what_is_shared():
    """An answer of a few bytes a value must not fill its reader's memory."""
    arena = Arena()
    arena.grow(1 << 16)
    part = {"$array": ["|u1", [1 << 14], 0]}
    assert len(wire.decode([part] * 4, arena.reader())) == 4
    with pytest.raises(ValueError, match="more than the 65536 bytes"):
        wire.decode([part] * 5, arena.reader())
    arena.close()
