"""Whether two builds of one text answered alike: exactly, but for rounding.

Between an optimised build and one that is not, float functions may come from different libraries, and sums in vectors
may be taken in another order.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...values import NativeFunction, NativeType

if TYPE_CHECKING:
    from ...sandbox import Answer

# Relative to the larger of two numbers, in an array to its largest: about a thousand roundings.
_TOLERANCE_BY_BITS = {16: 2e-2, 32: 1e-4, 64: 1e-10}


def difference(function: NativeFunction, expected: Answer, given: Answer) -> str:
    """In words how the second answer differs from the first; "" if they agree."""
    if expected.ok != given.ok or expected.error_name != given.error_name:
        return f"{_told(given)} instead of {_told(expected)}"
    if not expected.ok:
        return ""
    tolerance = _TOLERANCE_BY_BITS[_float_bits(function.result)]
    if not _alike(expected.value, given.value, tolerance):
        return f"{_told(given)} instead of {_told(expected)}"
    if len(expected.written) != len(given.written) or not all(
        place == other and _arrays_alike(left, right)
        for (place, left), (other, right) in zip(expected.written, given.written, strict=False)
    ):
        return "writes something else into its arguments"
    return ""


def _alike(expected: Any, given: Any, tolerance: float) -> bool:
    # First of all: the named tuple of a struct has the dtype of an array of such, and is none.
    if isinstance(expected, tuple) and isinstance(given, tuple):
        return len(expected) == len(given) and all(map(lambda a, b: _alike(a, b, tolerance), expected, given))
    if hasattr(expected, "dtype") and hasattr(given, "dtype"):
        return _arrays_alike(expected, given)
    if isinstance(expected, float) and isinstance(given, float):
        same = expected == given or (math.isnan(expected) and math.isnan(given))
        return same or math.isclose(expected, given, rel_tol=tolerance)
    return type(expected) is type(given) and bool(expected == given)


def _arrays_alike(expected: Any, given: Any) -> bool:
    import numpy as np

    if expected.dtype != given.dtype or expected.shape != given.shape:
        return False
    if expected.dtype.kind != "f":
        return bool(np.array_equal(expected, given))
    left, right = expected.astype(np.float64), given.astype(np.float64)
    both = np.isfinite(left) & np.isfinite(right)
    allowed = _TOLERANCE_BY_BITS[8 * expected.dtype.itemsize] * np.abs(left[both]).max(initial=0.0)
    close = np.abs(np.where(both, left - right, 0.0)) <= allowed
    return bool(np.all(np.where(both, close, (left == right) | (np.isnan(left) & np.isnan(right)))))


def _float_bits(kind: NativeType) -> int:
    """The narrowest float in a result, 64 where there is none."""
    parts: Sequence[NativeType] = [item for _, item in kind.fields] + ([kind.child] if kind.child is not None else [])
    own = kind.bits if kind.kind == "float" else 64
    return min([own, *map(_float_bits, parts)])


def _told(answer: Answer) -> str:
    if not answer.ok:
        return f"returns error.{answer.error_name}" if answer.error_name else f"ends ({answer.error or answer.ended})"
    text = repr(answer.value).replace("\n", " ")
    return f"returns {text if len(text) <= 80 else text[:77] + '...'}"
