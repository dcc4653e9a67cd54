"""The stage "types": mypy's errors that what serves has not, for Python and for Lisp that became Python."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from typing import Any

import pytest

from project_o.evolution.checks import types
from project_o.evolution.checks.seam import Subject
from project_o.evolution.checks.types import Types
from project_o.sandbox import build_outputs
from project_o.values import Finding

TYPED = """import math

def total(a: list[int]) -> int:
    n = 1  # o: 1 2
    sum = math.floor(0.5)
    for x in a:
        sum += x
    return sum
"""
SCORE = {"evaluator": lambda program: {"score": float(program([1, 2, 3]))}, "objective": "score"}
LISP = """(deftool twice [#^ int a] "Doubles."
  (* 2 a))

(defagent total "Counts." :tools [twice]
  (setv n 1) ; o: 1 2
  (str (len message)))
"""


def asked(made: Any, source: str, check: Types | None = None, **known: Any) -> Finding:
    """What the check alone says of a text; one check serves all texts of a program."""
    task = made.task()
    made.types = check = check or getattr(made, "types", None) or Types(task)
    subject = Subject(task, made.program.with_source(source, ()), made.program, None, None, **known)  # type: ignore[arg-type]
    return check.run(subject)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("return sum", "return str(sum)", 8, 'Incompatible return value type (got "str", expected "int")'),
        ("sum += x", "sum += x.real_part", 7, '"int" has no attribute "real_part"'),
        ("sum += x", "sum += math.sqrt('2')", 7, 'Argument 1 to "sqrt" has incompatible type "str"'),
        ("return sum", "return len(5)", 8, 'Argument 1 to "len" has incompatible type "int"; expected "Sized"'),
    ],
)
def test_a_type_error_rejects_at_the_cells_own_line_in_mypys_words(
    lab: Any, old: str, new: str, line: int, words: str
) -> None:
    made = lab("python", "# the first line of the cell\n" + TYPED)
    text = made.program.source.replace(old, new)
    found = asked(made, text)

    assert found.outcome == "failed"
    assert found.reason.startswith(f"mypy, line {line + 1}: {words}")
    assert f"line {line + 1}: error: {words}" in found.evidence
    assert f"\n    {new}" in found.evidence


def test_it_costs_a_candidate_its_build_and_all_that_follows(lab: Any) -> None:
    made = lab("python", TYPED)
    run = made.run(
        TYPED.replace("return sum", "return str(sum)"),
        TYPED.replace("sum = math.floor(0.5)", "sum = math.floor(0.25)"),
        fields=SCORE,
    )

    bad, good = run.trials[1:]
    assert (bad.status, bad.finding.stage) == ("failed", "types")
    assert len(made.built) == 1, "the build of a text with a type error is not asked for"
    assert good.status in ("no better", "duplicate"), good.reason


def test_errors_that_serve_already_reject_nothing_wherever_they_stand(lab: Any) -> None:
    wrong = TYPED.replace("    return sum", "    other: str = sum\n    return sum")
    made = lab("python", wrong)
    moved = wrong.replace("    sum = math", "    sum = 0\n    more = 1\n\n    sum = math")
    twice = wrong.replace("    other: str = sum\n", "    other: str = sum\n    again: str = sum\n")

    assert asked(made, moved).outcome == "passed"
    found = asked(made, twice)
    assert (found.outcome, dict(found.facts)["type errors"]) == ("failed", 1)


def test_what_is_around_it_is_known(lab: Any) -> None:
    made = lab(
        "python",
        "import statistics\nfrom math import floor as down\nSHARE = 0.5\nNAMES = {'a': 1}\n\n"
        "def helper(x: float) -> str:\n    return str(x)\n\n"
        "def total(a: list[float]) -> int:\n"
        "    n = 1  # o: 1 2\n    return down(statistics.fmean(a) * SHARE) + len(helper(1.0)) + len(NAMES)\n",
    )
    fine = made.program.source.replace("len(NAMES)", "len(NAMES) + down(SHARE)")
    assert asked(made, fine).outcome == "passed", asked(made, fine)
    for wrong in ("down(helper(1.0))", "len(SHARE)", "NAMES.missing()", "helper('text')"):
        found = asked(made, made.program.source.replace("len(NAMES)", wrong))
        assert found.outcome == "failed", wrong


def test_a_candidate_as_long_as_its_incumbent_is_read(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """mypy's cache knows a file by its path, size and second: a candidate of the same three passed unread."""
    honest = build_outputs.write_all

    def write_all(folder: Path, files: Any) -> Any:
        written = honest(folder, files)
        for name in files:
            os.utime(folder / name, (1e9, 1e9))
        return written

    monkeypatch.setattr(build_outputs, "write_all", write_all)
    right = "def total(a: list[int]) -> int:\n    n = 1  # o: 1 2\n    return len(a)\n"
    wrong = right.replace("len(a)", "len(n)")
    assert len(right) == len(wrong)
    assert asked(lab("python", right), wrong).outcome == "failed"


def test_a_comment_does_not_switch_it_off(lab: Any) -> None:
    made = lab("python", TYPED)
    text = TYPED.replace("return sum", "return str(sum)  # type: ignore").replace(
        "    n = 1", "    # mypy: ignore-errors\n    n = 1"
    )
    found = asked(made, text)

    assert found.outcome == "failed"
    assert "line 9" in found.reason


@pytest.mark.parametrize(
    "change",
    [
        ("sum = math.floor(0.5)", "sum = math.floor(0.5)\n    half = 0\n    half += 0.5"),
        ("return sum", "import itertools\n    return sum"),
        ("return sum", "import unknown_package as other\n    return sum if a else other.f(a)"),
        ("return sum", "return sum if a else never_defined"),
    ],
    ids=["a variable becomes a float", "a module", "a package without stubs", "an unknown name"],
)
def test_what_is_no_fault_of_types_passes(lab: Any, change: tuple[str, str]) -> None:
    found = asked(lab("python", TYPED), TYPED.replace(*change))
    assert found.outcome == "passed", found.reason


# ------------------------------------------------------------------ where nothing is checked


def test_without_annotations_nothing_is_asked_and_that_is_said(lab: Any) -> None:
    made = lab("python")
    check = Types(made.task())
    took = []
    for number in range(20):
        began = time.perf_counter()
        found = asked(made, made.program.source.replace("= 0", f"= {number} - {number}"), check)
        took.append(time.perf_counter() - began)

    assert (found.outcome, found.reason) == ("inconclusive", "there are no annotations, so nothing was checked")
    assert min(took) < 0.005


def test_a_candidate_without_annotations_of_an_annotated_one_is_not_asked(lab: Any) -> None:
    found = asked(lab("python", TYPED), TYPED.replace(": list[int]", "").replace(" -> int", ""))
    assert found.outcome == "inconclusive"


def test_other_settings_of_the_users_own_text_are_not_asked(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = lab("python", TYPED)
    monkeypatch.setattr(types, "_command", lambda: pytest.fail("it was asked"))
    task = made.task()
    other = task.tools.with_settings(made.program, {"n": 2})
    subject = Subject(task, other, made.program, None, None)  # type: ignore[arg-type]
    assert Types(task).run(subject) == Finding("types", "passed")


def test_without_mypy_it_says_so(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "mypy" else found_spec(name, *rest)
    )
    found = asked(lab("python", TYPED), TYPED.replace("return sum", "return str(sum)"))

    assert found.outcome == "inconclusive"
    assert found.reason == "mypy is not installed (the extra project-o[checks] brings it), so types were not checked"


def test_where_no_sandbox_can_hold_it_types_are_not_checked(lab: Any) -> None:
    from project_o.sandbox import Sandbox

    made = lab("python", TYPED)
    with Sandbox(deny=("landlock", "namespaces")) as box:
        made.box = box
        assert box.level == "L1"
        found = asked(made, TYPED.replace("return sum", "return str(sum)"))

    assert found.outcome == "inconclusive"
    assert "types were not checked: at level L1" in found.reason


def test_a_persons_own_text_is_told_and_not_rejected(lab: Any) -> None:
    found = asked(lab("python", TYPED), TYPED.replace("return sum", "return str(sum)"), trusted=True)

    assert found.outcome == "inconclusive"
    assert "Incompatible return value" in found.reason


def test_it_reads_nothing_of_the_users(lab: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module beside the user's notebook would give the text types, and its content away."""
    (tmp_path / "secrets_of_mine.py").write_text("WORD: int = 'a type error that would be told'\ndef f() -> int: ...\n")
    (tmp_path / "mypy.ini").write_text("[mypy]\nplugins = nowhere.to.be.found\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MYPYPATH", str(tmp_path))
    text = TYPED.replace("return sum", "import secrets_of_mine\n    return secrets_of_mine.f().nothing")
    found = asked(lab("python", TYPED), text)

    assert found.outcome == "passed", found.reason


@pytest.mark.measured
def test_after_the_first_it_is_quick(lab: Any) -> None:
    made = lab("python", TYPED)
    check = Types(made.task())
    asked(made, TYPED.replace("0.5", "0.75"), check)
    took = []
    for number in range(3):
        began = time.perf_counter()
        asked(made, TYPED.replace("0.5", f"{number}.5"), check)
        took.append(time.perf_counter() - began)

    assert min(took) < 0.6


# ------------------------------------------------------------------ Lisp


def test_lisp_is_checked_as_the_python_that_it_becomes(lab: Any) -> None:
    made = lab("lisp", LISP)
    wrong = LISP.replace("(* 2 a)", "(* 2 (len a))")
    found = asked(made, wrong)

    assert found.outcome == "failed", found
    assert found.reason == 'mypy, line 2: Argument 1 to "len" has incompatible type "int"; expected "Sized"'
    assert asked(made, LISP.replace("(* 2 a)", "(+ a a)")).outcome == "passed"


def test_macros_of_a_candidate_are_expanded_in_the_sandbox(lab: Any, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    made = lab("lisp", LISP)
    hostile = f'(defmacro evil [] (open "{mark}" "w") 1)\n(evil)\n' + LISP
    found = asked(made, hostile)

    assert not mark.exists()
    assert found.outcome == "inconclusive"


def test_lisp_without_annotations_starts_nothing(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = lab("lisp")
    monkeypatch.setattr(types, "_command", lambda: pytest.fail("it was asked"))
    began = time.perf_counter()
    found = asked(made, made.program.source.replace("(str n)", '(+ (str n) "")'))

    assert found.outcome == "inconclusive"
    assert time.perf_counter() - began < 1.0
