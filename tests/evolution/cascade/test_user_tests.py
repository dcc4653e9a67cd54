"""The stage "tests": the user's own tests by name, in a forked copy of this process, with the candidate sandboxed."""

from __future__ import annotations

import linecache
import os
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.errors import EvolutionError, UsageError
from project_o.evolution import run_evolution
from project_o.evolution.checks.tests import named_tests

PYTHON = "def total(a):\n    n = 1  # o: 1 2\n    sum = 0\n    for x in a:\n        sum += x\n    return sum\n"
WRONG_FOR_LONG = PYTHON.replace("return sum", "return sum if len(a) != 33 else 0")
"""Wrong where no generated input of one list of four numbers is sure to look: only a test that means it finds it."""
SCORE = {"evaluator": lambda program: {"score": float(program([1, 2, 3]))}, "objective": "score"}
"""Nothing is generated: what the tests say is all that rejects."""

PASSED = ("no better", "duplicate")
"""A candidate that passes, and answers as another one: neither is better."""


CELL = """
def test_small(program):
    assert program([1, 2]) == 3


def test_long(program):
    values = list(range(33))
    assert program(values) == sum(values), "a long one"


class Suite:
    helper = 33

    def test_empty(self, program):
        assert program([]) == 0

    def test_long(self, program):
        assert program([1] * self.helper) == self.helper
"""


def cell() -> dict[str, Any]:
    """The names that the cell defines, as a notebook knows its lines."""
    names: dict[str, Any] = {"__name__": "__main__"}
    linecache.cache["<tests>"] = (len(CELL), None, CELL.splitlines(keepends=True), "<tests>")
    exec(compile(CELL, "<tests>", "exec"), names)
    return names


NAMES = cell()
small, long, Suite = NAMES["test_small"], NAMES["test_long"], NAMES["Suite"]


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (small, ["test_small"]),
        ([small, long], ["test_small", "test_long"]),
        ({"first": small, "more": [long]}, ["first", "test_long"]),
        (Suite, ["Suite.test_empty", "Suite.test_long"]),
        (Suite(), ["Suite.test_empty", "Suite.test_long"]),
        ((Suite, small), ["Suite.test_empty", "Suite.test_long", "test_small"]),
    ],
    ids=["a function", "a list", "a dict", "a class", "an object", "a tuple of both"],
)
def test_tests_are_named_by_where_they_stand(given: Any, names: list[str]) -> None:
    assert [test.name for test in named_tests(given)] == names


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "holds no test"),
        ({}, "holds no test"),
        (object(), "holds no test"),
        (lambda: None, "must take the program alone"),
        (lambda a, b: None, "must take the program alone"),
    ],
    ids=["an empty list", "an empty dict", "an object without one", "no parameter", "two parameters"],
)
def test_what_holds_no_test_is_said_at_once(lab: Any, given: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        lab("python", PYTHON).run(WRONG_FOR_LONG, fields={"tests": given, **SCORE})


@pytest.mark.parametrize("given", [long, [small, long], Suite], ids=["function", "list", "class"])
def test_a_candidate_that_fails_a_test_is_rejected_at_its_line(lab: Any, given: Any) -> None:
    made = lab("python", PYTHON)
    run = made.run(WRONG_FOR_LONG, PYTHON.replace("n = 1", "n = 3"), fields={"tests": given, **SCORE})

    bad, good = run.trials[1:]
    assert bad.status == "failed"
    assert bad.finding.stage == "tests"
    assert "test_long, line " in bad.reason
    assert "assert program(" in bad.reason
    assert 'File "<tests>", line ' in bad.finding.evidence
    assert bad.finding.evidence.rstrip().endswith(("AssertionError", "AssertionError: a long one"))
    assert good.status in PASSED, good.reason


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_native_candidates_are_tested_too(lab: Any, language: str) -> None:
    made = lab(language)
    wrong = made.program.source.replace(
        "for (a) |x| sum += x;" if language == "zig" else "for x in a { sum += x; }",
        "if (a.len != 33) for (a) |x| { sum += x; };"
        if language == "zig"
        else "if a.len() != 33 { for x in a { sum += x; } }",
    )

    def test_it(program: Any) -> None:
        assert program(np.ones(33, np.int64)) == 33

    record = made.record(
        wrong, fields={"tests": test_it, "evaluator": lambda program: {"score": 1.0}, "objective": "score"}
    )

    assert (record.status, record.finding.stage) == ("failed", "tests"), record.reason
    assert "assert program(np.ones(33, np.int64)) == 33" in record.reason


def test_what_serves_must_pass_first(lab: Any) -> None:
    def test_never(program: Any) -> None:
        assert program([1]) == 2

    made = lab("python", PYTHON)
    with pytest.raises(EvolutionError, match=r"what serves now fails its own tests: test_never, line \d+: .*mend one"):
        made.run(WRONG_FOR_LONG, fields={"tests": test_never, **SCORE})
    assert made.opened == []


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (lambda: sys.exit(0), "SystemExit: 0"),
        (lambda: os._exit(0), "its process ended"),
        (os.abort, "its process ended"),
        (lambda: threading.Event().wait(), "it was not done after"),
        (lambda: 1 / 0, "ZeroDivisionError"),
    ],
    ids=["SystemExit", "os._exit", "abort", "a test that hangs", "another error"],
)
def test_however_a_test_ends_it_costs_its_candidate_only(
    lab: Any, monkeypatch: pytest.MonkeyPatch, what: Any, words: str
) -> None:
    if "not done" in words:  # the others end by themselves, and have to be told in their own words
        monkeypatch.setattr(limits, "SCENARIO_SECONDS_MIN", 2.0)

    def test_it(program: Any) -> None:
        print("looking")
        if program([1] * 33) != 33:
            what()

    run = lab("python", PYTHON).run(WRONG_FOR_LONG, PYTHON + "\n# another\n", PYTHON.replace("= 1", "= 3"),
                                    fields={"tests": test_it, **SCORE})  # fmt: skip

    assert [item.status for item in run.trials][:3] == ["baseline", "failed", "duplicate"]
    assert run.trials[3].status in PASSED
    assert run.trials[1].reason.startswith("test_it")
    assert words in run.trials[1].reason
    assert "It printed:\nlooking" in run.trials[1].finding.evidence
    assert ("Fatal Python error: Aborted" in run.trials[1].finding.evidence) == (what is os.abort)


