"""What a model is told: enough to do better, no secret, no more than fits, and the same for the same records."""

from __future__ import annotations

import re
import threading

import numpy as np
import pytest

from project_o import evolve, limits, zig
from project_o.evolution import Task
from project_o.evolution.llm import ModelProposer
from project_o.evolution.llm.context import Told
from project_o.languages import tools_for
from project_o.models import ScriptedModel
from project_o.values import Finding, Proposal, Record

SOURCE = "# EVOLVE-BLOCK-START\ndef f(x):\n    return x + 1\n# EVOLVE-BLOCK-END\n"


def program(body: str = "x + 1"):
    return tools_for("python").program("adder", SOURCE.replace("x + 1", body))


def record(index, body, ratio=None, *, status="better", reason="", evidence="", hypothesis=""):
    proposal = Proposal(index, program(body), (), "llm", "edits", hypothesis)
    finding = Finding("tests", "failed", reason, evidence) if reason else None
    return Record(proposal, status, reason, ratio, ratio, (("score", ratio or 0.0),), 0.0, finding)


@pytest.fixture
def task():
    return Task(program(), build=lambda program: None, evaluator=lambda program: {}, objective="score")


def told(task, records, parent=0, waiting=(), redact=lambda text: text, instructions=""):
    messages = Told(task, redact, instructions).messages(records[parent], records, waiting)
    assert [message.role for message in messages] == ["system", "user"]
    return messages[0].text, messages[1].text


def test_parent_best_others_rejections_and_what_was_taken_back(task):
    records = [
        record(0, "x + 1", 1.0, status="baseline"),
        record(1, "x + 2", 1.5, hypothesis="two is more"),
        record(2, "y", status="failed", reason="f(3) was 9, not 4", evidence="args: 3\nwanted: 4\ngot: 9"),
        record(3, "x + 3", 1.2),
        record(4, "x + 8", status="failed", reason="it does not compile", evidence="line 3: expected an operand"),
        record(5, "x - 1", 0.5, status="no better", reason="score 0.5"),
    ]
    lesson = record(-1, "x * 1", status="failed", reason="it was released before, and taken back: it leaked")
    system, text = told(task, [lesson, *records], parent=2, instructions="Mind the sign.")

    assert "EVOLVE-BLOCK-START" in system
    assert "Mind the sign." in system
    assert "trial 1 (two is more): ratio 1.500 to the first program; score 1.5" in text
    assert "    return x + 2" in text.split("# Other programs")[0]
    assert text.index("trial 3") < text.index("+    return x + 3")
    for word in ("args: 3", "expected an operand", "score 0.5", "it leaked", "+    return x * 1", "more is better",
                 "It is used by these names: f(x).", " cores"):  # fmt: skip
        assert word in text
    assert text == told(task, [lesson, *records], parent=2, instructions="Mind the sign.")[1]


def test_secrets_are_taken_out_of_all_of_it(task):
    records = [record(0, "'hush'", 1.0), record(1, "x", status="failed", reason="hush", evidence="it printed hush")]
    system, text = told(task, records, redact=lambda text: text.replace("hush", "[...]"), instructions="say hush")

    assert "hush" not in system + text
    assert (system + text).count("[...]") >= 4


def test_it_is_bounded_however_long_everything_is(task):
    records = [
        record(k, f"x + '{'9' * 200_000}'", 1.0 + k, reason="r" * 500, evidence="e" * 100_000) for k in range(40)
    ]
    _, text = told(task, records, parent=5)

    assert len(text) < limits.PROMPT_PROGRAM_CHARACTERS_MAX + 20 * limits.PROMPT_PART_CHARACTERS_MAX


def reply_of(old: str, new: str) -> str:
    return f"Faster.\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n"


def test_the_same_seed_and_records_ask_the_same(task):
    def asked(seed):
        model = ScriptedModel(
            lambda messages, tools: reply_of("    return x + 1", f"    return x + {len(messages[1].text)}")
        )
        proposer = ModelProposer(task, seed, model, redact=lambda text: text)
        records = [record(0, "x + 1", 1.0, status="baseline"), *(record(k, f"x + {k}", 1 + k / 9) for k in range(1, 9))]
        for index in range(1, 9):
            proposer.ask(index, records[:index])
        return [item.asked for item in proposer.exchanges]

    assert asked(1) == asked(1)
    assert asked(1) != asked(2)


SLOW = "def summed(values):\n    total = 0\n    for value in values:\n        total = total + value\n    return total\n"


def test_a_python_function_becomes_what_a_model_proposed_only_if_it_is_right(python_function):
    """The first proposal answers wrongly, and its counterexample is in what the model is told next."""
    summed = python_function(SLOW, "summed")
    loop = "    total = 0\n    for value in values:\n        total = total + value\n    return total"
    replies = iter([reply_of(loop, "    return 1.0")])
    stop = threading.Event()

    def answer(messages, tools):
        if "trial 2" in messages[1].text:  # what came of both is known now, and the verdict takes long
            stop.set()
        return next(replies, reply_of(loop, "    return sum(values)"))

    model = ScriptedModel(answer)
    values = [float(k) for k in range(4000)]
    run = evolve(summed, proposer="llm", model=model, trials=20, inputs=(values,), seed=3, stop=stop)

    assert run.trials[1].status == "failed"
    assert run.trials[2].status in ("better", "no better")  # how much, the machine says
    assert "return sum(values)" in run.trials[2].proposal.program.source
    last = model.asked[-1].messages[1].text
    assert "It must answer exactly as it does now" in last
    assert run.trials[1].finding.evidence.splitlines()[0] in last


def test_a_native_cell_too_and_the_compiler_is_quoted():
    kernel = zig(
        "pub fn total(a: []const f64) f64 {\n    var s: f64 = 0;\n    for (a) |x| s += x;\n    return s;\n}",
        "llm_total",
    )
    broken, mended = "    for (a) |x| s += y;", "    for (a) |x| s = s + x;"
    replies = iter([broken])
    model = ScriptedModel(lambda messages, tools: reply_of("    for (a) |x| s += x;", next(replies, mended)))
    run = evolve(kernel, proposer="llm", model=model, trials=7, inputs=(np.ones(64),), seed=1)

    assert run.trials[1].status == "failed"
    assert re.search(r"undeclared identifier 'y'", model.asked[-1].messages[1].text)
    assert run.trials[2].proposal.proposer == "llm"
    assert run.trials[2].status in ("better", "no better", "duplicate")
