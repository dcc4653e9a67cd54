"""Evaluations by an evaluator in OpenEvolve's form: in stages, bounded in time, each candidate in a fresh process."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace

from ... import limits
from ...errors import EvolutionError
from ...values import Artifact, Measurement
from ..bench import MeasurementFailed, Outcome
from ..goals import Goal, guards, objectives
from ..scoring import ScoreBench, Values
from ..task import TIME, Answer, Handle, Jobs, Task
from .job import LOADING
from .results import COMBINED, MEAN, Result, numbers
from .settings import STAGES

WHOLE = "evaluate"


class ForeignBench(ScoreBench):
    """Metrics by the word of a foreign evaluator; see ``results`` for what is ranked.

    The other metrics are shown: what they are worth is in the combined score, or in the mean. Evaluations of several
    candidates run beside each other, as many as the run has workers.
    """

    def __init__(self, task: Task, seed: int, budget_seconds: float | None) -> None:
        super().__init__(task, seed, budget_seconds)
        assert task.foreign is not None, "there is a foreign evaluator"
        self._settings = task.foreign.settings
        self._limit = min(self._settings.seconds, budget_seconds or math.inf)
        self._absent: set[str] = set()
        self._said: dict[str, str] = {}

    def screen(self, jobs: Jobs, artifact: Artifact, index: int) -> Outcome:
        """One evaluation, with what the evaluator said beside its scores."""
        found = super().screen(jobs, artifact, index)
        return replace(found, evidence=self._said.pop(artifact.key, ""))

    def compare(
        self, jobs: Jobs, artifact: Artifact, purpose: str, deadline: float | None, *, candidates: int = 1
    ) -> Measurement:
        """A few more evaluations of both in turn. What they show is still the evaluator's own word."""
        values: Values = {item.name: ([], []) for item in self._goals}
        stored = self._kept.same(artifact)
        for number in range(limits.FOREIGN_PAIRS):
            if deadline is not None and time.monotonic() > deadline:
                if number:
                    break
                raise MeasurementFailed("the budget was over: give it a larger one")
            self._round(jobs, artifact, number, values)
        every = [self._measurement(item, *values[item.name], None, limits.CONFIDENCE) for item in self._goals]
        lead = self._lead(artifact, every)
        return replace(lead, beside=tuple(item for item in every if item is not lead), stored=stored)

    def comparison_seconds(self) -> float:
        """From the first evaluation of the baseline."""
        return 2.2 * limits.FOREIGN_PAIRS * self._seconds + 0.2

    # ------------------------------------------------------------------ one evaluation

    def _seen(self, jobs: Jobs, artifact: Artifact) -> tuple[dict[str, float], str]:
        """What it answers is seen by its evaluator alone."""
        return self._metrics(jobs, artifact), ""

    def _metrics(self, jobs: Jobs, artifact: Artifact) -> dict[str, float]:
        for attempt in range(self._settings.retries + 1):
            try:
                result = self._evaluated(jobs, artifact)
                break
            except MeasurementFailed:
                if attempt == self._settings.retries:
                    raise
        self._said[artifact.key] = result.told()
        return self._ranked(result)

    def _ranked(self, result: Result) -> dict[str, float]:
        """The metrics as numbers, with what is ranked. Raises MeasurementFailed where that is no finite number."""
        ranked = result.ranked(self._settings.features)
        if ranked is None:
            raise MeasurementFailed("the evaluator returned no metric that is a number")
        metrics = dict(numbers(result.metrics))
        metrics.setdefault(*ranked)
        aims = [item.name for item in self._goals if item.role != "shown"] or [ranked[0]]
        if aims[0] in (COMBINED, MEAN):  # a stage that came first may have had no combined score
            metrics[aims[0]] = ranked[1]
        for name in aims:
            if not math.isfinite(metrics.get(name, math.nan)):
                raise MeasurementFailed(
                    f"the evaluator gave {name} = {metrics.get(name, 'nothing')}, not a finite number"
                )
        for item in self._goals:
            metrics.setdefault(item.name, math.nan)
        return metrics

    def _evaluated(self, jobs: Jobs, artifact: Artifact) -> Result:
        """Through the stages as far as the metrics go. Raises MeasurementFailed with what went wrong, Stopped."""
        with jobs.open(artifact) as handle:
            first = self._stage(handle, STAGES[0]) if self._settings.cascade else None
            if first is None:
                whole = self._stage(handle, WHOLE)
                if whole is None:
                    raise MeasurementFailed("the evaluator defines no function evaluate(path)")
                return whole
            result = first
            for stage, threshold in zip(STAGES[1:], self._settings.thresholds, strict=False):
                if not result.passes(threshold):
                    return result
                try:
                    later = self._stage(handle, stage)
                except MeasurementFailed as error:
                    return result.with_failure(stage.removeprefix("evaluate_"), str(error))
                if later is None:
                    return result
                result = result.merged(later)
        return result

    def _stage(self, handle: Handle, name: str) -> Result | None:
        """What one function of the evaluator says; None where there is no such function."""
        if name in self._absent:
            return None
        answer = handle.ask(name, (), seconds=self._limit)
        if answer.ok:
            found = Result.of(answer.value)
            if isinstance(found, str):
                raise MeasurementFailed(found)
            return found
        if answer.error == f"NameError: the evaluator defines no {name}":
            self._absent.add(name)
            return None
        raise MeasurementFailed(self._told(name, answer))

    def _told(self, name: str, answer: Answer) -> str:
        if answer.error.startswith(LOADING):
            return answer.error
        if answer.ended == "wall-time":
            return f"{name} had not answered after {self._limit:g} s"
        if answer.ended:
            return f"{name} ended its process ({answer.ended}): {answer.error}".rstrip(": ")
        return f"{name} raised {answer.error}"

    # ------------------------------------------------------------------ what is ranked

    def _chosen(self, metrics: Mapping[str, float]) -> tuple[Goal, ...]:
        """What is ranked, or the objectives that the user named, and the rest to be shown."""
        texts = (self._task.objective, *self._task.also)
        if self._task.objective == TIME:
            texts = (f"{COMBINED if COMBINED in metrics else MEAN}:max", *self._task.also)
        aims = (*objectives(texts), *guards(self._task.guards, self._task.guard_regression))
        for item in aims:
            if item.name not in metrics:
                raise EvolutionError(
                    f"the evaluator returns no metric {item.name} (it returns: {', '.join(metrics)}): name one of them"
                )
        named = {item.name for item in aims}
        rest = [name for name in sorted(metrics) if name not in named and math.isfinite(metrics[name])]
        return (*aims, *(Goal(name, minimised=False, role="shown", tolerance=None) for name in rest))
