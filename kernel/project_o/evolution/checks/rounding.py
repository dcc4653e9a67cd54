"""Whether two answers differ by no more than one rounding of the inputs moves the answer.

Where large terms cancel, what is left is rounding: the variance of equal values is 0 or 1e-32, by the order of the
sum. No bound relative to the answer can tell that from a fault. So the incumbent is asked what it answers when each
number that it is given is moved to a neighbour: a program whose answers lie within some such steps is as right as the
other one (backward stability, Higham 2002, Accuracy and Stability of Numerical Algorithms, 1.5).

Where very many terms are summed one after the other the incumbent itself may be off by a rounding of each: numbers of
equal spacing are all rounded the same way, which moving them at random does not show.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...values import NativeType
from ..compare import difference, float_bits, numbers_in, slack_of, values_differ
from ..task import Answer, generator

TRIES = 4
STEPS = 64.0
"""Of what one rounding of every input moves."""
BIASED = 8
"""One in so many roundings of a long sum adds up; measured at one in twelve for terms of equal spacing."""
BLIND = 1e200
"""A slack with which all finite floats agree, and nothing else does."""


def is_rounding(
    expected: Answer, given: Answer, result: NativeType, args: tuple[Any, ...], ask: Callable[[Any], Answer | None]
) -> bool:
    """Whether ``given`` is as near to ``expected`` as rounding makes it. ``ask`` asks the incumbent."""
    if not (expected.ok and given.ok) or difference(expected, given, result, BLIND):
        return False
    elements = sum(value.size for value in args if isinstance(value, np.ndarray))
    if not difference(expected, given, result, slack_of(elements // BIASED, result)):
        return True
    known, other = _numbers(expected), _numbers(given)
    if known.shape != other.shape or not (np.isfinite(known).all() and np.isfinite(other).all()):
        return False
    rng = generator(0, "rounding")
    moved = np.zeros_like(known)
    for _ in range(TRIES):
        answer = ask(_moved(rng, args))
        if answer is None or not answer.ok or (found := _numbers(answer)).shape != known.shape:
            return False
        moved = np.fmax(moved, np.abs(found - known))
    apart, bits = np.abs(other - known), float_bits(result)
    return bool(moved.any()) and all(
        not values_differ(a, b, bits) or step <= STEPS * most
        for a, b, step, most in zip(known.tolist(), other.tolist(), apart.tolist(), moved.tolist(), strict=True)
    )


def _numbers(answer: Answer) -> Any:
    return np.array(list(numbers_in([answer.value, *(item for _, item in answer.written)])), np.float64)


def _moved(rng: Any, value: Any) -> Any:
    """Each float at a neighbour of itself, or where it is; all else as it is."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind != "f":
            return value
        sign = rng.integers(-1, 2, value.shape).astype(value.dtype)
        with np.errstate(all="ignore"):
            return np.where(np.isfinite(value), value + sign * np.spacing(value), value).astype(value.dtype)
    if isinstance(value, float):
        return float(_moved(rng, np.array(value)))
    if type(value) in (list, tuple):
        return type(value)(_moved(rng, item) for item in value)
    return {key: _moved(rng, item) for key, item in value.items()} if type(value) is dict else value
