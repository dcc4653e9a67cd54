"""The hunt for texts that pass the shown tests: single repairs of the incumbent, the likeliest first, many at once.

Each text is asked one failing case first, and the rest only where it got that right. How long a call may be is counted
in lines, so that the same texts are found on a busy machine; only the end of the budget depends on the clock.
"""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from ... import limits
from ...errors import EvolutionError
from ...languages.repairing import COSTS, fixes
from ...languages.rewriting import Edit
from ...languages.tried import Called, Trying
from ...values import Artifact, NativeFunction
from .cases import Case
from .localise import ochiai

_SHARPNESS = 5.0
Opened = Callable[[Sequence[Sequence[object]]], Trying]


@dataclass(frozen=True)
class Repair:
    """A text that passes the shown tests. ``rank`` says how large a change it is, and how unlikely its place."""

    text: str
    edit: Edit
    rank: float
    suspicion: float


@dataclass
class Hunt:
    """``opened`` starts a warm process that holds the calls of ``cases``; ``look`` shows how it goes, and says whether
    the run is over. ``others`` are more calls, of which nobody knows what is right."""

    artifact: Artifact
    function: NativeFunction
    cases: tuple[Case, ...]
    opened: Opened
    workers: int
    look: Callable[[str], bool]
    others: tuple[tuple[object, ...], ...] = ()
    tried: int = 0
    found: list[Repair] = field(default_factory=list)
    suspicion: dict[int, float] = field(default_factory=dict)

    def run(self) -> list[Repair]:
        """The repairs that were found, the best first. Raises EvolutionError where the incumbent cannot be tried."""
        source = self.artifact.program.source
        calls = [*(case.args for case in self.cases), *self.others]
        self._jobs = deque(self.opened(calls) for _ in range(self.workers))
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="project-o-repair")
        try:
            self._learn(source)
            self._try_all(pool, self._ordered(source))
            self.found = self._by_behaviour(sorted(self.found, key=lambda item: item.rank))
        finally:
            for job in list(self._jobs):
                job.close()
            pool.shutdown(wait=False, cancel_futures=True)
        return self.found

    def _learn(self, source: str) -> None:
        """Which shown cases fail, and which lines they run."""
        every = range(len(self.cases))
        (answers,) = self._jobs[0].attempt([source], every, limits.REPAIR_LINES_MAX)
        wrong = [bool(case.wrong(given, self.function)) for case, given in zip(self.cases, answers, strict=True)]
        if not any(wrong):
            raise EvolutionError(f"{self.function.name} passes its shown tests when they are asked together")
        self.suspicion = ochiai([(given.lines, fails) for given, fails in zip(answers, wrong, strict=True)])
        steps = [given.steps for given in answers if given.steps < limits.REPAIR_LINES_MAX]  # those that came to an end
        self._most = min(limits.REPAIR_LINES_MAX, max(limits.REPAIR_LINES_MIN, 20 * max(steps, default=0)))
        failing = sorted((place for place in every if wrong[place]), key=lambda place: answers[place].steps)
        self._first = failing[:1]
        self._rest = [*failing[1:], *(place for place in every if not wrong[place])]

    def _ordered(self, source: str) -> list[Repair]:
        made = []
        for edit in fixes(self.artifact.program.language, source):
            suspicion = self.suspicion.get(edit.line, 0.0)
            if suspicion or edit.operator in ("missing base case", "missing part"):
                rank = COSTS[edit.operator] + limits.REPAIR_SUSPICION_WEIGHT * (1 - suspicion)
                made.append(Repair(edit.applied(source), edit, rank, suspicion))
        return sorted(made, key=lambda item: (item.rank, item.edit.start, item.text))

    def _try_all(self, pool: ThreadPoolExecutor, every: Sequence[Repair]) -> None:
        waiting: deque[tuple[list[Repair], Future[list[Repair]]]] = deque()
        batches = self._batches(every)
        most = limits.REPAIR_TEXTS_MAX
        while True:
            while len(waiting) < 2 * self.workers and self.tried < most and (batch := next(batches, None)):
                self.tried += len(batch)
                waiting.append((batch, pool.submit(self._passing, batch)))
            if not waiting:
                return
            _, first = waiting[0]
            wait([first], limits.STOP_POLL_SECONDS)
            if self.look(f"{self.tried:,} repairs tried, {len(self.found)} pass the shown tests"):
                return
            if first.done():
                waiting.popleft()
                new = first.result()
                if new and not self.found:  # what is as likely as the first is looked at too, and the best one taken
                    most = min(most, limits.REPAIR_TEXTS_MORE + int(limits.REPAIR_TEXTS_FACTOR * self.tried))
                self.found += new

    def _batches(self, every: Sequence[Repair]) -> Iterator[list[Repair]]:
        size = limits.REPAIR_BATCH_TEXTS
        for begin in range(0, len(every), size):
            yield list(every[begin : begin + size])

    def _passing(self, batch: list[Repair]) -> list[Repair]:
        """Those of a batch that pass every shown case."""
        job = self._jobs.popleft()
        try:
            left = self._right(job, batch, self._first)
            return self._right(job, left, self._rest) if left and self._rest else left
        finally:
            self._jobs.append(job)

    def _by_behaviour(self, found: list[Repair]) -> list[Repair]:
        """One of each behaviour first, where those come first whose members are the likeliest together.

        Repairs that say the same in several ways are mostly right; one that nobody agrees with fits the tests alone.
        """
        looked_at = found[: limits.REPAIR_COMPARED_MAX]
        places = range(len(self.cases), len(self.cases) + len(self.others))
        rows = self._jobs[0].attempt([item.text for item in looked_at], list(places), self._most)
        kinds: dict[str, list[Repair]] = {}
        for item, row in zip(looked_at, rows, strict=True):
            kinds.setdefault(repr([_behaviour(given) for given in row]), []).append(item)
        weight = {kind: sum(math.exp(-_SHARPNESS * item.rank) for item in members) for kind, members in kinds.items()}
        order = sorted(kinds, key=lambda kind: -weight[kind])
        turns = itertools.zip_longest(*(kinds[kind] for kind in order))
        return [*(item for turn in turns for item in turn if item is not None), *found[len(looked_at) :]]

    def _right(self, job: Trying, batch: list[Repair], places: list[int]) -> list[Repair]:
        rows: list[list[Called]] = job.attempt([item.text for item in batch], places, self._most)
        return [
            item
            for item, row in zip(batch, rows, strict=True)
            if not any(self.cases[place].wrong(given, self.function) for place, given in zip(places, row, strict=True))
        ]


def _behaviour(given: Called) -> object:
    """What a call did, for a comparison with the same call of another text."""
    try:
        return (given.ok, given.error_name, repr(given.value)[: limits.TEXT_CHARACTERS_MAX])
    except ValueError:  # a whole number of more digits than Python writes
        return (given.ok, "very many digits", type(given.value).__name__)
