"""A model over a connection that changes several files of a program in one answer, or wants to change others."""

from __future__ import annotations

import json
import re

import pytest

from project_o import evolve
from project_o.errors import DeployError, UsageError

MAIN = """import lib.helper as helper

# EVOLVE-BLOCK-START
def level():
    return helper.step(2.0)
# EVOLVE-BLOCK-END
"""
HELPER = """TOKEN = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
# EVOLVE-BLOCK-START
def step(x):
    return x
# EVOLVE-BLOCK-END
"""
FIXED = "LIMIT = 9\n"
WIDE_MAIN = MAIN.replace("step(2.0)", "step(2.0, 10.0)")
WIDE_HELPER = HELPER.replace("step(x)", "step(x, width)").replace("return x", "return x * width")
EVALUATOR = """
import importlib.util
def evaluate(path):
    spec = importlib.util.spec_from_file_location("program", path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    return {"combined_score": program.level()}
"""


@pytest.fixture
def task(tmp_path):
    folder = tmp_path / "task"
    for name, text in {"main.py": MAIN, "lib/helper.py": HELPER, "fixed.py": FIXED}.items():
        path = folder / "initial_program" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (folder / "evaluator.py").write_text(EVALUATOR)
    return folder


def texts(task):
    folder = task / "initial_program"
    return [(folder / name).read_text() for name in ("main.py", "lib/helper.py", "fixed.py")]


def asked(standin, model):
    return [json.dumps(one.body) for one in standin.requests if one.body["model"] == model.name.split(":", 1)[1]]


def test_a_change_that_needs_two_files_is_one_proposal_and_is_written_into_both(task, opened, standin):
    """Either half of it alone does not run: the call and what is called change together, or not at all."""
    model = opened("anthropic", "widens")
    run = evolve(task, proposer="llm", model=model, trials=2, seed=1)

    assert run.trials[1].status == "better"
    assert run.trials[1].proposal.hypothesis == "Steps take their width."
    assert dict(run.best.files) == {"main.py": WIDE_MAIN, "lib/helper.py": WIDE_HELPER, "fixed.py": FIXED}
    assert run.diff().count("--- a/") == 2
    first = asked(standin, model)[0]
    assert "sk-proj-abc" not in first
    assert "[redacted " in first
    assert re.search(r"The next file has no EVOLVE-BLOCK-START[^`]*fixed.py\\n```python\\nLIMIT = 9", first)

    with pytest.raises(DeployError, match="self_reported=True"):
        run.accept()
    assert texts(task) == [MAIN, HELPER, FIXED]
    written = run.accept(self_reported=True)
    assert [path.name for path in written] == ["main.py", "helper.py"]
    assert texts(task) == [WIDE_MAIN, WIDE_HELPER, FIXED]
    assert sorted(path.name for path in (task / "initial_program").iterdir()) == ["fixed.py", "lib", "main.py"]

    for name in ("main.py", "lib/helper.py"):
        verdict = run.propose({name: dict(run.best.files)[name]})
        assert not verdict.self_reported or not verdict.measurements
        assert "TypeError" in " ".join(verdict.reasons)
    with pytest.raises(UsageError, match=r"has no file \.\./x\.py"):
        run.propose({"../x.py": ""})


def test_what_names_other_files_or_changes_what_may_not_is_told_why_and_asked_again(task, opened, standin):
    model = opened("openai", "strays")
    run = evolve(task, proposer="llm", model=model, trials=4, seed=1)
    told = [*asked(standin, model), *(item.proposal.hypothesis for item in run.trials)]

    for reason in (
        "block 1 is for the file '../x', and the program's files are main.py, fixed.py, lib/helper.py: none can be",
        "block 1 is for the file 'lib/new.py'",
        "fixed.py: the lines that block 1 looks for stand outside the EVOLVE blocks",
        "main.py: the lines that block 1 looks for stand outside the EVOLVE blocks",
        "the lines that block 1 looks for are not in lib/helper.py",
        "it does not say of which file its block of code is: write the name, of main.py, lib/helper.py",
    ):
        assert any(reason in text for text in told), (reason, told)
    assert [(item.index, item.attempt) for item in run.exchanges][:7] == [
        (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2), (3, 0)
    ]  # fmt: skip
    assert [item.proposal.operator for item in run.trials] == [
        "baseline", "no usable answer", "no usable answer", "edits"
    ]  # fmt: skip
    assert run.best_index == 3
    assert texts(task) == [MAIN, HELPER, FIXED]


def test_the_same_run_is_had_again_without_the_model(task, opened):
    first = evolve(task, proposer="llm", model=opened("ollama", "strays"), trials=4, seed=1)
    again = evolve(task, proposer="llm", trials=4, seed=1, workers=1, replay=json.loads(first.to_json()))

    assert again.lineage.digest == first.lineage.digest
    assert again.best == first.best != first.baseline
