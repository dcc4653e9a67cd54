"""Tasks for the evolution tests: real Zig and Python, the real compiler, the real sandbox."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from project_o import sandbox, toolchain
from project_o.deploy import PythonFunction
from project_o.evolution import Task
from project_o.evolution.task import Handle, Jobs
from project_o.evolution.timing import TimeBench
from project_o.languages import tools_for
from project_o.runtimes import PythonRuntime
from project_o.values import Artifact, Program

MakeTask = Callable[..., Task]


def build(program: Program) -> Artifact:
    """As the flow builds."""
    found = tools_for(program.language).signatures(program.source)
    return toolchain.build(program, names={name: (s.parameters, s.doc, s.line) for name, s in found.items()})


@pytest.fixture(scope="session")
def box() -> Any:
    with sandbox.Sandbox() as opened:
        yield opened


@pytest.fixture
def make_task(box: Any) -> MakeTask:
    """(source, **fields of Task) -> Task."""

    def make(source: str, **fields: Any) -> Task:
        return Task(tools_for("zig").program("kernel", source), build, box, **fields)

    return make


_numbers = itertools.count()


@pytest.fixture
def make_function_task(box: Any) -> MakeTask:
    """(source of a cell, **fields of Task) -> Task of the function f in it."""

    def make(source: str, **fields: Any) -> Task:
        source = source.lstrip("\n")
        file = f"<evolution {next(_numbers)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(source, file, "exec"), names)
        runtime = PythonRuntime(PythonFunction)
        subject = runtime.subject(names["f"])
        assert subject is not None
        return Task(subject.program, runtime.build, box, open_job=runtime.opener(box), function="f", **fields)

    return make


class Bench:
    """A task's bench as a run has it, and a candidate's handles beside the incumbent's."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.jobs = Jobs(task)
        self.bench = TimeBench(task, 0, None)
        self.baseline = task.build(task.program)
        self.bench.prepare(self.jobs, self.baseline)

    def candidate(self, source: str) -> Artifact:
        return self.task.build(self.task.tools.with_source(self.task.program, source))

    @contextmanager
    def sides(self, source: str) -> Iterator[tuple[Handle, Handle]]:
        """The incumbent's handle, and that of a candidate."""
        with self.bench._sides(self.jobs, self.candidate(source)) as sides:
            yield sides


@pytest.fixture
def bench_of() -> Callable[[Task], Bench]:
    """(task) -> its bench, prepared."""
    return Bench
