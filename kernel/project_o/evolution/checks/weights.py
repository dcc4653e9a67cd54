"""How large and how complicated arguments are: what a shrunk input must make less."""

from __future__ import annotations

import math
from typing import Any

Weight = tuple[int, float]
"""(how many values there are, how complicated they are): compared in this order."""

NOT_FINITE = 40.0
FRACTION = 50.0
FRACTION_LONGEST = 75.0
FRACTIONS_LOOKED_AT_MAX = 256
EXACT_BELOW = float(1 << 53)


def weight(value: Any) -> Weight:
    """Of arguments, or of any part of them. 0 weighs nothing, 1 little, a number with many digits most."""
    import numpy as np

    if isinstance(value, np.ndarray):
        return int(value.size), _array(value)
    if isinstance(value, (str, bytes)):
        return len(value), float(sum(_character(item) for item in value))
    if isinstance(value, dict):
        parts = [weight(item) for pair in value.items() for item in pair]
        return len(value) + sum(size for size, _ in parts), sum(rest for _, rest in parts)
    if isinstance(value, (list, tuple, set, frozenset)):
        parts = [weight(item) for item in value]
        return len(value) + sum(size for size, _ in parts), sum(rest for _, rest in parts)
    return 0, _number(value)


def _number(value: Any) -> float:
    if value is None:
        return 0.0
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int):
        return _whole(abs(value).bit_length(), value < 0)
    if isinstance(value, complex):
        return 1.0 + _number(value.real) + _number(value.imag)
    if not isinstance(value, float):
        return NOT_FINITE
    if not math.isfinite(value):
        return NOT_FINITE
    if value == int(value) and abs(value) < EXACT_BELOW:
        return _whole(abs(int(value)).bit_length(), math.copysign(1.0, value) < 0)
    return min(FRACTION_LONGEST, FRACTION + len(repr(abs(value)))) + (value < 0)


def _whole(bits: int, negative: bool) -> float:  # noqa: FBT001 - a sign
    return (2.0 * bits if bits > 1 else float(bits)) + negative


def _character(item: str | int) -> float:
    code = item if isinstance(item, int) else ord(item)
    if code == ord("a"):
        return 0.0
    return 1.0 if code < 128 and chr(code).isalnum() else 2.0 if 32 <= code < 127 else 3.0


def _array(array: Any) -> float:
    """As ``_number`` over the elements; fractions of large arrays are not looked at one by one."""
    import numpy as np

    if array.dtype.kind == "c":
        return _array(array.real) + _array(array.imag)
    if array.dtype.kind not in "biuf":
        return float(array.size)
    flat = array.reshape(-1).astype(np.float64)
    finite = np.isfinite(flat)
    numbers = np.where(finite, flat, 0.0)
    whole = (numbers == np.trunc(numbers)) & (np.abs(numbers) < EXACT_BELOW)
    bits = np.frexp(np.where(whole, np.abs(numbers), 0.0))[1]
    total = float(np.where(bits > 1, 2 * bits, bits).sum() + np.signbit(numbers).sum() + NOT_FINITE * (~finite).sum())
    fractions = numbers[~whole]
    if fractions.size > FRACTIONS_LOOKED_AT_MAX:
        return total + (FRACTION_LONGEST + 1) * float(fractions.size)
    # Whole numbers beyond 2**53 are here too, and their type may not hold what they were rounded to.
    small = array.dtype.type if array.dtype.kind == "f" else float
    longest: float = sum(min(FRACTION_LONGEST, FRACTION + len(str(small(abs(item))))) for item in fractions.tolist())
    return total + longest
