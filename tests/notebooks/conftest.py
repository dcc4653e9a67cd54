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
        return said(out)

    return run


def joined(notebook):
    """What all outputs of a notebook say. One ``print`` may come in two pieces, on a machine that is busy."""
    parts = []
    for cell in notebook.cells:
        stream = None
        for output in cell.get("outputs", []):
            follows = output.output_type == "stream" and output.name == stream
            stream = output.name if output.output_type == "stream" else None
            text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
            parts.append(text if follows else "\n" + text)
    return "".join(parts)


def said(path):
    """The same of a notebook's file."""
    return joined(nbformat.read(path, as_version=4))


@pytest.fixture(name="said")
def _said():
    return said
