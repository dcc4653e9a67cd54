"""The notebook of the tasks that engines are compared on: what it says, timings apart, holds with small budgets."""

from __future__ import annotations

import re

from .conftest import joined
from .test_lessons import NOTEBOOKS, execute


def test_the_tasks_run_with_small_budgets_and_what_they_find_is_right(tmp_path):
    notebook = execute(NOTEBOOKS / "09_tasks.ipynb", tmp_path)

    text = joined(notebook)
    ends = re.search(r"the first program ends at (-[\d.]+), the best of 10 at (-[\d.]+)", text)
    assert float(ends[1]) < -0.9, "a random search is somewhere near"
    assert float(ends[2]) < -1.4
    packed = re.search(r"sum of radii ([\d.]+), wanted 2.6358; fits exactly: True; (\d+) trials", text)
    assert float(packed[1]) > 2.6
    assert int(packed[2]) <= 2
    assert float(re.search(r"furthest from the slow one: ([\d.e-]+)", text)[1]) <= 1e-9
    assert "zig: " in text
    assert set(re.findall(r"other neighbours: (\d+)", text)) == {"0"}
    assert "rust: " in text or "install Rust" in text
    svg = [output.data["image/svg+xml"] for cell in notebook.cells for output in cell.get("outputs", [])
           if "image/svg+xml" in output.get("data", {})]  # fmt: skip
    assert svg[0].count("<circle") == 26
