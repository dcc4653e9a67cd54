"""Any other objective: a metric that the user's evaluator returns."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping
from typing import Any, Literal

from .. import limits
from ..errors import EvolutionError
from ..observe import Interval, paired_difference, paired_ratio
from ..values import Artifact, Measurement, Trial
from .bench import Outcome
from .candidate import Candidate
from .manners import Manners, as_metric, cut
from .measure import MeasurementFailed
from .quiet import Quiet
from .task import MINIMISED, SCORE, TIME, Jobs, Stopped, Task


class ScoreBench:
    """A metric that the user's evaluator returns. The evaluator runs here, one at a time; candidates in the sandbox."""

    def __init__(self, task: Task, seed: int, budget_seconds: float | None) -> None:
        assert task.evaluator is not None, "a score needs an evaluator"
        self._task = task
        self._evaluate = task.evaluator
        self.quiet = Quiet()
        self._seconds = 0.0
        self.threshold = 1.0

    def prepare(self, jobs: Jobs, artifact: Artifact) -> Outcome:
        """Evaluate the baseline twice: a deterministic evaluator needs no long confirmation."""
        self._baseline = artifact
        self._manners = Manners()
        started = time.monotonic()
        first = self._metrics_of_baseline(jobs, artifact)
        self._seconds = time.monotonic() - started
        again = self._metrics_of_baseline(jobs, artifact)
        self._objective = self._chosen(first)
        self._minimised = self._objective.rpartition("_")[2] in MINIMISED
        self._start = first[self._objective]
        if not math.isfinite(self._start):
            raise EvolutionError(
                f"the evaluator gives the baseline {self._objective} = {self._start}: it must be finite"
            )
        if self._minimised:
            self.threshold = limits.RATIO_ACCEPTED_LOW
        self._pairs = 2 if first == again else limits.EVALUATOR_PAIRS
        return Outcome("baseline", "what serves now", self._cost(self._start), 1.0, tuple(sorted(first.items())))

    def oracle(self, jobs: Jobs, *, fresh: bool = False) -> None:
        """None: the evaluator knows what is right."""

    def check(self, jobs: Jobs, artifact: Artifact, *, fresh: bool = False) -> Trial:
        """What a candidate must answer is the evaluator's business; it must let itself be evaluated."""
        try:
            self._metrics(jobs, artifact)
        except MeasurementFailed as error:
            return Trial("failed", self._task.level, str(error))
        return Trial("passed", self._task.level)

    def screen(self, jobs: Jobs, artifact: Artifact, index: int) -> Outcome:
        """One evaluation."""
        metrics = self._metrics(jobs, artifact)
        value = metrics[self._objective]
        ratio = self._ratio(value)
        status: Literal["better", "no better"] = "better" if ratio > 1.0 else "no better"
        reason = f"{self._objective} {value:.6g}, the baseline has {self._start:.6g}"
        return Outcome(status, reason, self._cost(value), ratio, tuple(sorted(metrics.items())))

    def compare(self, jobs: Jobs, artifact: Artifact, purpose: str, deadline: float | None) -> Measurement:
        """Evaluations of both in turn, each in a fresh process."""
        values: tuple[list[float], list[float]] = ([], [])
        for number in range(self._pairs):
            if deadline is not None and time.monotonic() > deadline:
                raise MeasurementFailed("the time was over before it was measured")
            for side in (0, 1) if number % 2 == 0 else (1, 0):
                found = self._metrics(jobs, artifact if side else self._baseline)
                values[side].append(found[self._objective])
        interval = self._interval(*values)
        return Measurement(
            metric=self._objective,
            unit="",
            pairs=self._pairs,
            baseline=statistics.median(values[0]),
            candidate=statistics.median(values[1]),
            ratio=interval.estimate,
            low=interval.low,
            high=interval.high,
            confidence=interval.confidence,
            method=f"evaluations in turn; {interval.method}",
        )

    def comparison_seconds(self) -> float:
        """From the first evaluation of the baseline."""
        return 2.2 * self._pairs * self._seconds + 0.2

    def shortest_seconds(self) -> float:
        """As long as any comparison: the number of evaluations is fixed."""
        return self.comparison_seconds()

    def _metrics_of_baseline(self, jobs: Jobs, artifact: Artifact) -> dict[str, float]:
        try:
            return self._metrics(jobs, artifact)
        except MeasurementFailed as error:
            raise EvolutionError(f"the evaluator cannot judge the baseline: {error}") from error

    def _metrics(self, jobs: Jobs, artifact: Artifact) -> dict[str, float]:
        """One evaluation. Raises MeasurementFailed with what went wrong."""
        with self.quiet.alone(), jobs.open(artifact) as handle:
            try:
                manners = self._manners.learning() if artifact is self._baseline else self._manners
                found = self._evaluate(Candidate(handle, artifact.interface, limits.TRIAL_WALL_SECONDS, manners))
            except Stopped:
                raise
            except (Exception, SystemExit) as error:
                if jobs.stopped:
                    raise Stopped from error
                raise MeasurementFailed(f"the evaluator raised {type(error).__name__}: {error}") from error
        return self._checked(found)

    def _checked(self, found: Any) -> dict[str, float]:
        if not isinstance(found, Mapping):
            raise MeasurementFailed(f"the evaluator returned a {type(found).__name__}, not a dict of numbers")
        metrics = {}
        for name, value in found.items():
            if (given := as_metric(value)) is not None:  # notes beside the numbers are allowed
                metrics[str(name)] = given
        objective = getattr(self, "_objective", None)
        if objective is not None and not math.isfinite(metrics.get(objective, math.nan)):
            raise MeasurementFailed(
                f"the evaluator gave {objective} = {cut(found.get(objective))}, not a finite number"
            )
        return metrics

    def _chosen(self, metrics: Mapping[str, float]) -> str:
        wanted = self._task.objective
        if wanted in metrics:
            return wanted
        if wanted == TIME and SCORE in metrics:
            return SCORE
        names = ", ".join(metrics) or "none"
        raise EvolutionError(
            f"the evaluator returns no metric {SCORE if wanted == TIME else wanted} (it returns: {names}): "
            "name one of them with --objective"
        )

    def _cost(self, value: float) -> float:
        return value if self._minimised else -value

    def _ratio(self, value: float) -> float:
        if self._minimised and self._start > 0 and value > 0:
            return self._start / value
        gain = (self._start - value) if self._minimised else (value - self._start)
        return 1.0 + gain / self._scale()

    def _scale(self) -> float:
        """What a gain is relative to: for positive scores the ratio is then that of the scores themselves."""
        return abs(self._start) or 1.0

    def _interval(self, baseline: list[float], candidate: list[float]) -> Interval:
        if self._minimised and min(*baseline, *candidate) > 0:
            return paired_ratio(baseline, candidate)
        found = paired_difference(baseline, candidate)
        sign = -1.0 if self._minimised else 1.0
        bounds = sorted(1.0 + sign * value / self._scale() for value in (found.low, found.high))
        estimate = 1.0 + sign * found.estimate / self._scale()
        return Interval(
            estimate, bounds[0], bounds[1], found.pairs, found.effective_pairs, found.confidence, found.method
        )