def test_each_test_meets_the_candidate_in_a_process_of_its_own(lab: Any) -> None:
    text = PYTHON.replace("    sum = 0\n", "    sum = 0\n    seen.append(1)\n    if len(seen) > 1: return -1\n")
    text = "seen = []\n" + text

    def test_one(program: Any) -> None:
        assert program([1]) == 1

    run = lab("python", PYTHON).run(text, fields={"tests": [test_one, test_one, test_one], **SCORE})

    assert run.trials[1].finding is None or run.trials[1].finding.stage != "tests", run.trials[1].reason


def test_what_a_test_changes_is_lost_with_it(lab: Any) -> None:
    seen: list[int] = []

    def test_once(program: Any) -> None:
        seen.append(1)
        assert len(seen) == 1
        assert program([2]) == 2

    run = lab("python", PYTHON).run(PYTHON.replace("= 1", "= 3"), PYTHON.replace("= 1", "= 4"),
                                    fields={"tests": test_once, **SCORE})  # fmt: skip

    assert run.trials[0].status == "baseline"
    assert all(item.status in PASSED for item in run.trials[1:])
    assert seen == []


@pytest.mark.measured
def test_a_hung_test_is_stopped_within_a_second(lab: Any) -> None:
    begun, stop = threading.Event(), threading.Event()

    def test_it(program: Any) -> None:
        if program([1] * 33) != 33:
            threading.Event().wait()

    def watch() -> None:
        begun.wait(100)
        time.sleep(0.4)
        stop.at = time.monotonic()  # type: ignore[attr-defined]
        stop.set()

    made = lab("python", PYTHON)
    thread = threading.Thread(target=watch)
    thread.start()
    opened = made.open

    def opening(artifact: Any) -> Any:
        if artifact.program.source == WRONG_FOR_LONG:
            begun.set()
        return opened(artifact)

    made.open = opening
    run = made.run(WRONG_FOR_LONG, fields={"tests": test_it, **SCORE}, stop=stop)
    ended = time.monotonic()
    thread.join()

    assert run.stopped
    assert ended - stop.at < 1.0  # type: ignore[attr-defined]


# ------------------------------------------------------------------ the test blocks of the text


BLOCKS = {
    "zig": "pub const lanes: i64 = 1; // o: 1 2\npub fn total(a: []const i64) i64 {\n    var sum: i64 = 0;\n"
    "    for (a) |x| sum += x;\n    return sum * lanes;\n}\n"
    'test "one lane" {\n    try @import("std").testing.expect(total(&.{ 1, 2 }) == 3);\n}\n',
    "rust": "const LANES: i64 = 1; // o: 1 2\npub fn total(a: &[i64]) -> i64 {\n    let mut sum = 0;\n"
    "    for x in a { sum += x; }\n    sum * LANES\n}\n"
    "#[test]\nfn one_lane() {\n    assert_eq!(total(&[1, 2]), 3);\n}\n",
}


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_the_blocks_of_the_users_own_text_are_run_for_other_settings(lab: Any, language: str) -> None:
    made = lab(language, BLOCKS[language])
    two = BLOCKS[language].replace("= 1; // o", "= 2; // o")
    other = BLOCKS[language].replace("sum *", "1 * sum *")
    score = {"evaluator": lambda program: {"score": float(program(np.array([1])))}, "objective": "score"}
    record = run_evolution(made.task(tests="cell", **score), trials=2).trials[1]
    written = made.record(other, fields={"tests": "cell", **score})

    assert record.proposal.program.source == two
    assert (record.status, record.finding.stage) == ("failed", "tests"), record.reason
    assert "a test of its own text fails, line " in record.reason
    assert written.status in PASSED, "another text's own tests are run by nobody: the text is not the user's"


def test_a_python_text_has_no_blocks(lab: Any) -> None:
    with pytest.raises(EvolutionError, match="tests=cell is for Zig and Rust"):
        lab("python", PYTHON).run(WRONG_FOR_LONG, fields={"tests": "cell", **SCORE})
