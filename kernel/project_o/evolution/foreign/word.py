"""The end of a run whose scores are an evaluator's own word: which candidate leads, and who may accept it.

The leaders are evaluated a few times more, since the best of many single evaluations is partly lucky, and the best of
them is the run's. Nothing of this accepts it: a person does, who has looked at the change, or an evaluator of our own
form, which runs here while the candidate runs in the sandbox.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from ... import limits
from ...values import Measurement, Record, Trial, Verdict
from ..bench import Defect, MeasurementFailed
from ..checks import cascade_of
from ..checks.seam import failed, trial_of
from ..decide import checked, no_improvement, told
from ..run import LOOK
from ..scoring import ScoreBench
from ..task import Jobs, Task

if TYPE_CHECKING:
    from ..loop import Loop


def marked(verdict: Verdict) -> Verdict:
    """The same verdict, never accepted: what it rests on is the evaluator's own word."""
    why = f"self-reported: its scores are the word of an evaluator beside which the candidate ran: {LOOK}"
    reasons = (*verdict.reasons, why) if verdict.accepted else verdict.reasons
    return replace(verdict, accepted=False, self_reported=True, reasons=reasons)


def by_word(loop: Loop, jobs: Jobs) -> tuple[Record | None, Verdict]:
    """The leader after a few more evaluations, and what can be said of it: nothing, where who judged has changed."""
    leader, verdict = _by_word(loop, jobs)
    if leader is None or not (why := loop.task.seal.broken()):
        return leader, verdict
    trial = trial_of([failed("security", why)], loop.task.level)
    return leader, replace(verdict, accepted=False, self_reported=False, trial=trial, reasons=(*checked(trial),))


def _by_word(loop: Loop, jobs: Jobs) -> tuple[Record | None, Verdict]:
    leaders = loop.archive.elites(limits.FINALISTS)
    if not leaders:
        return None, marked(no_improvement(len(loop.archive) - 1, loop.task.level))
    found: list[tuple[Record, Measurement]] = []
    lost: list[str] = []
    for place, record in enumerate(leaders):
        if found and loop.clock.over():
            break
        deadline = loop.clock.deadline
        if deadline is not None:
            deadline = time.monotonic() + max(0.0, deadline - time.monotonic()) / (len(leaders) - place)
        artifact = loop.task.build(record.proposal.program)
        try:
            found.append((record, loop.bench.compare(jobs, artifact, f"final {record.proposal.index}", deadline)))
        except MeasurementFailed as error:
            lost.append(f"trial {record.proposal.index} led before: {error}")
    if not found:
        return leaders[0], _verdict(loop, (*lost, f"trial {leaders[0].proposal.index} leads after one evaluation"))
    record, measurement = max(found, key=lambda item: (item[1].candidate, -item[0].proposal.index))
    if any(item.minimised for _, item in found):
        record, measurement = max(found, key=lambda item: (item[1].ratio, -item[0].proposal.index))
    if loop.task.evaluator is not None:
        return record, _by_own(loop.task, loop.judge.seed, record, measurement)
    said = (
        f"self-reported: {measurement.metric} {measurement.baseline:.6g} became {measurement.candidate:.6g} (medians "
        f"of {measurement.pairs} evaluations each; {told(measurement)}), by the word of an evaluator beside which the "
        f"candidate ran: {LOOK}"
    )
    return record, _verdict(loop, (*lost, said), measurement)


def _verdict(loop: Loop, reasons: tuple[str, ...], measurement: Measurement | None = None) -> Verdict:
    measurements = (measurement, *measurement.beside) if measurement else ()
    trial = Trial("passed", loop.task.level)
    return Verdict(False, reasons, loop.task.level, trial, measurements, self_reported=True)


def _by_own(task: Task, seed: int, record: Record, word: Measurement) -> Verdict:
    """The verdict of the user's own evaluator on the leader: measured in pairs, and confirmed, as any other."""
    from ..trial import Judge

    assert task.own_task is not None, "whoever gives an evaluator says how it reaches the program"
    own = task.own_task()
    bench = ScoreBench(own, seed, None)
    judge = Judge(own, bench, cascade_of(own), seed)
    jobs = Jobs(own)
    said = f"self-reported: {word.metric} {word.baseline:.6g} became {word.candidate:.6g}; your own evaluator judges"
    try:
        bench.prepare(jobs, own.build(own.program))
        own.seal.settle()
        program = own.tools.with_source(own.program, record.proposal.program.source)
        trial = judge.checked(jobs, program)
        measurement: Measurement | None = None
        stopped = ""
        if trial.outcome == "passed":
            try:
                measurement = bench.compare(jobs, own.build(program), "own", None)
            except Defect:
                raise
            except MeasurementFailed as error:
                stopped = str(error)
        verdict = judge.confirm(jobs, program, "own", trial, measurement, None, stopped)
    finally:
        jobs.stop()
    return replace(verdict, reasons=(said, *verdict.reasons))
