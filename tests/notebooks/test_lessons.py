"""Every notebook runs under papermill with small numbers, on both kernels; the lessons' exercises can be solved."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import nbformat
import papermill
import pytest

from .conftest import joined

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SMALL = {
    "00_start_here.ipynb": {"budget": "4s"},
    "01_evolve_a_kernel.ipynb": {"budget": "30s"},
    "02_native_cells.ipynb": {"megabytes": 16, "rounds": 3, "budget": "3s"},
    "03_trust.ipynb": {"repeats": 500},
    "04_evolution.ipynb": {"trials": 36},
    "05_time_travel.ipynb": {"nights": 4},
    "06_canary.ipynb": {"calls": 1500, "budget": "15s"},
    "07_agent.ipynb": {"seed": 2},
    "08_repair.ipynb": {"budget": "60s"},
    "09_tasks.ipynb": {
        "tasks": str(NOTEBOOKS.parent / "benchmarks" / "tasks"),
        "evaluations": 10,
        "packings": 2,
        "rewritings": 2,
        "kernels": 2,
    },
}
"""Notebook -> parameters with which it takes seconds. The demo's own numbers are what its verdict needs."""

SOLUTIONS = {
    "const most = values[0];\n    return most;": (
        "var most = values[0];\n    for (values) |value| most = @max(most, value);\n    return most;"
    ),
    "(* nights (+ 40 (* 15 beds)))": "(* (if (>= nights 7) 0.9 1) nights (+ 40 (* 15 beds)))",
}
"""As the last cell of the first notebook gives them."""

NATIVE_SOLUTIONS = {
    "    _ = values;\n    _ = by;": "    for (values) |*value| value.* *= by;",
    "exercise2\npub fn largest(values: []const f32) f32 {\n    var most = values[0];\n"
    "    for (values) |value| most = @max(most, value);\n    return most;": (
        "exercise2\npub fn largest(values: []const f32) f32 {\n"
        "    var i: usize = 0;\n"
        "    var most: @Vector(16, f32) = @splat(values[0]);\n"
        "    while (i + 16 <= values.len) : (i += 16) {\n"
        "        most = @max(most, @as(@Vector(16, f32), values[i..][0..16].*));\n"
        "    }\n"
        "    var best = @reduce(.Max, most);\n"
        "    for (values[i..]) |value| best = @max(best, value);\n"
        "    return best;"
    ),
    "pub fn mean(values: []const f32) f32 {\n": (
        "pub fn mean(values: []const f32) !f32 {\n    if (values.len == 0) return error.Empty;\n"
    ),
}

TIME_TRAVEL_SOLUTIONS = {
    'culprit = ""': "states = %o history price\nculprit = states[1].id",
    "# %o rollback price ...\nwrong_again": "%o rollback price {ids[0]}\nwrong_again",
    "# %o rollback price ...\nright_again": "%o rollback price {good.id}\nright_again",
    "import random\n": "import random\n\nrandom.seed(1)",
}

EVOLUTION_SOLUTIONS = {
    "enough = 40": "enough = 17",
    "idea = run.baseline.source": 'idea = "def curve(x):\\n    return 2.2 * x * x + 3 * x + 1\\n"',
}

CANARY_SOLUTIONS = {
    'options = "--share 20%"': 'options = "--shadow --share 20%"',
    "const lanes = 1; // o: 1\n": "const lanes = 1; // o: 1 8\n",  # one candidate: the verdict needs its time
}


def execute(path, folder, kernel="project-o"):
    out = folder / path.name
    papermill.execute_notebook(
        str(path), str(out), SMALL[path.name], kernel_name=kernel, cwd=str(folder), progress_bar=False
    )
    return nbformat.read(out, as_version=4)


def test_every_notebook_has_its_small_numbers():
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} == set(SMALL)


def test_the_first_lesson_runs_and_keeps_no_widget(tmp_path):
    done = execute(NOTEBOOKS / "00_start_here.ipynb", tmp_path)

    text = joined(done)
    for exercise in (1, 3):
        assert f"Exercise {exercise}: not yet" in text, "as it is handed out an exercise is unsolved"
    assert "index out of bounds: index 9, len 3" in text
    assert "width=33" in text
    assert "rejected by the checks" not in text, "the lesson's candidates are all honest"
    assert "That is 210 crowns." in text
    assert "widgets" not in done.metadata
    assert len(nbformat.writes(done)) < 2_000_000


