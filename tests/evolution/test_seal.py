"""Whoever judges stays as it was when the run began, by hash, before each trial: one byte that changes fails closed."""

from __future__ import annotations

import shutil
import textwrap
from pathlib import Path

import numpy as np
import pytest

from project_o import evolve
from project_o.api import page
from project_o.errors import DeployError
from project_o.evolution import decide, gate
from project_o.evolution.digests import parts_of
from project_o.evolution.gate import Files, Loaded, package_files
from project_o.evolution.search import SearchProposer
from project_o.evolution.tuning import Offline

ROWS = np.arange(10.0)
CASES = [3, 4]
CHANGED_AT = 4


def helper(value):
    return value + 0 * CASES[0]


def evaluate(program):
    return {"score": float(helper(program(2)) + 0 * ROWS[0])}


def small_ones(program):
    assert program(0) == CASES[0] * 0


def scaled(x):
    k = 1  # o: 1 2 3 4 5 6 7 8
    return x * k


class Meddling:
    """The search, and something that happens in the middle of the run."""

    def __init__(self, deed, inner):
        self._deed, self._inner = deed, inner

    def ask(self, index, told):
        if index == CHANGED_AT:
            self._deed()
        return self._inner.ask(index, told)


def run(deed=lambda: None, **wishes):
    made = {"objective": "score", **wishes}
    return evolve(scaled, evaluate, trials=8, seed=1, workers=1,
                  proposer=lambda task, seed: Meddling(deed, SearchProposer(task.program, seed)), **made)  # fmt: skip


def assert_refused(found, name):
    assert not found.verdict.accepted
    late = [record for record in found.trials[CHANGED_AT + 2 :] if record.status != "duplicate"]
    assert late, "trials were made after the deed"
    assert all(record.status == "failed" and name in record.reason for record in late)
    assert all(record.finding.stage == "security" for record in late)
    assert name in found.seal
    assert name in found.facts()["O-Seal"]


def test_a_whole_seal_is_told_with_the_run():
    found = run()
    assert found.verdict.accepted
    assert "they were as at the beginning, asked" in found.seal
    assert int(found.seal.split("asked ")[1].split()[0]) >= len(found.trials)
    assert found.seal in page(found).plain


def test_one_byte_of_the_evaluators_data_in_mid_run():
    before = ROWS.copy()
    try:
        assert_refused(run(lambda: ROWS.view(np.uint8).__setitem__(3, 1)), "ROWS, which evaluate reads")
    finally:
        ROWS[:] = before


def test_a_list_that_a_helper_of_the_evaluator_reads():
    try:
        assert_refused(run(lambda: CASES.append(5)), "CASES, which helper reads")
    finally:
        CASES[:] = [3, 4]


def test_a_helper_that_was_replaced(monkeypatch):
    def replaced(value):
        return value + 100

    assert_refused(run(lambda: monkeypatch.setitem(globals(), "helper", replaced)), "helper, which evaluate reads")


def test_the_evaluators_own_code(monkeypatch):
    code = (lambda program: {"score": 9.0}).__code__
    assert_refused(run(lambda: monkeypatch.setattr(evaluate, "__code__", code)), "the evaluator")


def test_the_tests_and_what_they_read():
    try:
        assert_refused(run(lambda: CASES.__setitem__(0, 7), tests=small_ones), "CASES")
    finally:
        CASES[:] = [3, 4]


def test_the_gate_in_this_process(monkeypatch):
    deed = lambda: monkeypatch.setattr(decide, "acceptable", lambda *_: True)  # noqa: E731 - as short as the deed is
    assert_refused(run(deed), "project_o.evolution.decide.acceptable is part of the gate")


def test_a_file_of_the_gate(monkeypatch, tmp_path):
    copy = Path(shutil.copy(gate.PACKAGE / "evolution" / "decide.py", tmp_path))
    files = Files([copy])
    monkeypatch.setattr("project_o.evolution.seal.package_files", lambda: files)
    text = bytearray(copy.read_bytes())
    text[-2] ^= 1
    assert_refused(run(lambda: copy.write_bytes(text)), f"{copy} is part of the gate")


