"""A failing input made small: delta debugging on lengths, then simpler values, with the same arguments the same way.

What is tried is taken where it still fails and weighs less (``weights``), so it ends, and nothing ever grows. Lengths
that are equal are cut together first, since a function mostly wants it so; what is cut from a flat array whose length
is a multiple is a whole row, or a whole column. Nothing is random.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from ... import limits
from .parts import Path, lengths, put, sized, values_in, without
from .weights import Weight, weight

Args = tuple[Any, ...]
Fails = Callable[[Args], str]
"""What is wrong on these arguments, in words; "" where nothing is, or where they are no input at all."""


@dataclass(frozen=True)
class Shrunk:
    """The smallest failing input that was found, what is wrong on it, and how many inputs were asked."""

    args: Args
    reason: str
    questions: int


def shrink(
    args: Args,
    reason: str,
    fails: Fails,
    *,
    questions: int = limits.SHRINK_QUESTIONS_MAX,
    seconds: float = limits.SHRINK_SECONDS_MAX,
) -> Shrunk:
    """Make ``args`` smaller as long as ``fails`` says that something is wrong. ``reason`` is what it said of them.

    ``questions`` bounds it the same way every time; ``seconds``, wall time, is there for inputs that take long.
    """
    work = _Shrinking(args, reason, fails, questions, time.monotonic() + seconds)
    while True:
        before = work.weight
        work.cut_together()
        work.cut_alone()
        work.simplify()
        if work.weight == before or work.spent():
            return Shrunk(work.args, work.reason, work.asked)


class _Shrinking:
    def __init__(self, args: Args, reason: str, fails: Fails, questions: int, until: float) -> None:
        self.args, self.reason, self.weight = args, reason, weight(args)
        self.asked = 0
        self._fails, self._questions, self._until = fails, questions, until

    def spent(self) -> bool:
        """Whether no more may be asked."""
        return self.asked >= self._questions or time.monotonic() > self._until

    def attempt(self, args: Args) -> bool:
        """Take ``args`` if they still fail and weigh less."""
        if self.spent():
            return False
        found: Weight = weight(args)
        if found >= self.weight:
            return False
        self.asked += 1
        reason = self._fails(args)
        if reason:
            self.args, self.reason, self.weight = args, reason, found
        return bool(reason)

    # ------------------------------------------------------------------ lengths

    def cut_together(self) -> None:
        """Whatever has the same length loses the same places; an integer of that value goes with it, or does not."""
        for mode in ("all", "rows", "columns", "sizes"):
            for length in sorted(lengths(self.args), reverse=True):
                if length in lengths(self.args):
                    self._cut(length, partial(_together, mode=mode))

    def cut_alone(self) -> None:
        """Each length by itself."""
        for path, axis in sized(self.args):
            try:
                part = values_in(self.args, path)
                length = part.shape[axis] if axis is not None else len(part)
            except (LookupError, TypeError):
                continue  # what held it is gone
            self._cut(length, partial(_alone, path=path, axis=axis))

    def _cut(self, length: int, cut: Callable[[Args, int, int, int], Args]) -> None:
        """Delta debugging: take out chunks, first all, then halves, down to single places."""
        chunk = length
        while chunk >= 1 and not self.spent():
            low = 0
            while low < length and not self.spent():
                high = min(length, low + chunk)
                if self.attempt(cut(self.args, length, low, high)):
                    length -= high - low
                else:
                    low += chunk
            chunk //= 2

    # ------------------------------------------------------------------ values

    def simplify(self) -> None:
        """Zeros, ones, whole numbers, short fractions, the letter a; for members of containers in their turn."""
        import numpy as np

        for path, value in list(_leaves(self.args)):
            if self.spent():
                return  # of a list with many members even to look at each takes long
            if isinstance(value, np.ndarray):
                self._simplify_array(path, value)
            elif isinstance(value, (str, bytes)):
                self._simplify_text(path, len(value))
            else:
                self._simplify_number(path)

    def _simplify_number(self, path: Path) -> None:
        while not self.spent():
            value = values_in(self.args, path)
            if not any(self.attempt(put(self.args, path, _instead, item)) for item in simpler(value)):
                return

    def _simplify_array(self, path: Path, array: Any) -> None:
        if array.dtype.kind not in "biuf":
            return
        for fill in (0, 1):
            if self.attempt(put(self.args, path, _filled, 0, array.size, fill)):
                return
        chunk = array.size
        while chunk >= 1 and not self.spent():
            for low in range(0, array.size, chunk):
                self.attempt(put(self.args, path, _filled, low, low + chunk, 0))
            chunk //= 2
        for place in range(min(array.size, limits.SHRINK_ELEMENTS_MAX)):
            while not self.spent():
                value = values_in(self.args, path).reshape(-1)[place].item()
                tried = (put(self.args, path, _filled, place, place + 1, item) for item in simpler(value))
                if not any(self.attempt(one) for one in tried):
                    break

    def _simplify_text(self, path: Path, length: int) -> None:
        if self.attempt(put(self.args, path, _letters, 0, length)):
            return
        for place in range(min(length, limits.SHRINK_ELEMENTS_MAX)):
            self.attempt(put(self.args, path, _letters, place, place + 1))


def simpler(value: Any) -> Iterator[Any]:
    """Numbers of the same type that are simpler, the simplest first; not all of them are."""
    if isinstance(value, bool):
        if value:
            yield False
    elif isinstance(value, int):
        yield from (item for item in (0, 1, 2, -1, -value, value // 2, value - 1, value + 1) if item != value)
    elif isinstance(value, float):
        yield from (0.0, 1.0, 2.0, -1.0, -value)
        if math.isfinite(value):
            yield from (float(math.trunc(value)), float(math.trunc(value / 2)), round(value, 1), round(value, 3))
        else:
            yield from (math.inf, -math.inf, math.nan)
    elif isinstance(value, complex):
        yield from (0j, 1 + 0j, complex(value.real, 0.0), complex(0.0, value.imag))


def _leaves(args: Args) -> Iterator[tuple[Path, Any]]:
    yield from _leaves_of((), args)


def _leaves_of(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _leaves_of((*path, index), item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves_of((*path, key), item)
    elif value is not None and not isinstance(value, (set, frozenset)):
        yield path, value


def _together(args: Args, length: int, low: int, high: int, *, mode: str) -> Args:
    found: Args = without(args, length, low, high, mode)
    return found


def _alone(args: Args, _: int, low: int, high: int, *, path: Path, axis: int | None) -> Args:
    found: Args = put(args, path, _shorter, axis, low, high)
    return found


def _instead(_: Any, item: Any) -> Any:
    return item


def _shorter(value: Any, axis: int | None, low: int, high: int) -> Any:
    if axis is not None:
        import numpy as np

        return np.delete(value, slice(low, high), axis=axis)
    if isinstance(value, dict):
        return dict(item for place, item in enumerate(value.items()) if not low <= place < high)
    if isinstance(value, (set, frozenset)):
        kept = [item for place, item in enumerate(sorted(value, key=repr)) if not low <= place < high]
        return type(value)(kept)
    return value[:low] + value[high:]


def _filled(array: Any, low: int, high: int, item: Any) -> Any:
    import numpy as np

    info = np.iinfo(array.dtype) if array.dtype.kind in "iu" else None
    if info is not None and not info.min <= item <= info.max:
        return array
    array = array.copy()
    array.reshape(-1)[low:high] = item
    return array


def _letters(text: Any, low: int, high: int) -> Any:
    letters: Any = "a" * (high - low) if isinstance(text, str) else b"a" * (high - low)
    return text[:low] + letters + text[high:]
