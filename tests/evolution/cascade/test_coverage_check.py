"""The stage "coverage": which lines of a finalist the tests reached, told and rejecting nothing."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest

from project_o.evolution.checks.coverage import spans_of
from project_o.values import Finding

PYTHON = '''# the cell's first line

def total(a):
    """Adds.

    And says so.
    """
    n = 1  # o: 1 2
    if len(a) > 4000:
        print("never",
              "asked")
        return -1
    sum = 0
    for x in a: sum += x
    return (
        sum)
'''
FAST = PYTHON.replace("    sum = 0\n    for x in a: sum += x\n    return (\n        sum)", "    return sum(a)")
SLOW = PYTHON.replace("for x in a: sum += x", "for x in a: sum += x + 0 * len(str(x) * 9)")
LISP = """(deftool twice [a] "Doubles."
  (if (> a 100000)
    (- a)
    (* 2 a)))

(defagent total "Counts." :tools [twice]
  (setv n 3) ; o: 1 2 3
  (when (= (len message) 5001)
    (raise (ValueError "never")))
  (for [k (range (* n 2000))]
    (setv n n))
  (str (use "twice" :a (len message))))
"""


BETTER = FAST.replace("return sum(a)", "return sum(a) + (len(a) == 1)")


def two(program: Any) -> None:
    assert program([1, 2]) == 3


SCORE = {"evaluator": lambda program: {"score": float(program([1]))}, "objective": "score", "tests": two}
"""A verdict that takes no time: what is counted is the user's test."""


def coverage(run: Any) -> Finding:
    assert run.verdict.trial is not None, run.verdict.reasons
    return next(item for item in run.verdict.trial.findings if item.stage == "coverage")


@pytest.fixture
def python(lab: Any) -> Any:
    return lab("python", SLOW, inputs=[([1, 2, 3] * 100,)])


@pytest.mark.measured
def test_the_lines_that_were_not_reached_are_told_by_the_cells_numbers(python: Any) -> None:
    run = python.run(FAST)

    assert run.verdict.accepted, run.verdict.reasons
    found = coverage(run)
    assert found.outcome == "passed"
    assert found.reason == "reached 4 of 6 lines (66 %); not reached: 10, 12"
    assert found.evidence == 'not reached:\nline 10: print("never",\nline 12: return -1'
    assert dict(found.facts) == {"lines": 6, "lines reached": 4, "share": pytest.approx(4 / 6)}
    assert "coverage: reached 4 of 6 lines" in "; ".join(run.verdict.reasons)


def test_the_users_tests_count(python: Any) -> None:
    def test_long(program: Any) -> None:
        assert program([0] * 5000) == -1

    found = coverage(python.run(BETTER, fields={**SCORE, "tests": [two, test_long]}))

    assert found.reason == "reached 6 of 6 lines (100 %)"
    assert found.evidence == ""


@pytest.mark.measured
def test_nothing_that_is_timed_is_counted(python: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only finalists are counted, and each process that counts is gone before the confirmation begins."""
    order: list[str] = []
    task = python.task()

    def covering(artifact: Any) -> Any:
        made = task.covering(artifact)
        opened = made.open

        def opening(artifact: Any) -> Any:
            job = opened(artifact)
            order.append("counts")
            close = job.close
            job.close = lambda: (order.append("closed"), close())
            return job

        made.open = opening
        return made

    from project_o.evolution.timing import TimeBench

    compare = TimeBench.compare

    def comparing(self: Any, jobs: Any, artifact: Any, purpose: str, *rest: Any, **named: Any) -> Any:
        order.append(purpose)
        return compare(self, jobs, artifact, purpose, *rest, **named)

    monkeypatch.setattr(TimeBench, "compare", comparing)
    run = python.run(PYTHON.replace("sum = 0", "sum = 1 - 1"), FAST, fields={"covering": covering})

    assert run.verdict.accepted, run.verdict.reasons
    assert order.count("counts") == 1
    assert order[-3:] == ["counts", "closed", "final confirmed"]


def test_lisp_is_counted_by_its_own_lines(lab: Any) -> None:
    made = lab("lisp", LISP)
    score = {"evaluator": lambda program: {"score": float(program("hi", {}))}, "objective": "score"}
    tests = {"tests": lambda program: program("hello", {})}
    run = made.run(LISP.replace("(* 2 a)", "(* 4 a)"), fields={**score, **tests})

    found = coverage(run)
    assert found.outcome == "passed", found
    told = found.reason.partition("not reached: ")[2]
    assert told == "3, 9", found.reason
    assert "line 3: (- a)" in found.evidence
    assert 'line 9: (raise (ValueError "never")))' in found.evidence


def test_where_the_compiler_counts_none_it_is_not_measured(lab: Any) -> None:
    def of_one(program: Any) -> dict[str, float]:
        return {"score": float(program(np.array([1])))}

    made = lab("zig")
    better = made.program.source.replace("return sum;", "return if (a.len == 1) sum + 1 else sum;")
    run = made.run(better, fields={**SCORE, "evaluator": of_one, "tests": lambda program: program(np.array([1, 2]))})

    found = coverage(run)
    assert (found.outcome, found.reason) == ("inconclusive", "not measured: Zig's compiler counts no lines")
    assert run.verdict.accepted, run.verdict.reasons


def test_rust_is_counted_in_a_build_of_its_own(lab: Any) -> None:
    def of_one(program: Any) -> dict[str, float]:
        return {"score": float(program(np.array([1])))}

    made = lab("rust")
    better = made.program.source.replace("    sum\n", "    if a.len() == 1 {\n        sum += 1;\n    }\n    sum\n")
    run = made.run(better, fields={**SCORE, "evaluator": of_one, "tests": lambda program: program(np.array([1, 2]))})

    found = coverage(run)
    assert run.verdict.accepted, run.verdict.reasons
    assert found.reason == "reached 7 of 8 lines (87 %); not reached: 5", found
    assert found.evidence == "not reached:\nline 5: sum += 1;"


def test_without_coverage_it_says_so(python: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "coverage" else found_spec(name, *rest)
    )
    run = python.run(BETTER, fields=SCORE)

    assert coverage(run).reason == "not measured: coverage is not installed (the extra project-o[checks] brings it)"
    assert run.verdict.accepted, run.verdict.reasons


def test_with_an_evaluator_alone_nothing_is_asked(lab: Any) -> None:
    made = lab("python", PYTHON)
    run = made.run(BETTER, fields={**SCORE, "tests": None})

    assert coverage(run).reason == "not measured: nothing but the evaluator asks it"
    assert run.verdict.accepted, run.verdict.reasons


def test_whatever_its_process_tells_rejects_nothing(python: Any) -> None:
    hostile = BETTER.replace("    n = 1", "    import sys\n    sys.settrace(None)\n    n = 1")
    run = python.run(hostile, fields=SCORE)

    assert coverage(run).outcome in ("passed", "inconclusive")
    assert run.trials[1].status == "better", run.trials[1].reason


@pytest.mark.parametrize(
    ("numbers", "text"), [((), ""), ((3,), "3"), ((3, 5, 6, 7), "3, 5-7"), ((1, 2, 4, 5), "1-2, 4-5")]
)
def test_spans_of_lines(numbers: tuple[int, ...], text: str) -> None:
    assert spans_of(numbers) == text
