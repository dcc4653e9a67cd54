"""What a proposed text may not use. It is lint, with reasons: the sandbox is the wall."""

from __future__ import annotations

from ...errors import UsageError
from ...values import CheckStage, Finding
from .seam import Subject, failed, passed


class Security:
    """The stage "security"."""

    stage: CheckStage = "security"

    def run(self, subject: Subject) -> Finding:
        """Refuse what has the compiler read files or the environment."""
        if subject.trusted:
            return passed("security")  # a person's own text may do as it likes
        try:
            subject.task.tools.refuse_reads(subject.program, subject.incumbent)
        except UsageError as error:
            return failed("security", str(error))
        return passed("security")
