"""The user's own tests by name: ``def test_total(program): assert program([1, 2]) == 3``.

A test is the user's code and runs in a forked copy of this process (``forked``), with a limit of time; what it calls is
the candidate in the sandbox, in a process of its own for each test. An assertion that fails, or anything else that is
raised, rejects the candidate, with the test's own line. What serves now must pass first.
"""

from __future__ import annotations

import inspect
import threading
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ... import limits
from ...errors import CompileError, EvolutionError, ToolchainError, UsageError
from ...values import CheckStage, Finding
from ..candidate import Candidate
from ..forked import Outcome, carry_out, seconds_allowed
from ..forked_copy import Step
from ..task import Stopped, Task
from .literals import told
from .seam import Subject, failed, inconclusive, passed

CELL = "cell"
"""The name of the tests that stand in the program's own text: Zig's ``test`` blocks, Rust's ``#[test]``."""


def named_tests(given: Any, name: str = "") -> list[Step]:
    """The tests in a function, a list of them or of pairs (arguments, what is right), a dict by name, a class or an
    object with methods ``test_...``.

    Raises UsageError for anything else, and where there is no test in it.
    """
    found = list(_tests(given, name))
    if not found:
        raise UsageError(f"{name or 'tests'} holds no test: write functions test_...(program) that assert something")
    for test in found:
        _check_signature(test)
    return found


def _tests(given: Any, name: str) -> Iterator[Step]:
    if isinstance(given, Step):
        yield given
    elif isinstance(given, Mapping):
        for key, value in given.items():
            yield from _tests(value, str(key))
    elif is_case(given):
        yield Step(f"the case {told(given[0])}", partial(_compare, given))
    elif isinstance(given, (list, tuple)):
        for item in given:
            yield from _tests(item, "")
    elif isinstance(given, type):
        yield from _methods(given(), given.__name__)
    elif callable(given):
        yield Step(name or str(getattr(given, "__name__", "test")), given)
    else:
        yield from _methods(given, type(given).__name__)


def is_case(given: Any) -> bool:
    """Whether it is a pair (arguments, what is right), which is a test as well."""
    return isinstance(given, tuple) and len(given) == 2 and isinstance(given[0], tuple)


def _compare(case: tuple[tuple[Any, ...], Any], program: Any) -> None:
    args, expected = case
    given = program(*args)
    if not bool(given == expected):
        raise AssertionError(f"should be {expected!r:.80}, and is {given!r:.80}")


def _methods(holder: Any, name: str) -> Iterator[Step]:
    for item in sorted(item for item in dir(holder) if item.startswith("test")):
        method = getattr(holder, item)
        if callable(method):
            yield Step(f"{name}.{item}", method)


def _check_signature(test: Step) -> None:
    try:
        inspect.signature(test.run).bind(None)
    except TypeError:
        raise UsageError(f"the test {test.name} must take the program alone: def {test.name}(program)") from None
    except ValueError:
        return  # a built-in tells no signature


class UserTests:
    """The stage "tests". The tests of one candidate run at a time, whatever number of candidates are tried."""

    stage: CheckStage = "tests"

    def __init__(self, task: Task) -> None:
        self._cell = task.tests == CELL
        self.tests = [] if self._cell else named_tests(task.tests)
        self._lock = threading.Lock()
        self._seconds = limits.SCENARIO_SECONDS_MAX

    def prepare(self, subject: Subject) -> None:
        """What serves now must pass. Raises EvolutionError."""
        began = time.monotonic()
        found = self.run(subject)
        if found.outcome != "passed":
            raise EvolutionError(f"what serves now fails its own tests: {found.reason}: mend one of the two")
        self._seconds = seconds_allowed(time.monotonic() - began)

    def run(self, subject: Subject) -> Finding:
        """Every test, until one fails."""
        if self._cell:
            return self._own_blocks(subject)
        found = self.carried_out(subject)
        facts = {"tests passed": found.step}
        if found.failures:
            bad = found.failures[0]
            return failed("tests", f"{self.tests[bad.step].name}{bad.reason}", _with_output(bad.trace, found), facts)
        if found.ended:
            reason = f"{self.tests[found.step].name}: {found.ended}"
            return failed("tests", reason, _with_output(reason, found), facts)
        count = len(self.tests)
        reason = f"{count} of the user's tests passed" if count > 1 else f"{self.tests[0].name} passed"
        return passed("tests", reason, facts={"tests passed": count})

    def carried_out(self, subject: Subject) -> Outcome:
        """The tests with the program of a subject, until one fails."""
        jobs = subject.jobs
        with self._lock, jobs.open(subject.artifact) as handle:
            program = Candidate(handle, subject.artifact.interface, limits.TRIAL_WALL_SECONDS)
            found = carry_out(
                self.tests,
                program,
                seconds=self._seconds,
                stopped=lambda: jobs.stopped,
                first=subject.task.in_copy,
                begin=lambda _: handle.renew(),  # the next test meets a fresh process
            )
        if jobs.stopped:
            raise Stopped
        return found

    def _own_blocks(self, subject: Subject) -> Finding:
        """The tests in the text itself, where all of that text is the user's: they run without a sandbox."""
        from ... import toolchain

        if subject.program.language not in ("zig", "rust"):
            return failed(
                "tests", f"tests=cell is for Zig and Rust: a {subject.program.language} text has no test blocks"
            )
        if not subject.own:
            return inconclusive(
                "tests", "the tests in the text are run for the user's own text alone, with other settings"
            )
        try:
            count = toolchain.run_tests(subject.program)
        except CompileError as error:
            item = error.diagnostics[0] if error.diagnostics else None
            line = f", line {item.line}" if item and item.line else ""
            return failed("tests", f"a test of its own text fails{line}: {error}", str(error))
        except ToolchainError as error:
            return inconclusive("tests", str(error))
        if not count:
            return inconclusive("tests", "the text has no test blocks")
        return passed("tests", f"{count} tests of its own text passed", facts={"tests passed": count})


def _with_output(text: str, found: Outcome) -> str:
    return f"{text}\nIt printed:\n{found.output}" if found.output else text
