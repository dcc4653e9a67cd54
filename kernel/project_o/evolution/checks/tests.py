"""The user's own tests by name: ``def test_total(program): assert program([1, 2]) == 3``.

A test is the user's code and runs in this process; what it calls is the candidate in the sandbox. An assertion that
fails, or anything else that is raised, rejects the candidate, with the test's own line. What serves now must pass
first.
"""

from __future__ import annotations

import inspect
import linecache
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ... import limits
from ...errors import CompileError, EvolutionError, ToolchainError, UsageError
from ...values import CheckStage, Finding
from ..candidate import Candidate
from ..task import Stopped, Task
from .seam import Subject, failed, inconclusive, passed

CELL = "cell"
"""The name of the tests that stand in the program's own text: Zig's ``test`` blocks, Rust's ``#[test]``."""


@dataclass(frozen=True)
class NamedTest:
    """One test: it takes the program, and raises where something is wrong."""

    name: str
    run: Callable[[Any], Any]


def named_tests(given: Any, name: str = "") -> list[NamedTest]:
    """The tests in a function, a list of them, a dict by name, a class or an object with methods ``test_...``.

    Raises UsageError for anything else, and where there is no test in it.
    """
    found = list(_tests(given, name))
    if not found:
        raise UsageError(f"{name or 'tests'} holds no test: write functions test_...(program) that assert something")
    for test in found:
        _check_signature(test)
    return found


def _tests(given: Any, name: str) -> Iterator[NamedTest]:
    if isinstance(given, NamedTest):
        yield given
    elif isinstance(given, Mapping):
        for key, value in given.items():
            yield from _tests(value, str(key))
    elif isinstance(given, (list, tuple)):
        for item in given:
            yield from _tests(item, "")
    elif isinstance(given, type):
        yield from _methods(given(), given.__name__)
    elif callable(given):
        yield NamedTest(name or str(getattr(given, "__name__", "test")), given)
    else:
        yield from _methods(given, type(given).__name__)


def _methods(holder: Any, name: str) -> Iterator[NamedTest]:
    for item in sorted(item for item in dir(holder) if item.startswith("test")):
        method = getattr(holder, item)
        if callable(method):
            yield NamedTest(f"{name}.{item}", method)


def _check_signature(test: NamedTest) -> None:
    try:
        inspect.signature(test.run).bind(None)
    except TypeError:
        raise UsageError(f"the test {test.name} must take the program alone: def {test.name}(program)") from None
    except ValueError:
        return  # a built-in tells no signature


class UserTests:
    """The stage "tests". One test runs at a time, whatever number of candidates are tried."""

    stage: CheckStage = "tests"

    def __init__(self, task: Task) -> None:
        self._cell = task.tests == CELL
        self._tests = [] if self._cell else named_tests(task.tests)
        self._lock = threading.Lock()

    def prepare(self, subject: Subject) -> None:
        """What serves now must pass. Raises EvolutionError."""
        found = self.run(subject)
        if found.outcome != "passed":
            raise EvolutionError(f"what serves now fails its own tests: {found.reason}: mend one of the two")

    def run(self, subject: Subject) -> Finding:
        """Every test with the candidate in a process of its own."""
        if self._cell:
            return self._own_blocks(subject)
        for number, test in enumerate(self._tests):
            if why := self._why(subject, test):
                line, evidence = why
                return failed("tests", f"{test.name}{line}", evidence, {"tests passed": number})
        count = len(self._tests)
        return passed("tests", f"{count} of the user's tests passed" if count > 1 else f"{self._tests[0].name} passed",
                      facts={"tests passed": count})  # fmt: skip

    def _why(self, subject: Subject, test: NamedTest) -> tuple[str, str] | None:
        with self._lock, subject.jobs.open(subject.artifact) as handle:
            program = Candidate(handle, subject.artifact.interface, limits.TRIAL_WALL_SECONDS)
            try:
                test.run(program)
            except Stopped:
                raise
            except (Exception, SystemExit) as error:
                if subject.jobs.stopped:
                    raise Stopped from error
                return where_it_failed(error, test.run)
        return None

    def _own_blocks(self, subject: Subject) -> Finding:
        """The tests in the text itself, where all of that text is the user's: they run without a sandbox."""
        from ... import toolchain

        if subject.program.language not in ("zig", "rust"):
            return failed(
                "tests", f"tests=cell is for Zig and Rust: a {subject.program.language} text has no test blocks"
            )
        if not subject.only_settings:
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


def where_it_failed(error: BaseException, code: Callable[..., Any]) -> tuple[str, str]:
    """The end of a reason (line, text, error), and the traceback's part that is the user's own."""
    file = _file_of(code)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if not frames:
        return f": {told}", told
    last = frames[-1]
    text = (last.line or linecache.getline(file, last.lineno or 0)).strip()
    reason = f", line {last.lineno}: {text}" + (f": {told}" if told != "AssertionError" else "")
    return reason, "".join(traceback.format_list(frames)) + told


def _file_of(code: Callable[..., Any]) -> str:
    plain = inspect.unwrap(getattr(code, "__func__", code))
    found = getattr(plain, "__code__", None)
    return str(found.co_filename) if found is not None else ""
