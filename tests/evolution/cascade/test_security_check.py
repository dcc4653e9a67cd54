"""The stage "security": what a proposed text uses beyond computing, and beyond what serves now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

EXITS = """const std = @import("std");
pub fn total(a: []const i64) i64 {
    var sum: i64 = 0;
    for (a) |x| sum += x;
    if (a.len > 1 << 40) std.process.exit(0);
    return sum;
}
"""
WRITES = """pub fn total(a: &[i64]) -> i64 {
    let sum = a.iter().sum();
    if sum == 7 { std::fs::write("x", "y").ok(); }
    sum
}
"""
USES_OS = """def total(a):
    import os
    sum = 0
    for x in a:
        sum += x
    return sum if os.sep else 0
"""
BEYOND = {
    "zig": (EXITS, "line 5: std.process: it starts or ends processes"),
    "rust": (WRITES, "line 3: std::fs: it reads or writes files"),
    "python": (USES_OS, "line 2: import os: it asks the operating system"),
    "lisp": (
        '(defagent total "Counts."\n  (import socket)\n  (str (len message)))\n',
        "line 2: import socket: it uses the network",
    ),
}
LANGUAGES = list(BEYOND)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_goes_beyond_computing_is_rejected_before_any_build_with_its_line_and_why(lab: Any, language: str) -> None:
    made = lab(language)
    source, reason = BEYOND[language]

    record = made.record(source)

    assert record.status == "failed"
    assert record.finding is not None
    assert record.finding.stage == "security"
    assert reason in record.reason
    assert source.splitlines()[int(reason.split()[1].rstrip(":")) - 1].strip() in record.finding.evidence
    assert made.built == []
    assert made.opened == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_may_use_it_who_says_so(lab: Any, language: str) -> None:
    made = lab(language)
    run = made.run()

    refused, verdict = run.propose(BEYOND[language][0]), run.propose(BEYOND[language][0], trusted=True)

    assert not refused.accepted
    assert BEYOND[language][1] in "; ".join(refused.reasons)
    assert "trusted=True" in "; ".join(refused.reasons)
    assert verdict.trial is not None
    stages = {finding.stage: finding for finding in verdict.trial.findings}
    assert stages["security"].outcome == "passed"


@pytest.mark.parametrize(("language", "own"), [("zig", EXITS), ("python", USES_OS)])
def test_what_serves_now_may_go_on_using_what_it_uses(lab: Any, language: str, own: str) -> None:
    made = lab(language, own)

    record = made.record(own.replace("sum += x", "sum = sum + x"))

    assert record.finding is None or record.finding.stage == "performance", record.reason


def test_what_the_notebook_around_a_function_uses_is_no_news(lab: Any) -> None:
    own = "import os\n\ndef total(a):\n    return sum(a) if os.sep else 0\n"
    made = lab("python", own)

    record = made.record("def total(a):\n    return 0 + sum(a) if os.sep else 0\n")

    assert record.finding is None or record.finding.stage == "performance", record.reason


def test_what_a_fast_honest_program_uses_passes(lab: Any) -> None:
    made = lab("rust")

    record = made.record(
        "pub fn total(a: &[i64]) -> i64 {\n    (0..a.len()).map(|k| unsafe { *a.get_unchecked(k) }).sum()\n}\n"
    )

    assert record.finding is None or record.finding.stage == "performance", record.reason


def test_what_is_told_stands_in_the_finding(lab: Any) -> None:
    from project_o.evolution.checks.seam import Subject
    from project_o.evolution.checks.security import Security

    made = lab("rust")
    task = made.task()
    source = "pub fn total(a: &[i64]) -> i64 {\n    (0..a.len()).map(|k| unsafe { *a.get_unchecked(k) }).sum()\n}\n"
    unused: Any = None
    proposed = task.tools.with_source(task.program, source)

    found = Security().run(Subject(task, proposed, task.program, unused, unused))
    linked = Security().run(Subject(task, replace(proposed, options=("link:z",)), task.program, unused, unused))

    assert linked.outcome == "failed"
    assert "libraries and crates are the user's" in linked.reason
    assert found.outcome == "passed"
    assert dict(found.facts) == {"reported": "unsafe (line 2)"}
    assert "does not check it" in found.evidence


def test_a_search_within_its_time_may_ask_for_it_where_an_evaluator_scores_it(lab: Any) -> None:
    from project_o.evolution.checks.seam import Subject
    from project_o.evolution.checks.security import Security

    task = lab("python").task()
    scored = replace(task, evaluator=lambda program: {"score": 1.0})
    source = "def total(a):\n    import time\n    end = time.time() + 0.1\n    return sum(a) if end else 0\n"
    unused: Any = None
    proposed = task.tools.with_source(task.program, source)

    outcomes = [
        Security().run(Subject(each, proposed, task.program, unused, unused)).outcome for each in (task, scored)
    ]

    assert outcomes == ["failed", "passed"]


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_what_a_compiler_would_read_is_refused_also_where_what_serves_reads_it(lab: Any, language: str) -> None:
    reads = {"zig": '\nconst seen = "a"; // @embedFile\n', "rust": "\n// include_str!\n"}[language]
    call = {"zig": 'const text = @embedFile("x");\n', "rust": 'const TEXT: &str = include_str!("x");\n'}[language]
    made = lab(language)

    harmless, reading = made.run(made.program.source + reads, made.program.source + call).trials[1:]

    assert harmless.status == "duplicate" or harmless.finding is None or harmless.finding.stage == "performance"
    assert reading.finding is not None
    assert reading.finding.stage == "security"
    assert "a proposed text is compiled where no files" in reading.reason
