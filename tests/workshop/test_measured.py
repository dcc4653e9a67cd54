"""Which tests are run again before they have failed: some that measure, none of which one failure is too many."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MAY = {
    "benchmarks/test_soak.py",
    "benchmarks/test_tasks.py",
    "deploy/test_rollback_states.py",
    "evolution/cascade/test_coverage_check.py",
    "evolution/cascade/test_types_check.py",
    "evolution/cascade/test_user_tests.py",
    "evolution/test_forked.py",
    "evolution/test_honest.py",
    "evolution/test_plausible.py",
    "evolution/test_rewrite.py",
    "evolution/test_run.py",
    "evolution/test_stored.py",
    "evolution/test_unseen.py",
    "kernel/test_agent_canary_cells.py",
    "kernel/test_canary_cells.py",
    "kernel/test_python_function_cells.py",
    "kernel/test_rust_cells.py",
    "kernel/test_settings_cells.py",
    "kernel/test_undeclared_cells.py",
    "notebooks/test_binder.py",
    "notebooks/test_lessons.py",
    "runtimes/test_ahead.py",
    "runtimes/test_crossing.py",
    "runtimes/test_python_evolve.py",
}
"""A faster text is found better there, or something takes less than a time."""
NEVER = ("sandbox", "history", "releases", "test_cheats", "hostile")
"""Rooms and files whose tests are about security, or about what must not be lost."""


def marked(tree):
    """The functions that carry the marker."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any("mark.measured" in ast.unparse(d) for d in node.decorator_list):
            yield node


def refusals(function):
    """What it asserts not to be accepted: of that one failure is one too many."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assert) and "accepted" in (text := ast.unparse(node.test)) and "not " in text:
            yield text


def complaints(path, text, may):
    """What is wrong with the markers of one file of tests, a line each."""
    found = list(marked(ast.parse(text)))
    if found and path not in may:
        yield f"{path}: {found[0].name} may not be run again: make it stable, or say in CONTRIBUTING's words why it may"
    for function in found:
        for words in refusals(function):
            yield f"{path}: {function.name} asserts {words}: no second try for that, split it"
    if "pytestmark" in text and "mark.measured" in text.partition("pytestmark")[2].partition("\n")[0]:
        yield f"{path}: mark the tests that measure, one by one"
    if "mark.flaky" in text and path != "conftest.py":
        yield f"{path}: the marker is pytest.mark.measured"


def test_only_tests_that_measure_are_run_again():
    files = {str(file.relative_to(TESTS)): file.read_text() for file in TESTS.rglob("*.py") if file != Path(__file__)}
    found = [line for path, text in files.items() for line in complaints(path, text, MAY)]

    assert not found
    assert not [path for path in MAY if any(word in path for word in NEVER)]
    assert not [path for path in MAY if "mark.measured" not in files[path]], "no longer needed: take them off the list"


WRONG = {
    "@pytest.mark.measured\ndef test_x():\n    pass\n": "may not be run again",
    "@pytest.mark.measured\ndef test_x():\n    assert not run.verdict.accepted\n": "no second try",
    "@pytest.mark.flaky(reruns=9)\ndef test_x():\n    pass\n": "the marker is",
    "pytestmark = pytest.mark.measured\n": "one by one",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_may_not_be_is_found(text):
    may = set() if "may not" in WRONG[text] else {"a.py"}

    assert any(WRONG[text] in line for line in complaints("a.py", text, may))


def test_a_measured_test_fails_only_when_all_of_its_runs_did(tmp_path):
    """By the conftest of all tests, in a run of its own."""
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers = measured: as in pyproject.toml\naddopts = --strict-markers"
    )
    (tmp_path / "test_it.py").write_text(
        "import pytest\ntries = []\n"
        "@pytest.mark.measured\ndef test_third():\n    tries.append(1)\n    assert len(tries) == 3\n"
        "@pytest.mark.measured\ndef test_never():\n    assert False\n"
        "def test_once():\n    assert False\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "2 failed, 1 passed, 4 rerun" in done.stdout
