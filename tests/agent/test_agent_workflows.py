"""Workflows: steps once each, conditions, loops, branches, retries; a run goes on from the last step that ended."""

import json
import linecache
import threading
import time

import pytest

from project_o.agent import agents, parallel, place, step, workflow
from project_o.agent.python import source_of
from project_o.errors import AgentError, LispError
from project_o.lisp.candidate import Opened


def test_lisp_and_python_run_alike(house, lisp):
    made = lisp(
        '(defworkflow w [#^ list words [most 2]] "W."\n'
        "  (setv found [])\n"
        '  (for [word words] (if (< (len found) most) (.append found (step "up" (.upper word))) (step skipped word)))\n'
        "  (parallel (step first (get found 0)) (step last (get found -1)))\n"
        "  (step joined (+ first last)))"
    )
    assert made(["a", "b", "c"]) == "AB"
    assert made.runs[-1].steps == {
        "up": "A", "up#2": "B", "skipped": "c", "parallel/1/first": "A", "parallel/2/last": "B", "joined": "AB"
    }  # fmt: skip
    assert made.runs[-1].ended == "finished"
    assert made(words=["x"], most=1) == "XX"


def test_retries_wait_and_give_up_with_the_steps_name(house):
    tries = []

    @workflow
    def shaky(works_at: int):
        def work():
            tries.append(time.perf_counter())
            if len(tries) < works_at:
                raise ValueError("not yet")
            return "done"

        return step("try", work, retries=2, pause=0.02)

    assert shaky(3) == "done"
    assert tries[1] - tries[0] >= 0.02
    assert tries[2] - tries[1] >= 0.04
    tries.clear()
    with pytest.raises(AgentError, match="step try of workflow shaky failed after 3 attempts: ValueError: not yet"):
        shaky(9)
    assert len(tries) == 3


def test_a_failed_run_goes_on_from_the_last_step_that_ended(house):
    did, broken = [], [True]

    @workflow
    def long(n: int):
        for k in range(n):
            step("early", lambda k=k: did.append(k))
        step("risky", lambda: 1 / 0 if broken else did.append("risky"))
        return step("late", lambda: len(did))

    with pytest.raises(AgentError, match="risky of workflow long failed: ZeroDivisionError"):
        long(3)
    broken.clear()
    assert long.resume() == 4
    assert did == [0, 1, 2, "risky"]
    with pytest.raises(AgentError, match="no run of long is there to be resumed"):
        long.resume()


def test_branches_run_at_once_and_keep_what_ended(house):
    both, broken = threading.Barrier(2, timeout=60), [True]
    did = []

    @workflow
    def branched():
        def one():
            return step("one", lambda: (both.wait(), did.append(1))[1])

        def two():
            step("two", lambda: (both.wait(), did.append(2))[1])
            return step("three", lambda: 1 / 0 if broken else 3)

        return parallel(one, two)

    with pytest.raises(AgentError, match="step parallel/2/three of workflow branched failed"):
        branched()
    broken.clear()
    assert branched.resume() == [None, 3]
    assert sorted(did) == [1, 2]


class Kept:
    """A history that holds the files of the newest state, as the store's does."""

    enabled = True

    def __init__(self, files):
        self.tree = files

    def note(self, kind, scope, summary, facts, files):
        self.tree.update(files)

    def states(self, count):
        return iter(["newest"])

    def files(self, state, prefix):
        return {path: text for path, text in self.tree.items() if path.startswith(prefix)}

    def stage(self, files):
        self.tree.update(files)


SOURCE = '(defworkflow w [n] "W." (step a (did n)) (step b (if (broken) (/ 1 0) (+ a n))))'


def kernel(files, did, *, broken):
    """A kernel that begins with the files of an earlier one."""
    made = agents.Agents(Kept(files), setting=str, namespace={"__name__": "nb"})
    made.namespace |= {"did": lambda n: did.append(n) or n, "broken": lambda: broken}
    place.provide(lambda: made)
    return lambda source: made.evaluate(source, made.namespace, "<cell 1>.hy", 1)


