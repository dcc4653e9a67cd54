"""Cells as a notebook has them: source that Python knows by its lines, run in a namespace of its own."""

import itertools
import linecache
import textwrap

import pytest

from project_o.deploy import PythonFunction
from project_o.runtimes import PythonRuntime
from project_o.sandbox import Sandbox

_numbers = itertools.count()


class Notebook:
    """Cells that share a namespace."""

    def __init__(self):
        self.names = {"__name__": "__main__"}

    def run(self, source):
        """Run a cell; the namespace."""
        source = textwrap.dedent(source).lstrip("\n")
        file = f"<cell {next(_numbers)}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        exec(compile(source, file, "exec"), self.names)
        return self.names


@pytest.fixture
def notebook():
    return Notebook()


@pytest.fixture(scope="session")
def box():
    with Sandbox(wall_seconds=5) as made:
        yield made


@pytest.fixture
def runtime():
    return PythonRuntime(PythonFunction)


@pytest.fixture
def sent(notebook, runtime, box):
    """``sent(cell)``: the function f of the cell as an open job in the sandbox."""
    jobs = []

    def send(source, name="f", change=None):
        names = notebook.run(source)
        program = runtime.subject(names[name]).program
        if change:
            program = program.with_source(change(program.source), program.parameters)
        job = runtime.opener(box)(runtime.build(program))
        jobs.append(job)
        assert job.loaded.ok, job.loaded.error
        return job

    yield send
    for job in jobs:
        job.close()
