"""The inputs of timings: a new one for each pair, of several sizes, and many of one size that nobody has seen.

A quarter of the pairs have a sample with one element changed, since what the user showed may be shaped as no drawn
input is; a quarter have drawn values in the size of a sample; the other half are smaller, by the shares that the
incumbent was seen to answer. What cannot be varied (an object of a class, say) is the sample each time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from .inputs import Case, Inputs
from .task import generator

SHARES = (0.5, 0.62, 0.75, 0.87)
"""Of the largest size, and of all that is tied to it; rounding makes some of them odd."""
PROBES = 3

Draw = Callable[[int], Case]
"""The input of the pair with this number; the same number gives the same input."""


class Fresh:
    """Draws inputs of one function. ``fits`` says whether the incumbent answers an input with a value; ``known`` is one
    that it answers. With ``factor`` all sizes are that many times the samples'."""

    def __init__(self, inputs: Inputs, fits: Callable[[Case], bool], known: Case) -> None:
        self._inputs = inputs
        self._known = known
        self.factor = 1.0
        self.shares: tuple[float, ...] = ()
        count = len(inputs.samples)
        self._samples = [k for k in range(count) if not inputs.given or fits(inputs.example(k))] or list(range(count))
        self._drawn = self._fit(fits, lambda rng, sample: inputs.like(rng, sample, 1.0))
        self._near = inputs.given and self._fit(fits, inputs.near)
        if self._drawn:
            shares = (share for share in SHARES if self._fit(fits, _of_share(inputs, share)))
            self.shares = tuple(shares)
        self.first = inputs.example(self._samples[0]) if inputs.given or self._drawn else known

    @property
    def varied(self) -> bool:
        """Whether inputs differ from pair to pair."""
        return self._drawn or self._near

    def _fit(self, fits: Callable[[Case], bool], make: Callable[[Any, int], Case]) -> bool:
        """Whether the incumbent answers some inputs of this making, and they are not all the same."""
        found = []
        for probe in range(PROBES):
            rng = generator(self._inputs.seed, "fresh probe", probe)
            found.append(make(rng, self._samples[probe % len(self._samples)]))
        return len({digest(case) for case in found}) > 1 and all(fits(case) for case in found)

    def scaled(self, factor: float) -> Fresh:
        """The same with inputs of ``factor`` times the samples' size."""
        found = Fresh.__new__(Fresh)
        found.__dict__.update(self.__dict__)
        found.factor, found.shares, found._near = factor, (), False
        return found

    def told(self) -> str:
        """In words: what the pairs are measured on."""
        if not self.varied:
            return "on the same input"
        return f"each on a fresh input of {1 + len(self.shares)} sizes" if self.shares else "each on a fresh input"

    def draw(self, purpose: str) -> Draw:
        """The inputs of one measurement by the number of the pair. The same purpose draws the same."""

        def drawn(number: int) -> Case:
            if not self.varied:
                return self._inputs.example(number) if self._inputs.given else self._known
            sample, share = self._shape(purpose, number)
            return self._made(generator(self._inputs.seed, "fresh", purpose, number), sample, share)

        return drawn

    def unseen(self, purpose: str, number: int, count: int, turn: int = 0) -> list[Case]:
        """At most ``count`` inputs shaped as that of the pair with this number, no two of them alike.

        Another ``turn`` has others.
        """
        if not self.varied:
            return []
        sample, share = self._shape(purpose, number)
        rng = generator(self._inputs.seed, "unseen", purpose, number, *([turn] if turn else []))
        first = self._made(generator(self._inputs.seed, "fresh", purpose, number), sample, share)
        seen = {digest(first)}
        found: list[Case] = []
        for _ in range(2 * count):
            if len(found) == count:
                break
            case = self._made(rng, sample, share)
            if (known := digest(case)) not in seen:
                seen.add(known)
                found.append(case)
        return found

    def _shape(self, purpose: str, number: int) -> tuple[int, float]:
        """Which sample, and what share of its size; 0 for the sample itself with one element changed."""
        rng = generator(self._inputs.seed, "fresh shape", purpose, number)
        sample, kind = self._samples[int(rng.integers(len(self._samples)))], int(rng.integers(4))
        if self._near and (kind == 0 or not self._drawn):
            return sample, 0.0
        return sample, 1.0 if kind < 2 or not self.shares else self.shares[int(rng.integers(len(self.shares)))]

    def _made(self, rng: Any, sample: int, share: float) -> Case:
        return self._inputs.like(rng, sample, self.factor * share) if share else self._inputs.near(rng, sample)


def _of_share(inputs: Inputs, share: float) -> Callable[[Any, int], Case]:
    return lambda rng, sample: inputs.like(rng, sample, share)


def digest(case: Case) -> bytes:
    """What tells one input from another."""
    found = hashlib.blake2b(digest_size=16)
    _add(found, case.args)
    return found.digest()


def _add(found: Any, value: Any) -> None:
    if hasattr(value, "tobytes"):
        found.update(f"{value.dtype.str}{value.shape}".encode())
        found.update(value.tobytes())
    elif isinstance(value, (list, tuple)) and any(hasattr(item, "tobytes") or type(item) is tuple for item in value):
        found.update(f"{type(value).__name__}{len(value)}".encode())
        for item in value:
            _add(found, item)
    else:
        found.update(f"{value!r};".encode("utf-8", "backslashreplace"))
