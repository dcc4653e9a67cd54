"""The lesson on agents: as it is handed out, and with its exercises solved."""

from __future__ import annotations

from pathlib import Path

import nbformat
import papermill
import pytest

LESSON = "07_agent.ipynb"
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SOLUTIONS = {'  "pear")': "  (min prices :key prices.get))", ":retries 0": ":retries 2"}


def execute(book, folder, said):
    """Its printed text."""
    out = folder / "done.ipynb"
    nbformat.write(book, folder / LESSON)
    papermill.execute_notebook(
        str(folder / LESSON), str(out), {"seed": 2}, kernel_name="project-o", cwd=str(folder), progress_bar=False
    )
    return said(out)


@pytest.mark.parametrize("solved", [False, True], ids=["as handed out", "solved"])
def test_the_lesson_on_agents(tmp_path, said, solved):
    book = nbformat.read(NOTEBOOKS / LESSON, as_version=4)
    for cell in book.cells if solved else ():
        for given, solution in SOLUTIONS.items():
            if cell.cell_type == "code":
                cell.source = cell.source.replace(given, solution)

    text = execute(book, tmp_path, said)
    for exercise in (1, 2):
        assert f"Exercise {exercise}: " + ("right" if solved else "not yet") in text
    assert "Equal digests: True" in text
    assert "line 3: defagent a: there is no option :tool" in text
    assert "19 pieces; asked: ['apple', 'pear', 'pear']" in text
    assert "took longer than its 0.5 s and was killed" in text
    assert "note.txt is there: False" in text
    assert "written remember the milk" in text
    assert "buy plums" in text
    assert "there is no tool __import__" in text
    assert "Bit for bit: True True" in text
