"""The lesson on repair: five bugs, five repairs, each with the call that was wrong."""

from __future__ import annotations

import ast

from .test_lessons import NOTEBOOKS, execute


def test_every_program_of_the_lesson_is_repaired_and_tells_its_counterexample(tmp_path):
    notebook = execute(NOTEBOOKS / "08_repair.ipynb", tmp_path)

    last = next(cell for cell in notebook.cells if cell.source.startswith("repaired ="))
    printed = "".join(output.text for output in last.outputs if output.output_type == "stream")
    value = next(output.data["text/plain"] for output in last.outputs if output.output_type == "execute_result")
    assert ast.literal_eval(value) == [True] * 5
    assert printed.count("should be") == 5
    heart = next(cell for cell in notebook.cells if cell.source.startswith("learned ="))
    assert heart.outputs[0].text.startswith("False rejected")
