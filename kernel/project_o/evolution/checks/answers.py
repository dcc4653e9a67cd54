"""Whether a candidate answers as the incumbent does: the bench's own comparison on the inputs of its run."""

from __future__ import annotations

from ...values import CheckStage, Finding, Scalar
from .seam import CPU_SECONDS, ENDED, INPUTS, OUT_OF_DOMAIN, WALL_SECONDS, Subject, failed, passed


class Answers:
    """The stage "generated": what ``Bench.check`` says, as a finding."""

    stage: CheckStage = "generated"

    def run(self, subject: Subject) -> Finding:
        """Compare answers, on fresh inputs where that is asked."""
        trial = subject.bench.check(subject.jobs, subject.artifact, fresh=subject.fresh)
        facts: dict[str, Scalar] = {
            INPUTS: trial.inputs,
            OUT_OF_DOMAIN: trial.inputs_out_of_domain,
            WALL_SECONDS: trial.wall_seconds,
            CPU_SECONDS: trial.cpu_seconds,
        }
        if trial.outcome == "failed":
            return failed("generated", trial.error, trial.error, facts | {ENDED: trial.ended})
        reason = f"it answers as the incumbent does on {trial.inputs} inputs" if trial.inputs else ""
        return passed("generated", reason, facts=facts)
