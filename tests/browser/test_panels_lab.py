"""Panels in a real JupyterLab, clicked as a user clicks them."""

import pytest

SET_UP = "%load_ext project_o\nimport numpy as np\na = np.arange(100_000, dtype=np.float32)"
CELL = """%%zig kernels
const lanes = 1; // o: 1 2 4 8 16
const unroll = 1; // o: 1 2 3 4 5 6 7 8
const Vector = @Vector(lanes, f32);

/// The sum of the squares.
pub fn squares(a: []const f32) f32 {
    var sums: [unroll]Vector = @splat(@splat(0));
    var i: usize = 0;
    while (i + lanes * unroll <= a.len) : (i += lanes * unroll) {
        inline for (0..unroll) |k| {
            const x: Vector = a[i + k * lanes ..][0..lanes].*;
            sums[k] += x * x;
        }
    }
    var sum: f32 = 0;
    for (sums) |one| sum += @reduce(.Add, one);
    for (a[i..]) |x| sum += x * x;
    return sum;
}
"""
LONG = "run = %evolve kernels --budget 300s --seed 1 --inputs (a,)"
SHORT = "run = %evolve kernels --trials 4 --seed 1 --inputs (a,)"
SERVES = "print('lanes = 1;' in kernels.slot.version.artifact.program.source)"


def button(notebook, index, word):
    return notebook.cell(index).get_by_role("button", name=word)


def said(notebook, index, text):
    """Wait until a cell's outputs hold a text."""
    notebook.outputs(index).get_by_text(text).first.wait_for()


def serves_the_cell(notebook):
    notebook.run_cell(5)
    return notebook.outputs(5).inner_text().strip()


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_run_is_stopped_and_one_is_accepted_taken_back_and_looked_at(open_notebook, lab, app):
    go = lab.folder / f"go-on-{app}"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.05)"
    notebook = open_notebook([SET_UP, CELL, LONG, "print(run.stopped)", SHORT, SERVES, wait], app=app)
    notebook.run_cell(0)
    notebook.run_cell(1)
    notebook.start_cell(2)
    said(notebook, 2, "best so far")
    assert button(notebook, 2, "Accept").is_disabled()
    button(notebook, 2, "Diff").click()
    said(notebook, 2, "leading so far")
    notebook.screenshot(f"{app} a run under way with its panel")
    button(notebook, 2, "Stop").click()
    notebook.wait_done(2)
    notebook.run_cell(3)
    assert notebook.outputs(3).inner_text().strip() == "the run was stopped"
    assert button(notebook, 2, "Stop").is_disabled()
    notebook.screenshot(f"{app} a stopped run")

    notebook.run_cell(4)
    button(notebook, 4, "Metrics").click()
    notebook.cell(4).locator(".js-plotly-plot .main-svg").first.wait_for()
    notebook.cell(4).scroll_into_view_if_needed()
    notebook.screenshot(f"{app} the figure of a run")
    button(notebook, 4, "Metrics").click()
    notebook.cell(4).locator(".js-plotly-plot").wait_for(state="detached")
    assert serves_the_cell(notebook) == "True"

    button(notebook, 4, "Accept").click()
    said(notebook, 4, "accepted")
    assert serves_the_cell(notebook) == "False"
    notebook.start_cell(6)
    button(notebook, 4, "Roll back").click()
    said(notebook, 4, "rollback")
    button(notebook, 4, "Diff").click()
    said(notebook, 4, "-const lanes = 1; // o: 1 2 4 8 16")
    running = notebook.page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets[6].prompt")
    assert running == "*", "the buttons are answered while a cell runs"
    go.touch()
    notebook.wait_done(6)
    assert serves_the_cell(notebook) == "True"
    notebook.screenshot(f"{app} the difference of a run")
    assert notebook.faults == []


def test_the_figure_of_a_run_stays_through_changes_of_the_theme(open_notebook):
    scaled = "%load_ext project_o\ndef scaled(x):\n    n = 1  # o: 1 2\n    return n * x"
    judged = "%%evolve scaled --trials 2\ndef evaluate(program):\n    return {'score': float(program(2))}"
    notebook = open_notebook([scaled, judged])
    notebook.run_cell(0)
    notebook.run_cell(1)
    figure = notebook.cell(1).locator(".js-plotly-plot")
    heights = []
    for theme in ("JupyterLab Dark", "JupyterLab Light", "JupyterLab Dark", "JupyterLab Light"):
        button(notebook, 1, "Metrics").click()
        figure.locator(".main-svg").first.wait_for()
        notebook.theme(theme)
        notebook.page.wait_for_timeout(1000)  # plotly draws again a moment after
        heights.append(figure.bounding_box()["height"])
        button(notebook, 1, "Metrics").click()
        figure.wait_for(state="detached")

    assert heights == [300] * 4
    assert notebook.faults == []
