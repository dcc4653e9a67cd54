"""Repair, from failing tests to an accepted text: what is believed, what is held out, what is shown."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from project_o.errors import EvolutionError
from project_o.evolution.repair.cases import Case, divided
from project_o.evolution.repair.localise import ochiai
from project_o.flow import Flow

LOWER_BOUND = """
def lower_bound(xs, x):
    low, high = 0, len(xs)
    while low < high:
        middle = (low + high) // 2
        if xs[middle] < x:
            low = middle
        else:
            high = middle
    return low
"""
TABLE = [
    (([1, 2, 3], 2), 1), (([1, 2, 3], 0), 0), (([1, 2, 3], 4), 3), (([], 1), 0), (([5], 5), 0), (([5], 6), 1),
    (([1, 3, 3, 7], 3), 1), (([1, 3, 3, 7], 8), 4), (([0, 2, 4, 6, 8], 5), 3), (([2, 2], 1), 0),
]  # fmt: skip


def checks_lower_bound(program):
    for args, expected in TABLE:
        assert program(*args) == expected


@pytest.fixture
def flow():
    return Flow()


@pytest.fixture
def written(tmp_path):
    """``written(source)``: the functions of a module with this text."""
    names = []

    def write(source):
        path = tmp_path / f"module_{len(names)}_{tmp_path.name}.py"
        path.write_text(source)
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = sys.modules[path.stem] = importlib.util.module_from_spec(spec)
        names.append(path.stem)
        spec.loader.exec_module(module)
        return module

    yield write
    for name in names:
        del sys.modules[name]


def test_the_suspicion_of_a_line_is_ochiais_coefficient():
    spectrum = [(frozenset({1, 2}), True), (frozenset({1, 3}), False), (frozenset({1, 2, 3}), False)]

    assert ochiai(spectrum) == {1: pytest.approx(1 / 3**0.5), 2: pytest.approx(1 / 2**0.5)}


def test_half_of_the_failing_and_of_the_passing_cases_are_held_out_by_the_seed():
    cases = [Case(str(number), (number,), 0) for number in range(11)]
    fails = [number < 3 for number in range(11)]

    found = {seed: divided(cases, [None] * 11, fails, seed) for seed in (0, 0, 1, 2)}

    for one in found.values():
        assert sorted(case.args for case in one.every) == [(number,) for number in range(11)]
        assert [sum(case.args[0] < 3 for case in part) for part in (one.shown, one.held)] == [2, 1]
        assert [len(one.shown), len(one.held)] == [6, 5]
        assert [case.args[0] for case, _ in one.failing] == [0, 1, 2]
    assert found[0] == divided(cases, [None] * 11, fails, 0)
    assert len({one.held for one in found.values()}) > 1


def test_a_repair_is_found_judged_on_held_out_tests_and_shown_with_the_counterexample(flow, written):
    target = written(LOWER_BOUND).lower_bound

    runs = [flow.evolve(target, tests=checks_lower_bound, proposer="repair", workers=count) for count in (1, 2)]

    run = runs[0]
    assert run.verdict.accepted, run.verdict.reasons
    assert run.lineage.digest == runs[1].lineage.digest
    assert "low = middle + 1" in run.best.source or "low = high" not in LOWER_BOUND
    told = "\n".join(run.verdict.reasons)
    assert "lower_bound([1, 2, 3], 2) should be 1, and ran more than" in told
    assert "5 of them held out" in run.trials[run.best_index].reason
    space = {}
    exec(run.best.source, space)
    assert [space["lower_bound"](*args) for args, _ in TABLE] == [expected for _, expected in TABLE]


def test_what_fits_the_shown_tests_alone_is_rejected_by_those_held_out(flow, written):
    run = flow.evolve(written(LOWER_BOUND).lower_bound, tests=TABLE, proposer="repair", trials=1)
    learned = {repr(args): expected for args, expected in TABLE[:-2]}

    verdict = run.propose(f"def lower_bound(xs, x):\n    return {learned!r}.get(repr((xs, x)), -1)\n")

    assert not verdict.accepted
    assert "should be" in " ".join(verdict.reasons)


def test_an_evaluator_and_a_reference_say_what_is_right_too(flow, written):
    module = written("def middle(a, b, c):\n    return sorted([a, b, c])[2]\n")
    table = [((1, 2, 3), 2), ((3, 1, 1), 1), ((2, 2, 2), 2), ((9, 5, 1), 5)]

    def evaluate(program):
        return {"score": sum(program(*args) == expected for args, expected in table)}

    scored = flow.evolve(module.middle, evaluate, proposer="repair")
    referred = flow.evolve(
        module.middle, reference=lambda a, b, c: sorted([a, b, c])[1], inputs=[(1, 2, 3), (5, 4, 0)], proposer="auto"
    )

    assert scored.verdict.accepted
    assert referred.verdict.accepted
    assert "[1]" in scored.best.source


def test_auto_repairs_what_fails_and_searches_what_passes(flow, written):
    wrong = written("def double(x):\n    return x + 3\n").double
    right = written("def double(xs):\n    return sum([x for x in xs])\n").double

    repaired = flow.evolve(wrong, tests=[((k,), 2 * k) for k in range(6)], proposer="auto")
    searched = flow.evolve(right, tests=[(([1, 2],), 3)], inputs=([1, 2, 3],), proposer="auto", trials=2)

    assert {item.proposal.proposer for item in repaired.trials[1:]} == {"repair"}
    assert {item.proposal.proposer for item in searched.trials[1:]} == {"search"}


def compares_answers(program):
    assert program([1], 1) == program([1], 0)


@pytest.mark.parametrize(
    ("tests", "words"),
    [
        (None, "nothing says what lower_bound should do"),
        ([(([1], 0), 0)], "passes all 1 tests: there is nothing to repair"),
        (compares_answers, "compares_answers cannot be read as cases"),
    ],
)
def test_what_cannot_be_repaired_is_said(flow, written, tests, words):
    with pytest.raises(EvolutionError, match=words):
        flow.evolve(written(LOWER_BOUND).lower_bound, tests=tests, proposer="repair")


def test_texts_that_never_end_or_end_the_process_cost_only_themselves(flow, written):
    program = flow._task(*flow._named(written(LOWER_BOUND).lower_bound), _wishes())
    artifact = program.build(program.program)
    bad = [
        "    while True:\n        x = 1",
        "    import os\n    os._exit(1)",
        "    return [0] * 10**12",
        "    n = 3\n    while n:\n        n = n * n",
        "    return pow(7, 10**12)",
        "    raise KeyError(x)",
    ]
    texts = [f"def lower_bound(xs, x):\n{body}\n" for body in bad]
    texts.insert(2, LOWER_BOUND.replace("low = middle\n", "low = middle + 1\n"))
    process = program.trying(artifact, [args for args, _ in TABLE[:3]])
    try:
        rows = process.attempt(texts, range(3), 5_000)
    finally:
        process.close()

    assert [called.value for called in rows[2]] == [1, 0, 3]
    assert not any(called.ok for place, row in enumerate(rows) if place != 2 for called in row)
    assert rows[0][0].error.startswith("ran more than")


def _wishes():
    from project_o.evolving import Wishes

    return Wishes.of(None, {})
