"""Agents as programs: what goes with them, how they are searched in the sandbox, and what then serves."""

from __future__ import annotations

import sys
import types

import pytest

from project_o import Sandbox
from project_o.agent.agents import Agents
from project_o.errors import EvolutionError, UsageError
from project_o.flow import Flow
from project_o.lisp import AgentSpec
from project_o.lisp.packing import is_plain
from project_o.runtimes import LispRuntime
from project_o.values import DATA

CELL = """(defmacro twice [text] `(+ ~text ~text))
(defn shout [s] (.upper s))
(defn unused [] (open "/nowhere"))
(setv base 1) ; o: 1 2
(deftool add [#^ int a #^ int b] "Add."
  (setv bonus 0) ; o: 0 10
  (+ a b bonus base))
(defmemory notes :capacity 10 :top 1) ; o: 1 2
(defagent greeter "You greet." :tools [add] :memory notes
  (setv warmth 3) ; o: 1 2 3 4 5
  (remember (twice message))
  (+ (shout message) (* "!" warmth) (str (use "add" :a (get-arg "a" 0) :b x)) "/" (str (len (recall message)))))
"""


class Notebook:
    """A namespace with agents."""

    def __init__(self, **names):
        self.module = types.ModuleType(f"notebook_{id(self):x}")
        sys.modules[self.module.__name__] = self.module
        vars(self.module).update(names)
        self.agents = Agents(namespace=vars(self.module))

    def __call__(self, source):
        return self.agents.evaluate(source, self.module, "<cell>")


@pytest.fixture
def notebook():
    made = Notebook(x=20)
    yield made
    del sys.modules[made.module.__name__]


@pytest.fixture(scope="module")
def runtime():
    return LispRuntime()


@pytest.fixture(scope="module")
def box():
    with Sandbox(wall_seconds=5) as made:
        yield made


@pytest.fixture
def opened(runtime, box):
    """A job that holds an agent."""
    jobs = []

    def opens(agent):
        jobs.append(runtime.opener(box)(runtime.build(runtime.subject(agent).program)))
        return jobs[-1]

    yield opens
    for job in jobs:
        job.close()


# ------------------------------------------------------------------------------- the program


def test_a_program_holds_what_the_agent_uses_and_no_more(notebook):
    program = notebook(CELL).program

    assert (program.name, program.language) == ("greeter", "lisp")
    assert [path for path, _ in program.files] == ["cell.hy", DATA]
    assert "unused" not in program.source
    heads = [line.split()[0] + " " + line.split()[1] for line in program.source.splitlines() if line[0] == "("]
    assert heads == ["(defmacro twice", "(defagent greeter", "(defn shout", "(setv base", "(defmemory notes",
                     "(deftool add"]  # fmt: skip
    assert [item.name for item in program.parameters] == ["warmth", "base", "top", "bonus"]


def test_values_of_variables_are_data_and_do_not_make_another_cell(notebook):
    agent = notebook(CELL)
    before = agent.program
    notebook.module.x = 30

    assert agent.program.digest != before.digest
    assert agent.program.cell_digest == before.cell_digest


@pytest.mark.parametrize("value", [1, 2.5, "é", None, True, b"x", [1, (2, {"k": {3}})], {}, ()])
def test_plain_values_are_sent(value):
    assert is_plain(value)


@pytest.mark.parametrize(
    "value", [object(), float("nan"), set(), [float("inf")], {"k": object()}, print, "x" * (2 << 20)]
)
def test_other_values_are_not(value):
    assert not is_plain(value)


def test_python_functions_go_along_where_their_text_is_all_they_need(notebook, opened):
    agent = notebook("(defagent a :tools [weigh] (str (weigh message)))")
    notebook.module.weigh = weigh

    assert opened(agent).ask("a", ["abc"]).value == "6.0"


def test_a_python_tool_that_needs_more_is_refused_with_the_reason(notebook, runtime):
    agent = notebook("(defagent a :tools [peek] (str (peek message)))")
    notebook.module.peek = peek

    with pytest.raises(UsageError, match="its tool peek: peek uses KEPT, which is neither a module nor a plain value"):
        runtime.subject(agent)


def test_agents_that_were_made_in_python_are_anothers(runtime):
    class Made:
        spec = AgentSpec("made", "doc")

    assert runtime.subject(Made()) is None
    assert runtime.subject(object()) is None


import math  # noqa: E402 - what ``weigh`` finds around it

FACTOR = 2
KEPT = object()


def weigh(text: str) -> float:
    """Weigh a text."""
    return math.floor(len(text)) * float(FACTOR)


def peek(text: str) -> str:
    """Look at what cannot be sent."""
    return f"{text} {KEPT}"


# ------------------------------------------------------------------------------- in the sandbox


def test_a_candidate_answers_as_the_agent_does(notebook, opened):
    agent = notebook(CELL)
    job = opened(agent)

    assert job.ask("greeter", ["hi a: 3"]).value == str(agent("hi a: 3")) == "HI A: 3!!!24/1"
    assert job.ask("greeter", ["hi", {"a": 5}]).value == str(agent("hi", a=5)) == "HI!!!26/1"
    assert job.ask("greeter", ["hi"], repeat=3).value == "HI!!!21/1"


