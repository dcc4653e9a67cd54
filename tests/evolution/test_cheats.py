"""Known tricks of candidates: none is accepted, each fools a usual evaluator, and its honest twin passes."""

from __future__ import annotations

import json
import linecache
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from project_o.evolution.loop import INTERRUPTED
from project_o.flow import Flow
from project_o.languages import tools_for
from project_o.values import Proposal

CHEATS = Path(__file__).parent / "cheats"
sys.path.insert(0, str(CHEATS))

import of_native  # noqa: E402 - it lies beside the other cases
import of_native_around  # noqa: E402 - as above
import of_python  # noqa: E402 - as above
import of_python_effects  # noqa: E402 - as above
import of_python_far  # noqa: E402 - as above
import of_python_held  # noqa: E402 - as above
import of_python_like  # noqa: E402 - as above
import of_python_state  # noqa: E402 - as above
import of_python_time  # noqa: E402 - as above
import of_scores  # noqa: E402 - as above
import of_strangers  # noqa: E402 - as above

CASES = (
    *of_python.LIES,
    *of_python_time.MOMENTS,
    *of_python_effects.EFFECTS,
    *of_python_state.STATE,
    *of_python_far.FAR,
    *of_python_far.DIGITS_LOST,
    *of_python_far.BEFOREHAND,
    *of_python_time.CLOCKS,
    *of_python_held.HELD,
    *of_python_held.AROUND,
    *of_python_held.OTHER_WAYS,
    *of_python_like.LIKE,
    *of_native.IN_ZIG,
    *of_native.IN_RUST,
    *of_native_around.AROUND,
    *of_strangers.STRANGE,
)
SCORES = {case.name: case for case in (*of_scores.IN_PYTHON, *of_scores.IN_LISP)}
BY_NAME = {case.name: case for case in CASES}
HELD_UP = "longer than its time limit"
assert len(BY_NAME) == len(CASES), "each cheat has a name of its own"


class Given:
    """A proposer of just these texts. Where ``stop`` is given, the run is stopped when it has a record of each."""

    def __init__(self, baseline, sources, stop=None):
        self.baseline, self.sources, self.stop = baseline, sources, stop

    def ask(self, index, told):
        if index > len(self.sources):
            if self.stop is not None and len(told) == index:
                self.stop.set()
            return None
        program = tools_for(self.baseline.language).with_source(self.baseline, self.sources[index - 1])
        return Proposal(index, program, (self.baseline.digest,), "human", "twin")


@pytest.fixture(scope="module")
def flow():
    return Flow()


@pytest.fixture(scope="module")
def evolved(flow):
    """``evolved(incumbent)``: a run of the incumbent in which all honest twins of its cheats were proposed.

    How much better the best of them is, measured at length, says nothing here: the run is stopped before that.
    """
    runs = {}

    def run_of(incumbent):
        if incumbent not in runs:
            twins = list(dict.fromkeys(case.twin for case in CASES if case.incumbent == incumbent))
            import numpy as np

            inputs = eval(incumbent.inputs, {"np": np})
            known, stop = target(flow, incumbent), threading.Event()
            run = flow.evolve(
                known, function=incumbent.function, inputs=inputs, proposer=Given(program_of(flow, known), twins, stop),
                trials=2 + len(twins), stop=stop,
            )  # fmt: skip
            assert run.stopped == INTERRUPTED
            runs[incumbent] = run, {text: run.trials[k + 1] for k, text in enumerate(twins)}
        return runs[incumbent]

    return run_of


def target(flow, incumbent):
    """The incumbent as a notebook has it."""
    if incumbent.language != "python":
        return flow.cell(incumbent.source, incumbent.language, incumbent.function)
    return in_notebook(incumbent.source, incumbent.function)


def in_notebook(source, name):
    """The function of a cell, whose text Python can find again."""
    source = source.lstrip("\n")
    file = f"<cheats {name} {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names = {"__name__": "__main__"}
    exec(compile(source, file, "exec"), names)
    return names[name]


def program_of(flow, known):
    """The program that a run of it begins with."""
    subjects = (runtime.subject(known) for runtime in flow.runtimes)
    found = next((subject for subject in subjects if subject is not None), None)
    return found.program if found else flow.registry.releases(known.slot.name)[-1].program


