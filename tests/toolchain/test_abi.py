"""Values into cells and back, without any native code: the callee's memory is a dictionary of bytes."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o import abi
from project_o.errors import InterfaceError
from project_o.values import NativeFunction, NativeType

BOOL = NativeType("bool", bits=8)
F64 = NativeType("float", bits=64, signed=True)
F32 = NativeType("float", bits=32, signed=True)
VOID = NativeType("void")


def integer(bits: int, *, signed: bool) -> NativeType:
    return NativeType("int", bits=bits, signed=signed)


def sliced(child: NativeType, *, const: bool = True) -> NativeType:
    return NativeType("slice", const=const, child=child)


def function(*parameters: NativeType, result: NativeType = VOID) -> NativeFunction:
    return NativeFunction("f", tuple((f"a{k}", kind) for k, kind in enumerate(parameters)), result)


class Memory:
    """Places arrays at made-up addresses and reads them back."""

    def __init__(self) -> None:
        self.arrays: dict[int, np.ndarray] = {}

    def place(self, array: np.ndarray, writable: bool) -> int:
        address = 0x1000 * (len(self.arrays) + 1)
        self.arrays[address] = array
        return address

    def read(self, address: int, size: int) -> bytes:
        raw = self.arrays[address].tobytes()
        assert size <= len(raw)
        return raw[:size]


def packed(function_: NativeFunction, *args: Any) -> tuple[list[int], Memory]:
    memory = Memory()
    return abi.pack(function_, args, memory.place), memory


def there_and_back(kind: NativeType, value: Any) -> Any:
    """What a function that returns its argument gives. Holds for types whose cells are the same both ways."""
    cells, memory = packed(function(kind), value)
    assert len(cells) == abi.cell_count(kind) == abi.argument_cell_count(kind)
    return abi.unpack(function(result=kind), cells, memory.read)


NUMBERS = st.one_of(
    st.just((BOOL, True)),
    st.just((BOOL, False)),
    st.integers(1, 64).flatmap(
        lambda bits: st.integers(0, (1 << bits) - 1).map(lambda value: (integer(bits, signed=False), value))
    ),
    st.integers(1, 64).flatmap(
        lambda bits: st.integers(-(1 << (bits - 1)), (1 << (bits - 1)) - 1).map(
            lambda value: (integer(bits, signed=True), value)
        )
    ),
    st.floats(allow_nan=False).map(lambda value: (F64, value)),
)
SLICES = st.lists(st.integers(0, 65535)).map(
    lambda items: (sliced(integer(16, signed=False)), np.array(items, np.uint16))
)


def structured(values: st.SearchStrategy[tuple[NativeType, Any]]) -> st.SearchStrategy[tuple[NativeType, Any]]:
    tuples = st.lists(values, max_size=4).map(
        lambda items: (
            NativeType("tuple", fields=tuple((str(k), kind) for k, (kind, _) in enumerate(items))),
            tuple(value for _, value in items),
        )
    )
    optionals = st.tuples(values, st.booleans()).map(
        lambda drawn: (NativeType("optional", child=drawn[0][0]), drawn[0][1] if drawn[1] else None)
    )
    return st.one_of(tuples, optionals.filter(lambda drawn: drawn[0].child.kind != "optional"))


@given(st.recursive(st.one_of(NUMBERS, SLICES), structured, max_leaves=8))
def test_every_value_comes_back_as_it_went(drawn: tuple[NativeType, Any]) -> None:
    kind, value = drawn

    assert repr(there_and_back(kind, value)) == repr(value)


@given(st.integers(1, 64), st.booleans(), st.integers(-(1 << 70), 1 << 70))
def test_an_integer_passes_exactly_if_its_type_holds_it(bits: int, signed: bool, value: int) -> None:
    kind = integer(bits, signed=signed)
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    if low <= value <= high:
        assert there_and_back(kind, value) == value
    else:
        with pytest.raises(InterfaceError, match="f: a0 wants an int from"):
            packed(function(kind), value)


def test_floats_keep_their_bits() -> None:
    for bits in (0x7FF0000000000000, 0x8000000000000000, 0x7FF8000000000001, 1):
        value = struct.unpack("<d", struct.pack("<Q", bits))[0]
        cells, _ = packed(function(F64), value)
        assert cells == [bits]


@pytest.mark.parametrize("value", [1, True, np.float32(2), np.int64(3)])
def test_numbers_pass_as_floats(value: Any) -> None:
    assert there_and_back(F64, value) == float(value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (BOOL, 1),
        (BOOL, "yes"),
        (integer(32, signed=True), 1.0),
        (integer(32, signed=True), "1"),
        (F64, "1"),
        (F64, None),
        (F64, 10**400),
        (sliced(F32), 3.0),
        (sliced(F32), np.zeros(3)),
        (sliced(F32), np.zeros(3, ">f4")),
        (sliced(F32), np.zeros(6, np.float32)[::2]),
        (sliced(F32), ["a"]),
        (sliced(F32), [[1.0], [1.0, 2.0]]),
        (sliced(F32, const=False), np.frombuffer(bytearray(9), np.uint8)[1:].view(np.float32)),
        (sliced(F32, const=False), [1.0]),
        (sliced(integer(8, signed=False), const=False), b"abc"),
        (sliced(integer(8, signed=True)), [300]),
        (sliced(integer(8, signed=False)), [-1]),
        (sliced(integer(64, signed=False)), [1 << 64]),
        (sliced(integer(32, signed=True)), [1.5]),
        (sliced(integer(8, signed=False)), "half \ud800"),
        (NativeType("slice", const=True, sentinel=True, child=integer(8, signed=False)), "a\0b"),
        (NativeType("slice", const=True, sentinel=True, child=integer(8, signed=False)), 3),
        (NativeType("matrix", const=True, child=F64), np.zeros(3)),
        (NativeType("matrix", const=True, child=F64), np.zeros((4, 4)).T[:, :2]),
        (NativeType("matrix", const=True, child=F64), np.zeros((4, 4))[::-1]),
        (NativeType("array", length=3, child=F64), [1.0, 2.0]),
        (NativeType("tuple", fields=(("0", F64),)), (1.0, 2.0)),
        (NativeType("struct", name="P", fields=(("x", F64),)), {"y": 1.0}),
        (NativeType("struct", name="P", fields=(("x", F64),)), 1.0),
    ],
)
def test_what_does_not_fit_is_refused_by_name(kind: NativeType, value: Any) -> None:
    with pytest.raises(InterfaceError, match=r"^f: a0"):
        packed(function(kind), value)


def test_a_read_only_array_cannot_be_written() -> None:
    array = np.zeros(3, np.float32)
    array.flags.writeable = False

    with pytest.raises(InterfaceError, match=r"read-only: pass a \.copy\(\)"):
        packed(function(sliced(F32, const=False)), array)


def test_the_count_of_arguments_is_checked() -> None:
    with pytest.raises(InterfaceError, match=r"f\(a0, a1\) takes 2 arguments, 1 was given"):
        packed(function(F64, F64), 1.0)


def test_arrays_are_placed_without_a_copy() -> None:
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    cells, memory = packed(function(sliced(F32)), array)

    assert memory.arrays[cells[0]] is array
    assert cells[1] == 6


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (integer(8, signed=False), [0, 255], [0, 255]),
        (integer(64, signed=False), [(1 << 64) - 1], [(1 << 64) - 1]),
        (integer(8, signed=False), b"ab", [97, 98]),
        (integer(8, signed=False), "é", [0xC3, 0xA9]),
        (integer(8, signed=False), bytearray(b"ab"), [97, 98]),
        (integer(16, signed=True), [], []),
        (BOOL, [True, False], [True, False]),
        (F32, [1, 2.5, True], [1.0, 2.5, 1.0]),
    ],
)
def test_lists_bytes_and_text_pass_as_slices(kind: NativeType, value: Any, expected: list[Any]) -> None:
    cells, memory = packed(function(sliced(kind)), value)

    assert memory.arrays[cells[0]].tolist() == expected
    assert cells[1] == len(expected)


def test_a_matrix_is_four_cells_and_may_have_gaps_between_its_rows() -> None:
    whole = np.zeros((5, 8))
    cells, _ = packed(function(NativeType("matrix", const=True, child=F64)), whole[1:4, 2:5])

    assert cells[1:] == [3, 3, 8]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (1, 4), (4, 1)])
def test_matrices_without_a_natural_stride(shape: tuple[int, int]) -> None:
    cells, _ = packed(function(NativeType("matrix", const=True, child=F64)), np.zeros(shape))

    assert cells[1:3] == list(shape)
    assert cells[3] >= shape[1]


def test_an_absent_optional_takes_the_cells_of_a_present_one() -> None:
    inner = NativeType(
        "struct",
        name="P",
        fields=(("x", NativeType("array", length=5, child=F64)), ("s", sliced(F64)), ("n", BOOL)),
    )
    kind = NativeType("optional", child=inner)
    present, _ = packed(function(kind), ([1, 2, 3, 4, 5], [1.0], True))
    absent, _ = packed(function(kind), None)

    assert len(present) == len(absent) == abi.argument_cell_count(kind) == 5
    assert abi.cell_count(kind) == 1 + 5 + 2 + 1


def test_results_are_decoded_after_an_absent_optional() -> None:
    kind = NativeType(
        "tuple", fields=(("0", NativeType("optional", child=sliced(F64))), ("1", integer(8, signed=True)))
    )

    assert abi.unpack(function(result=kind), [0, 7, 7, 0xFF, 0], Memory().read) == (None, -1)


@pytest.mark.parametrize("name", ["Pair(f32)", "struct", "class", "", "1x"])
def test_struct_names_need_not_be_names_in_python(name: str) -> None:
    kind = NativeType("struct", name=name, fields=(("x", F64), ("class", F64)))
    value = abi.unpack(function(result=kind), [0, 0, 0], Memory().read)

    assert value == (0.0, 0.0)
    assert value.x == 0.0


def test_text_is_text_and_other_bytes_are_bytes() -> None:
    kind = sliced(integer(8, signed=False))
    memory = Memory()
    good, bad = (
        memory.place(np.frombuffer(b"\xc3\xa9", np.uint8), False),
        memory.place(np.array([255], np.uint8), False),
    )

    assert abi.unpack(function(result=kind), [good, 2, 0], memory.read) == "é"
    assert abi.unpack(function(result=kind), [bad, 1, 0], memory.read) == b"\xff"


def test_result_slices_name_their_cells_and_conditions() -> None:
    text = sliced(integer(8, signed=False))
    kind = NativeType(
        "error_union",
        child=NativeType("struct", fields=(("n", F64), ("o", NativeType("optional", child=sliced(F32))), ("t", text))),
    )
    assert abi.result_slices(function(result=kind)) == [(2, 4, (1,)), (4, 1, ())]
    assert abi.handle_cell(function(result=kind)) == 6
    assert abi.result_cells(function(result=kind)) == 7


def test_there_is_always_room_for_an_errors_name() -> None:
    assert abi.result_cells(function()) == 3
    assert abi.handle_cell(function()) == 0


@given(st.binary(min_size=abi.FAULT_BYTES, max_size=abi.FAULT_BYTES))
def test_any_record_of_a_fault_can_be_read(raw: bytes) -> None:
    fault = abi.fault_from_bytes(raw)

    assert len(fault["frames"]) <= 64
    assert isinstance(fault["message"], str)


def test_a_record_of_a_fault() -> None:
    raw = struct.pack("<iiQII512s64Q", 2, 11, 0x10, 2, 1, b"words\0junk", 5, 6, *[9] * 62)

    assert len(raw) == abi.FAULT_BYTES
    assert abi.fault_from_bytes(raw) == {
        "kind": "signal",
        "signal": 11,
        "address": 0x10,
        "exact": True,
        "message": "words",
        "frames": [5, 6],
    }


def test_types_in_pythons_words() -> None:
    u8 = integer(8, signed=False)
    spelled = {
        "str": sliced(u8),
        "writable uint8 array": sliced(u8, const=False),
        "2-d float64 array": NativeType("matrix", const=True, child=F64),
        "float | None": NativeType("error_union", child=NativeType("optional", child=F64)),
        "bool array of 3": NativeType("array", length=3, child=BOOL),
        "Point": NativeType("struct", name="Point"),
        "None": NativeType("void"),
    }
    assert {abi.spell(kind): kind for kind in spelled.values()} == spelled
