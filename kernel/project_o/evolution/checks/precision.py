"""Digits that a candidate gives away: within the tolerance of the comparison, on most inputs, and of one kind.

The tolerance of ``compare`` is there for another order of operations. A program that rounds its answers, or computes
them in a shorter type, or ends an iteration early, is within it too, and faster for it. It is told by two looks at
its answers to inputs whose numbers have all their digits:

*Short numbers*: where the incumbent's answers have all digits, most of the candidate's have few, decimal or binary.
*Errors*: most are larger than another order of operations explains. That is at most one rounding of the result for
each number of the input (Higham 1993, SIAM J. Sci. Comput. 14:783) and some more, and what a rounding of the inputs
moves the answer (``rounding``), so that sums which cancel have what they need.

A user who means it allows it by name (``precision``), or says by an objective or a guard how much ``accuracy`` counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..compare import float_bits, numbers_in
from ..inputs import Case, Inputs
from ..leaves import put_together, take_apart
from ..task import Answer
from .rounding import STEPS, moved_by_rounding, numbers_of

ALL_DIGITS = "all digits"
"""How the labels of such inputs begin."""
CASES = 12
CASES_MIN = 5
NUMBERS_MIN = 6
NUMBERS_MAX = 4096
SHARE_MIN = 0.5
"""Of the answers: more than this share have lost digits."""
SHORTEST = 0.75
"""By how much values become smaller, at most: what is in a domain mostly stays there then."""
SLACK_ROUNDINGS = 64.0
DEPTH_MAX = 8


@dataclass(frozen=True)
class Kind:
    """A float type: bits of its mantissa, the decimal digits and trailing zero bits by which a number is short."""

    mantissa: int
    digits: int
    zeros: int
    type: Any


KINDS = {32: Kind(24, 5, 8, np.float32), 64: Kind(53, 14, 11, np.float64)}

Seen = tuple[Case, Answer, Answer]
"""An input, what is right on it, and what the candidate answered."""
Ask = Callable[[Any], Answer | None]


def cases(inputs: Inputs, rng: Any) -> list[Case]:
    """Inputs of small and ordinary sizes whose floats have all their digits; none where there are no floats."""
    found: list[Case] = []
    for number in range(CASES):
        sizes = [max(2, size) for size in inputs.random_sizes(rng)]
        if number % 2:
            sizes = [min(size, 16) for size in sizes]
        case = inputs.case(rng, sizes, "")
        values = [
            leaf.values[0] if leaf.writable else _with_all_digits(rng, leaf.values[0])
            for leaf in take_apart(inputs.function, [case.args])
        ]
        args = put_together(inputs.function, values, inputs.samples[0])
        found.append(Case(args, f"{ALL_DIGITS}, {inputs.told(sizes)}"))
    return found if any(isinstance(item, float) for item in _floats(found[0].args)) else []


def lost(seen: Sequence[Seen], result: Any, ask: Ask) -> str:
    """In words which digits are given away; "" where none are, or too few answers tell. ``ask`` asks the incumbent."""
    kind = KINDS.get(float_bits(result))
    if kind is None:
        return ""
    answered = [one for one in seen if one[1].ok and one[2].ok and any(True for _ in _answered(one[1]))]
    return _short(answered, kind) or _far(answered, kind, ask)


def _short(seen: Sequence[Seen], kind: Kind) -> str:
    """Where the incumbent's numbers are long, most of the candidate's are short."""
    long = short = 0
    example = (0.0, 0.0)
    for _, expected, given in seen:
        for right, found in zip(_answered(expected), _answered(given), strict=False):
            if _is_short(right, kind) or not math.isfinite(found) or long >= NUMBERS_MAX:
                continue
            long += 1
            if found != right and _is_short(found, kind):
                short, example = short + 1, (found, right)
    if long < NUMBERS_MIN or short <= SHARE_MIN * long:
        return ""
    return (
        f"{short} of {long} numbers of its answers are rounded to few digits where the incumbent's have all of them: "
        f"{example[0]!r} instead of {example[1]!r}"
    )


def _is_short(value: float, kind: Kind) -> bool:
    if not math.isfinite(value) or value == 0:
        return True
    mantissa = int(abs(math.frexp(value)[0]) * (1 << kind.mantissa))
    if mantissa & ((1 << kind.zeros) - 1) == 0:
        return True
    text = str(kind.type(value))
    return len(text.split("e")[0].replace("-", "").replace(".", "").strip("0")) <= kind.digits


def _far(seen: Sequence[Seen], kind: Kind, ask: Ask) -> str:
    """Most of the answers are further off than rounding explains."""
    off: list[float] = []
    for case, expected, given in seen:
        error = _error(case, expected, given, kind)
        if error > 1.0:
            moved = moved_by_rounding(expected, case.args, ask)
            error = _error(case, expected, given, kind, moved) if moved is not None else 0.0
        off.append(error)
    worse = sorted(error for error in off if error > 1.0)
    if len(off) < CASES_MIN or len(worse) <= SHARE_MIN * len(off):
        return ""
    return (
        f"on {len(worse)} of {len(off)} inputs its answers are further from the incumbent's than another order of "
        f"operations makes them, mostly {worse[len(worse) // 2]:.3g} times as far: it computes with fewer digits"
    )


def _error(case: Case, expected: Answer, given: Answer, kind: Kind, moved: Any = None) -> float:
    """The largest difference of two answers, over what is explained."""
    right, found = numbers_of(expected), numbers_of(given)
    if right.shape != found.shape or not (np.isfinite(right).all() and np.isfinite(found).all()):
        return 0.0
    elements = sum(1 for _ in numbers_in(case.args))
    scales = np.array(list(_scales([expected.value, *(item for _, item in expected.written)])), np.float64)
    rounding = np.maximum(scales * 2.0**-kind.mantissa, float(np.finfo(kind.type).tiny))
    explained = (SLACK_ROUNDINGS + elements) * rounding + (STEPS * moved if moved is not None else 0.0)
    return float((np.abs(right - found) / explained).max(initial=0.0))


def _scales(value: Any) -> Iterator[float]:
    """For each number of ``numbers_of`` the magnitude that its rounding comes from: of an array, its largest."""
    parts = list(value.values()) if isinstance(value, Mapping) else value
    flat = isinstance(value, np.ndarray) or (
        isinstance(parts, list) and all(isinstance(item, (int, float)) for item in parts)
    )
    if flat or not isinstance(parts, (list, tuple)):
        numbers = [abs(number) for number in numbers_in(value)]
        yield from [max(numbers, default=0.0)] * len(numbers)
    else:
        yield from (scale for item in parts for scale in _scales(item))


def _answered(answer: Answer) -> Iterator[float]:
    """The floats of an answer, and of what the call wrote."""
    for value in _floats([answer.value, *(item for _, item in answer.written)]):
        yield float(value)


def _floats(value: Any) -> Iterator[float]:
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f":
            yield from value.reshape(-1)[:NUMBERS_MAX].astype(np.float64).tolist()
        elif value.dtype.kind == "c":
            yield from _floats(value.real)
            yield from _floats(value.imag)
    elif isinstance(value, complex):
        yield from (value.real, value.imag)
    elif isinstance(value, (float, np.floating)):
        yield float(value)
    elif isinstance(value, dict):
        yield from (number for item in value.values() for number in _floats(item))
    elif isinstance(value, (list, tuple)):
        yield from (number for item in value for number in _floats(item))


def _with_all_digits(rng: Any, value: Any, depth: int = 0) -> Any:
    """Each float a bit smaller, so that its last digits are not zero; sorted arrays stay so, all else is as it was."""
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        flat = value.reshape(-1)
        rising = value.ndim == 1 and value.size > 2 and bool(np.all(flat[:-1] <= flat[1:]))
        found = (value * rng.uniform(SHORTEST, 1.0, value.shape)).astype(value.dtype)
        return np.sort(found) if rising else found
    if type(value) is float:
        return value * float(rng.uniform(SHORTEST, 1.0))
    if type(value) in (list, tuple) and depth < DEPTH_MAX:
        return type(value)(_with_all_digits(rng, item, depth + 1) for item in value)
    if type(value) is dict and depth < DEPTH_MAX:
        return {key: _with_all_digits(rng, item, depth + 1) for key, item in value.items()}
    return value
