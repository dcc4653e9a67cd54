"""Bugs put into programs of ours, in Python and in Lisp: each is repaired and its case told. The lesson has more."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import sys
import types

import pytest

from project_o.agent.agents import Agents
from project_o.evolution import plausible, unseen
from project_o.evolution.repair import localise
from project_o.flow import Flow

SPECTRA = [
    [(frozenset({1, 2}), True), (frozenset({1}), False)],
    [(frozenset({1, 2, 3}), True), (frozenset({1, 3}), False), (frozenset({2}), False)],
    [(frozenset({4}), True)],
    [(frozenset({1, 2}), True), (frozenset({2, 3}), True), (frozenset({3}), False)],
    [(frozenset({5}), False), (frozenset({5, 6}), True)],
    [(frozenset({1}), True), (frozenset({1}), False), (frozenset({1}), False)],
]
PYTHON = [
    (localise.ochiai, "(ran_failing + ran_passing)", "(ran_failing - ran_passing)", "import math\n",
     [(spectrum,) for spectrum in SPECTRA]),
    (unseen._spread, "places[1::2]]", "places[::2]]", "",
     [(count, wanted) for count in (0, 1, 5, 12, 30) for wanted in (1, 2, 4, 9)]),
    (plausible.told_seconds, "seconds / size", "seconds * size", "",
     [(seconds,) for seconds in (2.0, 0.5, 0.02, 3e-4, 5e-6, 7e-9, -0.25, 1.0)]),
]  # fmt: skip
CLERK = """(deftool price [#^ int nights #^ int beds]
  "The price of a stay."
  (* nights (+ 40 (* 15 beds))))
(defagent clerk
  "You are the clerk of a small hotel."
  :tools [price]
  (+ "That is " (str (price (get-arg "nights" 1) (get-arg "beds" 1))) " crowns."))
"""
LISP = [
    ("clerk", CLERK, "(* nights (+ 40", "(+ nights (+ 40",
     [("", {"nights": nights, "beds": beds}) for nights in (1, 2, 3, 7) for beds in (1, 2, 4)] + [("", {})]),
]  # fmt: skip


def repaired(target, cases):
    run = Flow().evolve(target, tests=cases, proposer="repair", budget=40)

    assert run.verdict.accepted, (run.progress.note, run.verdict.reasons)
    assert any(
        "should be" in reason and "right where what serves now is wrong" in reason for reason in run.verdict.reasons
    )
    return run


@pytest.mark.parametrize(
    ("function", "right", "wrong", "header", "inputs"), PYTHON, ids=lambda item: getattr(item, "__name__", "")
)
def test_a_function_of_ours_is_repaired(tmp_path, monkeypatch, function, right, wrong, header, inputs):
    text = inspect.getsource(function)
    assert text.count(right) == 1
    path = tmp_path / f"wrong_{function.__name__}.py"
    path.write_text(f"from __future__ import annotations\n{header}\n{text.replace(right, wrong)}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, path.stem, module)
    spec.loader.exec_module(module)

    run = repaired(getattr(module, function.__name__), [(args, function(*copy.deepcopy(args))) for args in inputs])

    space = vars(module)
    exec(run.best.source, space)
    assert [space[function.__name__](*args) for args in inputs] == [function(*args) for args in inputs]


@pytest.mark.parametrize(("name", "text", "right", "wrong", "inputs"), LISP, ids=["clerk"])
def test_an_agent_of_ours_is_repaired(monkeypatch, name, text, right, wrong, inputs):
    assert text.count(right) == 1
    agents = {}
    for label, source in (("right", text), ("wrong", text.replace(right, wrong))):
        module = types.ModuleType(f"notebook_{label}_{name}")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        Agents(namespace=vars(module)).evaluate(source, module, "<cell>")
        agents[label] = vars(module)[name]
    flow = Flow()
    task = flow._task(*flow._named(agents["right"]), _wishes())
    job = task.open(task.build(task.program))
    cases = [(args, job.ask(name, args).value) for args in inputs]
    job.close()

    run = repaired(agents["wrong"], cases)

    assert right in run.best.source or run.verdict.accepted


def _wishes():
    from project_o.evolving import Wishes

    return Wishes.of(None, {})