def test_the_file_of_an_evaluator(tmp_path):
    (tmp_path / "initial_program.py").write_text("# EVOLVE-BLOCK-START\nX = 1.0\n# EVOLVE-BLOCK-END\n")
    evaluator = tmp_path / "evaluator.py"
    evaluator.write_text(
        textwrap.dedent("""
        def evaluate(path):
            names = {}
            exec(open(path).read(), names)
            return {"combined_score": -abs(names["X"] - 7)}
    """)
    )
    text = evaluator.read_text()

    def make(task, seed):
        return Meddling(lambda: evaluator.write_text(text.replace("7", "8")), Offline(task.program, seed))

    found = evolve(tmp_path, trials=10, seed=1, workers=1, proposer=make)
    assert not found.verdict.accepted
    with pytest.raises(DeployError, match="was not improved"):
        found.accept(self_reported=True)
    assert (tmp_path / "initial_program.py").read_text().count("X = 1.0") == 1
    assert f"{evaluator} says what is right, and has changed" in found.seal
    assert any(str(evaluator) in record.reason for record in found.trials)


@pytest.mark.parametrize(("name", "watched"), [("right.txt", True), ("notebook.ipynb", False)])
def test_of_the_files_beside_an_evaluator_those_that_it_names(tmp_path, name, watched):
    (tmp_path / "initial_program.py").write_text("# EVOLVE-BLOCK-START\nX = 1.0\n# EVOLVE-BLOCK-END\n")
    (tmp_path / "evaluator.py").write_text(
        textwrap.dedent("""
        from pathlib import Path

        def evaluate(path):
            names = {}
            exec(open(path).read(), names)
            return {"combined_score": -abs(names["X"] - float(Path(__file__).with_name("right.txt").read_text()))}
    """)
    )
    for one in ("right.txt", "notebook.ipynb"):
        (tmp_path / one).write_text("7")

    def make(task, seed):
        return Meddling(lambda: (tmp_path / name).write_text("8"), Offline(task.program, seed))

    found = evolve(tmp_path, trials=8, seed=1, workers=1, proposer=make)
    assert ("has changed since the run began" in found.seal) == watched
    assert any(name in record.reason for record in found.trials) == watched


def test_what_an_evaluator_keeps_of_what_it_sees_is_its_own():
    seen = []

    def keeps(program):
        seen.append(program(1))
        return {"score": float(program(2))}

    found = evolve(scaled, keeps, trials=8, objective="score", seed=1)
    assert found.verdict.accepted
    assert "the evaluator's own: seen, which" in found.seal


def test_what_it_keeps_of_some_alone_has_to_be_said():
    good = []

    def keeps(program):
        score = float(program(2))
        if score > 4:
            good.append(score)
        return {"score": score}

    found = evolve(scaled, keeps, trials=8, objective="score", seed=1)
    assert "--allow data" in found.seal
    assert not found.verdict.accepted
    assert evolve(scaled, keeps, trials=8, objective="score", seed=1, allowed=("data",)).verdict.accepted


def test_what_is_checked_before_each_trial_costs_little():
    files, loaded = package_files(), Loaded()
    assert not files.changed()
    assert not loaded.changed()
    assert len(files.digest) == 64


@pytest.mark.parametrize("name", ["decide.py", "trial.py", "seal.py"])
def test_the_files_of_the_gate_are_there(name):
    assert str(gate.PACKAGE / "evolution" / name) in package_files().names


def parts(thing):
    return {part.name for part in parts_of("it", thing)}


class Judge:
    """Holds answers, and something that cannot be pickled."""

    def __init__(self):
        self.answers, self.way = [1, 2], lambda: None

    def score(self, value):
        return value + self.answers[0]


def test_an_object_that_holds_something_live_is_sealed_by_what_else_it_holds():
    judge = Judge()
    found = parts(lambda program: judge.score(program()))
    assert any(name.startswith("answers of judge") for name in found)
    assert any(name.startswith("the class of judge") and name.endswith("score") for name in found)
    assert not any(name.startswith("way of") for name in found)


def test_installed_packages_and_what_they_hold_are_left_out():
    session = np.random.default_rng(1)
    assert parts(lambda: np.linalg.norm(session.random(3))) >= {"it"}
    assert not [name for name in parts(np.linalg.norm) if "numpy" in name]