def test_a_candidate_has_no_model_no_network_and_no_files(notebook, opened):
    agent = notebook(
        """(defagent a
             (cond (= message "model") (llm-respond message)
                   (= message "file") (do (import os) (str (os.listdir "/")))
                   (= message "memory") (recall message)
                   (= message "tool") (use "none")
                   (= message "name") frame))"""
    )
    notebook.module.frame = object()
    job = opened(agent)

    said = {word: job.ask("a", [word]).error for word in ("model", "file", "memory", "tool", "name")}

    assert said["model"].startswith("ModelMissing: a candidate has no language model")
    assert said["file"].startswith("PermissionError")
    assert said["memory"].startswith("AgentError: a has no memory: give it one with :memory NAME")
    assert said["tool"].startswith("AgentError: a has no tool none")
    assert "frame is an object of the notebook: only plain values are sent" in said["name"]


def test_a_candidates_memory_ranks_and_forgets(notebook, opened):
    notebook("(defmemory small :capacity 2 :top 5)")
    agent = notebook('(defagent a :memory small (remember message) (.join "|" (recall "old cats")))')
    job = opened(agent)

    assert [job.ask("a", [text]).value for text in ("a cat", "an old cat", "a dog")] == [
        "a cat",
        "an old cat|a cat",
        "an old cat",
    ]


def test_a_text_without_its_agent_is_refused(notebook, runtime):
    program = notebook(CELL).program

    with pytest.raises(UsageError, match="defines no agent of that name"):
        runtime.build(program.with_source("(defn greeter-too [] 1)", ()))
    with pytest.raises(UsageError, match="line 1: this is not Lisp"):
        runtime.build(program.with_source("(defagent greeter", ()))


# ------------------------------------------------------------------------------- evolution


def score(program):
    """More exclamation marks, and a larger sum."""
    reply = program("hi", a=1)
    return {"score": reply.count("!") + float(reply.split("!")[-1].split("/")[0])}


def test_evolution_searches_declared_parameters_and_what_is_accepted_serves(notebook):
    agent, flow = notebook(CELL), Flow()
    before = str(agent("hi", a=1))

    run = flow.evolve(agent, score, trials=16, seed=1)

    settings = {item.name: item.value for item in run.best.parameters}
    assert run.verdict.accepted
    assert (settings["warmth"], settings["bonus"], settings["base"]) == (5, 10, 2)
    assert str(agent("hi", a=1)) == before, "nothing serves before it is accepted"
    run.accept()
    assert str(agent("hi", a=1)).startswith("HI!!!!!33/")
    assert flow.serving("greeter")[0].origin == "accepted"
    again = flow.evolve(agent, score, trials=3, seed=1)
    assert again.program.digest == run.best.digest, "what serves now is the next baseline"
    flow.rollback("greeter")
    assert str(agent("hi", a=1)).startswith("HI!!!22/")


def test_the_same_seed_gives_the_same_lineage(notebook):
    agent, flow = notebook(CELL), Flow()

    runs = [flow.evolve(agent, score, trials=10, seed=7, workers=workers) for workers in (1, 2)]

    assert runs[0].lineage.digest == runs[1].lineage.digest


def test_an_accepted_version_serves_again_for_the_same_cell(notebook):
    flow = Flow()
    flow.evolve(notebook(CELL), score, trials=16, seed=1).accept()
    later = Flow()
    later.registry.remember(flow.registry.ledger()["deployments.json"])
    notebook.module.x = 21
    agent = notebook(CELL)

    later.evolve(agent, score, trials=2, seed=1)

    assert str(agent("hi", a=1)).startswith("HI!!!!!34/")


def test_an_agent_is_measured_by_time_on_inputs(notebook):
    run = Flow().evolve(
        notebook("(defagent a (setv n 2) ; o: 1 2\n (str (* n (len message))))"), inputs=("hello",), trials=2, seed=0
    )

    assert run.objective == "time"


def test_what_cannot_be_evaluated_is_told(notebook):
    agent = notebook("(defagent a (setv n 2) ; o: 1 2\n (llm-respond message))")

    with pytest.raises(EvolutionError, match="a candidate has no language model"):
        Flow().evolve(agent, lambda program: {"score": len(program("hi"))}, trials=2)


def test_a_failing_candidate_costs_only_itself(notebook):
    agent = notebook("(defagent a (setv n 1) ; o: 0 1 2\n (str (/ 2 n)))")

    run = Flow().evolve(agent, lambda program: {"score": float(program("hi"))}, trials=3, seed=0)

    failed = [record.reason for record in run.trials if record.status == "failed"]
    assert len(failed) == 1
    assert "ZeroDivisionError" in failed[0]


def test_a_version_answers_by_itself(notebook, runtime):
    agent = notebook(CELL)
    version = runtime.version(runtime.subject(agent).program, trial=False)

    assert version.call("greeter", ["hi", {"a": 1}]) == "HI!!!22/1"
    with pytest.raises(UsageError, match="has no function other"):
        version.call("other", [])
