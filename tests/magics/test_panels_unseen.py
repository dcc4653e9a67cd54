"""Who shows no panels is sent none: papermill, nbclient, and what is built on them."""

import subprocess
import sys

import nbformat

SET_UP = "%load_ext project_o"
CELL = """%%zig adder
const step = 1; // o: 1 2
pub fn add(a: i64) i64 {
    return a + step - step;
}
"""
RUN = "run = %evolve adder --trials 2 --seed 1 --inputs (7,)"
PANEL_MIME = "application/vnd.project-o.panel+json"


def test_papermill_makes_no_widget(tmp_path):
    """Nor does nbclient, which ``jupyter execute`` and nbconvert use: no message of a front end asks for one."""
    cells = [SET_UP, CELL, RUN, "%o history", "import sys; print('ipywidgets' in sys.modules)"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    for command in (
        ("papermill", "--log-level", "ERROR", "in.ipynb", "out.ipynb"),
        ("nbconvert", "--to", "notebook", "--execute", "in.ipynb", "--output", "out.ipynb"),
    ):
        nbformat.write(book, tmp_path / "in.ipynb")
        subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, check=True, capture_output=True, timeout=200)
        done = nbformat.read(tmp_path / "out.ipynb", as_version=4)

        assert done.cells[4].outputs[0].text.strip() == "False"
        assert "widgets" not in done.metadata
        assert PANEL_MIME not in (tmp_path / "out.ipynb").read_text()
        assert (tmp_path / "out.ipynb").stat().st_size < 200_000
