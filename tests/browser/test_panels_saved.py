"""What panels of the history and of turns do, and what is left of panels in a saved notebook and a page made of it."""

import json
import re
import subprocess
import sys

import pytest

SET_UP = "%load_ext project_o"
CELL = """%%zig adder
const step = 1; // o: 1 2
pub fn add(a: i64) i64 {
    return a + step - step;
}
"""
RUN = "run = %evolve adder --trials 2 --seed 1 --inputs (7,)"
TURN = """from project_o.magics import panels
from project_o.values import ToolUse, Turn, Usage
noted = []
uses = (ToolUse("search", (("query", "<img src=x onerror=window.hurt=1>"),), "<script>window.hurt=1</script>"),
        ToolUse("count", (), "", error="no such word"))
turn = Turn("helper", "how many?", "two", uses, ("idle", "thinking", "idle"), "test:model", Usage(2, 100, 20), 1.5)
panels.show_turn(get_ipython()._project_o_extension.session, turn, lambda way, why: noted.append((way, why)))"""
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
PANEL_MIME = "application/vnd.project-o.panel+json"
RUBBISH = ("not found", "Loading widget", "Error displaying", "widget-view")


def text_of(notebook):
    return notebook.page.locator(".jp-Notebook").inner_text()


def test_a_saved_notebook_says_nothing_of_its_panels(open_notebook, pages):
    notebook = open_notebook([SET_UP, CELL, RUN, "%o history"])
    for index in range(4):
        notebook.run_cell(index)
    for index in (2, 3):
        notebook.outputs(index).locator(".widget-button").first.wait_for()
    notebook.screenshot("before it is saved")
    book = notebook.save()
    saved = notebook.path.read_text()

    assert "widgets" not in book.metadata
    assert WIDGET_MIME not in saved
    panels = [out["data"] for cell in book.cells for out in cell.outputs if PANEL_MIME in out.get("data", {})]
    assert [(data["text/html"], data["text/plain"]) for data in panels] == [("", "")] * 2
    assert all(len(json.dumps(data)) < 300 for data in panels)

    # The front end looks for a model for two seconds before it says that there is none: the export takes longer.
    pages.close()
    again = open_notebook(path=notebook.path, window=True)
    page = notebook.path.with_suffix(".html")
    command = [sys.executable, "-m", "nbconvert", "--to", "html", str(notebook.path)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    assert not any(word in text_of(again) for word in RUBBISH), text_of(again)
    assert again.page.locator(".widget-button").count() == 0
    assert "best" in again.outputs(2).inner_text() or "nothing better" in again.outputs(2).inner_text()
    again.screenshot("opened again without its kernel")

    assert not any(word in page.read_text() for word in (*RUBBISH[1:], "model not found"))
    assert page.stat().st_size < 1_000_000
    again.page.goto(page.as_uri())
    again.screenshot("as a page of nbconvert")


def test_a_page_that_answers_too_late_has_its_panel_all_the_same(open_notebook):
    """A page that does not send what it shows in time is not counted on any more, until its late answer arrives."""
    hurry = "import project_o.channel.channel as channel\nchannel.DOCUMENT_ASK_SECONDS = 0.0001"
    notebook = open_notebook([SET_UP, "x = 'first'", hurry, "%o history"])
    for index in range(4):
        notebook.run_cell(index)
    notebook.outputs(3).get_by_role("button", name="Show").wait_for()


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_state_is_looked_at_compared_and_restored(open_notebook, app):
    notebook = open_notebook([SET_UP, "x = 'first'", "x = 'second'", "%o history"], app=app)
    for index in range(4):
        notebook.run_cell(index)
    area = notebook.outputs(3)
    area.locator("select").select_option(index=1)
    area.get_by_role("button", name="Show").click()
    area.get_by_text("commit").first.wait_for()
    area.get_by_role("button", name="Diff").click()
    area.get_by_text("cell").first.wait_for()
    notebook.screenshot(f"{app} the history with its panel")
    area.get_by_role("button", name="Restore").click()
    area.get_by_role("button", name="No").click()
    area.get_by_role("button", name="No").wait_for(state="hidden")
    area.get_by_role("button", name="Restore").click()
    area.get_by_role("button", name="Yes").click()
    # The notebook is shown anew, as it was: what stood here is a state that the message names.
    notebook.page.get_by_text(re.compile(r"Restored \w+; %o restore \w+ goes back")).first.wait_for()
    notebook.page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert notebook.cell(2).locator(".cm-content").inner_text() == "x = 'second'"
    area.get_by_role("button", name="Show").wait_for(state="detached")
    notebook.screenshot(f"{app} a restored state")


@pytest.mark.parametrize("app", ["lab", "notebook"])
def test_a_turn_folds_its_tools_takes_a_thumb_and_runs_no_script(open_notebook, app):
    notebook = open_notebook([SET_UP, TURN, "print(noted)"], app=app)
    notebook.run_cell(0)
    notebook.run_cell(1)
    area = notebook.outputs(1)
    area.get_by_text("count failed").click()
    area.get_by_text("no such word").wait_for()
    area.get_by_text("search returned").click()
    area.get_by_text("<script>window.hurt=1</script>").wait_for()
    notebook.screenshot(f"{app} an agent's turn")
    area.get_by_placeholder("why, if you like").fill("it counted")
    area.get_by_role("button", name="Good").click()
    area.get_by_text("noted: up").wait_for()
    notebook.run_cell(2)

    assert notebook.outputs(2).inner_text().strip() == "[('up', 'it counted')]"
    assert notebook.page.evaluate("() => window.hurt") is None
