"""The objective "time": a native function against its earlier version."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from .. import limits
from ..errors import EvolutionError, InterfaceError
from ..values import Artifact, Measurement, Trial
from .bench import Outcome
from .infer import typed
from .inputs import Case, Inputs
from .measure import MeasurementFailed, measure, plan
from .quiet import Quiet
from .task import TIME, Handle, Jobs, Task
from .validate import Oracle, consult, validate


class TimeBench:
    """The CPU time of one native function, on the user's inputs or on generated ones."""

    threshold = limits.RATIO_ACCEPTED_LOW

    def __init__(self, task: Task, seed: int, budget_seconds: float | None) -> None:
        self._task = task
        self._seed = seed
        self._budget = budget_seconds
        self._pair_seconds = 0.0
        self._confirming: Oracle | None = None
        self.quiet = Quiet()

    def prepare(self, jobs: Jobs, artifact: Artifact) -> Outcome:
        """Check that the incumbent answers, and find how many calls make a timing."""
        self._baseline = artifact
        samples = self._task.samples()
        function = typed(self._task.function_of(artifact), samples)
        self._inputs = Inputs(function, samples, self._seed)
        cases = self._inputs.checks(limits.VALIDATION_CASES)
        try:
            self._oracle = consult(jobs, artifact, function, cases, given=self._inputs.given)
            self._cases = self._timing_cases(jobs, "screening")
            with jobs.open(artifact, guarded=False) as job:
                self._plan = plan(job, self._oracle, self._cases[0])
        except InterfaceError as error:
            raise EvolutionError(f"--inputs: {error}") from error
        except MeasurementFailed as error:
            raise EvolutionError(f"the incumbent cannot be measured: {error}") from error
        self._pair_seconds = 2 * (self._plan.wall_seconds + limits.PROCESS_START_SECONDS)
        cost = self._baseline_cost(jobs)
        return Outcome("baseline", "what serves now", cost, 1.0, ((TIME, cost),))

    def check(self, jobs: Jobs, artifact: Artifact, *, fresh: bool = False) -> Trial:
        """Compare answers with the incumbent's."""
        if artifact.interface.functions != self._baseline.interface.functions and not self._same_face(artifact):
            return Trial("failed", self._task.level, f"{self._oracle.function.name} has another signature now")
        return validate(jobs, artifact, self.oracle(jobs, fresh=fresh), self._task.level)

    def oracle(self, jobs: Jobs, *, fresh: bool = False) -> Oracle:
        """The incumbent's answers to the inputs of the run, or to those kept for confirmations."""
        if not fresh:
            return self._oracle
        if self._confirming is None:
            cases = self._inputs.checks(limits.VALIDATION_CASES, "confirm")
            self._confirming = consult(jobs, self._baseline, self._oracle.function, cases, given=False)
        return self._confirming

    def screen(self, jobs: Jobs, artifact: Artifact, index: int) -> Outcome:
        """A few pairs; timings of several workers wait for one another."""
        with self.quiet.alone(), self._sides(jobs, artifact) as (incumbent, candidate):
            started = time.monotonic()
            found = measure(
                incumbent,
                candidate,
                self._plan,
                self._cases,
                pairs=limits.SCREENING_PAIRS,
                pairs_a_process=limits.SCREENING_PAIRS_A_PROCESS,
                seed=self._seed,
                purpose=f"screening {index}",
                give_up=True,
            )
            self._pair_seconds = 0.5 * (self._pair_seconds + (time.monotonic() - started) / found.pairs)
        status: Literal["better", "no better"] = "better" if found.low > 1.0 else "no better"
        reason = f"{found.ratio:.3f} times the baseline's speed [{found.low:.3f}, {found.high:.3f}]"
        return Outcome(status, reason, found.candidate, found.ratio, ((TIME, found.candidate),))

    def compare(self, jobs: Jobs, artifact: Artifact, purpose: str, deadline: float | None) -> Measurement:
        """The number of pairs follows from the time left and how long pairs took so far, never from their ratios."""
        pairs = limits.FINAL_PAIRS
        if deadline is not None:
            pairs = self._affordable(deadline - time.monotonic())
        cases = self._timing_cases(jobs, purpose)
        with self.quiet.alone(), self._sides(jobs, artifact) as (incumbent, candidate):
            return measure(
                incumbent,
                candidate,
                self._plan,
                cases,
                pairs=pairs,
                pairs_min=limits.FINAL_PAIRS_MIN,
                pairs_a_process=limits.FINAL_PAIRS_A_PROCESS,
                seed=self._seed,
                purpose=purpose,
                deadline=deadline,
            )

    @contextmanager
    def _sides(self, jobs: Jobs, artifact: Artifact) -> Iterator[tuple[Handle, Handle]]:
        with jobs.open(self._baseline, guarded=False) as incumbent, jobs.open(artifact, guarded=False) as candidate:
            yield incumbent, candidate

    def comparison_seconds(self) -> float:
        """From how long pairs took so far."""
        share = limits.BUDGET_SHARE_FOR_VERDICT * (self._budget or math.inf) / (limits.FINALISTS + 1)
        return self._seconds(self._affordable(share))

    def shortest_seconds(self) -> float:
        """From how long pairs took so far."""
        return self._seconds(limits.FINAL_PAIRS_MIN)

    def _seconds(self, pairs: int) -> float:
        # Processes are fresh more often than in screening, and the load may grow.
        return 1.3 * pairs * (self._pair_seconds + limits.PROCESS_START_SECONDS)

    def _affordable(self, seconds: float) -> int:
        """Fewer pairs where time is short, but never so few that they show nothing."""
        return int(min(limits.FINAL_PAIRS, max(limits.FINAL_PAIRS_MIN, seconds / self._seconds(1))))

    def _timing_cases(self, jobs: Jobs, purpose: str) -> list[Case]:
        """Inputs for timing that the incumbent answers with a value."""
        drawn = self._inputs.timings(limits.TIMING_VARIANTS, purpose)
        name = self._oracle.function.name
        with jobs.open(self._baseline) as job:
            fit = [case for case in drawn if job.ask(name, case.args, seconds=limits.TRIAL_WALL_SECONDS).ok]
        return fit or [self._oracle.first]

    def _same_face(self, artifact: Artifact) -> bool:
        wanted = self._baseline.interface.function(self._oracle.function.name)
        try:
            found = artifact.interface.function(wanted.name)
        except KeyError:
            return False
        return [kind for _, kind in found.parameters] == [kind for _, kind in wanted.parameters] and (
            found.result == wanted.result
        )

    def _baseline_cost(self, jobs: Jobs) -> float:
        with jobs.open(self._baseline, guarded=False) as job:
            times = []
            for case in self._cases[:3]:
                answer = job.ask(self._plan.function, case.args, repeat=self._plan.repeat)
                times.append(answer.cpu_seconds / self._plan.repeat)
        return statistics.median(times)
