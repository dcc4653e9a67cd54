"""The loop: ask, try, tell, and at the end judge. It knows the order of things and the clock, and nothing else.

What may be asked when is fixed by indices alone: proposal i sees the records up to i - limits.PROPOSAL_LAG_TRIALS,
however many workers there are and whichever finishes first. So with a deterministic objective the same seed gives
the same lineage with one worker and with two. A proposer that has nothing to say to that is asked again when all
records before i are there, which does not depend on the workers either.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from typing import TypeVar

from .. import limits
from ..values import Measurement, Proposal, Record, Verdict
from .archive import Archive, Behaved, Recorded
from .bench import Bench, Defect, MeasurementFailed
from .decide import acceptable, decide, no_improvement, refused
from .lessons import refused as refused_before
from .lessons import taken_back
from .reporting import Clock, Reporter
from .search import Proposer
from .task import Jobs, Stopped, Task
from .trial import Judge

INTERRUPTED = "the run was stopped"
NONE_TRIED = "the budget was over before a candidate was tried: give it a larger one"
OVER_BUDGET = "the budget was over"

Result = TypeVar("Result")
Final = tuple[Record, Measurement | None, str]
"""One of the leaders, what was measured of it, and why nothing was where nothing was."""


@dataclass
class Loop:
    """One run under way."""

    task: Task
    jobs: Jobs
    bench: Bench
    judge: Judge
    archive: Archive
    proposer: Proposer
    executor: Executor
    clock: Clock
    reporter: Reporter
    stop: threading.Event
    workers: int
    trials: int | None
    recorded: Recorded | None = None
    added: Callable[[Record], None] = lambda _: None
    _pending: dict[int, Future[Record] | Record] = field(default_factory=dict)
    _index: int = 1
    _exhausted: bool = False
    _starved: bool = False

    def search(self) -> None:
        """Ask and try until the trials, the budget or the ideas are used up, or the run is stopped."""
        while not self.stop.is_set():
            while self._may_ask():
                self._ask()
            if not self._pending:
                return
            self._collect(limits.STOP_POLL_SECONDS)
            self.reserve()
            self.reporter.report(self.archive)
            if self.clock.search_is_over() and self._late():
                return

    def reserve(self) -> None:
        """Keep time for the verdict: as much as it takes by what was seen so far, up to a share of the budget."""
        if self.clock.budget_seconds is not None:
            near = max(1, self._near(self.archive.elites(limits.FINALISTS)))
            needed = (near + 1) * self.bench.comparison_seconds() + limits.VERDICT_SECONDS_MIN
            self.clock.reserve_seconds = min(needed, limits.BUDGET_SHARE_FOR_VERDICT_MAX * self.clock.budget_seconds)

    def _late(self) -> bool:
        """Past the search's end, trials under way may take a fifth of what is reserved for the confirmation."""
        assert self.clock.budget_seconds is not None, "only a budget ends a search"
        return self.clock.elapsed > self.clock.budget_seconds - 0.8 * self.clock.reserve_seconds

    def _may_ask(self) -> bool:
        if self._exhausted or self.stop.is_set() or self.clock.search_is_over():
            return False
        if self.trials is not None and self._index >= self.trials:
            return False
        if self._starved and len(self.archive) < self._index:
            return False
        return len(self._running()) < self.workers and len(self.archive) > self._index - limits.PROPOSAL_LAG_TRIALS

    def _running(self) -> list[Future[Record]]:
        return [item for item in self._pending.values() if isinstance(item, Future) and not item.done()]

    def _ask(self) -> None:
        # Who has nothing to say without the last records is asked once more when it has them all.
        lag = 1 if self._starved else limits.PROPOSAL_LAG_TRIALS
        told = self.archive.records[: max(0, self._index - lag + 1)]
        proposal = self.proposer.ask(self._index, (*taken_back(self.task), *told))
        if proposal is None:
            self._exhausted, self._starved = self._starved, True
            return
        self._starved = False
        assert proposal.index == self._index, "a proposer answers the index that it is asked"
        self._pending[self._index] = self._settle(proposal)
        self._index += 1

    def _settle(self, proposal: Proposal) -> Future[Record] | Record:
        twin = self.archive.twin(proposal)
        known = self.recorded.record(proposal) if self.recorded else None
        if known is not None:
            return known
        if twin is not None:
            return Record(proposal, "duplicate", f"the same code as trial {twin}")
        if (lesson := refused_before(self.task, proposal)) is not None:
            return lesson
        seen = max(1, proposal.index - limits.PROPOSAL_LAG_TRIALS + 1)  # as for who proposes: whatever the workers
        return self.executor.submit(self.judge.attempt, self.jobs, proposal, Behaved(self.archive, seen))

    def _collect(self, timeout: float) -> None:
        """Wait for something to finish, then move what is finished into the archive, in order."""
        first = self._pending.get(len(self.archive))
        if isinstance(first, Future) and not first.done():
            wait(self._running(), timeout, return_when="FIRST_COMPLETED")
        while (item := self._pending.get(len(self.archive))) is not None:
            if isinstance(item, Future):
                if not item.done():
                    return
                try:
                    record = item.result()
                except Stopped:
                    return
            else:
                record = item
            del self._pending[len(self.archive)]
            self.add(record)

    def add(self, record: Record) -> None:
        """The next record, kept before the proposer is told."""
        self.added(self.archive.add(record))

    def abandon(self) -> None:
        """Give up what is under way, but keep what finishes at once."""
        self.jobs.stop()
        until = time.monotonic() + limits.STOP_SECONDS_MAX
        for item in self._pending.values():
            if isinstance(item, Future):
                item.cancel()
        running = [item for item in self._pending.values() if isinstance(item, Future) and not item.cancelled()]
        wait(running, max(0.0, until - time.monotonic()))
        self._pending = {
            index: item for index, item in self._pending.items() if isinstance(item, Record) or not item.cancelled()
        }
        self._collect(0.0)

    # ------------------------------------------------------------------ the end

    def conclude(self, jobs: Jobs) -> tuple[Record | None, Verdict]:
        """Measure the leaders properly and confirm the best of them."""
        try:
            return self.aside(lambda: self._conclude(jobs), jobs, "confirming the best")
        except (KeyboardInterrupt, Stopped):
            return self.leader(), self.unconfirmed(INTERRUPTED)

    def aside(self, work: Callable[[], Result], jobs: Jobs, note: str) -> Result:
        """Do ``work`` in a thread of its own, so that a stop reaches it. Raises KeyboardInterrupt then."""
        thread = ThreadPoolExecutor(1, thread_name_prefix="project-o-aside")
        future = thread.submit(work)
        try:
            while not future.done():
                wait([future], limits.STOP_POLL_SECONDS)
                self.reporter.report(self.archive, note)
                if self.stop.is_set() and not future.done():
                    raise KeyboardInterrupt
            return future.result()
        except KeyboardInterrupt:
            jobs.stop()
            wait([future], limits.STOP_SECONDS_MAX)
            raise
        finally:
            thread.shutdown(wait=False)

    def leader(self) -> Record | None:
        """The candidate that screening puts first."""
        return next(iter(self.archive.elites(1)), None)

    def unconfirmed(self, why: str) -> Verdict:
        """The verdict of a run that ended before it could tell."""
        leader = self.leader()
        if leader is None:
            return no_improvement(len(self.archive) - 1, self.task.level, f"{why} before anything better was found")
        reason = f"not confirmed: {why}; trial {leader.proposal.index} leads with ratio {leader.ratio:.3f} in screening"
        return Verdict(accepted=False, reasons=(reason,), level=self.task.level)

    def _conclude(self, jobs: Jobs) -> tuple[Record | None, Verdict]:
        leaders = self.archive.elites(limits.FINALISTS_TRIED_MAX)
        if not leaders:
            tried = max(0, len(self.archive) - 1)
            early = "" if tried or not self.clock.search_is_over() else NONE_TRIED
            return None, no_improvement(tried, self.task.level, early)
        wanted = self._wanted(leaders)
        found: list[Final] = []
        faulty: list[tuple[Record, Defect]] = []
        for record in leaders:
            # Who is far behind the leader after screening will not overtake it by measuring longer.
            leader = found[0][0] if found else record
            late = bool(faulty) and self.clock.over()
            if (
                len(found) == wanted
                or late
                or (record.ratio or 0.0) < limits.FINALIST_RATIO_SHARE_MIN * (leader.ratio or 1)
            ):
                break
            try:
                found.append(self._final(jobs, record, wanted, wanted - len(found)))
            except Defect as defect:  # the next one takes its place
                faulty.append((record, defect))
        if not found:
            return None, self._refused(jobs, *faulty[0])
        if self._has_time_for_one() and all(measurement is None for _, measurement, _ in found):
            # None of them had enough of it, on a machine that is busier now: what is left is for the first alone.
            try:
                found = [self._final(jobs, found[0][0], 1, 1)]
            except Defect as defect:
                return None, self._refused(jobs, found[0][0], defect)
        record, measurement, verdict = self._confirmed(jobs, found)
        verdict = self._with_faulty(verdict, faulty)
        unfinished = measurement is None or (
            verdict.confirmation is None and acceptable(measurement, self.bench.threshold)
        )
        kept = verdict.accepted or (unfinished and verdict.trial is not None and verdict.trial.outcome == "passed")
        return (record if kept else None), verdict

    def _confirmed(self, jobs: Jobs, found: Sequence[Final]) -> tuple[Record, Measurement | None, Verdict]:
        """The best of them, confirmed. One that fails its last checks makes room for the next that is good enough."""
        threshold, deadline = self.bench.threshold, self.clock.deadline
        first, *others = sorted(
            found,
            key=lambda item: (acceptable(item[1], threshold), item[1].ratio) if item[1] else (False, -math.inf),
            reverse=True,
        )
        told: list[str] = []
        others = [item for item in others if item[1] is not None and acceptable(item[1], threshold)]
        for record, measurement, why in (first, *others):
            program = record.proposal.program
            trial = self.judge.checked(jobs, program, deadline)
            verdict = self.judge.confirm(jobs, program, "final", trial, measurement, deadline, why)
            last = record, measurement, replace(verdict, reasons=(*told, *verdict.reasons))
            if verdict.trial is None or verdict.trial.outcome != "failed":
                break
            told.append(f"trial {record.proposal.index} led before and was rejected: {verdict.trial.error}")
        return last

    def _wanted(self, leaders: Sequence[Record]) -> int:
        """How many of the leaders are measured: those near the first, as many as there is time for."""
        near = self._near(leaders)
        if self.clock.deadline is None:
            return near
        left = self.clock.deadline - time.monotonic()
        return min(near, max(1, int(left / self.bench.shortest_seconds()) - 1))

    @staticmethod
    def _near(leaders: Sequence[Record]) -> int:
        """How many are near the first one, as far as they could be measured."""
        least = limits.FINALIST_RATIO_SHARE_MIN * ((leaders[0].ratio if leaders else None) or 1.0)
        return min(limits.FINALISTS, sum((record.ratio or 0.0) >= least for record in leaders))

    def _has_time_for_one(self) -> bool:
        """Whether a measurement and a confirmation fit into what is left, going by how long pairs took so far."""
        if self.clock.deadline is None:
            return False
        return self.clock.deadline - time.monotonic() > 2 * self.bench.shortest_seconds()

    def _refused(self, jobs: Jobs, record: Record, defect: Defect) -> Verdict:
        """The verdict where every leader's gain turned out to be none."""
        trial = refused(self.judge.checked(jobs, record.proposal.program, self.clock.deadline), defect)
        return decide(
            trial=trial, measurement=None, confirmation=None, threshold=self.bench.threshold, level=self.task.level
        )

    @staticmethod
    def _with_faulty(verdict: Verdict, faulty: Sequence[tuple[Record, Defect]]) -> Verdict:
        told = tuple(
            f"trial {record.proposal.index} led before and was rejected: {defect}" for record, defect in faulty
        )
        return replace(verdict, reasons=(*told, *verdict.reasons))

    def _final(self, jobs: Jobs, record: Record, wanted: int, later: int) -> Final:
        """Measure one of the ``wanted`` leaders; of the time left, ``later`` more stages get as much. Raises Defect."""
        deadline = self.clock.deadline
        if deadline is not None:
            now = time.monotonic()
            deadline = now + (deadline - now) / (later + 1)
        artifact = self.task.build(record.proposal.program)
        purpose = f"final {record.proposal.index}"
        try:
            return record, self.bench.compare(jobs, artifact, purpose, deadline, candidates=wanted), ""
        except Defect:
            raise
        except MeasurementFailed as error:
            return record, None, str(error)
