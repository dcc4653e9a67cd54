"""The programs that are compared: a Zig kernel and a Python function, each with versions that change nothing, and with
versions that do a known share of its work."""

from __future__ import annotations

import itertools
import linecache
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from project_o import sandbox, toolchain
from project_o.deploy import PythonFunction
from project_o.evolution import Task
from project_o.languages import tools_for
from project_o.runtimes import PythonRuntime
from project_o.values import Artifact, Program

NULLS = 40
ROUNDS = {"1.05": 42, "1.1": 44, "1.3": 52}
"""Rounds of the incumbent where the candidate makes 40."""
BASE_ROUNDS = 40
ZIG = """const std = @import("std");
pub fn f(a: []const f64) f64 {
    var total: f64 = 0;
    var lap: usize = 0;
    while (lap < ROUNDS) : (lap += 1) {
        total = 0;
        for (a) |item| total += item * item + @abs(item);
        std.mem.doNotOptimizeAway(total);
    }
    return total;
}
"""
PYTHON = """
def f(values):
    total = 0.0
    for lap in range(ROUNDS):
        total = 0.0
        for value in values:
            total += value * value
    return total
"""
ARRAY = (np.arange(1200.0) % 17 / 4,)
LIST = ([(k % 13) / 8 for k in range(60)],)

_cells = itertools.count()


@dataclass(frozen=True)
class Subject:
    """A program, the text of one that does ``rounds`` of the work, and inputs."""

    language: str
    text: str
    inputs: tuple[Any, ...]

    def source(self, rounds: int = BASE_ROUNDS) -> str:
        """Its text with so many rounds."""
        return self.text.replace("ROUNDS", str(rounds)).lstrip("\n")

    def null(self, number: int) -> str:
        """A text that differs, and does the same: other names, one of them with a comment, or a constant nobody uses.

        A comment alone would not do: a run takes that for the same program.
        """
        source, mark = self.source(), "#" if self.language == "python" else "//"
        # Not the number itself: the judge asks at sizes that a text says, and each run would be longer than the last.
        name = _letters(number)
        match number % 3:
            case 0:
                return f"{mark} version {name}\n{source}".replace("lap", f"lap_{name}")
            case 1:
                return source.replace("total", f"total_{name}")
        dead = f"unused_{name} = 1" if self.language == "python" else f"const unused_{name} = 1;"
        return f"{dead}\n{source}"

    def task(self, rounds: int = BASE_ROUNDS, **fields: Any) -> Task:
        """The task of making it better."""
        source = self.source(rounds)
        if self.language != "python":
            return Task(tools_for(self.language).program("kernel", source), _build, sandbox.shared(), **fields)
        runtime = PythonRuntime(PythonFunction)
        subject = runtime.subject(_function(source))
        assert subject is not None, "a function is a program"
        box = sandbox.shared()
        return Task(subject.program, runtime.build, box, open_job=runtime.opener(box), function="f", **fields)

    def timed(self, rounds: int = BASE_ROUNDS) -> Task:
        """The same where its time is what counts."""
        return self.task(rounds, inputs=self.inputs)


SUBJECTS = {"zig": Subject("zig", ZIG, ARRAY), "python": Subject("python", PYTHON, LIST)}

SCORED = Subject("python", "def f(x):\n    return 1.0\n", ())
BETTER = "def f(x):\n    return {gain}\n"


def evaluator(kind: str, spread: float, seed: int) -> Callable[[Any], Mapping[str, float]]:
    """What the program answers, times noise: independent, or with a memory and heavy tails."""
    rng = np.random.default_rng([seed, len(kind)])
    last = 0.0

    def evaluate(program: Any) -> dict[str, float]:
        nonlocal last
        shock = float(rng.standard_normal() if kind == "independent" else rng.standard_t(3) / 3**0.5)
        last = shock if kind == "independent" else 0.5 * last + 0.75**0.5 * shock
        return {"score": program(1) + spread * last}

    return evaluate


def _letters(number: int) -> str:
    """A number in base 26, as letters."""
    found = ""
    while number or not found:
        number, digit = divmod(number, 26)
        found += chr(ord("a") + digit)
    return found


def _function(source: str) -> Any:
    file = f"<trust {next(_cells)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, file, "exec"), names)
    return names["f"]


def _build(program: Program) -> Artifact:
    found = tools_for(program.language).signatures(program.source)
    return toolchain.build(program, names={name: (s.parameters, s.doc, s.line) for name, s in found.items()})
