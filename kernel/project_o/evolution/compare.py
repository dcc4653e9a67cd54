"""Whether two answers agree: exactly, but for the rounding that another order of float operations may bring."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ..values import NativeType
from .task import Answer

# Relative to the larger magnitude of the pair, and to the largest of the whole array: about a thousand roundings.
TOLERANCE_BY_BITS = {16: 2e-2, 32: 1e-4, 64: 1e-10, 80: 1e-10, 128: 1e-10}
ROUNDING_BY_BITS = {16: 2.0**-11, 32: 2.0**-24, 64: 2.0**-53, 80: 2.0**-53, 128: 2.0**-53}
SLACK_TOLERANCE_MAX = 0.25
_SUBNORMAL_BELOW = float(np.finfo(np.float64).tiny)
"""Below the smallest normal number a rounding is no share of its number any more (IEEE 754)."""


def slack_of(elements: int, result: NativeType) -> float:
    """By what factor answers may differ more where so many elements may have been summed one after the other.

    The error of such a sum is below ``elements`` roundings of its terms' magnitudes (Higham 1993, SIAM J. Sci. Comput.
    14:783), and an incumbent that sums so may be the one that is wrong.
    """
    bits = float_bits(result)
    bound = elements * ROUNDING_BY_BITS.get(bits, ROUNDING_BY_BITS[64])
    tolerance = TOLERANCE_BY_BITS.get(bits, TOLERANCE_BY_BITS[64])
    return max(1.0, min(bound, SLACK_TOLERANCE_MAX) / tolerance)


def difference(expected: Answer, given: Answer, result: NativeType, slack: float = 1.0) -> str:
    """In words how ``given`` differs from ``expected``; "" if they agree. The error's name counts, not its wording.

    ``slack`` is a factor on the tolerance of floats: see ``slack_of``.
    """
    if expected.ok != given.ok:
        return f"should return {'a value' if expected.ok else f'the error {expected.error_name}'}, {_told(given)}"
    if not expected.ok:
        if expected.error_name == given.error_name:
            return ""
        return f"should return the error {expected.error_name}, {_told(given)}"
    return (
        values_differ(expected.value, given.value, float_bits(result), slack)
        or _written_differ(expected.written, given.written, slack)
        or _sharing_differs(expected, given)
        or _holding_differs(expected, given)
        or _settings_differ(expected, given)
    )


def values_differ(expected: Any, given: Any, bits: int = 64, slack: float = 1.0) -> str:
    """In words how two values differ; "" if they agree. ``bits`` is the width in which a float was computed."""
    if isinstance(expected, np.ndarray) or isinstance(given, np.ndarray):
        return _array_differs(expected, given, slack)
    if isinstance(expected, (tuple, list)) and type(expected) is type(given):
        if len(expected) != len(given):
            return f"returned {len(given)} values instead of {len(expected)}"
        pairs = zip(expected, given, strict=True)
        return next((found for a, b in pairs if (found := values_differ(a, b, bits, slack))), "")
    if isinstance(expected, dict) and isinstance(given, dict):
        return _dict_differs(expected, given, bits, slack)
    if isinstance(expected, complex) and isinstance(given, complex):
        parts = (expected.real, given.real), (expected.imag, given.imag)
        return (
            f"returned {given!r} instead of {expected!r}"
            if any(values_differ(a, b, bits, slack) for a, b in parts)
            else ""
        )
    if isinstance(expected, float) and type(given) is int and given == expected:
        return ""  # a whole number may stand where a float is expected (PEP 484): the sum of nothing is 0
    if isinstance(expected, float) and isinstance(given, float):
        tolerance = slack * TOLERANCE_BY_BITS.get(bits, TOLERANCE_BY_BITS[64])
        same = (math.isnan(expected) and math.isnan(given)) or expected == given
        finite = math.isfinite(expected) and math.isfinite(given)
        close = finite and math.isclose(expected, given, rel_tol=tolerance, abs_tol=_SUBNORMAL_BELOW)
        return "" if same or close else f"returned {given!r} instead of {expected!r}"
    sets = isinstance(expected, (set, frozenset)) and isinstance(given, (set, frozenset))
    if type(expected) is not type(given) or expected != given or (sets and _kinds(expected) != _kinds(given)):
        return f"returned {_short(given)} instead of {_short(expected)}"
    return ""


def relative_error(truth: Any, given: Any) -> float:
    """The Euclidean distance of two nested values over the norm of the first, in float64; only numbers count.

    A number that is finite on one side only makes it infinite; 0 where both are equal, also if both are 0.
    """
    left, right = np.array(list(numbers_in(truth)), np.float64), np.array(list(numbers_in(given)), np.float64)
    if left.shape != right.shape:
        return math.inf
    same = (left == right) | (np.isnan(left) & np.isnan(right))
    if bool(np.any(~same & ~(np.isfinite(left) & np.isfinite(right)))):
        return math.inf
    distance = float(np.linalg.norm(np.where(same, 0.0, left) - np.where(same, 0.0, right)))
    size = float(np.linalg.norm(np.where(np.isfinite(left), left, 0.0)))
    return distance / size if size > 0 else distance


def numbers_in(value: Any) -> Iterator[float]:
    """The numbers in a value, however deep, as floats."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biuf":
            yield from value.reshape(-1).astype(np.float64)
        elif value.dtype.kind == "c":
            yield from value.real.reshape(-1).astype(np.float64)
            yield from value.imag.reshape(-1).astype(np.float64)
    elif isinstance(value, complex):
        yield from (value.real, value.imag)
    elif isinstance(value, (int, float, np.number)):
        yield float(value)
    elif isinstance(value, Mapping):
        yield from (number for key in value for number in numbers_in(value[key]))
    elif isinstance(value, (list, tuple)):
        yield from (number for item in value for number in numbers_in(item))


