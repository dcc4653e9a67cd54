"""What a check is, what it is given, and the cascade that asks one after another.

A check has a ``stage`` and ``run(subject) -> Finding``. It decides nothing but its own question: "failed" rejects the
candidate, "inconclusive" rejects nothing and is said. The cascade asks in the order of ``values.CheckStage``, which is
that of their cost, and stops at the first "failed": what comes later costs that candidate nothing.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, get_args

from ... import limits
from ...errors import CompileError, ProjectOError
from ...values import Artifact, CheckStage, Finding, Program, Scalar, Trial
from ..bench import MeasurementFailed
from ..task import Jobs, Stopped, Task

if TYPE_CHECKING:
    from ..bench import Bench
    from ..validate import Oracle

Facts = Mapping[str, Scalar]
NO_FACTS: Facts = {}
STAGES: tuple[CheckStage, ...] = get_args(CheckStage)
FOR_FINALISTS: tuple[CheckStage, ...] = ("integration", "coverage")
"""The stages that are asked of a finalist alone, before it is confirmed: no other candidate pays for them."""
INPUTS, OUT_OF_DOMAIN, WALL_SECONDS, CPU_SECONDS, ENDED = (
    "inputs",
    "out of domain",
    "wall seconds",
    "CPU seconds",
    "ended",
)
"""The facts of a finding that add up in the trial: inputs asked, inputs left out, what the child took, how it ended."""


@dataclass(frozen=True)
class Subject:
    """One candidate, and all that a check may need to know of it.

    ``incumbent`` is what serves now, from which all candidates of the run come. ``fresh`` asks for inputs that no
    candidate has seen. ``trusted`` is a text that a person proposes; ``vouched`` says that this person has read it:
    what it may use is that person's to say, and it may be compiled with that person's rights. ``deadline``, on
    ``time.monotonic``, is when the run must be over. What is random comes from ``task.generator(seed, ...)``, so that
    two runs ask the same.
    """

    task: Task
    program: Program
    incumbent: Program
    jobs: Jobs
    bench: Bench
    seed: int = 0
    index: int = 0
    deadline: float | None = None
    fresh: bool = False
    trusted: bool = False
    vouched: bool = False

    @cached_property
    def artifact(self) -> Artifact:
        """The candidate's build; first made by the stage "build". Raises what ``task.build`` raises."""
        build = self.task.build_own if self.vouched else None if self.fresh else self.task.build_ahead
        return (build or self.task.build)(self.program)

    @cached_property
    def baseline(self) -> Artifact:
        """The incumbent's build."""
        return self.task.build(self.incumbent)

    @cached_property
    def oracle(self) -> Oracle | None:
        """The incumbent's answers, fresh ones where that is asked; None where an evaluator judges instead."""
        return self.bench.oracle(self.jobs, fresh=self.fresh)

    @cached_property
    def only_settings(self) -> bool:
        """Whether it is the incumbent's own text with other values of its declared parameters."""
        return self.task.tools.only_settings(self.program, self.incumbent)

    @cached_property
    def own(self) -> bool:
        """Whether all of its text is the user's. What serves now may be a text that was proposed before."""
        if self.vouched or self.task.own is None:
            return self.vouched or self.only_settings
        return self.task.own(self.program)


class Check(Protocol):
    """One question about a candidate. To add one: a file here with such a class, and a line in ``checks_of``."""

    @property
    def stage(self) -> CheckStage:
        """Where in the cascade it stands."""

    def run(self, subject: Subject) -> Finding:
        """The answer. What it raises but for ``Stopped`` is a failed check of its stage."""


def passed(stage: CheckStage, reason: str = "", evidence: str = "", facts: Facts = NO_FACTS) -> Finding:
    """A finding that lets the candidate pass. ``facts`` are numbers and names worth a row in a table."""
    return Finding(stage, "passed", _line(reason), told(evidence), _facts(facts))


def failed(stage: CheckStage, reason: str, evidence: str = "", facts: Facts = NO_FACTS) -> Finding:
    """A finding that rejects the candidate. ``evidence`` is for whoever proposes next: else the reason is."""
    return Finding(stage, "failed", _line(reason), told(evidence or reason), _facts(facts))


