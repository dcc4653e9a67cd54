"""The objective "time": a native function against its earlier version."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from .. import limits
from ..errors import EvolutionError, InterfaceError
from ..values import Artifact, Measurement, Trial
from .bench import Outcome
from .inputs import Inputs
from .measure import MeasurementFailed, measure, plan
from .task import TIME, Handle, Jobs, Task
from .validate import consult, validate


class TimeBench:
    """The CPU time of one native function, on the user's inputs or on generated ones."""

    threshold = limits.RATIO_ACCEPTED_LOW

    def __init__(self, task: Task, seed: int, budget_seconds: float | None) -> None:
        self._task = task
        self._seed = seed
        self._budget = budget_seconds
        self._lock = threading.Lock()
        self._pairs = limits.FINAL_PAIRS

    def prepare(self, jobs: Jobs, artifact: Artifact) -> Outcome:
        """Check that the incumbent answers, and find how many calls make a timing."""
        self._baseline = artifact
        function = self._task.function_of(artifact)
        self._inputs = Inputs(function, self._task.samples(), self._seed)
        cases = self._inputs.checks(limits.VALIDATION_CASES)
        try:
            self._oracle = consult(jobs, artifact, function, cases, given=self._inputs.given)
            self._cases = self._timing_cases("screening")
            with jobs.open(artifact, guarded=False) as job:
                self._plan = plan(job, self._oracle, self._cases[0])
        except InterfaceError as error:
            raise EvolutionError(f"--inputs: {error}") from error
        except MeasurementFailed as error:
            raise EvolutionError(f"the incumbent cannot be measured: {error}") from error
        self._fit()
        cost = self._baseline_cost(jobs)
        return Outcome("baseline", "what serves now", cost, 1.0, ((TIME, cost),))

    def check(self, jobs: Jobs, artifact: Artifact) -> Trial:
        """Compare answers with the incumbent's."""
        if artifact.interface.functions != self._baseline.interface.functions and not self._same_face(artifact):
            return Trial("failed", self._task.level, f"{self._oracle.function.name} has another signature now")
        return validate(jobs, artifact, self._oracle, self._task.level)

    def screen(self, jobs: Jobs, artifact: Artifact, index: int) -> Outcome:
        """Check, then a few pairs; timings of several workers wait for one another."""
        trial = self.check(jobs, artifact)
        if trial.outcome != "passed":
            return Outcome("failed", trial.error)
        with self._lock, self._sides(jobs, artifact) as (incumbent, candidate):
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
        status: Literal["better", "worse"] = "better" if found.low > 1.0 else "worse"
        reason = f"{found.ratio:.3f} of the baseline's speed [{found.low:.3f}, {found.high:.3f}]"
        return Outcome(status, reason, found.candidate, found.ratio, ((TIME, found.candidate),))

    def compare(self, jobs: Jobs, artifact: Artifact, purpose: str, deadline: float | None) -> Measurement:
        """The number of pairs is fixed before the first candidate is seen."""
        cases = self._timing_cases(purpose)
        with self._lock, self._sides(jobs, artifact) as (incumbent, candidate):
            return measure(
                incumbent,
                candidate,
                self._plan,
                cases,
                pairs=self._pairs,
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
        """From the incumbent's own timing."""
        return 2.2 * self._pairs * (self._plan.wall_seconds + limits.PROCESS_START_SECONDS) + 0.2

    def _timing_cases(self, purpose: str) -> list[Any]:
        """Inputs for timing; where types alone gave an input that the incumbent refuses, one that it answers."""
        if self._inputs.given:
            return self._inputs.timings(limits.TIMING_VARIANTS, purpose)
        return self._inputs.timings(limits.TIMING_VARIANTS, purpose) if self._sample_works() else [self._oracle.first]

    def _sample_works(self) -> bool:
        return any(case.label == "the sample" and answer.ok for case, answer in self._oracle.known)

    def _fit(self) -> None:
        """Fewer pairs where the budget is small, but never fewer than show anything."""
        if self._budget is None:
            return
        affordable = (
            0.4
            * self._budget
            / ((limits.FINALISTS + 1) * 2.2 * (self._plan.wall_seconds + limits.PROCESS_START_SECONDS))
        )
        self._pairs = int(min(limits.FINAL_PAIRS, max(limits.FINAL_PAIRS_MIN, affordable)))

    def _same_face(self, artifact: Artifact) -> bool:
        wanted = self._oracle.function
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
