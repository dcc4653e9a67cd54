"""Every notebook runs under papermill with small numbers, on both kernels; the lessons' exercises can be solved."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nbformat
import papermill
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SMALL = {
    "00_start_here.ipynb": {"budget": "4s"},
    "01_evolve_a_kernel.ipynb": {"budget": "30s"},
    "03_trust.ipynb": {"repeats": 500},
}
"""Notebook -> parameters with which it takes seconds. The demo's own numbers are what its verdict needs."""

SOLUTIONS = {
    "const most = values[0];\n    return most;": (
        "var most = values[0];\n    for (values) |value| most = @max(most, value);\n    return most;"
    ),
    "(* nights (+ 40 (* 15 beds)))": "(* (if (>= nights 7) 0.9 1) nights (+ 40 (* 15 beds)))",
}
"""As the last cell of the first notebook gives them."""


def execute(path, folder, kernel="project-o"):
    out = folder / path.name
    papermill.execute_notebook(
        str(path), str(out), SMALL[path.name], kernel_name=kernel, cwd=str(folder), progress_bar=False
    )
    return nbformat.read(out, as_version=4)


def printed(notebook):
    return "\n".join(
        output.get("text", "") or output.get("data", {}).get("text/plain", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )


def test_every_notebook_has_its_small_numbers():
    assert {path.name for path in NOTEBOOKS.glob("*.ipynb")} == set(SMALL)


def test_the_first_lesson_runs_and_keeps_no_widget(tmp_path):
    done = execute(NOTEBOOKS / "00_start_here.ipynb", tmp_path)

    text = printed(done)
    for exercise in (1, 3):
        assert f"Exercise {exercise}: not yet" in text, "as it is handed out an exercise is unsolved"
    assert "index out of bounds: index 9, len 3" in text
    assert "width=33" in text
    assert "That is 210 crowns." in text
    assert "widgets" not in done.metadata
    assert len(nbformat.writes(done)) < 2_000_000


def test_it_runs_on_the_stock_kernel_too(tmp_path):
    done = execute(NOTEBOOKS / "00_start_here.ipynb", tmp_path, kernel="python3")

    assert "Hello. That is 210 crowns." in printed(done)


def test_it_runs_where_rust_is_missing(tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "git").symlink_to(str(shutil.which("git")))
    places = [p for p in os.environ["PATH"].split(os.pathsep) if not (Path(p) / "rustc").exists()]
    monkeypatch.setenv("PATH", os.pathsep.join([str(programs), *places]))
    for name in ("RUSTC", "CARGO_HOME", "RUSTUP_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    done = execute(NOTEBOOKS / "00_start_here.ipynb", tmp_path)

    assert "skipped: " in printed(done)


def test_the_solutions_at_its_end_are_right(tmp_path):
    book = nbformat.read(NOTEBOOKS / "00_start_here.ipynb", as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            for handed_out, solved in SOLUTIONS.items():
                cell.source = cell.source.replace(handed_out, solved)
    path = tmp_path / "solved" / "00_start_here.ipynb"
    path.parent.mkdir()
    nbformat.write(book, path)

    text = printed(execute(path, tmp_path))
    assert "Exercise 1: right" in text
    assert "Exercise 3: right" in text
    said = book.cells[-1].source.replace(" ", "").replace("\n", "")
    for solved in SOLUTIONS.values():
        assert solved.replace(" ", "").replace("\n", "") in said, "the last cell gives another solution"


def test_in_the_lesson_on_trust_each_attack_and_cheat_succeeds_in_its_control_only(tmp_path):
    done = printed(execute(NOTEBOOKS / "03_trust.ipynb", tmp_path))

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


@pytest.mark.parametrize("name", sorted(SMALL))
def test_a_notebook_says_which_kernel_and_holds_a_parameters_cell_if_it_can_be_made_small(name):
    book = nbformat.read(NOTEBOOKS / name, as_version=4)
    assert book.metadata.kernelspec.name == "project-o"
    assert any("parameters" in cell.metadata.get("tags", ()) for cell in book.cells)