def test_it_runs_on_the_stock_kernel_too(tmp_path):
    done = execute(NOTEBOOKS / "00_start_here.ipynb", tmp_path, kernel="python3")

    assert "Hello. That is 210 crowns." in joined(done)


@pytest.fixture
def without_rust(tmp_path, monkeypatch, own_cache):
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(str(shutil.which("git")))
    places = [p for p in os.environ["PATH"].split(os.pathsep) if not (Path(p) / "rustc").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), *places]))
    for name in ("RUSTC", "CARGO_HOME", "RUSTUP_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PROJECT_O_CACHE", own_cache(tmp_path / "cache"))


def test_it_runs_where_rust_is_missing(tmp_path, without_rust):
    done = execute(NOTEBOOKS / "00_start_here.ipynb", tmp_path)

    assert "skipped: " in joined(done)


def solved_book(name, solutions, folder):
    """A notebook with its exercises solved, and where it is."""
    book = nbformat.read(NOTEBOOKS / name, as_version=4)
    for handed_out, solved in solutions.items():
        changed = [cell for cell in book.cells if cell.cell_type == "code" and handed_out in cell.source]
        assert changed, f"no cell of {name} holds {handed_out!r}"
        for cell in changed:
            cell.source = cell.source.replace(handed_out, solved)
    path = folder / "solved" / name
    path.parent.mkdir()
    nbformat.write(book, path)
    return book, path


def test_the_solutions_at_its_end_are_right(tmp_path):
    book, path = solved_book("00_start_here.ipynb", SOLUTIONS, tmp_path)

    text = joined(execute(path, tmp_path))
    assert "Exercise 1: right" in text
    assert "Exercise 3: right" in text
    said = book.cells[-1].source.replace(" ", "").replace("\n", "")
    for solved in SOLUTIONS.values():
        assert solved.replace(" ", "").replace("\n", "") in said, "the last cell gives another solution"


@pytest.mark.measured
def test_the_lesson_on_native_cells_survives_its_crashes_and_comes_near_the_limit(tmp_path):
    text = joined(execute(NOTEBOOKS / "02_native_cells.ipynb", tmp_path))

    for exercise in (1, 2, 3):
        assert f"Exercise {exercise}: not yet" in text, "as it is handed out an exercise is unsolved"
    assert "NativePanic: add, line 4: integer overflow" in text
    assert "hint: write `_ = result;`" in text
    assert "read, line 4: SIGSEGV" in text
    assert "stack overflow" in text
    assert "4,194,304 values are still here" in text
    assert "assembly beside the source" in text
    share = float(re.search(r"chained\.total reaches (\d+\.\d+) of", text)[1])
    slowest = float(re.search(r"^first +\S+ GB/s +(\S+)", text, re.MULTILINE)[1])
    assert share > 0.5, "even on a machine that does other things at the same time"
    assert share > 2 * slowest
    assert "4,194,304 counted, version 1.0.0" in text


@pytest.mark.measured
def test_its_exercises_can_be_solved_on_the_stock_kernel_without_rust(tmp_path, without_rust):
    book, path = solved_book("02_native_cells.ipynb", NATIVE_SOLUTIONS, tmp_path)

    text = joined(execute(path, tmp_path, kernel="python3"))
    for exercise in (1, 2, 3):
        assert f"Exercise {exercise}: right" in text
    assert "skipped: " in text
    said = "".join(book.cells[-1].source.split())
    for solved in NATIVE_SOLUTIONS.values():
        lines = [line for line in solved.split("\n") if line.startswith("    ")]
        assert "".join("".join(lines).split()) in said, "the last cell gives another solution"


def test_in_the_lesson_on_trust_each_attack_and_cheat_succeeds_in_its_control_only(tmp_path):
    done = joined(execute(NOTEBOOKS / "03_trust.ipynb", tmp_path))

    control, _, rest = done.partition("the thesis says: nothing")
    assert "refused" not in control
    assert "the secret is " in control
    assert rest.count("refused: ") == 5
    assert "Exercise 1: it held" in rest
    usual, _, here = rest.partition("Exercise 1")[2].partition("rejected")
    assert usual.count("ACCEPTED") == 5, "all four by the usual evaluator, and the honest one here"
    assert "ACCEPTED" not in here
    assert "Exercise 2: it was noticed" in here
    assert "no improvement" in here


