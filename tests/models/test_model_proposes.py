"""Runs whose proposals come from a model over a connection: one that answers well, badly, slowly, never, and half."""

from __future__ import annotations

import json
import threading
import time

import pytest

from project_o import evolve
from project_o.errors import ModelError, ModelMissing, UsageError
from project_o.models import Patience

PROGRAM = "def outside(): return 1\n\n# EVOLVE-BLOCK-START\nstep = 3.0\n# EVOLVE-BLOCK-END\n"
EVALUATOR = """
def evaluate(path):
    names = {}
    exec(open(path).read(), names)
    return {"combined_score": min(names["step"], 40.0)}
"""
PATIENT = Patience(silence_seconds=60.0, backoff_seconds=0.01)


@pytest.fixture
def task(tmp_path):
    (tmp_path / "initial_program.py").write_text(PROGRAM)
    (tmp_path / "evaluator.py").write_text(EVALUATOR)
    return tmp_path


def run(task, model, **options):
    return evolve(task, proposer="llm", model=model, **{"trials": 9, "seed": 1, "workers": 2, **options})


@pytest.mark.parametrize(
    ("protocol", "scene"), [("openai", "improves"), ("anthropic", "improves"), ("ollama", "dawdles")]
)
def test_one_that_answers_well_is_followed(task, opened, protocol, scene):
    """What it costs is told, and what it said is enough to have the same run with no model and no network."""
    first = run(task, opened(protocol, scene))

    assert first.measurement.candidate >= 12.0
    assert first.trials[first.best_index].proposal.operator == "edits"
    assert first.trials[first.best_index].proposal.hypothesis == "A larger step."
    assert "requests" in first.notes[0]
    assert " tokens in, " in first.notes[0]
    assert first.facts()["O-Model"] == first.notes[0]

    again = evolve(task, proposer="llm", trials=9, seed=1, workers=1, replay=json.loads(first.to_json()))
    assert again.lineage.digest == first.lineage.digest
    assert [item.reply for item in again.exchanges] == [item.reply for item in first.exchanges]
    longer = evolve(task, proposer="llm", trials=40, seed=1, replay=first)
    assert longer.lineage.records[:9] == first.lineage.records
    assert "no model is configured to go on" in longer.verdict.reasons[0]


def test_one_that_answers_badly_is_told_so_and_asked_again(task, opened, standin):
    model = opened("anthropic", "stumbles")
    found = run(task, model, trials=3)
    asked = [item for item in standin.requests if item.body["model"] == model.name.split(":", 1)[1]]

    assert found.best.source == PROGRAM.replace("3.0", "6.0")
    assert "neither a <<<<<<< SEARCH block nor a fenced block" in json.dumps(asked[1].body)
    assert [(item.index, item.attempt) for item in found.exchanges][:2] == [(1, 0), (1, 1)]


def test_one_that_answers_half_ends_the_asking_and_not_the_run(task, opened):
    found = run(task, opened("openai", "halves"))

    assert found.trials[1].status == "duplicate"
    assert found.trials[1].proposal.operator == "no usable answer"
    assert "cut off at its greatest length" in found.trials[1].proposal.hypothesis
    assert len(found.exchanges) == 9
    assert "asked no more after 3 failures in a row" in found.verdict.reasons[0]


@pytest.mark.parametrize("scene", ["silent", "stops", "down", "denied", "page"])
def test_one_that_never_answers_is_one_error_that_says_what_to_do(task, opened, scene, key):
    began = time.monotonic()
    with pytest.raises(ModelError) as caught:
        run(task, opened("openai", scene))

    assert time.monotonic() - began < 30
    assert key not in str(caught.value)


def test_one_that_falls_silent_loses_nothing_that_was_paid_for(task, opened):
    patience = Patience(silence_seconds=1.0, backoff_seconds=0.01)
    found = run(task, opened("openai", "tires", patience))

    assert found.measurement.candidate >= 6.0
    assert "silent for 1 s" in found.verdict.reasons[0]
    assert sum(bool(item.error) for item in found.exchanges) == 3
    assert "3 without an answer" in found.notes[0]


def test_a_silent_one_wedges_neither_a_budget_nor_a_stop(task, opened):
    """It may be silent for a minute; the run does not wait for it."""
    began = time.monotonic()
    found = run(task, opened("openai", "silent", PATIENT), budget=2.0, trials=None)
    assert not found.exchanges
    assert time.monotonic() - began < 40

    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    found = run(task, opened("openai", "silent", PATIENT), stop=stop)
    assert found.stopped
    assert time.monotonic() - began < 40


def test_a_budget_of_tokens_is_kept(task, opened):
    found = run(task, opened("openai", "improves"), tokens=50, price=(1e6, 2e6))
    spent = sum(item.usage.input_tokens + item.usage.output_tokens for item in found.exchanges)

    assert 50 <= spent < 50 + 30
    assert "its budget of 50 tokens was used up" in found.verdict.reasons[0]
    assert found.measurement.candidate >= 6.0
    assert found.notes[0].endswith(" for them")
    with pytest.raises(UsageError, match="asks nothing"):
        run(task, opened("openai", "improves"), tokens=0)
    with pytest.raises(UsageError, match="say proposer='llm'"):
        evolve(task, tokens=10)


def test_without_a_model_the_three_lines_that_configure_one(task, monkeypatch):
    monkeypatch.delenv("PROJECT_O_MODEL", raising=False)
    with pytest.raises(ModelMissing) as caught:
        evolve(task, proposer="llm", trials=3)

    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    assert [line.split()[0] for line in lines[1:]] == ["python", "%config", "export"]


def test_no_secret_is_sent(task, opened, standin, monkeypatch):
    """Neither one of the environment that stands in the program, nor one that looks like one, nor the key."""
    monkeypatch.setenv("MY_SERVICE_TOKEN", "correct-horse-battery")
    token = "ghp_" + "a1B2" * 10
    text = PROGRAM.replace("return 1", f"return 'correct-horse-battery', '{token}'")
    (task / "initial_program.py").write_text(text)
    model = opened("openai", "improves")
    found = run(task, model, trials=7)
    sent = json.dumps([item.body for item in standin.requests if item.body["model"] == model.name.split(":", 1)[1]])

    assert "[redacted " in sent
    assert "correct-horse" not in sent
    assert token not in sent
    assert found.best.source == text.replace("step = 3.0", f"step = {found.measurement.candidate}")
