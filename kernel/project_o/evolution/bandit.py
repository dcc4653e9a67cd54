"""Which operator gets the next trial: Thompson sampling (Thompson 1933, Biometrika 25) over what each brought so far.

A trial is a hit or a miss; of each operator the chance of a hit has a beta distribution, one value of it is drawn, and
the largest is asked first. So what works is asked often, what does not is asked seldom, and nothing is given up. A
function of the seed and the records.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..population import Operator
from ..values import Record
from .following import Following
from .task import generator

Named = Callable[[Record], str]
"""Which arm a record counts for; "" for none."""


@dataclass
class Tally:
    """Hits and trials by arm. A gain is a record better than all before it; else it is enough to be called better."""

    hits: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    best: float = 1.0

    @classmethod
    def of(cls, told: Iterable[Record], named: Named, *, gains: bool) -> Tally:
        """What these records say of each arm. The baseline, and what was taken back, say nothing."""
        found = cls()
        found.add(told, named, gains=gains)
        return found

    def add(self, told: Iterable[Record], named: Named, *, gains: bool) -> None:
        """Count these too."""
        for record in told:
            if record.proposal.index <= 0 or not (name := named(record)):
                continue
            gain = record.ratio is not None and record.ratio > self.best
            self.tried[name] += 1
            self.hits[name] += gain if gains else record.status == "better"
            self.best = max(self.best, record.ratio or 0.0)

    def chance(self, name: str, doubt: float = 0.0) -> float:
        """The mean of what is drawn."""
        return (1 + self.hits[name]) / (2 + self.tried[name] + doubt)

    def order(
        self,
        names: Sequence[str],
        key: Sequence[object],
        doubts: Mapping[str, float] | None = None,
        worth: Mapping[str, float] | None = None,
    ) -> list[str]:
        """The arms, whose turn it is first. ``key`` is the seed and what the draw is for.

        ``doubts`` are misses that an arm begins with; ``worth`` is what a hit of it counts, 1 where nothing is said.
        """
        rng = generator(*key)  # type: ignore[arg-type]
        drawn = {}
        for name in names:
            misses = 1 + self.tried[name] - self.hits[name] + (doubts or {}).get(name, 0)
            drawn[name] = float(rng.beta(1 + self.hits[name], misses)) * (worth or {}).get(name, 1.0)
        return sorted(names, key=lambda name: -drawn[name])


class Bandit:
    """A tally that follows a run."""

    def __init__(self, named: Named, *, gains: bool) -> None:
        self._named, self._gains = named, gains
        self._following, self._tally = Following(), Tally()

    def tally(self, told: Sequence[Record]) -> Tally:
        """As ``Tally.of``; only what is new is counted."""
        found, anew = self._following.new(told)
        if anew:
            self._tally = Tally()
        self._tally.add(found, self._named, gains=self._gains)
        return self._tally


def mean_ratio(ratios: Sequence[float]) -> float | None:
    """Of ratios by the geometric rule, where all are positive: half and double cancel. None where there is none."""
    ratios = [ratio for ratio in ratios if math.isfinite(ratio)]
    if not ratios:
        return None
    if min(ratios) > 0:
        return math.exp(math.fsum(map(math.log, ratios)) / len(ratios))
    return math.fsum(ratios) / len(ratios)


def statistics(records: Sequence[Record]) -> tuple[Operator, ...]:
    """What each operator of a run brought, the most successful first; the baseline is none of theirs."""
    tally = Tally.of(records, lambda record: record.proposal.operator, gains=True)
    found = []
    for name in dict.fromkeys(record.proposal.operator for record in records if record.proposal.index > 0):
        mine = [record for record in records if record.proposal.index > 0 and record.proposal.operator == name]
        ratios = [record.ratio for record in mine if record.ratio is not None]
        statuses = Counter(record.status for record in mine)
        found.append(
            Operator(
                name=name,
                proposer=mine[0].proposal.proposer,
                tried=len(mine),
                better=statuses["better"],
                gains=tally.hits[name],
                failed=statuses["failed"],
                duplicates=statuses["duplicate"],
                mean=mean_ratio(ratios),
                best=max(ratios, default=None),
                chance=tally.chance(name),
            )
        )
    return tuple(sorted(found, key=lambda item: (-item.gains, -item.better, -(item.best or 0.0), item.name)))
