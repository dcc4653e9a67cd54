"""The integration stage: a scenario of the user's, or the notebook's later cells, with the candidate in place.

Asked of a finalist alone, before it is confirmed. It runs in a forked copy of this process (``forked``), so the user's
variables stay as they are; every call of the candidate is made in the sandbox. A cell that fails with what serves now
shows nothing of a candidate: it is run all the same, for what it leaves to those behind it, and its failure is none.
"""

from __future__ import annotations

import threading

from ... import limits
from ...errors import EvolutionError
from ...values import CheckStage, Finding
from ..candidate import Candidate
from ..forked import Failure, Outcome, carry_out, seconds_allowed
from ..scenario import Cells, name_of, steps_of
from ..task import Stopped, Task
from .seam import Subject, failed, passed


class Integration:
    """The stage "integration". One scenario runs at a time."""

    stage: CheckStage = "integration"

    def __init__(self, task: Task) -> None:
        assert task.scenario is not None, "there is a scenario"
        self._scenario = task.scenario
        self._cells = isinstance(task.scenario, Cells)
        self._name, self._steps = name_of(task.scenario), steps_of(task.scenario)
        self._lock = threading.Lock()
        self._seconds = limits.SCENARIO_SECONDS_MAX
        self._known: dict[int, Failure] = {}

    def prepare(self, subject: Subject) -> None:
        """What serves now must go through it, and be called. Raises EvolutionError."""
        found = self._carried_out(subject)
        if found.ended or (found.failures and not self._cells):
            raise EvolutionError(f"{self._told(found)} with what serves now: mend it first")
        self._known = {item.step: item for item in found.failures}
        if self._cells:
            self._check_cells(found, subject)
        self._seconds = seconds_allowed(found.seconds)

    def run(self, subject: Subject) -> Finding:
        """The scenario with the candidate."""
        found = self._carried_out(subject)
        new = [item for item in found.failures if item.step not in self._known]
        facts = {"calls": found.calls, **({"cells": len(self._steps) - 1 - len(self._known)} if self._cells else {})}
        if found.ended or new:
            printed = f"\nIt printed:\n{found.output}" if found.output else ""
            trace = new[0].trace if new else found.ended
            return failed("integration", self._told(found, new), f"{trace}{printed}", facts)
        left_out = self._left_out()
        reason = f"{self._name} went through" + (f"; left out: {'; '.join(left_out)}" if left_out else "")
        return passed("integration", reason, found.output, facts)

    def _check_cells(self, found: Outcome, subject: Subject) -> None:
        name = subject.program.name
        if 0 in self._known:
            raise EvolutionError(f"{name} cannot be put in the place of what serves{self._known[0].reason}")
        if len(self._known) == len(self._steps) - 1:
            why = "; ".join(self._left_out()) or "there is none"
            raise EvolutionError(f"no later cell can be run with {name} ({why}): give a function as --scenario")
        if not found.calls:
            raise EvolutionError(f"no later cell calls {name}, so they show nothing: give a function as --scenario")

    def _left_out(self) -> list[str]:
        """What is not run, and what fails with what serves now."""
        skipped = self._scenario.skipped if isinstance(self._scenario, Cells) else ()
        fails = [
            f"{self._steps[step].name} fails with what serves now{item.reason}" for step, item in self._known.items()
        ]
        return [*skipped, *fails]

    def _told(self, found: Outcome, failures: list[Failure] | None = None) -> str:
        """What went wrong first, in words."""
        bad = failures if failures is not None else list(found.failures)
        if bad:
            return f"{self._steps[bad[0].step].name} fails{bad[0].reason}"
        return f"{self._steps[found.step].name}: {found.ended}"

    def _carried_out(self, subject: Subject) -> Outcome:
        jobs = subject.jobs
        with self._lock, jobs.open(subject.artifact) as handle:
            program = Candidate(handle, subject.artifact.interface, limits.TRIAL_WALL_SECONDS)
            found = carry_out(
                self._steps,
                program,
                seconds=self._seconds,
                stopped=lambda: jobs.stopped,
                go_on=self._cells,
                first=subject.task.in_copy,
            )
        if jobs.stopped:
            raise Stopped
        return found
