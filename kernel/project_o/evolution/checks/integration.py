"""The integration stage: a scenario of the user's, or the notebook's later cells, with the candidate in place.

Asked of a finalist alone, before it is confirmed. The scenario runs in a forked copy of this process (``forked``), so
the user's variables stay as they are; every call of the candidate is made in the sandbox.
"""

from __future__ import annotations

import threading

from ... import limits
from ...errors import EvolutionError
from ...values import CheckStage, Finding
from ..candidate import Candidate
from ..forked import Outcome, carry_out
from ..task import Stopped, Task
from .seam import Subject, failed, passed


class Integration:
    """The stage "integration". One scenario runs at a time."""

    stage: CheckStage = "integration"

    def __init__(self, task: Task) -> None:
        assert task.scenario is not None, "there is a scenario"
        self._scenario = task.scenario
        self._name = str(getattr(task.scenario, "__name__", "the scenario"))
        self._lock = threading.Lock()
        self._seconds = limits.SCENARIO_SECONDS_MAX

    def prepare(self, subject: Subject) -> None:
        """What serves now must go through it. Raises EvolutionError."""
        found = self._carried_out(subject)
        if found.error:
            raise EvolutionError(f"{self._name} fails with what serves now ({found.error}): mend it first")
        allowed = limits.SCENARIO_SLOWER_FACTOR_MAX * found.seconds
        self._seconds = min(limits.SCENARIO_SECONDS_MAX, max(limits.SCENARIO_SECONDS_MIN, allowed))

    def run(self, subject: Subject) -> Finding:
        """The scenario with the candidate, where it is about to be confirmed."""
        if not subject.fresh:
            return passed("integration")
        found = self._carried_out(subject)
        if found.error:
            output = f"\nIt printed:\n{found.output}" if found.output else ""
            return failed("integration", f"{self._name}: {found.error}", f"{found.error}{output}")
        return passed("integration", f"{self._name} went through", found.output)

    def _carried_out(self, subject: Subject) -> Outcome:
        jobs = subject.jobs
        with self._lock, jobs.open(subject.artifact) as handle:
            program = Candidate(handle, subject.artifact.interface, limits.TRIAL_WALL_SECONDS)
            found = carry_out(self._scenario, program, seconds=self._seconds, stopped=lambda: jobs.stopped)
        if jobs.stopped:
            raise Stopped
        return found
