"""The stage "relations": what must hold between answers, where nobody says what is right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from project_o.errors import EvolutionError, UsageError
from project_o.evolution import Task

SCORE = {"evaluator": lambda program: {"score": 1.0}, "objective": "score"}
"""An evaluator that is content with anything: the relations are all that rejects."""
LIST = [([3.0, -1.0, 4.0, 1.0, 5.0, 9.0, 2.0],)]
ARRAYS = [(np.array([3.0, -1.0, 4.0, 1.5]), np.array([2.0, 7.0, 1.0, 8.0]))]


def function(body: str, parameters: str = "a") -> str:
    return f"def total({parameters}):\n    n = 1  # o: 1 2\n    {body}\n"


def never_smaller(call: Any, args: Any) -> bool:
    (values,) = args
    return bool(call([*values, 1.0]) >= call(values))


def says_nothing(call: Any, args: Any) -> None:
    assert call(*args) <= sum(abs(x) for x in args[0]) + 1e-9, "more than there is"


CASES: list[tuple[str, Any, str, str, str, Any]] = [
    ("a sum in any order", "permutation:a", "return sum(a)", "return sum(a[::-1])", "return sum(a) + a[0]", LIST),
    ("pairs in any order", "permutation:a,b", "return float((a * b).sum())", "return float(a @ b)",
     "return float((a * sorted(b)).sum())", ARRAYS),
    ("degree one", "scaling:a", "return sum(a)", "return 0.0 + sum(a)", "return sum(a) + 1", LIST),
    ("degree two", "scaling:a:2", "return sum(x * x for x in a)", "return sum([x**2 for x in a])",
     "return sum(abs(x) for x in a)", LIST),
    ("degree none", "scaling:a:0", "return [x > 0 for x in a]", "return [0 < x for x in a]",
     "return [x > 4 for x in a]", LIST),
    ("both at once", "scaling:a,b:2", "return float(a @ b)", "return float((a * b).sum())",
     "return float(a.sum() + b.sum())", ARRAYS),
    ("a list twice", "idempotence", "return sorted(a)", "return list(sorted(a))", "return sorted(a)[1:]", LIST),
    ("an argument by its name", "idempotence:b", "return b - b.min() + a.min()", "return b + (a.min() - b.min())",
     "return b + a.min()", ARRAYS),
    ("a function that returns whether", never_smaller, "return sum(a)", "return 1.0 * sum(a)", "return -sum(a)", LIST),
    ("a function that asserts", says_nothing, "return sum(a)", "return 1.0 * sum(a)", "return sum(a) + len(a) + 40",
     LIST),
]  # fmt: skip


@pytest.mark.parametrize(("what", "declared", "served", "honest", "wrong", "inputs"), CASES, ids=[c[0] for c in CASES])
def test_a_breach_rejects_and_an_honest_one_passes(
    lab: Any, what: str, declared: Any, served: str, honest: str, wrong: str, inputs: Any
) -> None:
    parameters = "a, b" if inputs is ARRAYS else "a"
    made = lab("python", function(served, parameters))
    texts = [made.program.source.replace(served, other) for other in (wrong, honest)]
    run = made.run(*texts, fields={"relations": (declared,), "inputs": inputs, **SCORE})

    bad, good = run.trials[1:]
    name = declared if isinstance(declared, str) else declared.__name__
    assert (bad.status, bad.finding.stage) == ("failed", "relations"), bad.reason
    assert bad.reason.startswith(f"{name} does not hold on (")
    assert bad.finding.evidence.startswith(f"{name} does not hold on (")
    assert dict(bad.finding.facts)["relation"] == name
    assert good.status in ("no better", "duplicate"), good.reason


def test_a_breach_is_told_by_a_small_input(lab: Any) -> None:
    made = lab("python", function("return sum(a)"))
    wrong = made.program.source.replace("return sum(a)", "return sum(a) + a[0]")
    record = made.record(wrong, fields={"relations": ("permutation:a",), "inputs": LIST, **SCORE})

    shown = record.finding.evidence.partition(" does not hold on ")[2].partition(": ")[0]
    (values,) = eval(shown)  # it is valid Python
    assert len(values) == 2
    assert sorted(values) == [0.0, 1.0]


def test_a_function_that_raises_says_at_which_line_of_it(lab: Any) -> None:
    made = lab("python", function("return sum(a)"))
    wrong = made.program.source.replace("return sum(a)", "return 1000.0")
    record = made.record(wrong, fields={"relations": (says_nothing,), "inputs": LIST, **SCORE})

    assert "it raised, line " in record.reason
    assert "AssertionError: more than there is" in record.reason


def test_a_candidate_that_does_not_answer_is_rejected(lab: Any) -> None:
    made = lab("python", function("return sum(a)"))
    wrong = made.program.source.replace("return sum(a)", "return sum(a) if len(a) < 3 else missing(a)")
    wrong = wrong.replace("missing(a)", "a[99]")
    record = made.record(wrong, fields={"relations": ("permutation:a",), "inputs": LIST, **SCORE})

    assert record.finding.stage == "relations"
    assert "there is no answer" in record.reason
    assert "IndexError" in record.reason


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_native_candidates_are_asked_as_well(lab: Any, language: str) -> None:
    made = lab(language)
    wrong = made.program.source.replace("return sum;", "return sum + a[0];").replace(
        "    sum\n", "    sum + a.get(0).unwrap_or(&0)\n"
    )
    wrong = wrong.replace("sum + a[0]", "if (a.len > 0) sum + a[0] else sum")
    record = made.record(wrong, fields={"relations": ("permutation:a",), "inputs": None, **SCORE})

    assert (record.status, record.finding.stage) == ("failed", "relations"), record.reason


def test_what_works_in_place_may_be_idempotent_too(make_task: Any, lab: Any) -> None:
    text = "pub fn total(a: []i64) void {\n    for (a) |*x| x.* = @max(x.*, 3);\n}\n"
    made = lab("zig", text)
    wrong = text.replace("@max(x.*, 3)", "x.* +% 1")
    fields = {"relations": ("idempotence",), "inputs": [(np.arange(9),)], **SCORE}
    run = made.run(wrong, text.replace("3)", "@as(i64, 3))"), fields=fields)

    assert (run.trials[1].status, run.trials[1].finding.stage) == ("failed", "relations"), run.trials[1].reason
    assert run.trials[2].status in ("no better", "duplicate"), run.trials[2].reason


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ("permutation:c", "there is no parameter c: there are a, b"),
        ("permutation", "is none: write permutation:a"),
        ("permutation:", "is none: write permutation:a"),
        ("scaling:a:x", "the degree after the second colon must be 0, 1, 2"),
        ("scaling:a:-1", "the degree after the second colon must be 0, 1, 2"),
        ("scaling:d:1", "there is no parameter d"),
        ("idempotence:q", "there is no parameter q"),
        ("monotone:a", "is none: write permutation:a, scaling:a, idempotence, or the name of a function"),
        (7, "is none: write permutation:a"),
    ],
)
def test_a_wrong_declaration_is_said_before_anything_is_tried(lab: Any, declared: Any, words: str) -> None:
    made = lab("python", function("return float(a @ b)", "a, b"))
    with pytest.raises(UsageError, match=words):
        made.run(made.program.source + "\n#\n", fields={"relations": (declared,), "inputs": ARRAYS, **SCORE})
    assert made.opened == []


def test_what_serves_must_satisfy_it(lab: Any) -> None:
    made = lab("python", function("return sum(a) + a[0]"))
    with pytest.raises(EvolutionError, match=r"permutation:a does not hold for what serves: on \("):
        made.run(made.program.source, fields={"relations": ("permutation:a",), "inputs": LIST, **SCORE})


def test_what_serves_must_answer_enough_inputs_of_it(lab: Any) -> None:
    made = lab(
        "python",
        function(
            "return sum(a) if len(a) == 7 and max(a) == 9.0 and min(a) == -1.0 and 5.0 in a and 4.0 in a else [][0]"
        ),
    )
    with pytest.raises(EvolutionError, match=r"answers only \d+ of 24 inputs of the relation permutation:a: show"):
        made.run(made.program.source, fields={"relations": ("permutation:a",), "inputs": LIST, **SCORE})


def test_a_relation_needs_no_generated_test_to_reject(lab: Any) -> None:
    made = lab("python", function("return sum(a)"))
    task: Task = made.task(relations=("permutation:a",), inputs=LIST)
    wrong = made.program.source.replace("sum(a)", "sum(a) + a[0]")

    compared = made.record(wrong, fields={"relations": ("permutation:a",), "inputs": LIST})

    assert task.relations
    assert compared.finding.stage == "generated", "where the incumbent says what is right, that is asked first"
