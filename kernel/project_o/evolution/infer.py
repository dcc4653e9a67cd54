"""The types of a function that takes any values, read off the user's samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import EvolutionError
from ..values import NativeFunction, NativeType
from .leaves import LIST

_INT = NativeType("int", bits=64, signed=True)
_FLOAT = NativeType("float", bits=64)
_TEXT = NativeType("slice", const=True, child=NativeType("int", bits=8))
_BITS = 8


def takes_any(function: NativeFunction) -> bool:
    """Whether the language of this function declares no types."""
    return function.result.kind == "any"


def typed(function: NativeFunction, samples: Sequence[tuple[Any, ...]]) -> NativeFunction:
    """The function with types where the samples show them; ``any`` stays where they do not, and is never varied.

    Raises EvolutionError where there are no samples, or samples of different lengths.
    """
    if not takes_any(function):
        return function
    if not samples and function.parameters:
        told = ", ".join(name for name, _ in function.parameters)
        raise EvolutionError(
            f"nothing says which arguments {function.name}({told}) is meant for: show some with --inputs, as a tuple "
            "or a list of tuples, or give an evaluator"
        )
    counts = {len(sample) for sample in samples}
    if len(counts) > 1:
        raise EvolutionError(f"--inputs: all tuples must have as many arguments as the first, not {sorted(counts)}")
    names = [name for name, _ in function.parameters]
    names += [f"argument_{k + 1}" for k in range(len(names), max(counts, default=0))]
    shown = names[: max(counts, default=0)]
    kinds = [_kind([sample[k] for sample in samples]) for k in range(len(shown))]
    return replace(function, parameters=tuple(zip(shown, kinds, strict=True)))


def writing(function: NativeFunction, places: Iterable[int]) -> NativeFunction:
    """The function with the arrays at these places as what it writes: it was seen to change them."""
    written = set(places)
    parameters = tuple(
        (name, replace(kind, const=False) if place in written and kind.kind in ("slice", "matrix") else kind)
        for place, (name, kind) in enumerate(function.parameters)
    )
    return replace(function, parameters=parameters)


def _kind(values: Sequence[Any]) -> NativeType:
    first = type(values[0])
    if any(type(value) is not first for value in values):
        return NativeType("any")
    if first is bool:
        return NativeType("bool")
    if first is int:
        return _INT if all(-(1 << 63) <= value < 1 << 63 for value in values) else NativeType("any")
    if first is float:
        return _FLOAT
    if first in (str, bytes):
        return _TEXT
    if first is np.ndarray:
        return _array(values)
    if first is list:
        return _list(values)
    return NativeType("any")


def _list(values: Sequence[list[Any]]) -> NativeType:
    """Lists of floats, or of whole numbers, are varied as arrays are and handed over as lists."""
    kinds = {type(item) for value in values for item in value}
    if kinds == {float}:
        return NativeType("slice", const=True, child=_FLOAT, name=LIST)
    if kinds == {int} and all(-(1 << 63) <= item < 1 << 63 for value in values for item in value):
        return NativeType("slice", const=True, child=_INT, name=LIST)
    return NativeType("any")


def _array(values: Sequence[Any]) -> NativeType:
    dtype, dimensions = values[0].dtype, values[0].ndim
    same = all(value.dtype == dtype and value.ndim == dimensions for value in values)
    element = _element(dtype)
    if not same or element is None or dimensions not in (1, 2):
        return NativeType("any")
    return NativeType("slice" if dimensions == 1 else "matrix", const=True, child=element)


def _element(dtype: Any) -> NativeType | None:
    bits = _BITS * dtype.itemsize
    if not dtype.isnative:
        return None
    if dtype.kind == "b":
        return NativeType("bool")
    if dtype.kind in "iu":
        return NativeType("int", bits=bits, signed=dtype.kind == "i")
    return NativeType("float", bits=bits) if dtype.kind == "f" and bits in (16, 32, 64) else None
