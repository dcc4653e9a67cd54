"""Tasks in OpenEvolve's form run as they are, and their scores are nobody's but their evaluator's."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from project_o import evolve
from project_o.errors import DeployError, EvolutionError, UsageError
from project_o.evolution import Proposer
from project_o.sandbox.evaluator_worker import _light
from project_o.values import Proposal

from ...evaluators import LOAD

TASKS = Path(__file__).resolve().parents[3] / "benchmarks" / "tasks"
PROGRAM = """
def outside(): return 1

# EVOLVE-BLOCK-START
def level(step=3.0): return step
# EVOLVE-BLOCK-END
"""
SIMPLE = LOAD + "def evaluate(path): return {'combined_score': -abs(load(path).level() - 60.0)}\n"


@pytest.fixture
def task(tmp_path):
    """(evaluator, program, **files) -> the folder of a task."""

    def make(evaluator: str, program: str = PROGRAM, name: str = "initial_program.py", **files: str) -> Path:
        folder = tmp_path / "task"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(program)
        (folder / "evaluator.py").write_text(textwrap.dedent(evaluator))
        for file, text in files.items():
            (folder / file.replace("__", ".")).write_text(text)
        return folder

    return make


def test_threads_processes_and_temporary_files_without_the_package_that_it_names(tmp_path):
    """The package is not installed where the tests run: the stand-in answers for it."""
    assert importlib.util.find_spec("openevolve") is None
    run = evolve(TASKS / "bin_packing", trials=3, seed=0)

    assert run.verdict.self_reported
    assert not run.verdict.accepted
    assert "self-reported" in run.headline
    assert dict(run.trials[0].metrics) == pytest.approx({"fill": 0.714238, "mean_of_metrics": 0.857119, "packs": 1.0})
    assert run.best.source.count("ALMOST_FULL = 5.0") == 1
    assert run.trials[1].finding.evidence.startswith("bins: [")
    assert run.facts()["O-Scores"] == "self-reported"


def test_of_a_package_that_is_there_only_what_is_asked_for_is_loaded(tmp_path, monkeypatch):
    """Its beginning is run by the first name that no part of it has, as the import of it would."""
    folder = tmp_path / "a_large_package"
    folder.mkdir()
    (folder / "__init__.py").write_text("from .part import Thing\nfrom . import other\nSIZE = 3\n")
    (folder / "part.py").write_text("class Thing: pass\n")
    (folder / "other.py").write_text("import a_large_package\n")
    monkeypatch.syspath_prepend(tmp_path)
    _light(importlib.util.find_spec("a_large_package"))
    package = importlib.import_module("a_large_package")
    thing = importlib.import_module("a_large_package.part").Thing

    assert "a_large_package.other" not in sys.modules
    assert package.SIZE == 3
    assert package.Thing is thing
    assert package.other is sys.modules["a_large_package.other"]
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = package.nothing
    for name in ("a_large_package", "a_large_package.part", "a_large_package.other"):
        del sys.modules[name]


def test_a_person_alone_accepts(task):
    folder = task(SIMPLE)
    run = evolve(folder, trials=6)
    path = folder / "initial_program.py"

    with pytest.raises(DeployError, match="self_reported=True"):
        run.accept()
    assert path.read_text() == PROGRAM
    assert run.accept(self_reported=True) == path
    assert path.read_text() == run.best.source != PROGRAM
    with pytest.raises(DeployError, match="has changed since"):
        run.accept(self_reported=True)


def test_nor_does_the_word_accept_what_a_person_wrote(task):
    run = evolve(task(SIMPLE), trials=1)
    better = PROGRAM.replace("3.0", "60.0")
    verdict = run.propose(better)

    assert verdict.self_reported
    assert not verdict.accepted
    assert verdict.measurements[0].candidate == 0.0
    with pytest.raises(UsageError, match="outside the EVOLVE blocks"):
        run.propose(better.replace("return 1", "return 2"))


@pytest.mark.parametrize(("honest", "accepted"), [(True, True), (False, False)])
def test_an_evaluator_of_our_own_form_judges_the_leader(task, honest, accepted):
    def confirm(program):
        return {"score": 100.0 - abs(program.level() - 60.0) if honest else 1.0}

    folder = task(SIMPLE)
    run = evolve(folder, confirm=confirm, trials=6)

    assert run.verdict.accepted is accepted
    assert not run.verdict.self_reported
    assert run.verdict.reasons[0].startswith("self-reported: combined_score -57 became")
    if accepted:
        run.accept()
        assert (folder / "initial_program.py").read_text() == run.best.source


def test_one_of_our_own_form_alone_calls_the_functions_of_a_file(task):
    run = evolve(task("") / "initial_program.py", lambda program: {"score": program.level()}, trials=6)

    assert run.verdict.accepted
    assert run.baseline.source == PROGRAM
    with pytest.raises(UsageError, match="no Python"):
        evolve(task("", "fn main() {}", "a.rs") / "a.rs", lambda program: {"score": 1.0})


STAGES = (
    LOAD
    + """
