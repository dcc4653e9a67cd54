"""Any other objective: metrics that the user's evaluator returns."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from .. import limits
from ..errors import EvolutionError, a_kind
from ..observe import Design, Interval, Watch, design, mean_interval, paired_ratio
from ..values import Artifact, Measurement, Trial
from .behaviour import Traced
from .bench import MeasurementFailed, Outcome
from .candidate import Candidate
from .goals import MEMORY, SIZE, Goal, all_goals, guards, objectives
from .manners import Manners, as_metric, cut
from .quiet import Quiet
from .stored import Kept
from .task import SCORE, TIME, Jobs, Stopped, Task

Values = dict[str, tuple[list[float], list[float]]]
"""Metric -> what the incumbent scored, and what the candidate did."""
COUNTED = {MEMORY: "B", SIZE: "B"}
"""What can be had of a program beside what its evaluator returns: peak resident bytes, and bytes of the build."""


class ScoreBench:
    """Metrics that the user's evaluator returns. The evaluator runs here, one at a time; candidates in the sandbox."""

    def __init__(self, task: Task, seed: int, budget_seconds: float | None) -> None:
        self._task = task
        self.quiet = Quiet()
        self._seconds = 0.0
        self._kept = Kept()
        self._leads: dict[str, str] = {}
        self._goals: tuple[Goal, ...] = ()
        self._start: dict[str, float] = {}
        self.threshold = 1.0

    def prepare(self, jobs: Jobs, artifact: Artifact) -> Outcome:
        """Evaluate the baseline twice: a deterministic evaluator needs no long confirmation."""
        self._baseline = artifact
        self._manners = Manners()
        started = time.monotonic()
        first, does = self._metrics_of_baseline(jobs, artifact)
        begun = time.monotonic()
        again, does_again = self._metrics_of_baseline(jobs, artifact)
        self._seconds = min(begun - started, time.monotonic() - begun)  # the first may have had to wait for a sandbox
        self._goals = self._chosen(first)
        self._start = {item.name: first[item.name] for item in self._goals}
        if all(item.minimised for item in self._aims):
            self.threshold = limits.RATIO_ACCEPTED_LOW
        exact = {name: value for name, value in first.items() if name != MEMORY}
        self._deterministic = exact == {name: value for name, value in again.items() if name != MEMORY}
        # Peak memory is no answer: where it counts, two that answer the same may differ in it.
        held = any(item.name == MEMORY and item.role != "shown" for item in self._goals)
        self._tells = self._deterministic and does == does_again and not held
        main, does = self._goals[0], does if self._tells else ""
        return Outcome("baseline", "what serves now", self._cost(main, first), 1.0, self._shown(first), behaviour=does)

    def oracle(self, jobs: Jobs, *, fresh: bool = False) -> None:
        """None: the evaluator knows what is right."""

    def check(self, jobs: Jobs, artifact: Artifact, *, fresh: bool = False) -> Trial:
        """What a candidate must answer is the evaluator's business; it must let itself be evaluated."""
        try:
            self._metrics(jobs, artifact)
        except MeasurementFailed as error:
            return Trial("failed", self._task.level, str(error))
        return Trial("passed", self._task.level)

    def behaviour(self, artifact: Artifact) -> str:
        """What it answers shows in its evaluation."""
        return ""

    def screen(self, jobs: Jobs, artifact: Artifact, index: int) -> Outcome:
        """One evaluation. The objective that did best is the candidate's ratio, where there are several."""
        metrics, does = self._seen(jobs, artifact)
        best = max(self._aims, key=lambda item: self._ratio(item, metrics[item.name]))
        value, ratio = metrics[best.name], self._ratio(best, metrics[best.name])
        status: Literal["better", "no better"] = "better" if ratio > 1.0 else "no better"
        reason = f"{best.name} {value:.6g}, the baseline has {self._start[best.name]:.6g}"
        does = does if self._tells else ""
        return Outcome(status, reason, self._cost(best, metrics), ratio, self._shown(metrics), behaviour=does)

    def compare(
        self, jobs: Jobs, artifact: Artifact, purpose: str, deadline: float | None, *, candidates: int = 1
    ) -> Measurement:
        """Evaluations of both in turn, each in a fresh process, until the interval of the first objective is narrow."""
        confidence = 1 - 2 * limits.FAMILY_ERROR_MAX / (max(1, candidates) * len(self._aims))
        plan = Design((self._exact_pairs,), confidence)
        if not self._deterministic:
            plan = design(limits.EVALUATOR_PAIRS, limits.EVALUATOR_PAIRS_MAX, confidence, self.threshold)
        main = self._goals[0]
        watch = Watch(plan, lambda left, right, level: self._interval(main, left, right, level))
        values: Values = {item.name: ([], []) for item in self._goals}
        stored = self._kept.same(artifact)
        ended = False
        while not ended:
            number = len(watch.baseline)
            if deadline is not None and time.monotonic() > deadline:
                if number >= plan.looks[0]:
                    break
                raise MeasurementFailed("the budget was over: give it a larger one")
            self._round(jobs, artifact, number, values)
            ended = watch.tell(values[main.name][0][-1], values[main.name][1][-1])
        self._kept.same(artifact)
        level = 1 - (1 - confidence) / max(1, watch.looks_made)
        every = [
            self._measurement(item, *values[item.name], watch.result() if item is main else None, level)
            for item in self._goals
        ]
        lead = self._lead(artifact, every)
        return replace(lead, beside=tuple(item for item in every if item is not lead), stored=stored)

    def _round(self, jobs: Jobs, artifact: Artifact, number: int, values: Values) -> None:
        """Evaluate both once, who comes first by turns."""
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            found = self._metrics(jobs, artifact if side else self._baseline)
            for name, kept in values.items():
                kept[side].append(found[name])

    def comparison_seconds(self) -> float:
        """From the first evaluation of the baseline."""
        pairs = self._exact_pairs if self._deterministic else limits.EVALUATOR_PAIRS
        return 2.2 * pairs * self._seconds + 0.2

    def shortest_seconds(self) -> float:
        """As long as most comparisons."""
        return self.comparison_seconds()

    @property
    def _exact_pairs(self) -> int:
        """How many pairs a deterministic evaluator gets: of the incumbent none but peak memory differs between them."""
        held = any(item.name == MEMORY and item.role != "shown" for item in self._goals)
        # The evaluator is deterministic, and the candidate need not be: the more often it is asked, the less is luck.
        affordable = int(limits.EVALUATOR_EXACT_SECONDS / (2 * max(self._seconds, limits.PROCESS_START_SECONDS)))
        return max(limits.EVALUATOR_MEMORY_PAIRS if held else 2, min(limits.EVALUATOR_PAIRS, affordable))

    @property
    def _aims(self) -> tuple[Goal, ...]:
        return tuple(item for item in self._goals if item.role == "objective")

    def _lead(self, artifact: Artifact, every: Sequence[Measurement]) -> Measurement:
        """The objective that did best, and that same one when the candidate is confirmed."""
        aims = [item for item in every if item.role == "objective"]
        best = max(aims, key=lambda item: (item.low > self.threshold, item.ratio))
        name = self._leads.setdefault(artifact.key, best.metric)
        return next(item for item in aims if item.metric == name)

    def _measurement(
        self, aim: Goal, baseline: list[float], candidate: list[float], known: Interval | None, confidence: float
    ) -> Measurement:
        found = known or self._interval(aim, baseline, candidate, confidence)
        return Measurement(
            metric=aim.name,
            unit=COUNTED.get(aim.name, ""),
            pairs=len(baseline),
            baseline=statistics.median(baseline),
            candidate=statistics.median(candidate),
            ratio=found.estimate,
            low=found.low,
            high=found.high,
            confidence=found.confidence,
            method=f"evaluations in turn; {found.method}",
            minimised=aim.minimised,
            role=aim.role,
            tolerance=aim.tolerance,
        )

    def _metrics_of_baseline(self, jobs: Jobs, artifact: Artifact) -> tuple[dict[str, float], str]:
        try:
            return self._seen(jobs, artifact)
        except MeasurementFailed as error:
            raise EvolutionError(f"the evaluator cannot judge the baseline: {error}") from error

    def _metrics(self, jobs: Jobs, artifact: Artifact) -> dict[str, float]:
        return self._seen(jobs, artifact)[0]

    def _seen(self, jobs: Jobs, artifact: Artifact) -> tuple[dict[str, float], str]:
        """One evaluation: metrics, and the behaviour in it. Raises MeasurementFailed with what went wrong."""
        assert self._task.evaluator is not None, "a score needs an evaluator"
        with self.quiet.alone(), jobs.open(artifact) as handle:
            try:
                traced = Traced(self._manners.learning() if artifact is self._baseline else self._manners)
                most, function = limits.TRIAL_WALL_SECONDS, self._task.function
                found = self._task.evaluator(Candidate(handle, artifact.interface, most, traced, function))
            except Stopped:
                raise
            except (Exception, SystemExit) as error:
                if jobs.stopped:
                    raise Stopped from error
                raise MeasurementFailed(f"the evaluator raised {type(error).__name__}: {error}") from error
            peak = handle.renew()
        metrics = self._checked(found, {MEMORY: float(peak), SIZE: float(artifact.size_bytes)})
        return metrics, traced.behaviour({name: value for name, value in metrics.items() if name != MEMORY})

    def _checked(self, found: Any, counted: Mapping[str, float]) -> dict[str, float]:
        if not isinstance(found, Mapping):
            raise MeasurementFailed(f"the evaluator returned {a_kind(found)}, not a dict of numbers")
        metrics = {name: counted[name] for name in self._counted() if counted[name] > 0}
        for name, value in found.items():
            if (given := as_metric(value)) is not None:  # notes beside the numbers are allowed
                metrics[str(name)] = given
        for item in self._goals:
            if item.role != "shown" and not math.isfinite(metrics.get(item.name, math.nan)):
                raise MeasurementFailed(
                    f"the evaluator gave {item.name} = {cut(found.get(item.name))}, not a finite number"
                )
            metrics.setdefault(item.name, math.nan)
        return metrics

    def _counted(self) -> set[str]:
        """Which of what can be counted the user named."""
        named = {text.partition(":")[0] for text in (self._task.objective, *self._task.also, *self._task.guards)}
        return named & set(COUNTED)

    def _chosen(self, metrics: Mapping[str, float]) -> tuple[Goal, ...]:
        """The objectives, and a guard for each other finite metric. Raises EvolutionError where one is missing."""
        texts = (self._task.objective, *self._task.also)
        if self._task.objective == TIME and TIME not in metrics and SCORE in metrics:
            texts = (SCORE, *self._task.also)
        share = self._task.guard_regression
        guarded = guards(self._task.guards, share)
        wanted = (*objectives(texts), *guarded)
        for item in wanted:
            if item.name not in metrics:
                names = ", ".join(metrics) or "none"
                name = SCORE if item.name == TIME else item.name
                how = "--objective" if item.role == "objective" else "--guard"
                raise EvolutionError(
                    f"the evaluator returns no metric {name} (it returns: {names}): name one of them with {how}"
                )
            if not math.isfinite(metrics[item.name]):
                raise EvolutionError(
                    f"the evaluator gives the baseline {item.name} = {metrics[item.name]}: it must be finite"
                )
        finite = [name for name in sorted(metrics) if math.isfinite(metrics[name])]
        return all_goals(objectives(texts), guarded, finite, share)

    def _shown(self, metrics: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
        """What a record keeps: what the evaluator returned. Peak memory differs from run to run, and is left out."""
        return tuple(sorted((name, value) for name, value in metrics.items() if name != MEMORY))

    def _cost(self, aim: Goal, metrics: Mapping[str, float]) -> float:
        return metrics[aim.name] if aim.minimised else -metrics[aim.name]

    def _ratio(self, aim: Goal, value: float) -> float:
        start = self._start[aim.name]
        if aim.minimised and start > 0 and value > 0:
            return start / value
        gain = (start - value) if aim.minimised else (value - start)
        return 1.0 + gain / self._scale(aim)

    def _scale(self, aim: Goal) -> float:
        """What a gain is relative to: for positive scores the ratio is then that of the scores themselves."""
        return abs(self._start[aim.name]) or 1.0

    def _interval(
        self, aim: Goal, baseline: Sequence[float], candidate: Sequence[float], confidence: float
    ) -> Interval:
        if not all(math.isfinite(item) for item in (*baseline, *candidate)):
            return Interval(math.nan, -math.inf, math.inf, len(baseline), 0.0, confidence, "not finite each time")
        if aim.minimised and min(*baseline, *candidate) > 0:
            return paired_ratio(baseline, candidate, confidence)
        gains = [right - left for left, right in zip(baseline, candidate, strict=True)]
        found = mean_interval(gains, confidence)
        if found.low == found.high:  # but for what was trimmed all are the same: that bounds nothing but what was seen
            found = replace(found, low=min(gains), high=max(gains))
        sign = -1.0 if aim.minimised else 1.0
        low, high = sorted(1.0 + sign * value / self._scale(aim) for value in (found.low, found.high))
        return replace(found, estimate=1.0 + sign * found.estimate / self._scale(aim), low=low, high=high)
