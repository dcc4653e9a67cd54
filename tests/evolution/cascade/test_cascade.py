"""The cascade: a candidate is rejected at the cheapest stage that fails, with evidence for whoever proposes next."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from project_o.evolution.checks.seam import STAGES
from project_o.evolution.run import Run
from project_o.values import Record

PYTHON = """import math

def total(a: list[int]) -> int:
    n = 1  # o: 1 2
    sum = math.floor(0.5)
    for x in a:
        sum += x
    return sum
"""


PLAIN = PYTHON.replace(": list[int]", "").replace(" -> int", "")
FLOATS = """pub fn total(a: []const f32, k: u8) f32 {
    var sum: f32 = 0;
    for (a) |x| sum += x;
    return if (k > 3) sum else 0;
}
"""


def passes(program: Any) -> None:
    assert program([1, 2]) == 3


def long_one(program: Any) -> None:
    assert program([1] * 333) == 333


CASES: list[tuple[str, str, str, str, dict[str, Any], int, int]] = [
    # stage, language, what is replaced, by what, more fields, how often it is built, how often opened
    ("syntax", "python", "return sum", "return (sum", {}, 0, 0),
    ("syntax", "zig", "return sum;", "return sum", {}, 0, 0),
    ("syntax", "rust", "    sum\n}", "    sum\n", {}, 0, 0),
    ("syntax", "lisp", "(str n)", "(str n", {}, 0, 0),
    ("security", "python", "return sum", "return open('/etc/passwd') and sum", {}, 0, 0),
    ("security", "zig", "return sum;", 'return sum + @embedFile("/etc/passwd").len;', {}, 0, 0),
    ("security", "rust", "    sum\n}", '    sum + include_str!("/etc/passwd").len() as i64\n}', {}, 0, 0),
    ("types", "python", "return sum", "return str(sum)", {}, 0, 0),
    ("build", "python", "return sum", "return sum + unheard_of", {}, 1, 0),
    ("build", "zig", "return sum;", "return sum + unheard_of;", {}, 1, 0),
    ("build", "rust", "    sum\n}", '    sum + "text"\n}', {}, 1, 0),
    ("generated", "python", "sum += x", "sum += 2 * x", {}, 1, 1),
    ("generated", "zig", "sum += x", "sum += 2 * x", {}, 1, 1),
    ("generated", "rust", "sum += x", "sum += 2 * x", {}, 1, 1),
    ("generated", "lisp", "(+ n 1)", "(+ n 2)", {}, 1, 1),
    ("tests", "python", "return sum", "return sum if len(a) != int('3' * 3) else 0",
     {"tests": [passes, long_one]}, 1, 3),
    ("relations", "python", "return sum", "return sum + a[0] * (len(a) == 4)",
     {"relations": ("permutation:a",), "evaluator": lambda p: {"score": 1.0}, "objective": "score"}, 1, 1),
]  # fmt: skip


def case_id(case: Any) -> str:
    return f"{case[0]}, {case[1]}"


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_a_candidate_pays_for_no_stage_behind_the_one_that_rejects_it(lab: Any, case: Any) -> None:
    stage, language, old, new, fields, builds, opens = case
    made = lab(language, {"types": PYTHON}.get(stage, PLAIN) if language == "python" else "")
    assert old in made.program.source
    record: Record = made.record(made.program.source.replace(old, new), fields=fields)

    assert record.status == "failed", record.reason
    assert record.finding is not None
    assert record.finding.stage == stage, record.reason
    assert record.finding.evidence
    assert record.reason == record.finding.reason
    assert len(set(made.built)) == builds
    assert len(made.opened) == opens


def test_each_stage_stands_in_the_cascade_in_the_order_of_its_cost(lab: Any) -> None:
    fields = {"tests": passes, "relations": ("permutation:a",), "scenario": passes}
    from project_o.evolution.checks import cascade_of

    checks = cascade_of(lab("python", PYTHON).task(**fields)).checks
    assert [check.stage for check in checks] == [stage for stage in STAGES if stage != "performance"]


EVIDENCE = {
    "syntax": ("return (sum", "was never closed", ["line 8", "return (sum"]),
    "types": (
        "return str(sum)",
        "Incompatible return value type",
        ["line 8: error: Incompatible return", "[return-value]"],
    ),
    "build": ("return sum + unheard_of", "unheard_of is not among", ["line 8", "unheard_of"]),
    "generated": ("return sum + (len(a) > 5)", "returned", ["total([0, 0, 0, 0, 0, 0]) returned 1 instead of 0"]),
}


def test_the_evidence_goes_back_to_the_proposer_and_into_the_runs_record(lab: Any) -> None:
    made = lab("python", PYTHON, inputs=[([5, 6, 7, 8, 9, 4, 3],)])
    texts = [PYTHON.replace("return sum", new) for new, _, _ in EVIDENCE.values()]
    run: Run = made.run(*texts, *(f"# {number}\n" for number in range(5)))
    kept = json.loads(run.to_json())["resume"]["records"]

    last = made.proposer.told[-1]
    for number, (stage, (_, reason, evidence)) in enumerate(EVIDENCE.items(), 1):
        record = run.trials[number]
        assert record.finding is not None
        assert record.finding.stage == stage, record.reason
        assert reason in record.reason
        for words in evidence:
            assert words in record.finding.evidence, record.finding.evidence
        assert last[number].finding == record.finding
        assert kept[number]["finding"]["evidence"] == record.finding.evidence


def test_a_counterexample_is_an_expression_that_can_be_run(lab: Any) -> None:
    made = lab("zig", FLOATS, inputs=[(np.arange(5, dtype=np.float32), 7)])
    record = made.record(made.program.source.replace("else 0", "else 1"))
    call = record.finding.evidence.partition(" returned ")[0]
    names = {name: getattr(np, name) for name in ("array", "float32")}

    assert eval(call, {**names, "total": lambda a, k: (a.dtype, k <= 3)}) == (np.dtype("float32"), True)


def test_slower_than_what_serves_is_told_by_the_stage_performance(lab: Any) -> None:
    made = lab("python", PLAIN, inputs=[(list(range(200)),)])
    record = made.record(PLAIN.replace("sum += x", "sum += x + 0 * sum * len(str(x))"))

    assert record.status in ("no better", "duplicate"), record.reason
    assert record.finding.stage == "performance"
    assert "times the baseline's speed" in record.finding.evidence


def test_the_incumbents_failures_are_outside_its_domain_and_counted(lab: Any) -> None:
    """Where what serves fails, a candidate may do as it likes; too many such inputs end the run at once."""
    text = PYTHON.replace(
        "    sum = math.floor(0.5)\n", "    if len(a) == 3:\n        a[99]\n    sum = math.floor(0.5)\n"
    )
    made = lab("python", text, inputs=[([5, 6, 7, 8],)])
    run = made.run(text.replace("a[99]", "return 7"))

    finding = run.trials[1].finding
    assert finding is None or finding.stage == "performance", run.trials[1].reason


BEYOND = "    if (a.len > 0) std.mem.doNotOptimizeAway(@as(*const volatile i64, &a.ptr[a.len]).*);\n    return sum;"


def test_a_candidate_that_reads_one_element_too_many_is_found_though_it_answers_alike(lab: Any) -> None:
    """The arguments of generated checks lie against pages that nobody may touch."""
    made = lab("zig")
    looks = "    if (a.ptr[a.len] == 0x5eed_5eed_5eed) sum += 1;\n    return sum;"
    record: Record = made.record(made.program.source.replace("    return sum;", looks))

    assert record.status == "failed", record.reason
    assert record.finding is not None
    assert record.finding.stage == "generated"
    assert "right behind the end of a" in record.reason