def _kinds(keys: Iterable[Any]) -> dict[Any, Any]:
    """Each key with its class, and those of the items of a tuple: 1, 1.0 and True are one key, and are not the same."""
    return {key: tuple(map(type, key)) if type(key) is tuple else type(key) for key in keys}


def _dict_differs(expected: dict[Any, Any], given: dict[Any, Any], bits: int, slack: float) -> str:
    if _kinds(expected) != _kinds(given):
        return f"returned the keys {_short(list(given))} instead of {_short(list(expected))}"
    return next(
        (
            f"[{key!r:.40}]: {text}"
            for key in expected
            if (text := values_differ(expected[key], given[key], bits, slack))
        ),
        "",
    )


def _written_differ(expected: Sequence[tuple[int, Any]], given: Sequence[tuple[int, Any]], slack: float) -> str:
    wanted, found = ([place + 1 for place, _ in side] for side in (expected, given))
    if more := [place for place in found if place not in wanted]:
        return f"changed argument {more[0]}, which should stay as it is"
    if less := [place for place in wanted if place not in found]:
        return f"left argument {less[0]} as it was, which it should change"
    for (place, a), (_, b) in zip(expected, given, strict=True):
        if text := values_differ(a, b, slack=slack):
            return f"argument {place + 1}, which it writes: {text}"
    return ""


def _sharing_differs(expected: Answer, given: Answer) -> str:
    """A result that lies in the arguments changes when their owner writes into them. Copying more is no fault."""
    if getattr(given, "shares", False) and not getattr(expected, "shares", False):
        return "returned memory that it shares with its arguments: a later write into them changes the result"
    return ""


def _holding_differs(expected: Answer, given: Answer) -> str:
    """Equal elements are not all of an answer: its caller writes into it, asks for its class, goes through its keys.

    Where nobody has seen how the right answer is held, since a test or a person says it, any way will do.
    """
    known = getattr(expected, "held", None)
    if known is None:
        return ""
    more = [name for name in getattr(given, "held", ()) if name not in known]
    return f"returned {more[0]}" if more else _order_differs(expected.value, given.value)


def _order_differs(expected: Any, given: Any) -> str:
    """In words how the order of keys differs, of two values that agree but for that."""
    if isinstance(expected, dict) and isinstance(given, dict):
        if list(expected) != list(given):
            return f"returned the keys in the order {_short(list(given))} instead of {_short(list(expected))}"
        pairs = [(expected[key], given[key]) for key in expected]
    elif isinstance(expected, (list, tuple)) and isinstance(given, (list, tuple)):
        pairs = list(zip(expected, given, strict=False))
    else:
        return ""
    return next((text for a, b in pairs if isinstance(a, (dict, list, tuple)) and (text := _order_differs(a, b))), "")


def _settings_differ(expected: Answer, given: Answer) -> str:
    """Who switches off the collector, say, is fast at the cost of all that runs in the process afterwards."""
    known = getattr(expected, "touched", ())
    more = [name for name in getattr(given, "touched", ()) if name not in known]
    return f"left {more[0]} of the process otherwise than it was" if more else ""


def _array_differs(expected: Any, given: Any, slack: float = 1.0) -> str:
    if not isinstance(expected, np.ndarray) or not isinstance(given, np.ndarray):
        return f"returned {_short(given)} instead of {_short(expected)}"
    if expected.dtype != given.dtype or expected.shape != given.shape:
        return f"returned {given.dtype}{list(given.shape)} instead of {expected.dtype}{list(expected.shape)}"
    if expected.dtype.kind == "c":
        return _array_differs(expected.real, given.real, slack) or _array_differs(expected.imag, given.imag, slack)
    wrong = expected != given if expected.dtype.kind != "f" else ~_close(expected, given, slack)
    if not wrong.any():
        return ""
    place = tuple(int(axis) for axis in np.argwhere(wrong)[0])
    where = ", ".join(map(str, place))
    return f"[{where}] is {given[place]} instead of {expected[place]} ({int(wrong.sum())} of {wrong.size} differ)"


def _close(expected: Any, given: Any, slack: float) -> Any:
    tolerance = slack * TOLERANCE_BY_BITS.get(expected.dtype.itemsize * 8, TOLERANCE_BY_BITS[64])
    finite = np.isfinite(expected) & np.isfinite(given)
    a = np.where(finite, expected, 0).astype(np.float64)
    b = np.where(finite, given, 0).astype(np.float64)
    # The array's largest magnitude bounds the rounding of its small members: they come from sums of like terms.
    scale = np.abs(a).max(initial=0.0)
    near = np.maximum(tolerance * np.maximum(np.maximum(np.abs(a), np.abs(b)), scale), np.finfo(expected.dtype).tiny)
    close = np.abs(a - b) <= near
    return np.where(finite, close, (expected == given) | (np.isnan(expected) & np.isnan(given)))


def float_bits(kind: NativeType) -> int:
    """The narrowest float in a result, 64 where there is none."""
    found = [kind.bits] if kind.kind == "float" else []
    found.extend(float_bits(part) for _, part in kind.fields)
    if kind.child is not None:
        found.append(float_bits(kind.child))
    return min(found, default=64)


def _told(answer: Answer) -> str:
    if answer.ok:
        return f"returned {_short(answer.value)}"
    return answer.error or f"returned the error {answer.error_name}"


def _short(value: Any) -> str:
    try:
        text = repr(value).replace("\n", " ")
    except ValueError:  # a whole number of more digits than Python writes
        return f"a {type(value).__name__} of very many digits"
    return text if len(text) <= 80 else text[:77] + "..."