def inconclusive(stage: CheckStage, reason: str, evidence: str = "", facts: Facts = NO_FACTS) -> Finding:
    """What could not be decided or measured here, and why."""
    return Finding(stage, "inconclusive", _line(reason), told(evidence), _facts(facts))


def told(text: str) -> str:
    """What untrusted code or a compiler said, as plain text of bounded length: its beginning and its end."""
    from ...sandbox.wire import clean_text

    limit = limits.EVIDENCE_CHARACTERS_MAX
    text = clean_text(text).strip()
    if len(text) <= limit:
        return text
    left_out = len(text) - limit
    return f"{text[: 2 * limit // 3]}\n... {left_out:,} characters are left out ...\n{text[-(limit // 3) :]}"


def trial_of(findings: Sequence[Finding], level: str) -> Trial:
    """What the findings say together: failed by the first that failed, else passed."""
    bad = next((item for item in findings if item.outcome == "failed"), None)
    return Trial(
        "failed" if bad else "passed",
        level,
        bad.reason if bad else "",
        str(dict(bad.facts).get(ENDED, "")) if bad else "",
        _sum(findings, WALL_SECONDS),
        _sum(findings, CPU_SECONDS),
        int(_sum(findings, INPUTS)),
        int(_sum(findings, OUT_OF_DOMAIN)),
        tuple(findings),
    )


def together(first: Trial, second: Trial) -> Trial:
    """Two trials of one candidate as one: the second decides, the counts add up, each stage is told once."""
    again = {item.stage for item in second.findings}
    return replace(
        second,
        wall_seconds=first.wall_seconds + second.wall_seconds,
        cpu_seconds=first.cpu_seconds + second.cpu_seconds,
        inputs=first.inputs + second.inputs,
        inputs_out_of_domain=first.inputs_out_of_domain + second.inputs_out_of_domain,
        findings=(*(item for item in first.findings if item.stage not in again), *second.findings),
    )


class Cascade:
    """Checks in the order of their cost."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self.checks = tuple(sorted(checks, key=lambda check: STAGES.index(check.stage)))

    def run(self, subject: Subject, *, stages: Sequence[CheckStage] = STAGES) -> Trial:
        """Ask the checks of these stages until one fails. Raises Stopped when the run was stopped meanwhile."""
        findings: list[Finding] = []
        for check in self.checks:
            if check.stage not in stages or (check.stage in FOR_FINALISTS and not subject.fresh):
                continue
            findings.append(asked(check, subject))
            if findings[-1].outcome == "failed":
                break
        return trial_of(findings, subject.task.level)


def asked(check: Check, subject: Subject) -> Finding:
    """One check's finding with its time. Whatever goes wrong in it fails the candidate: a check fails closed."""
    started = time.monotonic()
    try:
        found = check.run(subject)
    except Stopped:
        raise
    except CompileError as error:
        found = failed(check.stage, f"it does not compile: {error}")
    except (MeasurementFailed, ProjectOError) as error:
        found = failed(check.stage, str(error))
    except Exception as error:  # noqa: BLE001 - a candidate costs only itself; what it did is in its finding
        found = failed(check.stage, f"{type(error).__name__}: {error}")
    if subject.jobs.stopped:  # whatever it found, it found while its processes were being ended
        raise Stopped
    return replace(found, seconds=time.monotonic() - started)


def _line(text: str) -> str:
    from ...sandbox.wire import clean_text

    line = " ".join(clean_text(text).split())
    limit = limits.REASON_CHARACTERS_MAX
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."


def _facts(facts: Facts) -> tuple[tuple[str, Scalar], ...]:
    return tuple((_line(name), _line(value) if isinstance(value, str) else value) for name, value in facts.items())


def _sum(findings: Sequence[Finding], name: str) -> float:
    values = (value for item in findings for key, value in item.facts if key == name)
    return sum(value for value in values if isinstance(value, (int, float)))
