"""One candidate through the stages: the cascade of checks, then screened; and, for the one that is to win, judged."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from .. import limits
from ..errors import EvolutionError
from ..values import CheckStage, Finding, Measurement, Program, Proposal, Record, Trial, Verdict
from .behaviour import same_as
from .bench import Bench, Defect, MeasurementFailed
from .checks import Cascade, must_pass
from .checks.performance import concluded, screened
from .checks.seam import STAGES, Subject, failed, together, trial_of
from .decide import acceptable, decide, refused, told
from .task import Jobs, Task

STATIC: tuple[CheckStage, ...] = ("syntax", "security", "types", "build")
"""The stages whose answer depends on the candidate's text alone: they are asked once."""
AGAIN = tuple(stage for stage in STAGES if stage not in STATIC)


@dataclass
class Judge:
    """What the candidates of one run go through. Safe to share between threads: a trial is written once and whole."""

    task: Task
    bench: Bench
    cascade: Cascade
    seed: int = 0
    _passed: dict[str, Trial] = field(default_factory=dict)

    def incumbent_must_pass(self, jobs: Jobs) -> None:
        """What serves now must pass the tests, relations and scenario that the user gave. Raises EvolutionError."""
        must_pass(self.cascade, self._subject(jobs, self.task.program))

    def attempt(self, jobs: Jobs, proposal: Proposal, known: Callable[[str], int | None] = lambda _: None) -> Record:
        """Check and screen a proposal. Whatever goes wrong with it costs only itself: status "failed".

        ``known`` tells the trial that behaves so: what does nothing else is not measured.
        One whose process somebody else killed is tried again. Raises Stopped when the run was stopped meanwhile.
        """
        for _ in range(limits.TRIAL_ATTEMPTS):
            killed = jobs.killed
            record = self._tried(jobs, proposal, known)
            if record.status != "failed" or jobs.killed == killed:
                break
        return record

    def _tried(self, jobs: Jobs, proposal: Proposal, known: Callable[[str], int | None]) -> Record:
        started = time.monotonic()
        subject = self._subject(jobs, proposal.program, index=proposal.index)
        trial = self._checked(subject)
        if trial.outcome == "failed":
            finding = trial.findings[-1]
            seconds = time.monotonic() - started
            return Record(proposal, "failed", finding.reason, seconds=seconds, finding=finding)
        does = self.bench.behaviour(subject.artifact)
        if does and (twin := known(does)) is not None:
            seconds = time.monotonic() - started
            return Record(proposal, "duplicate", same_as(does, twin), seconds=seconds, behaviour=does)
        outcome, finding = screened(subject)
        return Record(
            proposal,
            outcome.status,
            outcome.reason,
            outcome.cost,
            outcome.ratio,
            outcome.metrics,
            time.monotonic() - started,
            finding if finding.outcome == "failed" or outcome.evidence else None,
            outcome.interval,
            does or outcome.behaviour,
        )

    def judge_source(self, jobs: Jobs, source: str, purpose: str, *, vouched: bool = False) -> tuple[Program, Verdict]:
        """A person's own version: checked, measured, and confirmed on fresh inputs in fresh processes.

        It is built as a proposed text, unless that person has ``vouched`` for it.

        Raises UsageError for a change outside the EVOLVE blocks, CompileError if it does not compile.
        """
        self.task.tools.inside_blocks(self.task.program.source, source)
        program = self.task.tools.with_source(self.task.program, source)
        subject = self._subject(jobs, program, trusted=True, vouched=vouched)
        artifact = subject.artifact
        trial = self._checked(subject)
        measurement: Measurement | None = None
        stopped = ""
        if trial.outcome == "passed":
            try:
                measurement = self.bench.compare(jobs, artifact, f"{purpose} measured", None)
            except Defect as defect:
                trial = refused(trial, defect)
            except MeasurementFailed as error:
                stopped = str(error)
        return program, self.confirm(jobs, program, purpose, trial, measurement, None, stopped, vouched=vouched)

    def checked(self, jobs: Jobs, program: Program, deadline: float | None = None) -> Trial:
        """What the checks said of a program, now or when it was screened."""
        known = self._passed.get(program.digest)
        return known or self._checked(self._subject(jobs, program, deadline=deadline))

    def confirm(
        self,
        jobs: Jobs,
        program: Program,
        purpose: str,
        trial: Trial,
        measurement: Measurement | None,
        deadline: float | None = None,
        stopped: str = "",
        *,
        vouched: bool = False,
    ) -> Verdict:
        """The last stage: a second measurement, on inputs and in processes that no one has seen, and the verdict."""
        confirmation: Measurement | None = None
        if measurement is not None and acceptable(measurement, self.bench.threshold):
            subject = self._subject(jobs, program, deadline=deadline, fresh=True, vouched=vouched)
            try:
                _ = subject.oracle  # too few of the fresh inputs may be valid, which is not the candidate's fault
                trial = together(trial, self.cascade.run(subject, stages=AGAIN))
                if trial.outcome == "passed":
                    confirmation = self.bench.compare(jobs, subject.artifact, f"{purpose} confirmed", deadline)
            except Defect as defect:
                trial = refused(trial, defect)
            except (MeasurementFailed, EvolutionError) as error:
                stopped = str(error)
        if trial.outcome == "passed" and (why := self.task.seal.broken()):
            trial = together(trial, trial_of([failed("security", why)], self.task.level))
        found = decide(
            trial=self._with_performance(trial, confirmation or measurement),
            measurement=measurement,
            confirmation=confirmation,
            threshold=self.bench.threshold,
            level=self.task.level,
            stopped=stopped,
        )
        if self.task.foreign is None:
            return found
        from .foreign.word import marked

        return marked(found)

    def _checked(self, subject: Subject) -> Trial:
        with self.bench.quiet.working():
            if why := self.task.seal.broken():
                return trial_of([failed("security", why)], self.task.level)
            trial = self.cascade.run(subject)
        if trial.outcome == "passed":
            self._passed[subject.program.digest] = trial
        return trial

    def _subject(self, jobs: Jobs, program: Program, **known: Any) -> Subject:
        return Subject(self.task, program, self.task.program, jobs, self.bench, self.seed, **known)

    def _with_performance(self, trial: Trial, measurement: Measurement | None) -> Trial:
        """The trial with the measurement as its last finding. It does not make the trial fail: the verdict says why."""
        if measurement is None or trial.outcome != "passed":
            return trial
        finding: Finding = concluded(
            measurement, enough=acceptable(measurement, self.bench.threshold), reason=told(measurement)
        )
        return replace(trial, findings=(*trial.findings, finding))
