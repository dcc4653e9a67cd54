"""The parts: what one comparison of each is, by its number."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from project_o import limits
from project_o.evolution import Task, run_evolution
from project_o.evolution import timing as of_time
from project_o.evolution.bench import Defect, MeasurementFailed
from project_o.evolution.checks import cascade_of
from project_o.evolution.decide import acceptable
from project_o.evolution.measure import Measured
from project_o.evolution.scoring import ScoreBench
from project_o.evolution.task import Jobs
from project_o.evolution.timing import TimeBench
from project_o.evolution.trial import Judge
from project_o.values import Measurement, Program, Proposal

from .. import machine
from .subjects import BETTER, NULLS, ROUNDS, SCORED, SUBJECTS, evaluator

SEED = 20
SHORT_SECONDS = 2.5
"""How long every other comparison may measure: as in a run whose budget is nearly used up."""
NULL_SUBJECTS = ("python",) * 5 + ("zig",)
"""Each Zig text is compiled, which takes a hundred times what it takes to measure it."""
GROUPS = {"quiet": ("same-quiet", "nulls-quiet"), "loaded": ("same-loaded", "nulls-loaded")}
"""What is asked of a verdict without load, and under load: each in one command."""
Line = dict[str, Any]
Make = Callable[[int], Line]


@dataclass(frozen=True)
class Part:
    """``make`` opens what comparisons of one subject share, and gives what makes one of them by its number."""

    name: str
    count: int
    make: Callable[[str], Any]
    loaded: bool = False
    subjects: tuple[str, ...] = ("zig", "python")

    def subject(self, number: int) -> str:
        """Half of the comparisons are of each subject, the first half of the first one."""
        return self.subjects[number * len(self.subjects) // self.count]


def parts() -> dict[str, Part]:
    """Every part by its name."""
    gains = {f"gain-{gain}": Part(f"gain-{gain}", 32, _gains(gain)) for gain in ROUNDS}
    every = (
        Part("same-quiet", 200, _same),
        Part("same-loaded", 200, _same, loaded=True),
        Part("gain-1.1-loaded", 32, _gains("1.1"), loaded=True),
        Part("nulls-quiet", 200, _nulls, subjects=NULL_SUBJECTS),
        Part("nulls-loaded", 200, _nulls, loaded=True, subjects=NULL_SUBJECTS),
        Part("scores", 240, _scores, subjects=("independent", "memory and heavy tails", "better")),
    )
    return {**{part.name: part for part in every}, **gains}


@contextmanager
def load(*, busy: bool, cores: int | None = None) -> Iterator[None]:
    """As much load as a busy process for each core: ours are ended at the end, what others do is counted."""
    others = int((machine.load() or [0.0])[0])
    count = max(0, (cores or machine.facts()["cores"]) - others) if busy else 0
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()


# ------------------------------------------------------------------ one program against another


@contextmanager
def _same(subject: str) -> Iterator[Make]:
    with _compared(SUBJECTS[subject].timed()) as compare:
        yield lambda number: compare(number, SUBJECTS[subject].source())


def _gains(gain: str) -> Callable[[str], Any]:
    @contextmanager
    def opened(subject: str) -> Iterator[Make]:
        with _compared(SUBJECTS[subject].timed(ROUNDS[gain])) as compare:
            yield lambda number: compare(number, SUBJECTS[subject].source())

    return opened


@contextmanager
def _compared(task: Task) -> Iterator[Callable[[int, str], Line]]:
    """What a run does with its only leader: measured with early looks, and confirmed if that is not too low."""
    with _recorded() as series:  # from before the judge is there: the seal holds what it finds
        jobs, bench = Jobs(task), TimeBench(task, SEED, None)
        bench.prepare(jobs, task.build(task.program))
        judge = Judge(task, bench, cascade_of(task), SEED)

        def compare(number: int, source: str) -> Line:
            program = task.tools.with_source(task.program, source)
            deadline = time.monotonic() + SHORT_SECONDS if number % 2 else None
            series.clear()
            line = _line(judge, jobs, program, f"same {number}", deadline)
            return {**line, "short": bool(number % 2), "series": [_series(one) for one in series]}

        try:
            yield compare
        finally:
            jobs.stop()


def _line(judge: Judge, jobs: Jobs, program: Program, purpose: str, deadline: float | None) -> Line:
    trial = judge.checked(jobs, program)
    artifact = judge.task.build(program)
    try:
        first: Measurement | None = judge.bench.compare(jobs, artifact, f"{purpose} measured", deadline)
    except Defect as defect:
        return {"accepted": False, "defect": defect.name}
    except MeasurementFailed as error:
        return {"accepted": False, "stopped": str(error)}
    verdict = judge.confirm(jobs, program, purpose, trial, first)
    assert first is not None, "it was measured, or a defect"
    passed = acceptable(first, judge.bench.threshold)
    findings = verdict.trial.findings if verdict.trial else ()
    refused = next((dict(item.facts).get("defect") for item in findings if item.outcome == "failed"), None)
    return {
        "accepted": verdict.accepted,
        "why": verdict.reasons[-1],
        "measured": passed,
        "defect": refused,
        "remarks": list(first.remarks),
        "ratios": [[one.ratio, one.low, one.high, one.pairs] for one in (first, verdict.confirmation) if one],
    }


@contextmanager
def _recorded() -> Iterator[list[Measured]]:
    """What was measured in full: the verdict keeps only its summary."""
    found: list[Measured] = []
    honest = of_time.measure

    def measure(*given: Any, **named: Any) -> Measured:
        found.append(honest(*given, **named))
        return found[-1]

    of_time.measure = measure
    try:
        yield found
    finally:
        of_time.measure = honest


def _series(one: Measured) -> list[list[float]]:
    return [[float(f"{value:.4g}") for value in side] for side in one.series.cpu]


# ------------------------------------------------------------------ whole runs


class _Given:
    """A proposer of versions that change nothing."""

    def __init__(self, task: Task, subject: str, first: int) -> None:
        self._task, self._subject, self._first = task, SUBJECTS[subject], first

    def ask(self, index: int, told: Sequence[Any]) -> Proposal | None:
        if index > NULLS:
            return None
        source = self._subject.null(self._first + index)
        program = self._task.tools.with_source(self._task.program, source)
        return Proposal(index, program, (self._task.program.digest,), "human", "a version that changes nothing")


@contextmanager
def _nulls(subject: str) -> Iterator[Make]:
    def make(number: int) -> Line:
        task = SUBJECTS[subject].timed()
        proposer = _Given(task, subject, 1000 * number)
        run = run_evolution(task, trials=1 + NULLS, proposer=proposer, seed=number)
        ratios = [record.ratio for record in run.trials[1:]]
        return {"accepted": run.verdict.accepted, "reasons": list(run.verdict.reasons), "screened": ratios}

    yield make


# ------------------------------------------------------------------ scores of an evaluator


@contextmanager
def _scores(kind: str) -> Iterator[Make]:
    def make(number: int) -> Line:
        noise = kind if kind != "better" else ("independent", "memory and heavy tails")[number % 2]
        source = BETTER.format(gain=1.3) if kind == "better" else SCORED.source() + f"# {number}\n"
        task = SCORED.task(evaluator=evaluator(noise, 0.1, number), objective="score")
        jobs, bench = Jobs(task), ScoreBench(task, SEED, None)
        bench.prepare(jobs, task.build(task.program))
        judge = Judge(task, bench, cascade_of(task), SEED)
        try:
            return _line(judge, jobs, task.tools.with_source(task.program, source), f"scores {number}", None)
        finally:
            jobs.stop()

    yield make


assert SHORT_SECONDS < limits.TRIAL_WALL_SECONDS
