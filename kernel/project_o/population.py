"""The words of a run's archive: who lives where, and which operator brought what. Frozen, as those of ``values``."""

from __future__ import annotations

from dataclasses import dataclass

from .values import Record


@dataclass(frozen=True, slots=True)
class Axis:
    """One descriptor of a grid, from ``low`` to ``high`` in ``bins`` cells; ``logarithmic`` ones grow by a factor."""

    name: str
    low: float
    high: float
    bins: int
    logarithmic: bool = False

    def edges(self) -> tuple[float, ...]:
        """The ``bins + 1`` bounds of the cells, ascending."""
        steps = [k / self.bins for k in range(self.bins + 1)]
        if self.logarithmic:
            return tuple(self.low * (self.high / self.low) ** step for step in steps)
        return tuple(self.low + (self.high - self.low) * step for step in steps)


@dataclass(frozen=True, slots=True)
class Elite:
    """The best of one cell of one island. ``cell`` has a place for each axis; without a grid it is ().

    ``islands`` counts from 0; several where it migrated, or is the baseline. ``children`` were proposed from it.
    """

    record: Record
    islands: tuple[int, ...]
    cell: tuple[int, ...] = ()
    descriptors: tuple[float, ...] = ()
    children: int = 0


@dataclass(frozen=True, slots=True)
class Population:
    """What an archive holds at the end of a run: the elites, best first, on ``islands`` islands over ``axes``.

    ``migrations`` counts those that came to another island.
    """

    islands: int = 1
    axes: tuple[Axis, ...] = ()
    elites: tuple[Elite, ...] = ()
    migrations: int = 0

    @property
    def cells(self) -> int:
        """How many cells an island has; 0 without a grid."""
        if not self.axes:
            return 0
        product = 1
        for axis in self.axes:
            product *= axis.bins
        return product


@dataclass(frozen=True, slots=True)
class Operator:
    """What one way to make proposals brought in a run.

    Of ``tried`` proposals ``better`` were better than the baseline and ``gains`` better than all before them; ``mean``
    and ``best`` are ratios, None where nothing was measured. ``chance`` is how likely its next proposal is a gain: the
    mean of what the bandit draws from.
    """

    name: str
    proposer: str
    tried: int
    better: int
    gains: int
    failed: int
    duplicates: int
    mean: float | None
    best: float | None
    chance: float
