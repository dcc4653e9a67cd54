"""What is measured without an evaluator: a function against its earlier version, in time, memory, size and accuracy."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal

from .. import limits
from ..errors import EvolutionError, InterfaceError
from ..languages.stateless import forgets
from ..observe import Design, design
from ..values import Artifact, Measurement, NativeFunction, Trial
from .behaviour import machine_code
from .bench import Defect, MeasurementFailed, Outcome
from .ceiling import Ceiling
from .fresh import Fresh
from .goals import ACCURACY, MEASURED, MEMORY, SIZE, TIME, Goal, all_goals, goal, guards, objectives
from .infer import takes_any, typed, writing
from .inputs import Case, Inputs
from .loading import load_defect
from .measure import Measured, Series, measure, plan
from .metrics import accuracy, of_memory, of_size, of_time, of_wall
from .plausible import ALLOWABLE, FIRST_CALL, clock_defect
from .quiet import Quiet
from .stored import Kept
from .task import Handle, Jobs, Task
from .unseen import LOOKS, SCREENING_LOOKS, unseen
from .validate import Oracle, consult, validate


class TimeBench:
    """One function of the program, on the user's inputs or on generated ones."""

    threshold = limits.RATIO_ACCEPTED_LOW

    def __init__(self, task: Task, seed: int, budget_seconds: float | None) -> None:
        self._task = task
        self._seed = seed
        self._budget = budget_seconds
        self._pair_seconds = self._final_pair_seconds = 0.0
        self._confirming: Oracle | None = None
        self._kept = Kept()
        self._leads: dict[str, str] = {}
        self._goals = _goals(task)
        self._leading = 1.0
        self._scrutiny_seconds = 0.0
        self.quiet = Quiet()

    def prepare(self, jobs: Jobs, artifact: Artifact) -> Outcome:
        """Check that the incumbent answers, and find how many calls make a timing."""
        self._baseline = artifact
        samples = self._task.samples()
        function = self._typed(jobs, artifact, samples)
        self._inputs = Inputs(function, samples, self._seed)
        cases = self._inputs.checks(limits.VALIDATION_CASES)
        try:
            self._oracle = consult(jobs, artifact, function, cases, given=self._inputs.given)
            with jobs.open(artifact) as job:
                name = function.name
                self._fresh = Fresh(
                    self._inputs,
                    lambda case: job.ask(name, case.args, seconds=limits.TRIAL_WALL_SECONDS).ok,
                    self._oracle.first,
                )
            with jobs.open(artifact, guarded=False) as job:
                self._plan = plan(job, self._oracle, self._fresh.first)
        except InterfaceError as error:
            raise EvolutionError(f"--inputs: {error}") from error
        except MeasurementFailed as error:
            raise EvolutionError(f"the incumbent cannot be measured: {error}") from error
        self._ceiling = Ceiling(self._fresh, self._oracle.function, self._seed)
        self._pair_seconds = 2 * (self._plan.wall_seconds + limits.PROCESS_START_SECONDS)
        self._scrutiny_seconds = limits.SCRUTINY_SECONDS + limits.SCRUTINY_PAIRS * self._pair_seconds
        self._scrutiny_seconds += limits.FUZZ_SECONDS if self._task.to else 0.0
        cost = self._baseline_cost(jobs)
        does = machine_code(artifact)
        return Outcome("baseline", "what serves now", cost, 1.0, ((TIME, cost),), behaviour=does)

    def _typed(self, jobs: Jobs, artifact: Artifact, samples: Sequence[tuple[Any, ...]]) -> NativeFunction:
        """The function with its types; where its language has none, as the samples and a call of it show them."""
        declared = self._task.function_of(artifact)
        function = typed(declared, samples)
        if not takes_any(declared) or not samples:
            return function
        with jobs.open(artifact) as job:
            answer = job.ask(function.name, samples[0], seconds=limits.TRIAL_WALL_SECONDS)
        return writing(function, (place for place, _ in answer.written))

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

    def behaviour(self, artifact: Artifact) -> str:
        """Its machine code: what is measured."""
        return machine_code(artifact)

    def screen(self, jobs: Jobs, artifact: Artifact, index: int) -> Outcome:
        """A few pairs; timings of several workers wait for one another."""
        once = Design((limits.SCREENING_PAIRS,), limits.CONFIDENCE)
        with self.quiet.alone(), self._sides(jobs, artifact) as (incumbent, candidate):
            started = time.monotonic()
            found = measure(
                incumbent,
                candidate,
                self._plan,
                self._fresh.draw(f"screening {index}"),
                once,
                pairs_a_process=limits.SCREENING_PAIRS_A_PROCESS,
                seed=self._seed,
                purpose=f"screening {index}",
                give_up=True,
            )
            self._pair_seconds = 0.5 * (self._pair_seconds + (time.monotonic() - started) / found.interval.pairs)
            if not self._own(artifact):
                self._screen_leader(incumbent, candidate, found, index)
        wanted = [
            item for item in self._measurements(found, artifact, jobs, limits.CONFIDENCE) if item.role == "objective"
        ]
        best = max(wanted, key=lambda item: item.ratio)
        status: Literal["better", "no better"] = "better" if best.low > 1.0 else "no better"
        what = "speed" if best.metric == TIME else best.metric
        reason = f"{best.ratio:.3f} times the baseline's {what} [{best.low:.3f}, {best.high:.3f}]"
        metrics = tuple((item.metric, item.candidate) for item in wanted)
        bounds = best.low, best.high
        return Outcome(status, reason, best.candidate, best.ratio, metrics, interval=bounds)

    def _screen_leader(self, incumbent: Handle, candidate: Handle, found: Measured, index: int) -> None:
        """Who would lead the search by far is looked at more closely: a gain that is none must not lead it.

        Raises Defect. What is not looked at here is looked at before it is accepted.
        """
        if not found.interval.low > limits.LEADER_RATIO_SUSPICIOUS * self._leading:
            return
        self._refuse(clock_defect(found.series), [])
        sides = incumbent, candidate
        seen = unseen(sides, self._plan, self._fresh, found.series, f"screening {index}", looks=SCREENING_LOOKS)
        self._refuse(seen.defect, [])
        self._leading = found.interval.low

    def compare(
        self, jobs: Jobs, artifact: Artifact, purpose: str, deadline: float | None, *, candidates: int = 1
    ) -> Measurement:
        """The number of pairs follows from the time left, how long pairs took so far, and the looks of ``sequential``.

        The objective that did best leads, and leads again in the candidate's confirmation; the others are beside it.
        """
        aims = sum(1 for item in self._goals if item.role == "objective")
        confidence = 1 - 2 * limits.FAMILY_ERROR_MAX / (max(1, candidates) * aims)
        pairs = limits.FINAL_PAIRS
        if deadline is not None:
            pairs = self._affordable(deadline - time.monotonic() - self._scrutiny_seconds)
        step = limits.FINAL_PAIRS_A_PROCESS
        stored = self._kept.same(artifact)
        with self.quiet.alone(), self._sides(jobs, artifact) as (incumbent, candidate):
            started = time.monotonic()
            found = measure(
                incumbent,
                candidate,
                self._plan,
                self._fresh.draw(purpose),
                design(limits.FINAL_PAIRS_MIN, pairs, confidence, self.threshold, step=step),
                pairs_a_process=step,
                seed=self._seed,
                purpose=purpose,
                pairs_min=limits.FINAL_PAIRS_MIN,
                deadline=deadline - self._scrutiny_seconds if deadline is not None else None,
            )
            self._final_pair_seconds = (time.monotonic() - started) / found.interval.pairs
            remarks: list[str] = []
            if found.interval.low > self.threshold:
                started = time.monotonic()
                own, forgets = self._own(artifact), self._forgets(artifact)
                self._refuse(self._load(artifact, found.series), remarks)
                sides = incumbent, candidate
                self._scrutinise(*sides, found.series, purpose, deadline, remarks, own=own, forgets=forgets)
                self._scrutiny_seconds = 0.5 * (self._scrutiny_seconds + time.monotonic() - started)
        self._kept.same(artifact)
        every = self._measurements(found, artifact, jobs, confidence)
        lead = self._lead(artifact, every)
        rest = tuple(item for item in every if item is not lead)
        return replace(lead, beside=rest, remarks=tuple(remarks), stored=stored)

    def _scrutinise(
        self,
        incumbent: Handle,
        candidate: Handle,
        series: Series,
        purpose: str,
        deadline: float | None,
        remarks: list[str],
        *,
        own: bool,
        forgets: bool,
    ) -> None:
        """Whether the gain can be one. Raises Defect; what is allowed by name, or could not be told, is a remark.

        A user's ``own`` text remembers only what it did before: it is not asked for inputs that it never saw. One that
        ``forgets`` need not show there that it does the work each time: it can be read.
        """
        self._refuse(clock_defect(series), remarks)
        sides = incumbent, candidate
        shown = own
        if not own:
            looks = SCREENING_LOOKS if forgets else LOOKS
            seen = unseen(sides, self._plan, self._fresh, series, purpose, looks=looks, deadline=deadline)
            self._refuse(seen.defect or seen.together, remarks)
            shown = seen.shown or forgets
        self._ceiling.prepare(incumbent, self._oracle)
        if self._ceiling.case is None or self._ceiling.how is None:
            remarks.append("whether it is too fast for its input was not checked: no larger input can be drawn")
        else:
            larger = self._ceiling.pairs(incumbent, candidate, purpose, None)
            self._refuse(clock_defect(larger), remarks)
            if not shown:
                how, inputs = self._ceiling.how, self._ceiling.larger
                seen = unseen(sides, how, inputs, larger, f"ceiling {purpose}", deadline=deadline)
                self._refuse(seen.defect or seen.together, remarks)
                shown = seen.shown
            self._refuse(self._ceiling.defect(candidate, larger), remarks)
        if not shown:
            varied = self._fresh.varied
            why = "its calls are too short, or cost too differently" if varied else "its input cannot be varied"
            told = f"a gain was not told from answers that are remembered ({FIRST_CALL}): {why}"
            self._refuse(Defect(FIRST_CALL, f"{told}: measure with other inputs"), remarks)

    def _load(self, artifact: Artifact, series: Series) -> Defect | None:
        return load_defect(series, self._oracle.function, self._baseline.program, artifact.program)

    def _own(self, artifact: Artifact) -> bool:
        """Whether it is the incumbent's text with other values of its declared parameters."""
        return self._task.tools.only_settings(artifact.program, self._task.program)

    def _forgets(self, artifact: Artifact) -> bool:
        """Whether it has nowhere to keep an answer."""
        text = artifact.program
        return text.language == "python" and forgets(text.source, self._task.samples())

    def _refuse(self, defect: Defect | None, remarks: list[str]) -> None:
        if defect is None:
            return
        if defect.name not in self._task.allowed:
            hint = f" (if this is meant, allow it by name: {defect.name})" if defect.name in ALLOWABLE else ""
            raise Defect(defect.name, f"{defect}{hint}")
        remarks.append(f"allowed by name: {defect}")

    def _measurements(self, found: Measured, artifact: Artifact, jobs: Jobs, confidence: float) -> list[Measurement]:
        """Every metric of the run; wall time is shown beside the objectives."""
        level = 1 - (1 - confidence) / max(1, found.looks)
        made = []
        for aim in self._goals:
            if aim.name == TIME:
                made.append(of_time(found, aim, self._fresh.told()))
            elif aim.name == MEMORY and len(found.series.memory[0]) > 1:
                made.append(of_memory(found.series, aim, level))
            elif aim.name == SIZE:
                made.append(of_size(self._baseline, artifact, aim))
            elif aim.name == ACCURACY:
                with jobs.open(self._baseline) as one, jobs.open(artifact) as other:
                    made.append(accuracy(one, other, self._oracle, self._fresh, aim, self._task.reference, level))
        made.append(of_wall(found.series, level))
        return made

    def _lead(self, artifact: Artifact, every: list[Measurement]) -> Measurement:
        aims = [item for item in every if item.role == "objective"]
        name = self._leads.get(artifact.key)
        if name is None:
            best = max(aims, key=lambda item: (item.low > self.threshold, item.ratio))
            self._leads[artifact.key] = name = best.metric
        return next(item for item in aims if item.metric == name)

    @contextmanager
    def _sides(self, jobs: Jobs, artifact: Artifact) -> Iterator[tuple[Handle, Handle]]:
        with jobs.open(self._baseline, guarded=False) as incumbent, jobs.open(artifact, guarded=False) as candidate:
            yield incumbent, candidate

    def comparison_seconds(self) -> float:
        """From how long pairs took so far."""
        share = limits.BUDGET_SHARE_FOR_VERDICT * (self._budget or math.inf) / (limits.FINALISTS + 1)
        return self._scrutiny_seconds + self._seconds(min(limits.FINAL_PAIRS_USUAL, self._affordable(share)))

    def shortest_seconds(self) -> float:
        """From how long pairs took so far."""
        return self._scrutiny_seconds + self._seconds(limits.FINAL_PAIRS_MIN)

    def _seconds(self, pairs: int) -> float:
        # Processes are fresh more often than in screening, and the load may grow.
        return 1.3 * pairs * (self._final_pair_seconds or self._pair_seconds + limits.PROCESS_START_SECONDS)

    def _affordable(self, seconds: float) -> int:
        """Fewer pairs where time is short, but never so few that they show nothing."""
        return int(min(limits.FINAL_PAIRS, max(limits.FINAL_PAIRS_MIN, seconds / self._seconds(1))))

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
        draw = self._fresh.draw("baseline")
        cases: list[Case] = [self._fresh.first, draw(1), draw(2)]
        with jobs.open(self._baseline, guarded=False) as job:
            answers = [job.ask(self._plan.function, case.args, repeat=self._plan.repeat) for case in cases]
        return statistics.median([item.cpu_seconds / self._plan.repeat for item in answers if item.ok])


def _goals(task: Task) -> tuple[Goal, ...]:
    """The objectives and guards of a task without an evaluator; memory is guarded where nobody says otherwise.

    Raises EvolutionError for a metric that needs an evaluator.
    """
    share = task.guard_regression
    every = all_goals(objectives((task.objective, *task.also)), guards(task.guards, share), (MEMORY,), share)
    for item in every:
        if item.name not in MEASURED:
            raise EvolutionError(
                f"the objective {item.name} needs an evaluator that returns it: use %%evolve; without one "
                f"{', '.join(MEASURED)} are measured"
                if item.role == "objective"
                else f"the guard {item.name} needs an evaluator that returns it; {', '.join(MEASURED)} are measured"
            )
    if TIME not in {item.name for item in every}:  # it is in the pairs anyway, and is shown
        every = (*every, replace(goal(TIME, "shown", None), role="shown"))
    return every
