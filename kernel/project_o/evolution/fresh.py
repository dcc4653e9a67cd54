"""The inputs of timings: a new one for each pair, of several sizes.

Half of the pairs have the size of a sample, and every other one of those is the sample itself, since what the user
showed may be shaped as no drawn input is. The other half are smaller, by the shares that the incumbent was seen to
answer. What cannot be varied (a Python object, say) is the sample each time.
"""

from __future__ import annotations

from collections.abc import Callable

from .inputs import Case, Inputs
from .task import generator

SHARES = (0.5, 0.62, 0.75, 0.87)
"""Of the largest size, and of all that is tied to it; rounding makes some of them odd."""


class Fresh:
    """Draws inputs of one function. ``fits`` says whether the incumbent answers an input with a value; ``known`` is one
    that it answers."""

    def __init__(self, inputs: Inputs, fits: Callable[[Case], bool], known: Case) -> None:
        self._inputs = inputs
        self._known = known
        self.shares: tuple[float, ...] = ()
        self.varied = False
        """Whether inputs differ from pair to pair."""
        if any(leaf.kind != "fixed" for leaf in inputs.leaves) and fits(inputs.resized(1.0, "probe", 0)):
            self.varied = True
            self.shares = tuple(share for share in SHARES if fits(inputs.resized(share, f"probe {share}", 0)))
        self.first = inputs.example(0) if inputs.given or self.varied else known

    def told(self) -> str:
        """In words: what the pairs are measured on."""
        if not self.varied:
            return "on the same input"
        return f"each on a fresh input of {1 + len(self.shares)} sizes" if self.shares else "each on a fresh input"

    def draw(self, purpose: str) -> Callable[[int], Case]:
        """The inputs of one measurement by the number of the pair. The same purpose draws the same."""

        def drawn(number: int) -> Case:
            if not self.varied:
                return self._inputs.example(number) if self._inputs.given else self._known
            rng = generator(self._inputs.seed, "fresh size", purpose, number)
            kind = int(rng.integers(4))
            if kind == 0 and self._inputs.given:
                return self._inputs.example(int(rng.integers(1 << 16)))
            share = 1.0 if kind < 2 or not self.shares else self.shares[int(rng.integers(len(self.shares)))]
            return self._inputs.resized(share, purpose, number)

        return drawn

    def larger(self, factor: float, purpose: str) -> Callable[[int], Case]:
        """Inputs of ``factor`` times the sample's size."""
        return lambda number: self._inputs.resized(factor, purpose, number)
