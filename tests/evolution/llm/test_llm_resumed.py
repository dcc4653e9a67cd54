"""A run of a model that was killed goes on with what the model had said: nothing is paid for twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from project_o.errors import EvolutionError
from project_o.evolution import run_evolution
from project_o.evolution.foreign import read_task
from project_o.evolution.journal import TrialJournal
from project_o.evolution.llm import Exchange, ModelProposer
from project_o.evolution.llm.exchange import from_json, to_json, told
from project_o.evolving.files import foreign_task
from project_o.models import ScriptedModel
from project_o.values import Usage

PROGRAM = "# EVOLVE-BLOCK-START\nstep = 3.0\n# EVOLVE-BLOCK-END\n"
EVALUATOR = """
def evaluate(path):
    names = {}
    exec(open(path).read(), names)
    return {"combined_score": names["step"]}
"""
TRIALS = 7


@pytest.fixture
def folder(tmp_path):
    """The task's own: what lies beside its evaluator says what is right, and must not change."""
    made = tmp_path / "task"
    made.mkdir()
    (made / "initial_program.py").write_text(PROGRAM)
    (made / "evaluator.py").write_text(EVALUATOR)
    return made


def answers():
    """A model that never says the same."""
    model = ScriptedModel(lambda messages, tools: f"```\nstep = {3.0 + len(model.asked)}\n```")
    return model


def run(folder: Path, model, *, resume: bool):
    task = foreign_task(read_task(folder), None)
    head = {"seed": 1, "baseline": task.program.digest}
    journal = TrialJournal(folder.parent / "runs", head, lambda text: text, resume=resume)
    try:
        proposer = ModelProposer(task, 1, model, redact=lambda text: text)
        return run_evolution(task, trials=TRIALS, seed=1, proposer=proposer, journal=journal)
    finally:
        journal.close()


@pytest.mark.parametrize("kept", [1, 3, 6, 9, 12, 99])
def test_killed_anywhere_it_asks_only_for_what_is_missing(folder, kept):
    first = run(folder, answers(), resume=False)
    (path,) = (folder.parent / "runs").iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:kept]) + lines[0][:20])
    said = sum(b'"exchange"' in line for line in lines[:kept])
    model = answers()
    model.asked.extend([None] * said)  # so that it goes on where it was
    again = run(folder, model, resume=True)

    assert again.lineage.digest == first.lineage.digest
    assert [item.reply for item in again.exchanges] == [item.reply for item in first.exchanges]
    assert len(model.asked) == TRIALS - 1


def test_exchanges_are_what_they_were_as_json():
    every = (
        Exchange(1, 0, "ab", "text ü", usage=Usage(1, 10, 5), model="m", seconds=0.5),
        Exchange(2, 0, "cd", error="gone", model="m"),
    )
    assert from_json(to_json(every)) == every
    assert told(every, (2.0, 4.0)) == "m: 2 requests, 10 tokens in, 5 out, 1 without an answer, 0.0000 for them"
    for body in ({"format": 1}, {"format": 2, "exchanges": []}, {"format": 1, "exchanges": [{"index": 1}]}):
        with pytest.raises(EvolutionError):
            from_json(body)


@pytest.mark.parametrize(
    ("bounds", "asked", "why"),
    [
        ({"price": (0.0, 1e6), "money": 20.0}, range(2, 20), "its budget of 20 in money was used up"),
        ({"money": 20.0}, range(1, 3), "it has no list price, so that money bounds nothing: give a price"),
        ({"price": (0.0, 1e6), "money": 1e9}, range(TRIALS - 1, 40), ""),
    ],
    ids=["a price and a bound", "a bound without a price", "enough"],
)
def test_money_bounds_what_is_asked(folder, bounds, asked, why):
    task = foreign_task(read_task(folder), None)
    model = answers()
    proposer = ModelProposer(task, 1, model, redact=lambda text: text, **bounds)
    found = run_evolution(task, trials=TRIALS, seed=1, proposer=proposer)

    assert len(model.asked) in asked
    assert why in proposer.trouble
    assert bool(proposer.trouble) == bool(why)
    assert len(found.trials) >= 2, "what was paid for is judged"
