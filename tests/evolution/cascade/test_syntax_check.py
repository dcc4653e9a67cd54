"""The stage "syntax": what cannot be read costs its candidate only, and no build."""

from __future__ import annotations

from typing import Any

import pytest

from project_o import limits
from project_o.languages import trouble

BROKEN = {
    "zig": "pub fn total(a: []const i64) i64 {\n    var sum: i64 = 0;\n    for (a) |x| sum += ;\n    return sum;\n}\n",
    "rust": "pub fn total(a: &[i64]) -> i64 {\n    let mut sum = 0;\n    for x in a { sum += ; }\n    sum\n}\n",
    "python": "def total(a):\n    sum = 0\n    for x in a\n        sum += x\n    return sum\n",
    "lisp": '(defagent total "Counts."\n  (setv n 0)\n  (for [x message) (setv n (+ n 1)))\n  (str n))\n',
}
"""Each is broken in line 3."""


@pytest.mark.parametrize("language", ["zig", "rust", "python", "lisp"])
def test_what_cannot_be_read_is_rejected_before_any_build_at_its_own_line(lab: Any, language: str) -> None:
    made = lab(language)

    record = made.record(BROKEN[language])

    assert record.status == "failed"
    assert record.finding is not None
    assert record.finding.stage == "syntax"
    assert "line 3" in record.finding.reason
    assert record.finding.evidence
    assert made.built == []
    assert made.opened == []


def hostile() -> dict[str, str]:
    return {
        "deep brackets": "(" * 60_000,
        "deep signs": "-" * 60_000 + "1",
        "deep attributes": "a" + ".b" * 30_000,
        "a megabyte": "x = 1\n" * 200_000,
        "a megabyte of loops": "[x " + "for x in y " * 90_000 + "]",
        "a zero byte": "def total(a):\n    return '\0'\n",
        "half a character": "def total(a):\n    return '\ud800'\n",
        "nothing": "",
        "an endless number": "x = " + "9" * 60_000,
        "brackets in brackets": "[" * 30_000 + "]" * 30_000,
    }


@pytest.mark.parametrize("language", ["zig", "rust", "python", "lisp"])
def test_hostile_texts_cost_only_themselves(lab: Any, language: str) -> None:
    made = lab(language)
    good = made.program.source + "\n"
    texts = hostile()

    run = made.run(*texts.values(), good, seed=1)

    assert [item.status for item in run.trials[1:-1]] == ["failed"] * len(texts)
    assert run.trials[-1].status == "duplicate"
    assert run.to_json().encode("utf-8")
    for name, record in zip(texts, run.trials[1:], strict=False):
        assert record.finding is not None, name
        assert len(record.finding.reason) <= limits.REASON_CHARACTERS_MAX
        assert len(record.finding.evidence) <= limits.EVIDENCE_CHARACTERS_MAX + 60
        if name in ("a megabyte", "a megabyte of loops", "a zero byte", "half a character"):
            assert record.finding.stage == "syntax", name


def test_what_only_the_compiler_can_read_passes(lab: Any) -> None:
    text = (
        "const Nothing = struct {};\nconst one = .{ .async = 1 };\npub fn total(a: []const i64) i64 {\n"
        "    var sum: i64 = 0;\n    for (a) |x| sum += x + @sizeOf(Nothing) * one.async;\n    return sum;\n}\n"
    )
    record = lab("zig").record(text)

    assert trouble("zig", text) is not None, "our own grammar knows it by now: find another such text"
    assert record.status in ("better", "no better", "duplicate"), record.reason


def test_what_stands_outside_the_evolve_blocks_is_rejected_in_any_proposal(lab: Any) -> None:
    marked = (
        "def total(a):\n    step = 1  # o: 1 2\n    # EVOLVE-BLOCK-START\n    sum = 0\n    for x in a:\n"
        "        sum += x\n    # EVOLVE-BLOCK-END\n    return sum\n"
    )
    made = lab("python", marked)
    inside = marked.replace("    sum = 0\n", "    sum = 0 + 0\n")
    outside = marked.replace("return sum", "return sum + 1")
    set_too = inside.replace("step = 1", "step = 2")

    run = made.run(inside, outside, set_too)

    assert run.trials[2].finding is not None
    assert run.trials[2].finding.stage == "syntax"
    assert "outside the EVOLVE blocks" in run.trials[2].reason
    for passed in (run.trials[1], run.trials[3]):
        assert passed.finding is None or passed.finding.stage == "performance", passed.reason
