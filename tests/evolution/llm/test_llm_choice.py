"""Several models of one run: whose turn it is, and how much a weak one is asked to change."""

from __future__ import annotations

import json
import re
from collections import Counter

import pytest

from project_o import evolve
from project_o.errors import ModelError, UsageError
from project_o.evolution.llm import Exchange
from project_o.evolution.llm.answers import read
from project_o.evolution.llm.choice import Choice
from project_o.evolution.llm.context import GRAMMAR, ONLY_WHOLE, SMALL
from project_o.languages import tools_for
from project_o.models import ScriptedModel
from project_o.values import Proposal, Record, Usage

PROGRAM = "# EVOLVE-BLOCK-START\nstep = 3.0\n# EVOLVE-BLOCK-END\n"
EVALUATOR = """
def evaluate(path):
    names = {}
    exec(open(path).read(), names)
    return {"combined_score": min(names["step"], 1e6)}
"""
START = tools_for("python").program("p", PROGRAM)
GOOD = "A larger step.\n<<<<<<< SEARCH\nstep = 3.0\n=======\nstep = 30.0\n>>>>>>> REPLACE\n"


@pytest.fixture
def task(tmp_path):
    (tmp_path / "initial_program.py").write_text(PROGRAM)
    (tmp_path / "evaluator.py").write_text(EVALUATOR)
    return tmp_path


def block(name: str, scale: float):
    """A model that proposes ever larger steps, and never the same."""
    model = ScriptedModel(lambda messages, tools: f"```\nstep = {scale * (4.0 + len(model.asked))}\n```", name=name)
    return model


def asked(choice: Choice, gains: dict[str, bool], tokens: dict[str, int], count: int = 200) -> Counter[str]:
    """How often each of the models is asked, where one brings gains, and costs what it costs."""
    records, exchanges, found = [], [], Counter()
    for index in range(1, count + 1):
        model = choice.model((1, index), records, exchanges, None)
        assert model is not None
        found[model.name] += 1
        exchanges.append(Exchange(index, 0, "", usage=Usage(0, tokens[model.name])))
        status = "better" if gains[model.name] else "no better"
        records.append(Record(Proposal(index, START, (), "llm", "edits"), status, "", 1.0, 1.0))
    return found


def test_weights_say_how_often_each_is_asked():
    choice = Choice([ScriptedModel(name="a"), ScriptedModel(name="b"), ScriptedModel(name="c")], [3, 1, 0])
    found = asked(choice, dict.fromkeys("abc", False), dict.fromkeys("abc", 1), 400)

    assert 260 < found["a"] < 340
    assert found["c"] == 0


def test_without_weights_gains_count_and_so_does_the_cost():
    def of_two(gains, tokens):
        return asked(Choice([ScriptedModel(name="a"), ScriptedModel(name="b")]), gains, tokens)

    assert of_two({"a": True, "b": False}, {"a": 100, "b": 100})["a"] > 150
    assert of_two({"a": True, "b": True}, {"a": 1000, "b": 100})["b"] > 150
    assert of_two({"a": True, "b": False}, {"a": 200, "b": 100})["a"] > 120, "what is dearer and better is worth it"


def test_one_that_cannot_be_asked_rests_and_the_others_go_on(task):
    dead = ScriptedModel(lambda messages, tools: ModelError("nobody is there"), name="dead")
    run = evolve(task, proposer="llm", model=[block("good", 1.0), dead], weights=[1, 1], trials=20, seed=2)

    assert len(run.trials) == 20
    assert len(dead.asked) in (1, 2, 3)
    assert "without an answer" in run.notes[0]
    assert run.best.source != PROGRAM


def test_the_same_run_comes_of_what_was_recorded_whoever_was_asked(task):
    models = [block("one", 1.0), block("two", 7.0)]
    run = evolve(task, proposer="llm", model=models, trials=14, seed=3, workers=2)
    again = evolve(task, proposer="llm", model="", trials=14, seed=3, workers=1, replay=run)

    assert {item.model for item in run.exchanges} == {"one", "two"}
    assert again.lineage.digest == run.lineage.digest
    assert again.exchanges == run.exchanges


def test_a_weak_model_is_asked_for_one_small_change_and_a_server_for_its_grammar(task):
    def stumbles(messages, tools):
        told = "cannot be used" in messages[-1].text
        return f"```\nstep = {4.0 + len(model.asked)}\n```" if told else "I would rather not."

    model = ScriptedModel(stumbles, name="weak")
    run = evolve(task, proposer="llm", model=model, trials=5, seed=1)
    first, retry, *_, last = [item.messages for item in model.asked]

    assert len(run.trials) == 5
    assert SMALL not in first[0].text
    assert first[-1].grammar == ""
    assert retry[-1].grammar == GRAMMAR
    assert SMALL in last[0].text
    assert any(item.messages[1].grammar == GRAMMAR for item in model.asked)


def test_a_task_that_wants_whole_programs_gets_no_changes(task):
    (task / "config.yaml").write_text("diff_based_evolution: false\n")
    model = block("whole", 1.0)
    evolve(task, proposer="llm", model=model, trials=3, seed=1)

    assert ONLY_WHOLE in model.asked[0].messages[0].text
    assert "SEARCH" not in model.asked[0].messages[0].text


def pattern(rule: str) -> str:
    """The grammar, in which no rule names itself, as a regular expression."""
    rules = dict(re.findall(r"^(\w+) ::= (.*)$", GRAMMAR, re.MULTILINE))
    said = []
    for one in re.findall(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[()?*]|\w+', rules[rule]):
        said.append(f"(?:{re.escape(json.loads(one))})" if one[0] == '"' else pattern(one) if one in rules else one)
    return f"(?:{''.join(said)})"


def test_the_grammar_takes_what_can_be_read_and_nothing_else():
    assert re.fullmatch(pattern("root"), GOOD)
    assert read(GOOD, START).source == PROGRAM.replace("3.0", "30.0")
    for bad in ("No change.\n", GOOD.replace("=======\n", ""), GOOD.replace("A larger step.\n", ""), GOOD[:-8]):
        assert not re.fullmatch(pattern("root"), bad), bad


@pytest.mark.parametrize(
    ("models", "weights", "words"),
    [
        (["a", "a"], None, "named twice"),
        (["a", "b"], [1.0], "2 models and 1 weights"),
        (["a", "b"], [0.0, 0.0], "not all of them 0"),
        (["a"], [1.0], "weights are for several models"),
    ],
)
def test_what_cannot_be_meant_says_so(task, models, weights, words):
    with pytest.raises(UsageError, match=words):
        evolve(task, proposer="llm", model=[ScriptedModel(name=name) for name in models], weights=weights, trials=3)
