"""How long a run may take, and how it tells how it goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from .. import limits
from ..values import Progress, Record
from .archive import Archive, rejected
from .bandit import mean_ratio


@dataclass
class Clock:
    """How long a run may take. Seconds on ``time.monotonic``."""

    started: float
    budget_seconds: float | None
    reserve_seconds: float = 0.0

    @property
    def elapsed(self) -> float:
        """Since the start."""
        return time.monotonic() - self.started

    @property
    def deadline(self) -> float | None:
        """When all must be over."""
        return None if self.budget_seconds is None else self.started + self.budget_seconds

    def over(self) -> bool:
        """Whether all the time is used up."""
        return self.deadline is not None and time.monotonic() > self.deadline

    def search_is_over(self) -> bool:
        """Whether what is left is needed for the confirmation."""
        return self.budget_seconds is not None and self.elapsed > self.budget_seconds - self.reserve_seconds


@dataclass
class Reporter:
    """Tells how the run goes, not too often."""

    name: str
    clock: Clock
    planned: int | None
    send: Callable[[Progress], None]
    spent: Callable[[], str] = lambda: ""
    last: Progress | None = None
    _next: float = 0.0

    def report(
        self,
        archive: Archive,
        note: str = "",
        *,
        finished: bool = False,
        winner: Record | None = None,
        stopped: bool = False,
    ) -> None:
        """Send a report if the last one is old enough, or this one is the last, which names the winner."""
        now = time.monotonic()
        if not finished and now < self._next:
            return
        self._next = now + limits.PROGRESS_INTERVAL_SECONDS
        best, history = 1.0, []
        settings: tuple[tuple[str, int | float | str | bool], ...] = ()
        for record in archive.records:
            if record.ratio is not None and record.ratio > best:
                best, settings = record.ratio, record.proposal.settings
            history.append((record.proposal.index, best))
        if winner is not None and winner.ratio is not None:
            best, settings = winner.ratio, winner.proposal.settings
        self.last = Progress(
            name=self.name,
            done=len(archive),
            planned=self.planned,
            elapsed_seconds=self.clock.elapsed,
            budget_seconds=self.clock.budget_seconds,
            best_ratio=best,
            best_settings=settings,
            counts=tuple(sorted(Counter(record.status for record in archive.records).items())),
            rejected=rejected(archive.records),
            history=tuple(history),
            finished=finished,
            stopped=stopped,
            note=note,
            records=archive.records,
            mean_ratio=mean_ratio([item.ratio for item in archive.records[1:] if item.ratio is not None]),
            spent=self.spent(),
        )
        self.send(self.last)
