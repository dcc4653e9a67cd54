"""What the checks said, as the page of a run shows it."""

from __future__ import annotations

from project_o import limits
from project_o.values import Finding, Program, Proposal, Record, Trial, Verdict
from project_o.view import show_run
from project_o.view.findings import checks_part, evidence_part, rejected_part

PROGRAM = Program("total", "python", (("cell.py", "def total(a): ..."),))


def record(index: int, finding: Finding | None) -> Record:
    proposal = Proposal(index, PROGRAM, (), "search", "given")
    return Record(proposal, "failed" if finding else "better", finding.reason if finding else "", finding=finding)


def found(stage: str, reason: str = "no", evidence: str = "") -> Finding:
    return Finding(stage, "failed", reason, evidence)  # type: ignore[arg-type]


def test_each_check_that_rejected_is_told_cheapest_first_with_the_first_ones_evidence() -> None:
    records = [
        record(1, found("generated", "on ([1],): returned 2 instead of 1", "total([1]) returned 2 instead of 1")),
        record(2, found("syntax", "line 3: invalid syntax", "line 3: invalid syntax\n    for x in a")),
        record(3, found("generated", "another", "total([7]) returned 0")),
        record(4, None),
    ]
    part = rejected_part(records)
    assert part is not None
    lines = part.plain.splitlines()

    assert "rejected by the checks: 3 candidates" in lines
    rows = [line.split() for line in lines if line.strip().startswith(("syntax", "generated"))]
    assert [row[:2] for row in rows] == [["syntax", "1"], ["generated", "2"]]
    assert "trial 1, generated:" in part.plain
    assert "total([1]) returned 2 instead of 1" in part.plain
    assert "    for x in a" in part.plain
    assert "total([7])" not in part.plain


def test_where_nothing_was_rejected_there_is_nothing() -> None:
    assert rejected_part([record(1, None)]) is None
    assert checks_part(None) is None
    assert checks_part(Trial("passed", "L3")) is None


def test_evidence_that_says_no_more_than_the_reason_is_not_repeated() -> None:
    assert evidence_part(found("relations", "the same", "the same")) is None
    assert evidence_part(found("relations", "the same")) is None


def test_long_evidence_is_cut_and_hostile_evidence_is_text() -> None:
    part = evidence_part(found("tests", "no", "<script>alert(1)</script>\x1b[31m" + "x" * 9_000))
    assert part is not None
    assert len(part.plain) < limits.TEXT_CHARACTERS_MAX + 200
    assert "<script>" not in part.html
    assert "\x1b" not in part.plain


def test_the_page_of_a_run_shows_both() -> None:
    findings = (
        Finding("types", "inconclusive", "there are no annotations, so nothing was checked"),
        Finding("coverage", "passed", "reached 4 of 6 lines (66 %); not reached: 10, 12", "not reached:\nline 10"),
        found("integration", "five fails, line 3", 'File "<cell>", line 3\nAssertionError'),
    )
    verdict = Verdict(False, ("rejected",), "L3", Trial("failed", "L3", findings=findings))
    text = show_run("total", [record(1, found("build", "it does not compile", "line 2: error"))], verdict).plain

    assert "not decided" in text
    assert "reached 4 of 6 lines (66 %); not reached: 10, 12" in text
    assert 'File "<cell>", line 3' in text
    assert "rejected by the checks: 1 candidate" in text
