"""One candidate through the stages: built, checked, screened; and, for the one that is to win, judged."""

from __future__ import annotations

import time
from dataclasses import replace

from ..errors import CompileError, EvolutionError, ProjectOError
from ..values import Artifact, Measurement, Program, Proposal, Record, Trial, Verdict
from .bench import Bench
from .decide import decide
from .measure import MeasurementFailed
from .task import Jobs, Stopped, Task


def attempt(task: Task, jobs: Jobs, bench: Bench, proposal: Proposal) -> Record:
    """Build, check and screen a proposal. Whatever goes wrong with it costs only itself: status "failed".

    Raises Stopped when the run was stopped meanwhile.
    """
    started = time.monotonic()

    def failed(reason: str) -> Record:
        if jobs.stopped:
            raise Stopped
        return Record(proposal, "failed", reason, seconds=time.monotonic() - started)

    try:
        task.tools.refuse_reads(proposal.program, task.program)
        with bench.quiet.working():
            artifact = task.build(proposal.program)
        found = bench.screen(jobs, artifact, proposal.index)
        if jobs.stopped:  # an evaluator may have caught what ended its calls, and made a score of it
            raise Stopped
    except Stopped:
        raise
    except CompileError as error:
        return failed(f"it does not compile: {first_diagnostic(error)}")
    except (MeasurementFailed, ProjectOError) as error:
        return failed(str(error))
    except Exception as error:  # noqa: BLE001 - a candidate costs only itself; what it did is in its record
        return failed(f"{type(error).__name__}: {error}")
    seconds = time.monotonic() - started
    return Record(proposal, found.status, found.reason, found.cost, found.ratio, found.metrics, seconds)


def judge(
    task: Task, jobs: Jobs, bench: Bench, artifact: Artifact, purpose: str, deadline: float | None = None
) -> Verdict:
    """Check, measure, and confirm on fresh inputs in fresh processes. ``deadline`` is on ``time.monotonic``."""
    try:
        trial = bench.check(jobs, artifact)
    except MeasurementFailed as error:
        trial = Trial("failed", task.level, str(error))
    measurement: Measurement | None = None
    stopped = ""
    if trial.outcome == "passed":
        try:
            measurement = bench.compare(jobs, artifact, f"{purpose} measured", deadline)
        except MeasurementFailed as error:
            stopped = str(error)
    return confirm(task, jobs, bench, artifact, purpose, trial, measurement, deadline, stopped)


def confirm(
    task: Task,
    jobs: Jobs,
    bench: Bench,
    artifact: Artifact,
    purpose: str,
    trial: Trial,
    measurement: Measurement | None,
    deadline: float | None = None,
    stopped: str = "",
) -> Verdict:
    """The last stage: a second measurement, on inputs and in processes that no one has seen, and the verdict."""
    confirmation: Measurement | None = None
    if measurement is not None and measurement.low > bench.threshold:
        try:
            trial = _together(trial, bench.check(jobs, artifact, fresh=True))
            if trial.outcome == "passed":
                confirmation = bench.compare(jobs, artifact, f"{purpose} confirmed", deadline)
        except (MeasurementFailed, EvolutionError) as error:  # also: too few of the fresh inputs were valid
            stopped = str(error)
    return decide(
        trial=trial,
        measurement=measurement,
        confirmation=confirmation,
        threshold=bench.threshold,
        level=task.level,
        stopped=stopped,
    )


def _together(first: Trial, second: Trial) -> Trial:
    """Both trials as one: the second decides, the counts add up."""
    return replace(
        second,
        wall_seconds=first.wall_seconds + second.wall_seconds,
        cpu_seconds=first.cpu_seconds + second.cpu_seconds,
        inputs=first.inputs + second.inputs,
        inputs_out_of_domain=first.inputs_out_of_domain + second.inputs_out_of_domain,
    )


def judge_source(
    task: Task, jobs: Jobs, bench: Bench, parent: Program, source: str, purpose: str
) -> tuple[Program, Verdict]:
    """A person's own version, judged like any candidate. Raises UsageError for a change outside the EVOLVE blocks,
    CompileError if it does not compile."""
    task.tools.inside_blocks(parent.source, source)
    program = task.tools.with_source(parent, source)
    return program, judge(task, jobs, bench, task.build(program), purpose)


def first_diagnostic(error: CompileError) -> str:
    """The first error of a compiler with its line, else the whole text."""
    for item in error.diagnostics:
        if item.severity == "error":
            return f"line {item.line}: {item.message}" if item.line else item.message
    return str(error)