@pytest.fixture(scope="module")
def naive():
    """``naive(case, text)``: whether the usual evaluator of this case accepts the text, and what it says."""
    server = subprocess.Popen(
        [sys.executable, "-u", str(CHEATS / "naive.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def judge(order):
        server.stdin.write(json.dumps(order) + "\n")
        server.stdin.flush()
        return json.loads(server.stdout.readline())

    yield judge
    server.stdin.close()
    server.wait(30)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_cheat_is_not_accepted_and_the_reason_is_about_it(name, evolved):
    case = BY_NAME[name]
    run, _ = evolved(case.incumbent)
    for _ in range(3):
        verdict = run.propose(case.source, trusted=True)  # else many would not come past the lint
        reasons = "; ".join(verdict.reasons)
        assert not verdict.accepted, reasons
        if re.search(case.because, reasons) or HELD_UP not in reasons:
            break  # else somebody took the processor for long, which says nothing of a text: it is asked again

    assert re.search(case.because, reasons), reasons


@pytest.mark.parametrize("name", BY_NAME)
def test_its_honest_twin_passes_the_checks(name, evolved):
    case = BY_NAME[name]
    _, records = evolved(case.incumbent)

    assert records[case.twin].status in ("better", "no better"), records[case.twin].reason


@pytest.mark.parametrize("name", BY_NAME)
def test_it_fools_a_usual_evaluator(name, naive):
    case = BY_NAME[name]
    order = {
        "fools": case.fools, "language": case.incumbent.language, "function": case.incumbent.function,
        "reference": case.incumbent.source, "candidate": case.source, "inputs": case.incumbent.inputs,
    }  # fmt: skip

    assert fooled(naive, order)


def fooled(naive, order):
    """Whether it is fooled once in a few tries: it reads the clock, and other processes may take its processor."""
    said = []
    for _ in range(8):
        answer = naive(order)
        said.append(answer["why"])
        if answer["accepted"]:
            return True
    print(said)
    return False


# ------------------------------------------------------------------------------- evaluators of the user's own


@pytest.fixture(scope="module")
def notebook():
    """Agents of a module of their own, and functions."""
    import types

    from project_o.agent.agents import Agents

    module = types.ModuleType("cheats_notebook")
    sys.modules[module.__name__] = module
    agents = Agents(namespace=vars(module))

    def define(case):
        if case.language == "python":
            return in_notebook(case.baseline, "f")
        return agents.evaluate(case.baseline, module, "<cell>")

    yield define
    del sys.modules[module.__name__]


@pytest.fixture(scope="module")
def scored(notebook):
    """``scored(case)``: a flow and its run of the case's baseline, in which the honest twin was proposed."""
    runs = {}

    def run_of(case):
        if case not in runs:
            flow, known, place = Flow(), notebook(case), {"__name__": "evaluator"}
            exec(case.evaluator, place)
            runs[case] = flow.evolve(
                known, place["evaluate"], proposer=Given(program_of(flow, known), [case.twin]), trials=2,
                objective="seconds" if "seconds" in case.evaluator else "score",
            )  # fmt: skip
        return runs[case]

    return run_of


@pytest.mark.parametrize("name", SCORES)
def test_a_score_that_was_made_up_is_not_accepted(name, scored):
    verdict = scored(SCORES[name]).propose(SCORES[name].source, trusted=True)  # past the lint, as above

    assert not verdict.accepted, verdict.reasons
    assert re.search(SCORES[name].because, "; ".join(verdict.reasons)), verdict.reasons


@pytest.mark.parametrize("name", SCORES)
def test_an_honest_score_is_taken(name, scored):
    run = scored(SCORES[name])

    assert run.trials[1].status in ("better", "no better"), run.trials[1].reason
    assert run.verdict.accepted == (run.objective == "score"), run.verdict.reasons


@pytest.mark.parametrize("name", SCORES)
def test_it_fools_an_evaluator_beside_which_it_runs(name, naive):
    case = SCORES[name]
    order = {"evaluator": case.evaluator, "language": case.language}

    assert fooled(naive, {**order, "reference": case.baseline, "candidate": case.source})


def test_an_evaluator_that_counts_up_makes_no_one_better():
    """Each evaluation scores above the one before, whoever is evaluated: in turn, that is nobody's gain."""
    calls = []

    def evaluate(program):
        calls.append(program(1))
        return {"score": float(len(calls))}

    known = in_notebook("def f(x):\n    return x\n", "f")
    flow = Flow()
    same = Given(program_of(flow, known), ["def f(x):\n    return x + 0\n", "def f(x):\n    return 0 + x\n"])
    run = flow.evolve(known, evaluate, proposer=same, trials=3)

    assert [record.status for record in run.trials[1:]] == ["better", "better"], "an evaluation at a time is fooled"
    assert not run.verdict.accepted, run.verdict.reasons
