"""What a user says of a run, and what the runs of a flow keep: counterexamples, observed calls, scenarios."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.config import effective, share
from project_o.errors import EvolutionError, UsageError
from project_o.evolution.kept import Counterexamples
from project_o.evolving import Wishes
from project_o.flow import Flow
from project_o.history import History, open_history

ZIG = """
pub const n = 1; // o: 1 2
pub fn total(a: []const i64) i64 {
    var sum: i64 = 0;
    for (a) |x| sum += x;
    if (n == 2 and a.len == 7) sum += 1;
    return sum;
}
"""


def python(source: str, name: str = "f") -> Any:
    file = f"<{name} {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, file, "exec"), names)
    return names[name]


# ------------------------------------------------------------------ words


def test_words_become_what_a_task_takes() -> None:
    test = python("def test_it(program):\n    pass\n", "test_it")
    fields = Wishes(
        objective=["time", "memory:10%"],
        guards=["size", "calls:max:5%"],
        allowed=["first-call"],
        tests=test,
        relations="permutation:a",
    ).fields(0.125)

    assert (fields["objective"], fields["also"]) == ("time", ("memory:10%",))
    assert fields["guards"] == {"size": "12.5%", "calls": "max:5%"}
    assert fields["allowed"] == frozenset({"first-call"})
    assert fields["relations"] == ("permutation:a",)
    assert (fields["tests"], fields["guard_regression"]) == (test, 0.125)


def test_what_is_not_said_is_as_always() -> None:
    fields = Wishes().fields(limits.GUARD_REGRESSION_MAX)

    assert (fields["objective"], fields["also"], fields["guards"]) == ("time", (), {})
    assert all(not fields[name] for name in ("allowed", "tests", "relations", "reference", "evaluator"))


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"objective": []}, "objective is empty"),
        ({"allowed": "luck"}, "'luck' is no defect that can be allowed: there are clock"),
        ({"reference": 3}, "reference is an int, and has to be a function"),
        ({"evaluator": "score"}, "evaluator is a str, and has to be a function"),
    ],
)
def test_what_cannot_be_meant_is_said(wishes: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Wishes(**wishes).fields(0.2)


def test_a_word_that_is_none_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="evolve has no option guard: did you mean guards"):
        Wishes.of(None, {"guard": "memory"})
    with pytest.raises(UsageError, match="evolve has no option xyz: there are objective, guards"):
        Wishes.of(None, {"xyz": 1})


def test_the_names_of_the_magic_are_those_of_the_checks() -> None:
    from project_o.evolution.plausible import ALLOWABLE
    from project_o.magics.evolution import DEFECTS

    assert tuple(DEFECTS.split(", ")) == ALLOWABLE


@pytest.mark.parametrize(("text", "value"), [("20%", 0.2), ("7.5 %", 0.075), ("0%", 0.0)])
def test_a_share_is_set_as_percent(tmp_path: Path, text: str, value: float) -> None:
    found = effective({}, {"PROJECT_O_GUARD_REGRESSION": text}, tmp_path)["guard_regression"].value
    assert share(found) == pytest.approx(value)


@pytest.mark.parametrize("text", ["20", "twenty", "-5%", "%"])
def test_what_is_no_percent_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"guard_regression is .* it wants something like 20%"):
        effective({}, {"PROJECT_O_GUARD_REGRESSION": text}, tmp_path)


# ------------------------------------------------------------------ scenarios by word


def score(program: Any) -> dict[str, float]:
    return {"score": 1.0}


def test_there_are_no_later_cells_in_a_script() -> None:
    f = python("def f(a):\n    n = 1  # o: 1 2\n    return a\n")
    with pytest.raises(UsageError, match="there are no later cells of f here: they are a notebook's"):
        Flow().evolve(f, score, scenario="later", trials=2)


@pytest.mark.parametrize("given", ["sooner", 3, []])
def test_another_word_is_no_scenario(given: Any) -> None:
    f = python("def f(a):\n    n = 1  # o: 1 2\n    return a\n")
    with pytest.raises(UsageError, match="is none: give a function of the program, or the word later"):
        Flow().evolve(f, score, scenario=given, trials=2)


def test_an_agents_later_cells_are_no_scenario() -> None:
    from project_o.agent.agents import Agents

    agents = Agents(namespace={})
    import types

    agent = agents.evaluate('(defagent shy "Shy."\n  (setv n 1) ; o: 1 2\n  "no")', types.ModuleType("shy"), "<cell>")
    with pytest.raises(UsageError, match="shy is an agent, and a candidate cannot stand for it in other cells"):
        Flow().evolve(agent, score, scenario="later", trials=2)


# ------------------------------------------------------------------ what is kept


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    opened = open_history(tmp_path, tmp_path / "book.ipynb", "one")
    yield opened
    opened.close()


def test_a_counterexample_is_kept_and_asked_first_in_the_next_kernel(history: History, tmp_path: Path) -> None:
    flow = Flow(history)
    flow.cell(ZIG, "zig", "total")
    first = flow.evolve("total", trials=2, inputs=[(np.arange(7),)])
    assert first.trials[1].finding is not None
    assert first.trials[1].finding.stage == "generated", first.trials[1].reason
    assert first.state is not None
    text = history.files(first.state, "programs/total/counterexamples.json")["programs/total/counterexamples.json"]
    ((_, (kept,)),) = Counterexamples(text).of("total")
    assert kept.shape == (7,)
    history.close()

    again = open_history(tmp_path, tmp_path / "book.ipynb", "two")
    later = Flow(again)
    later.cell(ZIG, "zig", "total")
    found = later.evolve("total", trials=2, inputs=[(np.arange(3),)]).trials[1].finding
    again.close()

    assert found is not None
    assert "(a counterexample that is kept)" in found.reason
    assert dict(found.facts)["inputs"] == 1, "it was asked before anything else"


def test_counterexamples_are_those_of_their_own_program(history: History) -> None:
    flow = Flow(history)
    flow.cell(ZIG, "zig", "total")
    flow.evolve("total", trials=2, inputs=[(np.arange(7),)])
    flow.cell(ZIG.replace("total", "other"), "zig", "other")

    assert len(flow.runs.kept_of("total")) == 1
    assert len(flow.runs.kept_of("other")) == 0


NEAR = """
pub const n = 1; // o: 1 2
pub fn count(text: []const u8) i64 {
    var found: i64 = 0;
    for (text) |c| found += @intFromBool(c == 'z');
    if (n == 2 and text.len > 0 and text[0] == 'z') found += 1;
    return found;
}
"""


@pytest.mark.parametrize("function", [None, "count"])
def test_neighbours_of_an_observed_call_are_asked(function: str | None) -> None:
    """Only text that somebody passed once has the letter on which this candidate is wrong."""
    flow = Flow()
    module = flow.cell(NEAR, "zig", "letters")
    before = flow.evolve("letters", trials=2, function=function)
    assert before.trials[1].finding is None or before.trials[1].finding.stage != "generated", before.trials[1].reason

    assert module.count("zzz z") == 4
    found = flow.evolve("letters", trials=2, function=function).trials[1].finding

    assert found is not None
    assert found.stage == "generated", found.reason
    assert found.evidence.startswith("count('z')")


def test_what_serves_must_answer_its_share_of_the_generated_inputs() -> None:
    picky = ZIG.replace("    return sum;", '    if (a.len != 7 or a[0] != 6) @panic("not mine");\n    return sum;')
    flow = Flow()
    flow.cell(picky, "zig", "total")
    with pytest.raises(EvolutionError, match=r"total answers only \d+ of \d+ generated .* belongs together"):
        flow.evolve("total", trials=2, inputs=[(np.arange(7)[::-1].copy(),)])


def test_inputs_on_which_what_serves_fails_are_left_out_and_counted() -> None:
    picky = ZIG.replace("    return sum;", '    if (a.len % 4 == 1) @panic("not mine");\n    return sum;')
    wrong = "if (n == 2 and a.len == 7) sum += 1;"
    other = picky.replace(wrong, "if (n == 2 and a.len % 4 == 1) sum += 1;")
    flow = Flow()
    flow.cell(other, "zig", "total")
    run = flow.evolve("total", trials=2, inputs=[(np.arange(6),)])

    found = run.trials[1].finding
    assert found is None or found.stage == "performance", "it differs only where what serves has no answer"
