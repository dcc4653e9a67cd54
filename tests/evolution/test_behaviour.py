"""Whoever does what another did is a duplicate: by its answers where it is scored, by its code where time counts."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from project_o import evolve
from project_o.evolution import run_evolution
from project_o.languages import tools_for
from project_o.values import Program, Proposal

SOURCE = "def f(x):\n    return x * 2\n"
OTHERS = {
    "the same said otherwise": "def f(x):\n    return x + x\n",
    "better": "def f(x):\n    return x * 3\n",
    "better, said otherwise": "def f(x):\n    return x + x + x\n",
    "worse": "def f(x):\n    return x\n",
}


class Given:
    """Proposes these texts in their order."""

    def __init__(self, program: Program, sources: list[str]) -> None:
        self.programs = [tools_for(program.language).with_source(program, source) for source in sources]

    def ask(self, index, told):
        if index > len(self.programs):
            return None
        return Proposal(index, self.programs[index - 1], (), "search", "given")


def scored(path: Path, evaluate, sources=None, **options):
    path.write_text(SOURCE)
    start = tools_for("python").program("f", SOURCE)
    return evolve(
        path, evaluate, trials=10, proposer=lambda *_: Given(start, list(sources or OTHERS.values())), **options
    )


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_answers_are_a_duplicate_that_keeps_its_numbers(tmp_path, workers):
    run = scored(tmp_path / "f.py", lambda program: {"score": sum(map(program, (1, 2, 3)))}, workers=workers)
    found = {name: run.trials[k] for k, name in enumerate(OTHERS, 1)}

    assert found["the same said otherwise"].status == "duplicate"
    assert found["the same said otherwise"].reason == "the same answers as the baseline"
    assert found["better"].status == "better"
    assert found["better, said otherwise"].reason == "the same answers as trial 2"
    assert found["better, said otherwise"].ratio == found["better"].ratio
    assert found["worse"].status == "no better"
    assert run.best_index == 2


def test_a_run_from_its_record_finds_the_same_duplicates(tmp_path):
    evaluate = lambda program: {"score": sum(map(program, (1, 2, 3)))}  # noqa: E731
    run = scored(tmp_path / "f.py", evaluate)
    again = scored(tmp_path / "f.py", evaluate, replay=run)

    assert again.lineage.digest == run.lineage.digest
    assert [one.status for one in again.trials] == [one.status for one in run.trials]


def test_answers_that_differ_anywhere_and_evaluators_that_are_not_deterministic_make_no_duplicate(tmp_path):
    count = itertools.count()
    noisy = scored(tmp_path / "f.py", lambda program: {"score": program(1) + next(count) * 1e-6})
    other = scored(tmp_path / "f.py", lambda program: {"score": program(1)},
                   ["def f(x):\n    return x * 2 if x < 5 else 0\n"])  # fmt: skip
    seen = scored(tmp_path / "f.py", lambda program: {"score": program(1), "far": program(9)},
                  ["def f(x):\n    return x * 2 if x < 5 else 0\n"])  # fmt: skip

    assert all(one.status != "duplicate" for one in noisy.trials)
    assert other.trials[1].status == "duplicate", "nothing that was asked tells them apart"
    assert seen.trials[1].status != "duplicate"


ZIG = "pub fn f(xs: []const i64) i64 {\n    var s: i64 = 0;\n    for (xs) |x| s +%= x;\n    return s;\n}\n"


def test_two_texts_of_one_machine_code_are_measured_once(make_task):
    import numpy as np

    same = ZIG.replace("s +%= x", "s = s +% x")
    other = ZIG.replace("return s;", "return s +% 0 * 3;")
    task = make_task(ZIG, inputs=(np.arange(5000),))
    run = run_evolution(task, trials=3, proposer=Given(task.program, [same, other]))

    assert run.trials[1].status == "duplicate", run.trials[1]
    assert run.trials[1].reason == "the same machine code as the baseline"
    assert run.trials[1].ratio is None
