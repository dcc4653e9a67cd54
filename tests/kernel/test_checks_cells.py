"""What a run is told to check, in a real kernel: tests, relations, scenarios, guards by names of the notebook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

DEFINITION = """
def total(a):
    n = 1  # o: 1 2 3
    return sum(a) * n
"""
"""Another n is another answer: only what the user gives can tell that it is wrong."""
EVALUATOR = "def evaluate(program):\n    return {'score': program([1, 2, 3]), 'other': 1.0 / program([1, 2, 3])}\n"
CHECKS = """
def test_small(program):
    assert program([1, 2]) == 3

class Suite:
    def test_none(self, program):
        assert program([]) == 0
    def test_one(self, program):
        assert program([5]) == 5

def never_more(call, args):
    return call(*args) <= sum(args[0])

def goes_through(program):
    global seen
    seen = program([4, 4])
    print('the scenario prints')
    display('and shows')
    assert seen == 8

def plain(a):
    return sum(a)

seen, empty = None, []
"""


@pytest.fixture(scope="module")
def ready(kernel: Any) -> Any:
    for cell in (DEFINITION, CHECKS):
        ran = kernel.run(cell)
        assert ran.status == "ok", ran.text
    return kernel


def evolve(kernel: Any, options: str) -> Any:
    return kernel.run(f"%%evolve total --trials 3 --objective score --guard other:off {options}\n{EVALUATOR}")


@pytest.mark.parametrize(
    ("options", "stage", "words"),
    [
        ("--tests test_small", "tests", "test_small, line 2: assert program([1, 2]) == 3"),
        ("--tests Suite", "tests", "Suite.test_one"),
        ("--inputs ([1,2,3],) --relation never_more", "relations", "never_more does not hold on (["),
        ("--inputs ([1,2,3],) --reference plain", "generated", "total([1]) returned 2 instead of 1"),
    ],
)
def test_a_candidate_is_rejected_by_what_the_user_named(ready: Any, options: str, stage: str, words: str) -> None:
    ran = evolve(ready, options)

    assert ran.status == "ok", ran.text
    assert ready.value("[item.status for item in _.trials]") == "['baseline', 'failed', 'failed']"
    assert ready.value("_.trials[1].finding.stage") == repr(stage)
    assert words in ready.value("_.trials[1].finding.evidence or _.trials[1].reason") or words in ready.value(
        "_.trials[1].reason"
    )


def test_a_scenario_rejects_the_winner_and_leaves_the_notebook_as_it_was(ready: Any) -> None:
    ran = evolve(ready, "--scenario goes_through")

    assert ran.status == "ok", ran.text
    assert ready.value("_.verdict.accepted") == "False"
    assert ready.value("_.verdict.trial.findings[-1].stage") == "'integration'"
    assert "assert seen == 8" in ready.value("_.verdict.trial.error")
    assert "the scenario prints" in ready.value("_.verdict.trial.findings[-1].evidence")
    assert ready.value("seen") == "None"
    assert "and shows" not in ran.text, "what a copy shows reaches no notebook"
    assert ready.value("total([1, 2])") == "3"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--tests nowhere", "--tests nowhere: nothing here is called nowhere: run the cell that defines it first"),
        ("--tests CHECKS.more", "nothing here is called CHECKS.more"),
        ("--tests seen", "--tests seen: seen is None, which says nothing: leave --tests out"),
        ("--tests empty", "tests holds no test: write functions test_...(program)"),
        ("--tests plain.__name__", "holds no test"),
        ("--scenario sooner", "--scenario sooner: nothing here is called sooner"),
        ("--reference empty", "reference is a list, and has to be a function"),
        ("--scenario empty", "the scenario [] is none: give a function of the program, or the word later"),
        ("--inputs ([1],) --relation monotone", "--relation monotone is none: write permutation:a, scaling:a"),
        ("--inputs ([1],) --relation permutation:b", "there is no parameter b: there are a"),
        (
            "--allow luck",
            "'luck' is no defect that can be allowed: there are clock, first-call, ceiling, load, precision",
        ),
        ("--guard other:twice", "'other:twice': 'twice' is none of min, max, off and a share like 20%"),
        ("--guard memory:20% missing", "the evaluator returns no metric missing"),
        ("--objective score score", "name each one once"),
        ("--objective nothing", "the evaluator returns no metric nothing"),
        ("--test test_small --sede 1", "did you mean --seed?"),
    ],
)
def test_a_bad_word_is_one_clear_error(ready: Any, options: str, words: str) -> None:
    ran = evolve(ready, options)

    assert ran.status == "error"
    assert words in ran.error


def test_the_same_words_from_python_and_a_wrong_one(ready: Any) -> None:
    ran = ready.run(
        "from project_o import evolve\n"
        "run = evolve(total, lambda p: {'score': p([1, 2, 3])}, trials=2, objective='score', tests=[test_small])\n"
        "print(run.trials[1].finding.stage)"
    )
    assert ran.text.strip() == "tests", ran.text
    assert "evolve has no option scenaro: did you mean scenario?" in ready.run("evolve(total, scenaro=plain)").error


def test_guards_reject_and_the_share_can_be_set(ready: Any) -> None:
    guarded = evolve(ready, "--guard other:max:20%")
    assert guarded.status == "ok", guarded.text
    assert ready.value("_.verdict.accepted") == "False"
    assert "other" in ready.value("_.verdict.reasons[-1]")

    bare = f"%%evolve total --trials 3 --objective score --guard other:max\n{EVALUATOR}"
    assert ready.run("%config ProjectO.guard_regression = '900%'").status == "ok"
    assert ready.run(bare).status == "ok"
    assert ready.value("_.verdict.accepted") == "True", "worse by less than nine times is allowed now"
    assert ready.run("%config ProjectO.guard_regression = None").status == "ok"


# ------------------------------------------------------------------ the notebook's later cells


def test_later_cells_are_those_that_were_run_after_the_definition(start_kernel: Any, tmp_path: Path) -> None:
    kernel = start_kernel(tmp_path)
    for cell in (
        "assert 'total' not in globals(), 'an earlier cell'",
        DEFINITION,
        "result = total([1, 2])\nprint('result', result)",
        "assert result == 3, 'a later cell'",
        "import time\n%time total([1])",
        "missing_here = later_is_gone\n",
    ):
        kernel.run(cell)
    ran = evolve(kernel, "--scenario later")

    assert ran.status == "ok", ran.text
    assert kernel.value("_.verdict.accepted") == "False"
    assert "fails, line 1: assert result == 3, 'a later cell'" in kernel.value("_.verdict.trial.error")
    kernel.run("harmless = evolve(total, lambda p: {'score': -p([1, 2, 3]) ** 0}, trials=1)")
    ran = kernel.run("%%evolve total --trials 3 --scenario later\ndef evaluate(program):\n    return {'score': 1.0}")
    assert ran.status == "ok", ran.text


def notebook(*cells: str) -> Any:
    made = nbformat.v4.new_notebook()
    made.cells = [nbformat.v4.new_code_cell(cell) for cell in ("%load_ext project_o", *cells)]
    return made


ZIG = """%%zig
const n: i64 = 1; // o: 1 2
pub fn total(a: []const i64) i64 {
    var sum: i64 = 0;
    for (a) |x| sum += x;
    return if (a.len == 2) sum else sum * n;
}"""


def test_later_cells_of_a_notebook_that_were_not_run_yet_count_too(tmp_path: Path) -> None:
    cells = notebook(
        "import numpy as np",
        ZIG,
        "%%evolve total --trials 2 --objective score --scenario later\n"
        "def evaluate(program):\n    return {'score': program(np.array([1, 2, 3]))}",
        "run = _\nrun.accept() if run.verdict.accepted else None",
        "kept = total",
        "assert kept(np.array([1, 2])) == 3\nassert total(np.array([1, 1, 1])) == 3",
        "%timeit -n1 -r1 total(np.array([1]))",
        "print(*run.verdict.trial.findings, sep='\\n')",
        "print(run.verdict.reasons)",
    )
    path = tmp_path / "book.ipynb"
    nbformat.write(cells, path)
    client = NotebookClient(cells, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}})
    client.extra_arguments = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JPY_SESSION_NAME", str(path))
        client.execute()
    told = cells.cells[-2].outputs[0].text + cells.cells[-1].outputs[0].text

    assert "assert total(np.array([1, 1, 1])) == 3" in told, told


MADE = """from project_o import Agent
from project_o.agent import get_arg, use
helper = Agent('helper', 'Answers.')
"""
TOOL = """@helper.tool
def add(a: int, b: int = 0) -> int:
    "Adds."
    bonus = 0  # o: 0 10
    if a > 100:
        return -1
    return a + b + bonus
"""
BODY = """@helper.body
def answer(message, arguments):
    k = 1  # o: 1 3
    if message == 'fail':
        return 'never'
    return str(use('add', a=k, b=get_arg('b', 0)))
"""
TESTS = """def answers(program):
    assert int(program('go', b=2)) > 2
"""


def test_an_agents_texts_are_checked_and_counted_each_by_its_own_lines(start_kernel: Any, tmp_path: Path) -> None:
    kernel = start_kernel(tmp_path)
    for cell in (MADE, TOOL, BODY, TESTS):
        assert kernel.run(cell).status == "ok"
    evaluator = "def evaluate(program):\n    return {'score': float(program('go', b=2))}"
    ran = kernel.run(f"%%evolve helper --trials 4 --tests answers\n{evaluator}")

    assert ran.status == "ok", ran.text
    assert kernel.value("_.verdict.accepted") == "True"
    found = kernel.value("[item.reason for item in _.verdict.trial.findings if item.stage == 'coverage']")
    assert "answer: 5, add: 6" in found, found
    assert "types: not decided" not in ran.text
