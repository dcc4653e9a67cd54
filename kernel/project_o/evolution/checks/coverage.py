"""Which lines of a candidate the generated tests and the user's own reached. It rejects nothing.

Asked of a finalist alone, in processes of their own that count lines and are gone before anything is timed: what is
measured is never what is counted. Where a line was not reached, nobody knows what it does.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ... import limits
from ...errors import ProjectOError
from ...languages.covered import Covered, Covering, NotMeasured
from ...values import CheckStage, Finding, Scalar
from ..task import Jobs, Stopped, Task
from .generated import Generated
from .seam import Subject, inconclusive, passed
from .tests import UserTests
from .text import first_line, source_line


class Coverage:
    """The stage "coverage". ``asked`` are the checks whose questions are asked once more."""

    stage: CheckStage = "coverage"

    def __init__(self, task: Task, asked: Sequence[Generated | UserTests]) -> None:
        assert task.covering is not None, "somebody counts, or says why not"
        self._covering = task.covering
        self._asked = tuple(asked)

    def run(self, subject: Subject) -> Finding:
        """The share of its lines that was reached, and the others."""
        if not self._asked:
            return inconclusive("coverage", "not measured: nothing but the evaluator asks it")
        if subject.deadline is not None and time.monotonic() > subject.deadline - limits.COVERAGE_SECONDS_MAX / 2:
            return inconclusive("coverage", "not measured: no time was left for it")
        try:
            covering = self._covering(subject.artifact)
            self._ask(subject, covering)
            found = covering.found()
        except NotMeasured as error:
            return inconclusive("coverage", f"not measured: {error}")
        except Stopped:
            raise
        except ProjectOError as error:
            return inconclusive("coverage", f"not measured: {error}")
        except Exception as error:  # noqa: BLE001 - it is a report: whatever fails in it must not fail the candidate
            return inconclusive("coverage", f"not measured: {type(error).__name__}: {error}")
        if not found:
            return inconclusive("coverage", "not measured: its processes told nothing")
        return _finding(subject, found)

    def _ask(self, subject: Subject, covering: Covering) -> None:
        """All questions, to a process that counts; whatever it answers."""
        jobs = Jobs(replace(subject.task, open_job=covering.open))
        counted = replace(subject, jobs=jobs)
        until = time.monotonic() + limits.COVERAGE_SECONDS_MAX
        for check in self._asked:
            if isinstance(check, Generated):
                self._ask_cases(counted, check, until)
            elif check.tests:
                check.carried_out(counted)

    def _ask_cases(self, subject: Subject, check: Generated, until: float) -> None:
        function = subject.task.function_of(subject.baseline)
        with subject.jobs.open(subject.artifact) as handle:
            for case in check.cases():
                if time.monotonic() > until:
                    return
                handle.ask(function.name, case.args, seconds=limits.VALIDATION_CALL_SECONDS)


def _finding(subject: Subject, found: Sequence[Covered]) -> Finding:
    lines = sum(len(text.statements) for text in found)
    reached = sum(len(text.reached) for text in found)
    if not lines:
        return inconclusive("coverage", "not measured: there is no line with anything to run")
    facts: dict[str, Scalar] = {"lines": lines, "lines reached": reached, "share": reached / lines}
    missing = [(text.name, text.missing) for text in found if text.missing]
    told = f"reached {reached} of {lines} lines ({100 * reached // lines} %)"
    if not missing:
        return passed("coverage", told, facts=facts)
    spans = ", ".join(f"{name}: {spans_of(numbers)}" if name else spans_of(numbers) for name, numbers in missing)
    source, offset = subject.program.source, first_line(subject.program)
    evidence = "\n".join(
        f"line {number}: {source_line(source, number - offset + 1)}" if not name else f"{name}, line {number}"
        for name, numbers in missing
        for number in numbers[: limits.LINES_TOLD_MAX]
    )
    return passed("coverage", f"{told}; not reached: {spans}", f"not reached:\n{evidence}", facts)


def spans_of(numbers: Iterable[int]) -> str:
    """``3, 5-7``."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{low}" if low == high else f"{low}-{high}" for low, high in spans)
