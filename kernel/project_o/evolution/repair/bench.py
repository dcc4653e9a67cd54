"""The objective of a repair: tests that pass, where the incumbent's do not. No speed is asked for."""

from __future__ import annotations

import time

from ... import limits
from ...values import Artifact, Measurement, NativeFunction, Trial
from ..bench import Defect, MeasurementFailed, Outcome
from ..quiet import Quiet
from ..stored import Kept
from ..task import Jobs, Task
from .cases import Repairing

METRIC = "tests passed"


class RepairBench:
    """Every case is asked, the shown ones first, and of each build in a fresh process.

    A candidate is better that passes all of them; one that fails any is no candidate. The counterexamples are told.
    """

    threshold = 1.0

    def __init__(self, task: Task, function: NativeFunction, cases: Repairing) -> None:
        self._task, self._function, self._cases = task, function, cases
        self.quiet = Quiet()
        self._kept = Kept()
        self._wrong = cases.failing
        self._passed = len(cases.every) - len(cases.failing)
        self._seconds = 0.1

    def prepare(self, jobs: Jobs, artifact: Artifact) -> Outcome:
        """What the incumbent gets wrong."""
        case, given = self._wrong[0]
        reason = (
            f"what serves now fails {len(self._wrong)} of {len(self._cases.every)} tests: "
            f"{case.told(given, self._function)} ({case.name})"
        )
        return Outcome("baseline", reason, float(len(self._wrong)), 1.0, ((METRIC, float(self._passed)),))

    def oracle(self, jobs: Jobs, *, fresh: bool = False) -> None:
        """None: the tests say what is right."""

    def check(self, jobs: Jobs, artifact: Artifact, *, fresh: bool = False) -> Trial:
        """Whether every test passes."""
        why = self._first_failure(jobs, artifact)
        return Trial("failed" if why else "passed", self._task.level, why)

    def behaviour(self, artifact: Artifact) -> str:
        """What it answers is looked at by whoever hunts for repairs: here none comes twice."""
        return ""

    def screen(self, jobs: Jobs, artifact: Artifact, index: int) -> Outcome:
        """The shown tests again in a fresh process, then those that were held out."""
        with self.quiet.working():
            if why := self._first_failure(jobs, artifact):
                return Outcome("failed", why, evidence=why)
        count = len(self._cases.every)
        reason = f"all {count} tests pass, {len(self._cases.held)} of them held out; {self._passed} did before"
        return Outcome("better", reason, 0.0, self._ratio(count), ((METRIC, float(count)),))

    def compare(
        self, jobs: Jobs, artifact: Artifact, purpose: str, deadline: float | None, *, candidates: int = 1
    ) -> Measurement:
        """Every test once more, in fresh processes. Raises Defect for a candidate that fails one."""
        stored = self._kept.same(artifact)
        began = time.monotonic()
        why = self._first_failure(jobs, artifact)
        self._seconds = time.monotonic() - began
        if why:
            raise Defect("tests", why)
        self._kept.same(artifact)
        count = len(self._cases.every)
        ratio = self._ratio(count)
        remarks = tuple(
            f"right where what serves now is wrong: {case.told(before, self._function)}"
            for case, before in self._wrong[: limits.REPAIR_EXAMPLES_TOLD]
        )
        return Measurement(
            metric=METRIC, unit="tests", pairs=count, baseline=float(self._passed), candidate=float(count), ratio=ratio,
            low=ratio, high=ratio, confidence=1.0, method="every test is asked of both, nothing is estimated",
            minimised=False, remarks=remarks, stored=stored,
        )  # fmt: skip

    def comparison_seconds(self) -> float:
        """As long as the tests took."""
        return 0.2 + 2 * self._seconds

    def shortest_seconds(self) -> float:
        """The same."""
        return self.comparison_seconds()

    def _ratio(self, passed: int) -> float:
        """Tests that pass over those that did, one more counted on both sides: that none did is no division by zero."""
        return (1 + passed) / (1 + self._passed)

    def _first_failure(self, jobs: Jobs, artifact: Artifact) -> str:
        names = [item.name for item in artifact.interface.functions]
        if self._function.name not in names:
            raise MeasurementFailed(f"it has no function {self._function.name} any more")
        with jobs.open(artifact) as handle:
            for number, case in enumerate(self._cases.every):
                given = handle.ask(self._function.name, case.args, seconds=limits.REPAIR_CALL_SECONDS)
                if case.wrong(given, self._function):
                    held = "a held-out test" if number >= len(self._cases.shown) else "a test"
                    return f"it fails {held}: {case.told(given, self._function)} ({case.name})"
        return ""
