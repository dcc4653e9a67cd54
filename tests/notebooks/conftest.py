"""A notebook run under papermill, and what it printed."""

from __future__ import annotations

from pathlib import Path

import nbformat
import papermill
import pytest

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture
def printed(tmp_path):
    """``printed(name, **parameters)``: what all outputs of a notebook of ``notebooks`` say, run in a folder apart."""

    def run(name, **parameters):
        out = tmp_path / Path(name).name
        papermill.execute_notebook(
            str(NOTEBOOKS / name), str(out), parameters, kernel_name="project-o", cwd=str(tmp_path), progress_bar=False
        )
        return "\n".join(
            output.get("text", "") or output.get("data", {}).get("text/plain", "")
            for cell in nbformat.read(out, as_version=4).cells
            for output in cell.get("outputs", [])
        )

    return run
