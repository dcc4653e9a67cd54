"""Candidates in all four languages, through whole runs: what was built, what was opened, what each check found."""

from __future__ import annotations

import itertools
import linecache
import sys
import threading
import types
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from project_o import sandbox, toolchain
from project_o.agent.agents import Agents
from project_o.deploy import PythonFunction
from project_o.errors import ToolchainMissing
from project_o.evolution import Run, Task, run_evolution
from project_o.languages import tools_for
from project_o.runtimes import LispRuntime, NativeRuntime, PythonRuntime
from project_o.values import Artifact, Program, Proposal, Record

SOURCES = {
    "zig": "pub fn total(a: []const i64) i64 {\n    var sum: i64 = 0;\n    for (a) |x| sum += x;\n    return sum;\n}\n",
    "rust": "pub fn total(a: &[i64]) -> i64 {\n    let mut sum = 0;\n    for x in a { sum += x; }\n    sum\n}\n",
    "python": "def total(a):\n    sum = 0\n    for x in a:\n        sum += x\n    return sum\n",
    "lisp": '(defagent total "Counts."\n  (setv n 0)\n  (for [x message] (setv n (+ n 1)))\n  (str n))\n',
}
INPUTS = {"zig": [([1, 2, 3, 4],)], "rust": [([1, 2, 3, 4],)], "python": [([1, 2, 3, 4],)], "lisp": [("hello", {})]}

_numbers = itertools.count()


class Given:
    """A proposer of the given texts, in order, whatever comes of them. It keeps what it was told.

    Where ``stop`` is given, the run is stopped when it has a record of each: before its leader is measured at length.
    """

    def __init__(self, program: Program, sources: Sequence[str], stop: threading.Event | None = None) -> None:
        self.program, self.sources, self.stop = program, sources, stop
        self.told: list[Sequence[Record]] = []

    def ask(self, index: int, told: Sequence[Record]) -> Proposal | None:
        self.told.append(told)
        if index > len(self.sources):
            if self.stop is not None and len(told) >= index:
                self.stop.set()
            return None
        source = self.sources[index - 1]
        program = self.program.with_source(source, ())
        return Proposal(index, program, (self.program.digest,), "test", "given")


class Lab:
    """One language's task, and what its candidates cost."""

    def __init__(self, language: str, program: Program, build: Any, open_job: Any, box: Any, **fields: Any) -> None:
        self.language, self.program, self.box = language, program, box
        self.built: list[str] = []
        self.opened: list[str] = []
        self.fields = {"inputs": INPUTS[language], **fields}
        self._build, self._open = build, open_job
        self.proposer: Given | None = None

    def build(self, program: Program) -> Artifact:
        if program.source != self.program.source:
            self.built.append(program.source)
        return self._build(program)

    def open(self, artifact: Artifact) -> Any:
        if artifact.program.source != self.program.source:
            self.opened.append(artifact.program.source)
        if self._open is not None:
            return self._open(artifact)
        return self.box.native(artifact.path, artifact.interface, guard_path=toolchain.guard_path())

    def task(self, **fields: Any) -> Task:
        return Task(self.program, self.build, self.box, open_job=self.open, **{**self.fields, **fields})

    def run(self, *sources: str, fields: dict[str, Any] | None = None, **options: Any) -> Run:
        """A run over these texts as candidates 1, 2, 3 and so on."""
        return self._run(Given(self.program, sources), len(sources) + 1, fields, options)

    def record(self, source: str, *, fields: dict[str, Any] | None = None, **options: Any) -> Record:
        """What became of one candidate."""
        stop = threading.Event()
        given = Given(self.program, [source], stop)
        return self._run(given, 3, fields, {"stop": stop, **options}).trials[1]

    def _run(self, given: Given, trials: int, fields: dict[str, Any] | None, options: dict[str, Any]) -> Run:
        self.proposer = given
        return run_evolution(self.task(**(fields or {})), trials=trials, proposer=given, **{"workers": 1, **options})


@pytest.fixture(scope="session")
def cascade_box() -> Iterator[Any]:
    with sandbox.Sandbox(wall_seconds=5) as box:
        yield box


@pytest.fixture
def lab(cascade_box: Any, lacking: Callable[..., None]) -> Iterator[Callable[..., Lab]]:
    """``lab(language, source=...)``: a task of that language."""
    modules: list[str] = []

    def make(language: str, source: str = "", **fields: Any) -> Lab:
        text = source or SOURCES[language]
        if language in ("zig", "rust"):
            if language == "rust":
                try:
                    toolchain.locate_rust()
                except ToolchainMissing:
                    lacking("rust")
            native = NativeRuntime()
            fields = {"covering": native.covering(cascade_box), **fields}
            return Lab(language, tools_for(language).program("total", text), native.build, None,
                       cascade_box, **fields)  # fmt: skip
        if language == "python":
            runtime: Any = PythonRuntime(PythonFunction)
            file = f"<cascade {next(_numbers)}>"
            linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
            names: dict[str, Any] = {"__name__": "__main__"}
            exec(compile(text, file, "exec"), names)
            target = names["total"]
        else:
            runtime = LispRuntime()
            module = types.ModuleType(f"cascade_{next(_numbers)}")
            sys.modules[module.__name__] = module
            modules.append(module.__name__)
            target = Agents(namespace=vars(module)).evaluate(text, module, "<cell>")
        program = runtime.subject(target).program
        fields = {"typed": runtime.typed(cascade_box), "covering": runtime.covering(cascade_box), **fields}
        return Lab(language, program, runtime.build, runtime.opener(cascade_box), cascade_box, **fields)

    yield make
    for name in modules:
        del sys.modules[name]