def test_a_later_kernel_resumes_unless_the_workflow_has_changed(house):
    files, did = {}, []
    with pytest.raises(LispError):
        kernel(files, did, broken=True)(SOURCE + "(w 5)")
    (path,) = files
    assert [list(json.loads(line)) for line in files[path].splitlines()][1] == ["step", "value", "attempts", "seconds"]
    with pytest.raises(LispError, match="w has changed since run"):
        kernel(dict(files), did, broken=False)(SOURCE.replace("(+ a n)", "(- a n)") + "(.resume w)")
    assert kernel(files, did, broken=False)(SOURCE.replace("W.", "W.") + " ; a comment\n(.resume w)") == 10
    assert did == [5]
    again = kernel(files, did, broken=False)
    with pytest.raises(LispError, match="no run of w is there to be resumed"):
        again(SOURCE + "(.resume w)")


def test_a_file_that_is_cut_or_foreign_is_a_warning(house):
    files, did = {}, []
    kernel(files, did, broken=False)(SOURCE + "(w 5)")
    (path,) = files
    files[path] = files[path][:-30]
    files["workflows/w/old.jsonl"] = '{"format": 9}\n'
    made = kernel(files, did, broken=False)(SOURCE + "w")
    with pytest.warns(UserWarning, match="is cut off in line 4|old.jsonl cannot be read"):
        runs = made.runs
    assert [(run.steps, run.ended) for run in runs] == [({"a": 5, "b": 10}, "")]
    assert made.resume() == 10
    assert did == [5]


@pytest.mark.parametrize(
    ("work", "problem"),
    [(object, "has an object that cannot be kept"), (lambda: "x" * 2_000_000, "has 2,000,002 characters")],
)  # fmt: skip
def test_what_cannot_be_kept_is_told(house, work, problem):
    @workflow
    def holds():
        return step("one", work)

    with pytest.raises(AgentError, match=problem):
        holds()


def test_steps_outside_a_workflow_and_steps_without_end_are_told(house, monkeypatch):
    with pytest.raises(AgentError, match="no workflow is under way"):
        step("a", lambda: 1)
    monkeypatch.setattr("project_o.limits.WORKFLOW_STEPS_MAX", 50)

    @workflow
    def endless():
        while True:
            step("again", lambda: 1)

    with pytest.raises(AgentError, match="has come to 50 steps: does its loop end"):
        endless()


def test_a_value_is_the_same_in_the_first_run_and_the_resumed_one(house):
    @workflow
    def pair():
        return step("pair", lambda: (1, {"a": (2,)}))

    assert pair() == [1, {"a": [2]}]


AGENT = """(defparam times 2 :domain [1 2 3])
(defworkflow shout [#^ str text] "Shout." (step loud (.upper text)) (step more (* loud times)))
(defagent as-tool "x" :tools [shout] (use "shout" :text message))
(defagent as-call "x" (+ (shout message) "!"))"""


@pytest.mark.parametrize(("name", "reply"), [("as-tool", "HIHI"), ("as-call", "HIHI!")])
def test_an_agent_uses_a_workflow_and_takes_it_and_its_parameter_into_the_sandbox(house, lisp, name, reply):
    lisp(AGENT)
    agent = house.agent(name)
    assert agent("hi") == reply
    assert [parameter.name for parameter in agent.program.parameters] == ["times"]
    opened = Opened(agent.program.name, dict(agent.program.files))
    assert opened("hi") == reply
    space, text, before = {}, source_of(agent, python=True)[0], agent.digest
    linecache.cache["<shown>"] = (len(text), None, text.splitlines(keepends=True), "<shown>")
    exec(compile(text, "<shown>", "exec"), space)
    assert space[name.replace("-", "_")].digest == before
    assert house.specs.workflow("shout").as_tool(len).schema()["properties"] == {"text": {"type": "string"}}