from openevolve.evaluation_result import EvaluationResult
def evaluate(path): raise AssertionError("never asked where there are stages")
def evaluate_stage1(path):
    return EvaluationResult(metrics={"one": load(path).level() / 10, "error": 9.0}, artifacts={"first": "seen"})
def evaluate_stage2(path):
    return {"two": 1.0, "note": "text"}
def evaluate_stage3(path):
    raise ValueError("not today")
"""
)


@pytest.mark.parametrize(
    ("program", "config", "metrics"),
    [
        ("3.0", "", {"one": 0.3, "error": 9.0, "mean_of_metrics": 4.65}),
        ("6.0", "", {"one": 0.6, "two": 1.0, "stage3_passed": 0.0, "mean_of_metrics": 1.6 / 3}),
        ("6.0", "evaluator: {cascade_thresholds: [0.7]}", {"one": 0.6, "error": 9.0, "mean_of_metrics": 4.8}),
        ("8.0", "evaluator: {cascade_thresholds: [0.7]}", {"one": 0.8, "two": 1.0, "mean_of_metrics": 0.9}),
    ],
)
def test_stages_and_what_is_ranked_follow_the_published_rule(task, program, config, metrics):
    """A stage whose threshold is missed ends there; a failed later one keeps what came before; ``error`` is left out
    of what stages hand on; without a combined score the mean of the numbers is ranked."""
    folder = task(STAGES, PROGRAM.replace("3.0", program), config__yaml=config)
    run = evolve(folder, trials=1)

    assert dict(run.trials[0].metrics) == pytest.approx(metrics)


def test_metrics_that_describe_a_program_do_not_rank_it(task):
    evaluator = "def evaluate(path): return {'size': 1000.0, 'good': 0.5, 'fine': True, 'bad': float('nan'), 'n': 'x'}"
    run = evolve(task(evaluator, config__yaml="database: {feature_dimensions: [size]}"), trials=1)

    assert dict(run.trials[0].metrics)["mean_of_metrics"] == 0.75


def test_settings_of_the_task_hold_unless_something_else_is_said(task):
    config = "max_iterations: 3\nrandom_seed: 7\nevaluator: {evaluator_args: {bonus: 5.0}, cascade_evaluation: false}"
    evaluator = LOAD + "def evaluate(path, bonus): return {'combined_score': load(path).level() + bonus}"
    folder = task(evaluator, config__yaml=config)
    run = evolve(folder)

    assert (len(run.trials), run.seed) == (4, 7)
    assert run.trials[0].metrics == (("combined_score", 8.0),)
    run = evolve(folder, trials=2, seed=0)
    assert (len(run.trials), run.seed) == (2, 0)


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("evaluator: {timeout: soon}", "evaluator.timeout is 'soon', and has to be a number"),
        ("evaluator: {timeout: 0}", "evaluator.timeout is 0, and has to be above 0"),
        ("max_iterations: -1", "has to be at least 0"),
        ("evaluator: [1]", "evaluator is [1], and has to be a table"),
        ("evaluator: {cascade_thresholds: [a]}", "a list of numbers"),
        ("a: [", "is not valid YAML"),
        ("evaluator: {cascade_evaluation: 1}", "has to be a bool"),
    ],
)
def test_settings_that_cannot_be_meant_say_which_key(task, config, told):
    with pytest.raises(UsageError) as caught:
        evolve(task(SIMPLE, config__yaml=config), trials=1)
    assert told in str(caught.value)


def test_patience_ends_a_run_that_finds_nothing(task):
    flat = "def evaluate(path): return {'combined_score': 1.0}"
    run = evolve(task(flat, config__yaml="max_iterations: 40\nearly_stopping_patience: 4"))

    assert 5 < len(run.trials) < 15


def test_another_language_is_evolved_by_its_numbers(task):
    """Of a language that nobody here reads, the blocks are kept all the same."""
    program = "-- level 3\n-- EVOLVE-BLOCK-START\nlevel = 3.0 -- not 9\n-- EVOLVE-BLOCK-END\nfixed = 4.0\n"
    evaluator = """
    import re
    def evaluate(path):
        text = open(path).read()
        assert path.endswith("initial_program.lua") and "fixed = 4.0" in text and "not 9" in text
        return {"combined_score": float(re.search("level = ([0-9.]+)", text)[1])}
    """
    run = evolve(task(evaluator, program, "initial_program.lua"), trials=8, seed=1)

    assert run.program.language == "text"
    assert max(record.ratio for record in run.trials if record.ratio) >= 10.0
    assert {record.status for record in run.trials} <= {"baseline", "better", "no better"}


def test_secrets_in_settings_beside_it_stay_here(task):
    evaluator = """
    import os, pathlib
    here = pathlib.Path(__file__).parent
    def evaluate(path):
        names = sorted(item.name for item in here.iterdir())
        assert ".env" not in names and "data.txt" in names, names
        assert "sk-abc" not in (here / "config.yaml").read_text() and "llm" in (here / "config.yaml").read_text()
        return {"combined_score": 1.0}
    """
    config = "llm:\n  api_key: sk-abcdefghijklmnopqrstuvwx\n  primary_model: m\n"
    folder = task(evaluator, config__yaml=config, data__txt="1", __env="KEY=1")

    assert evolve(folder, trials=1).trials[0].metrics == (("combined_score", 1.0),)


def test_what_is_no_task_says_so(tmp_path, task):
    with pytest.raises(UsageError, match="holds no file"):
        evolve(tmp_path, trials=1)
    folder = task(SIMPLE)
    (folder / "evaluator.py").unlink()
    with pytest.raises(UsageError, match=r"evaluator .* cannot be read"):
        evolve(folder, trials=1)
    with pytest.raises(UsageError, match=r"the program nowhere/program\.py cannot be read"):
        evolve("nowhere/program.py", "evaluator.py")
    with pytest.raises(UsageError, match="no such option"):
        evolve(task(SIMPLE), trials=1, tests=[])
    with pytest.raises(EvolutionError, match="no metric speed"):
        evolve(task(SIMPLE), trials=1, objective="speed")


class Lines:
    """Proposes these lines in the place of the only one in the block."""

    def __init__(self, program, lines):
        self.program, self.lines = program, lines

    def ask(self, index, told):
        if index > len(self.lines):
            return None
        source = PROGRAM.replace("def level(step=3.0): return step", self.lines[index - 1])
        return Proposal(index, replace(self.program, files=((self.program.files[0][0], source),)), (), "search", "line")


def lines(*found: str):
    def made(task, seed) -> Proposer:
        return Lines(task.program, found)

    return made


def test_a_candidate_that_hangs_exits_or_forges_costs_only_itself(task):
    """Each has a fresh process: what one leaves behind in it no other meets."""
    hostile = lines(
        "def level():\n    while True: pass",
        "def level():\n    raise SystemExit(3)",
        'import sys\ndef level(): sys.stdout.write(\'{"ok": true, "value": 99}\\n\' * 9); return 61.0',
        "def level(): return float('nan')",
        "import sys\nsys.modules['evaluation_module'].evaluate = lambda path: {'combined_score': 1e9}\n"
        "def level(): return 4.0",
        "def level(): return 58.0",
    )
    run = evolve(task(SIMPLE), proposer=hostile, timeout=5.0)  # the others are done by then, also on a busy machine
    told = [(record.status, record.reason) for record in run.trials[1:]]

    assert told[0] == ("failed", "evaluate had not answered after 5 s")
    assert told[1][0] == "failed"
    assert told[2] == ("better", "combined_score -1, the baseline has -57")
    assert told[3] == ("failed", "the evaluator gave combined_score = nan, not a finite number")
    assert told[4] == ("better", "combined_score -56, the baseline has -57")
    assert told[5] == ("better", "combined_score -2, the baseline has -57")
    assert run.best_index == 3
