"""What candidates may do because the incumbent was seen to do it, where an evaluator of the user's calls them.

An evaluator believes what it is handed. A candidate that writes into its arguments changes what the evaluator compares
with, and for every candidate after it; not-a-number passes every test of the form ``if error > worst``. So a candidate
may write only the arguments that the incumbent writes, and return numbers that are not finite only where it does.
"""

from __future__ import annotations

import math
import numbers
import sys
from collections.abc import Iterator
from typing import Any

from .task import Answer

SHOWN_CHARACTERS_MAX = 80


class Manners:
    """Learned from the incumbent's answers, one set of rules a function."""

    def __init__(self) -> None:
        self._written: set[tuple[str, int]] = set()
        self._not_finite: set[str] = set()
        self._learner = _Learner(self._written, self._not_finite)

    def learning(self) -> _Learner:
        """What to hand to the incumbent: it may do anything, and what it does is allowed from then on."""
        return self._learner

    def offence(self, name: str, answer: Answer) -> str:
        """In words what this answer of the function ``name`` does that the incumbent does not; "" for nothing."""
        for place, _ in answer.written:
            if (name, place) not in self._written:
                return f"{name} writes into argument {place + 1}, which the incumbent leaves as it is"
        if answer.ok and name not in self._not_finite and not finite(answer.value):
            return f"{name} returned a number that is not finite, which the incumbent never does here"
        return ""


class _Learner:
    """The side of the rules that the incumbent sees."""

    def __init__(self, written: set[tuple[str, int]], not_finite: set[str]) -> None:
        self._written, self._not_finite = written, not_finite

    def offence(self, name: str, answer: Answer) -> str:
        """Always "": this is what is allowed."""
        self._written.update((name, place) for place, _ in answer.written)
        if answer.ok and not finite(answer.value):
            self._not_finite.add(name)
        return ""


def finite(value: Any) -> bool:
    """Whether no number in ``value``, however deep, is infinite or not a number."""
    return all(_finite_leaf(leaf) for leaf in _leaves(value))


def _finite_leaf(leaf: Any) -> bool:
    if isinstance(leaf, float):
        return math.isfinite(leaf)
    if isinstance(leaf, complex):
        return math.isfinite(leaf.real) and math.isfinite(leaf.imag)
    numpy = sys.modules.get("numpy")
    if numpy is None or not isinstance(leaf, (numpy.ndarray, numpy.generic)) or leaf.dtype.kind not in "fc":
        return True
    return bool(numpy.isfinite(leaf).all())


def _leaves(value: Any) -> Iterator[Any]:
    waiting = [value]
    while waiting:  # a loop: what a candidate returns may be nested as deep as a message can be
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, (list, tuple, set, frozenset)):
            waiting.extend(item)
        else:
            yield item


def as_metric(value: Any) -> float | None:
    """``value`` as a metric; None for what is no number: text that reads as one and truth values included.

    A whole number beyond all floats is infinite, and so never accepted.
    """
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, (numpy.ndarray, numpy.generic)):
        if value.ndim or value.dtype.kind not in "iuf":
            return None
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if abs(value) == value else -math.inf


def cut(value: Any) -> str:
    """``value`` as a short text, also where it is a whole number of many digits, which Python refuses to write."""
    try:
        text = repr(value)
    except ValueError:
        text = f"a {type(value).__name__} of very many digits"
    return text if len(text) <= SHOWN_CHARACTERS_MAX else text[: SHOWN_CHARACTERS_MAX - 3] + "..."
