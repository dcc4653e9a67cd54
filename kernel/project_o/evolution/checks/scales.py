"""A value made so many times as large, as the relation "scaling" needs it."""

from __future__ import annotations

import math
from typing import Any


def scaled(value: Any, factor: float) -> Any:
    """Numbers, arrays, lists and tuples of them. Raises OverflowError where a number does not fit its type."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return _array(value, factor)
    if isinstance(value, bool) or value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, (list, tuple)):
        parts = [scaled(item, factor) for item in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, float):
        return _checked(value * factor, value)
    if isinstance(value, (int, complex)):
        return value * factor
    return value


def _checked(found: float, value: float) -> float:
    if math.isinf(found) and math.isfinite(value):
        raise OverflowError
    return found


def _array(array: Any, factor: float) -> Any:
    import numpy as np

    if array.dtype.kind in "iu":
        limit = np.iinfo(array.dtype)
        if array.size and not limit.min <= int(array.min()) * factor <= int(array.max()) * factor <= limit.max:
            raise OverflowError
        return array * array.dtype.type(factor)
    if array.dtype.kind not in "fc":
        return array
    with np.errstate(over="ignore"):
        found = array * array.dtype.type(factor)
    if array.dtype.kind == "f" and np.isinf(found).any() and np.isfinite(array).all():
        raise OverflowError
    return found