def test_the_lesson_on_evolution_finds_the_same_again_and_shows_it(tmp_path):
    done = execute(NOTEBOOKS / "04_evolution.ipynb", tmp_path)

    text = joined(done)
    for exercise in (1, 2):
        assert f"Exercise {exercise}: not yet" in text, "as it is handed out an exercise is unsolved"
    assert re.search(r"found in trial 1[0-7], by: best of each", text)
    assert "grid over length and height" in text
    assert "trials by operator: " in text
    assert len(set(re.findall(r"^(?:above|one worker|replayed) +(\w{16}) ", text, re.MULTILINE))) == 1
    assert "trials have two parents" in text
    assert len(nbformat.writes(done)) < 2_000_000


def test_its_exercises_have_solutions(tmp_path):
    _, path = solved_book("04_evolution.ipynb", EVOLUTION_SOLUTIONS, tmp_path)

    text = joined(execute(path, tmp_path))
    for exercise in (1, 2):
        assert f"Exercise {exercise}: right" in text


def test_the_lesson_on_time_travel_goes_back_and_forgets(tmp_path):
    text = joined(execute(NOTEBOOKS / "05_time_travel.ipynb", tmp_path))

    for exercise in (1, 2, 3):
        assert f"Exercise {exercise}: not yet" in text, "as it is handed out an exercise is unsolved"
    assert "4 nights, 2 beds: 190 crowns" in text
    assert re.search(r"back after \d+\.\d\d s: 280 crowns", text)
    assert "-    return nights * (40 + 15 * beds);" in text
    assert "the state holds the cell that was right: True\nand a later one: False" in text
    assert "NameError: name 'right' is not defined" in text
    before, _, after = text.partition("in the store: 1\n")
    assert before
    assert "in the store: 0" in after


def test_the_exercises_on_time_travel_can_be_solved(tmp_path):
    book, path = solved_book("05_time_travel.ipynb", TIME_TRAVEL_SOLUTIONS, tmp_path)

    text = joined(execute(path, tmp_path, kernel="python3"))
    for exercise in (1, 2, 3):
        assert f"Exercise {exercise}: right" in text
    said = "".join(book.cells[-2].source.split())
    for solution in ("culprit = states[1].id", "%o rollback price {ids[0]}", "random.seed(1)"):
        assert "".join(solution.split()) in said, "the last cell gives another solution"


def test_in_the_lesson_on_canaries_no_user_sees_what_is_tried(tmp_path):
    """Twice in one folder: whoever opens it again finds what was taken back, and the lesson goes on."""
    measured = ("it is faster", "was taken back: it is slower", "was taken back: nothing was shown")
    for folder in (tmp_path, tmp_path / "again", tmp_path / "once more"):  # a neighbour may spoil a measurement
        folder.mkdir(exist_ok=True)
        text = joined(execute(NOTEBOOKS / "06_canary.ipynb", folder))
        assert "1500 calls: 0 wrong answers, 0 errors" in text
        if all(words in text for words in measured):
            break

    assert "meter 1.0.0 serves every call from now on: it is faster" in text
    crash, _, rest = text.partition("was taken back: it ended a call that the version before answers")[2].partition(
        "is not tried again"
    )
    assert "index out of bounds" in crash
    slow, _, rest = rest.partition("was taken back: it is slower")
    assert "300 calls: 0 wrong answers, 0 errors" in slow
    assert "was taken back: nothing was shown" in rest
    assert "Exercise 1: not yet" in rest
    assert "Exercise 2: not yet" in rest

    _, path = solved_book("06_canary.ipynb", CANARY_SOLUTIONS, folder)
    again = joined(execute(path, folder, kernel="python3"))
    assert again.count("is not tried again") == 3, "the careless one, asked twice, and the slow one"
    assert "was taken back: its answers differ" in again
    assert "Exercise 1: right" in again
    assert "Exercise 2: right" in again


@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_notebook_says_which_kernel_and_holds_a_parameters_cell_if_it_can_be_made_small(name):
    book = nbformat.read(NOTEBOOKS / name, as_version=4)
    assert book.metadata.kernelspec.name == "project-o"
    assert any("parameters" in cell.metadata.get("tags", ()) for cell in book.cells)
