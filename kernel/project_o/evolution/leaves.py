"""Arguments taken apart into leaves (arrays, text, numbers), and put together again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .. import abi
from ..errors import EvolutionError
from ..values import NativeFunction, NativeType

LIST = "python list"
"""The name of a slice type whose values are Python lists."""
ARRAYS = ("array", "records", "matrix")
"""The kinds of leaves that are arrays of numpy's; ``records`` are those of structs."""
LeafKind = Literal["array", "records", "matrix", "text", "int", "float", "bool", "fixed"]


@dataclass(frozen=True)
class Leaf:
    """One part of a function's arguments. ``values`` are those of the samples; ``fixed`` parts are never varied."""

    kind: LeafKind
    type: NativeType
    name: str
    values: tuple[Any, ...]

    @property
    def writable(self) -> bool:
        """Whether the function writes it."""
        arrays = self.type.kind in ("slice", "matrix", "view")
        return self.kind in ARRAYS and arrays and not self.type.const

    @property
    def floating(self) -> bool:
        """Whether its elements are floats."""
        return self.element.kind == "float"

    @property
    def element(self) -> NativeType:
        """The type of its elements; of a number its own."""
        child = self.type.child or self.type
        return child.child if self.row and child.child is not None else child

    @property
    def row(self) -> int:
        """How many numbers each element is, of a slice of rows; else 0."""
        return abi.row_length(self.type) if self.type.kind == "slice" else 0


def take_apart(function: NativeFunction, samples: Sequence[Sequence[Any]]) -> list[Leaf]:
    """The leaves of a function's arguments in these samples (at least one).

    Raises EvolutionError for a sample with the wrong number of arguments, or of another dimension.
    """
    count = len(function.parameters)
    for sample in samples:
        if len(sample) != count:
            names = ", ".join(name for name, _ in function.parameters)
            raise EvolutionError(f"--inputs: {function.name}({names}) takes {count} arguments, not {len(sample)}")
    found: list[Leaf] = []
    for index, (name, kind) in enumerate(function.parameters):
        found.extend(_leaves(kind, name, tuple(sample[index] for sample in samples)))
    return found


def put_together(function: NativeFunction, values: Sequence[Any], shape: Sequence[Any]) -> tuple[Any, ...]:
    """Arguments from leaf values; ``shape`` is a sample, which says what is inside structs and optionals."""
    rest = iter(values)
    return tuple(_build(kind, part, rest) for (_, kind), part in zip(function.parameters, shape, strict=True))


def _leaves(kind: NativeType, name: str, values: tuple[Any, ...]) -> Iterator[Leaf]:
    if kind.kind in ("struct", "tuple") and all(_is_record(kind, value) for value in values):
        for index, (field, part) in enumerate(kind.fields):
            yield from _leaves(part, f"{name}.{field}", tuple(_field(value, field, index) for value in values))
    elif kind.child is not None and kind.child.numbers:
        # Of structs whole elements are drawn, as many as the size says: what their fields mean to each other stays.
        drawn = kind.kind == "slice" and all(_is_structured(kind.child, value) for value in values)
        yield Leaf("records" if drawn else "fixed", kind, name, values)
    elif kind.kind == "slice" and abi.row_length(kind):
        yield Leaf("matrix", kind, name, tuple(_rows(kind, name, value) for value in values))
    elif kind.kind == "slice":
        yield _slice_leaf(kind, name, values)
    elif kind.kind == "matrix":
        yield Leaf("matrix", kind, name, tuple(_array(kind, name, value, 2) for value in values))
    elif kind.kind == "view" and kind.length <= 2:
        arrays = tuple(_array(kind, name, value, kind.length) for value in values)
        yield Leaf("array" if kind.length == 1 else "matrix", kind, name, arrays)
    elif kind.kind == "int":
        yield Leaf("int", kind, name, values)
    elif kind.kind == "float":
        yield Leaf("float", kind, name, values)
    elif kind.kind == "bool":
        yield Leaf("bool", kind, name, values)
    else:
        yield Leaf("fixed", kind, name, values)


def _slice_leaf(kind: NativeType, name: str, values: tuple[Any, ...]) -> Leaf:
    if kind.sentinel or all(isinstance(value, (str, bytes)) for value in values):
        return Leaf("text", kind, name, values)
    return Leaf("array", kind, name, tuple(_array(kind, name, value, None) for value in values))


def _array(kind: NativeType, name: str, value: Any, dimensions: int | None) -> Any:
    import numpy as np

    assert kind.child is not None, "slices and matrices have elements"
    if isinstance(value, str):
        value = np.frombuffer(value.encode("utf-8"), np.uint8)
    elif isinstance(value, (bytes, bytearray, memoryview)):
        value = np.frombuffer(value, np.uint8)
    array = np.asarray(value)
    wanted = abi.element_dtype(kind.child)
    if array.size == 0:
        array = array.astype(wanted)
    if array.dtype != wanted and not (
        isinstance(value, (list, tuple)) and np.can_cast(array.dtype, wanted, "same_kind")
    ):
        raise EvolutionError(
            f"--inputs: {name} must be a numpy array of {wanted}, not {array.dtype}: use .astype('{wanted}')"
        )
    if dimensions is not None and array.ndim != dimensions:
        raise EvolutionError(f"--inputs: {name} must be a {dimensions}-d array, not {array.ndim}-d")
    return np.ascontiguousarray(array, wanted)


def _is_structured(element: NativeType, value: Any) -> bool:
    return bool(getattr(value, "dtype", None) == abi.element_dtype(element) and value.ndim == 1)


def _rows(kind: NativeType, name: str, value: Any) -> Any:
    """An array of as many columns as the type says."""
    import numpy as np

    assert kind.child is not None, "slices have elements"
    array = np.asarray(value)
    if array.size == 0:
        array = array.reshape(0, kind.child.length)
    found = _array(kind.child, name, array if array.size == 0 else value, 2)
    if found.shape[1] != kind.child.length:
        raise EvolutionError(f"--inputs: {name} must be of shape (n, {kind.child.length}), not {found.shape}")
    return found


def _is_record(kind: NativeType, value: Any) -> bool:
    if isinstance(value, dict):
        return set(value) == {name for name, _ in kind.fields}
    return isinstance(value, tuple) and len(value) == len(kind.fields)


def _field(value: Any, name: str, index: int) -> Any:
    return value[name] if isinstance(value, dict) else value[index]


def _build(kind: NativeType, part: Any, rest: Iterator[Any]) -> Any:
    if kind.kind in ("struct", "tuple") and _is_record(kind, part):
        return tuple(_build(item, _field(part, name, k), rest) for k, (name, item) in enumerate(kind.fields))
    value = next(rest)
    return value.tolist() if kind.name == LIST else value
