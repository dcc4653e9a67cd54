"""Copies of a call's arguments: what is plain is put back as it was, and anything else is not touched."""

from __future__ import annotations

import array
import threading

import numpy as np
import pytest

from project_o.deploy.arguments import copied, kept
from project_o.values import NativeFunction as Signature
from project_o.values import NativeType

F64 = NativeType("float", bits=64)
READ = NativeType("slice", const=True, child=F64)
WRITTEN = NativeType("slice", child=F64)
SIGNATURE = Signature("scale", (("xs", READ), ("out", WRITTEN)), F64)


def test_what_is_plain_is_restored_as_the_same_objects():
    inner = [1, {2}]
    value = {"a": inner, "b": (np.arange(3), bytearray(b"xy")), "c": array.array("d", [1.0])}
    before = kept(None, (value, inner), {"named": inner})

    inner.append(5)
    inner[1].add(9)
    value["b"][0][:] = 0
    value["b"][1][:] = b"no"
    value["c"][0] = 7.0
    value["new"] = 1
    before.restore()

    assert value["a"] is inner
    assert inner == [1, {2}]
    assert value["b"][0].tolist() == [0, 1, 2]
    assert value["b"][1] == bytearray(b"xy")
    assert list(value["c"]) == [1.0]
    assert "new" not in value


@pytest.mark.parametrize("value", [object(), open, np.array([object()]), [lambda: 1], {"a": threading.Lock()}])
def test_what_is_not_plain_is_not_copied(value):
    assert kept(None, (value,), {}) is None


def test_a_list_in_itself_is_kept_once():
    value = [1]
    value.append(value)
    before = kept(None, (value,), {})
    value.clear()
    before.restore()
    assert value[0] == 1
    assert value[1] is value


def test_native_arguments_that_are_only_read_are_not_copied():
    xs, out = np.zeros(4), np.zeros(4)
    again = copied(SIGNATURE, (xs, out))
    assert again[0] is xs
    assert again[1] is not out
    nested = Signature("f", (("s", NativeType("struct", fields=(("out", WRITTEN),))),), F64)
    assert kept(nested, ((out,),), {}) is None, "inside a struct it cannot be put back"
