"""Who is a parent next: islands, and on each of them a MAP-Elites grid over descriptors that the user names.

The population is a fold over the records in their order, so that it is a function of the seed and the verdicts: who
asks with the same records gets the same answer, in a run that is resumed as well. Trial i belongs to island i modulo
their number. After every ``limits.MIGRATION_TRIALS`` trials of each island its best goes to the next one, in a ring
(Tanese 1989). Each cell of an island's grid keeps its best (Mouret and Clune 2015, arXiv:1504.04909). The bounds of a
descriptor for which the user says none follow the middle nine tenths of what is found, and the elites move with them.

With one island and no grid the best comes first, always; else parents are drawn, more often the better their rank on
their island, and the more often the fewer children they have and the emptier the cells around them: a share of score,
and one of novelty.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .. import limits
from ..errors import EvolutionError, UsageError
from ..population import Axis, Elite, Population
from ..values import Parameter, Program, Record
from .following import Following
from .task import generator

LENGTH = "length"
"""The descriptor that every program has: the characters of its text."""

Cell = tuple[int, ...]


@dataclass(frozen=True)
class Descriptor:
    """One axis as the user named it; without ``bounds`` they follow what is found."""

    name: str
    bounds: tuple[float, float] | None = None
    bins: int = limits.GRID_BINS


def descriptors(words: Sequence[str] | str) -> tuple[Descriptor, ...]:
    """The axes that ``NAME[:LOW:HIGH[:BINS]]`` means. Raises UsageError."""
    words = [words] if isinstance(words, str) else list(words)
    if len(words) > limits.GRID_AXES_MAX:
        raise UsageError(f"a grid has at most {limits.GRID_AXES_MAX} axes, not {len(words)}")
    found = tuple(map(_descriptor, words))
    if len({item.name for item in found}) < len(found):
        raise UsageError(f"the grid names a descriptor twice: {', '.join(words)}")
    return found


def _descriptor(word: str) -> Descriptor:
    name, *numbers = word.split(":")
    how = f"grid: {word!r} is no descriptor: write NAME, NAME:LOW:HIGH or NAME:LOW:HIGH:BINS"
    if not name or len(numbers) not in (0, 2, 3):
        raise UsageError(how)
    if not numbers:
        return Descriptor(name)
    try:
        low, high = float(numbers[0]), float(numbers[1])
        bins = int(numbers[2]) if numbers[2:] else limits.GRID_BINS
    except ValueError:
        raise UsageError(how) from None
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise UsageError(f"grid: {word!r} has no room: LOW must be below HIGH")
    if not 1 <= bins <= limits.GRID_BINS_MAX:
        raise UsageError(f"grid: {word!r} has {bins} cells: from 1 to {limits.GRID_BINS_MAX} are possible")
    return Descriptor(name, (low, high), bins)


def described(record: Record, names: Sequence[str], parameters: Mapping[str, Parameter]) -> tuple[float, ...] | None:
    """The values of these descriptors: the text's length, a metric, or a parameter; None where one was not measured.

    A parameter's value is a number itself, or its place in the domain.
    """
    metrics, settings = dict(record.metrics), dict(record.proposal.settings)
    found: list[float] = []
    for name in names:
        if name in metrics:
            value = metrics[name]
        elif name in settings and name in parameters:
            given = settings[name]
            place = isinstance(given, (str, bool))
            value = float(parameters[name].domain.index(given)) if place else float(given)
        elif name == LENGTH:
            value = float(len(record.proposal.program.source))
        else:
            return None
        if not math.isfinite(value):
            return None
        found.append(value)
    return tuple(found)


class Islands:
    """The population of one run, as far as it was told. ``words`` name the grid's descriptors.

    Raises UsageError for islands or descriptors that cannot be meant.
    """

    def __init__(self, program: Program, seed: int, islands: int = 1, words: Sequence[str] | str = ()) -> None:
        if not 1 <= islands <= limits.ISLANDS_MAX:
            raise UsageError(f"islands must be from 1 to {limits.ISLANDS_MAX}, not {islands}")
        self._seed, self._count = seed, islands
        self._descriptors = descriptors(words)
        self._names = [item.name for item in self._descriptors]
        self._parameters = {item.name: item for item in program.parameters}
        self._following, self._ranked = Following(), list[Record]()
        self._begin()

    @property
    def is_plain(self) -> bool:
        """One island without a grid: the best is the parent."""
        return self._count == 1 and not self._descriptors

    def island(self, index: int) -> int:
        """The island of a proposal with this index."""
        return (index - 1) % self._count

    def parents(self, index: int, told: Sequence[Record], *, above: float, most: int) -> list[Record]:
        """At most ``most`` records with a ratio above this, who should be a parent first before the others.

        The baseline is none of them. Of a grid every elite may be one.
        """
        if self.is_plain:
            found = itertools.takewhile(lambda item: (item.ratio or 0.0) > above, self._ranking(told))
            return list(itertools.islice(found, most))
        self._tell(told)
        if self._descriptors:
            above = -math.inf  # who is alone in its cell is a stepping stone, however slow
        every = self._members(self.island(index))
        members = [item for item in every if _measured(item) and item.ratio is not None and item.ratio > above]
        return self._drawn(index, members)[:most]

    def _ranking(self, told: Sequence[Record]) -> list[Record]:
        """All that have a ratio, the best first."""
        found, anew = self._following.new(told)
        if anew:
            self._ranked = []
        for item in found:
            if _measured(item) and item.ratio is not None and not math.isnan(item.ratio):
                bisect.insort(self._ranked, item, key=_better)
        return self._ranked

    def population(self, records: Sequence[Record]) -> Population:
        """What is there after all these records. Raises EvolutionError for a descriptor that nobody measures."""
        self._begin()
        self._tell(records)
        held: dict[int, list[tuple[int, Cell]]] = {}
        known: dict[int, Record] = {}
        for island, cells in enumerate(self._cells):
            for cell, members in cells.items():
                for record in members:
                    known[record.proposal.index] = record
                    held.setdefault(record.proposal.index, []).append((island, cell))
        elites = [
            Elite(record, tuple(sorted({island for island, _ in held[index]})), held[index][0][1],
                  self._values.get(index, ()), self._children[record.proposal.program.digest])
            for index, record in known.items()
        ]  # fmt: skip
        elites.sort(key=lambda item: _better(item.record))
        return Population(self._count, tuple(self._axes), tuple(elites), self._migrations)

    def must_measure(self, baseline: Record) -> None:
        """Raise EvolutionError where the baseline has no value for a descriptor: then nobody has."""
        for name in self._names:
            if described(baseline, [name], self._parameters) is None:
                known = sorted({LENGTH, *dict(baseline.metrics), *dict(baseline.proposal.settings)})
                raise EvolutionError(f"grid: nothing here has a {name}: there are {', '.join(known)}")

    # ------------------------------------------------------------------ the fold

    def _begin(self) -> None:
        self._told = 0
        self._cells: list[dict[Cell, list[Record]]] = [{} for _ in range(self._count)]
        self._axes: list[Axis] = []
        self._values: dict[int, tuple[float, ...]] = {}
        self._children: Counter[str] = Counter()
        self._migrations = 0

    def _tell(self, told: Sequence[Record]) -> None:
        records = [item for item in told if item.proposal.index >= 0] if told and told[0].proposal.index < 0 else told
        if len(records) < self._told:  # whoever was starved had been told of more than the next one may know
            self._begin()
        for record in records[self._told :]:
            self._add(record)
            self._told += 1
            if self._told % (limits.MIGRATION_TRIALS * self._count) == 0 and self._count > 1:
                self._migrate()

    def _add(self, record: Record) -> None:
        self._children.update(record.proposal.parents)
        if record.ratio is None or record.status == "duplicate":
            return  # whoever does what another does is no other member
        values = described(record, self._names, self._parameters)
        if values is None:
            return
        self._values[record.proposal.index] = values
        self._look()
        for island in range(self._count) if not record.proposal.index else (record.proposal.island,):
            self._settle(island % self._count, record)

    def _settle(self, island: int, record: Record) -> None:
        """Into its cell, where the best stays; without a grid the best few do."""
        cells = self._cells[island]
        cell = self._cell(self._values[record.proposal.index])
        members = [item for item in cells.get(cell, []) if item.proposal.index != record.proposal.index]
        most = 1 if self._descriptors else limits.ISLAND_ELITES_MAX
        cells[cell] = sorted([*members, record], key=_better)[:most]

    def _migrate(self) -> None:
        """The best of each island to the next, all at once."""
        leaders = [min(self._members(island), key=_better, default=None) for island in range(self._count)]
        for island, leader in enumerate(leaders):
            target = (island + 1) % self._count
            if leader is not None and leader not in self._members(target):
                self._settle(target, leader)
                self._migrations += leader in self._members(target)

    def _look(self) -> None:
        """Move the bounds to the middle of what was found, each time there is twice as much of it, and the elites with
        them.
        """
        count = len(self._values)
        if not self._descriptors or (count > limits.GRID_LOOKS_EACH_MAX and count & (count - 1)):
            return
        columns = zip(*self._values.values(), strict=True)
        axes = [_axis(item, sorted(column)) for item, column in zip(self._descriptors, columns, strict=True)]
        if axes == self._axes:
            return
        self._axes = axes
        for island in range(self._count):
            members = self._members(island)
            self._cells[island] = {}
            for record in members:
                self._settle(island, record)

    def _cell(self, values: tuple[float, ...]) -> Cell:
        return tuple(_place(axis, value) for axis, value in zip(self._axes, values, strict=True))

    # ------------------------------------------------------------------ the draw

    def _members(self, island: int) -> list[Record]:
        return [record for members in self._cells[island].values() for record in members]

    def _drawn(self, index: int, members: list[Record]) -> list[Record]:
        """All of them, by a draw without replacement (Efraimidis and Spirakis 2006)."""
        members = sorted(members, key=_better)
        rng = generator(self._seed, "parents", index)
        keys = {}
        for rank, record in enumerate(members):
            weight = self._novelty(record) / (1.0 + rank)
            keys[record.proposal.index] = math.log(max(float(rng.random()), 1e-300)) / weight
        return sorted(members, key=lambda record: (-keys[record.proposal.index], record.proposal.index))

    def _novelty(self, record: Record) -> float:
        """Between 0 and 1: few children, and empty cells around."""
        few = 1.0 / (1.0 + self._children[record.proposal.program.digest])
        if not self._descriptors:
            return few
        taken = {cell for cells in self._cells for cell in cells}
        around = list(_around(self._cell(self._values[record.proposal.index]), self._axes))
        empty = sum(cell not in taken for cell in around) / max(1, len(around))
        return few * (0.5 + 0.5 * empty)


def _measured(record: Record) -> bool:
    return record.proposal.index > 0 and record.status != "duplicate"


def _better(record: Record) -> tuple[float, int]:
    return -(record.ratio or 0.0), record.proposal.index


def _axis(item: Descriptor, values: Sequence[float]) -> Axis:
    """The axis that holds the middle of these values, which ascend: one that is far out must not make all others one
    cell. It is logarithmic where they are positive and far apart.
    """
    if item.bounds is not None:
        return Axis(item.name, *item.bounds, item.bins)
    last = len(values) - 1
    low = values[math.floor(limits.GRID_SHARE_OUTSIDE * last)]
    high = values[math.ceil((1 - limits.GRID_SHARE_OUTSIDE) * last)]
    bins = item.bins if low < high else 1
    return Axis(item.name, low, high, bins, low > 0 and high > limits.GRID_LOG_RATIO_MIN * low)


def _place(axis: Axis, value: float) -> int:
    """Which cell of the axis; what lies outside is in the first or last one."""
    if axis.high <= axis.low:
        return 0
    value = min(max(value, axis.low), axis.high)
    if axis.logarithmic:
        share = math.log(value / axis.low) / math.log(axis.high / axis.low)
    else:
        share = (value - axis.low) / (axis.high - axis.low)
    return min(axis.bins - 1, int(share * axis.bins))


def _around(cell: Cell, axes: Sequence[Axis]) -> Iterator[Cell]:
    """The cells that differ by one step on one axis."""
    for k, axis in enumerate(axes):
        for step in (-1, 1):
            if 0 <= cell[k] + step < axis.bins:
                yield (*cell[:k], cell[k] + step, *cell[k + 1 :])
