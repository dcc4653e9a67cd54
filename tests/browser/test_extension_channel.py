"""The channel between an open notebook and its kernel: the status item, the live document, restore, restarts."""

import nbformat
import pytest

WIDGET = "window.jupyterapp.shell.currentWidget"
CELLS = f"() => {WIDGET}.content.widgets.map(w => [w.model.type, w.model.sharedModel.getSource()])"
STATUS = "() => document.querySelector('.project-o-status')?.textContent ?? ''"
LOAD = "%load_ext project_o"
LAST = (
    "h = get_ipython()._project_o_extension.session.history\n"
    "print([(c.type, c.source) for c in h.cells('@')], dict(h.resolve('@').facts)['source'], sep='|')"
)


def status(notebook, part):
    """Wait until the status item says this."""
    notebook.page.wait_for_function(f"part => ({STATUS})().includes(part)", arg=part)


def cells(notebook):
    return [tuple(cell) for cell in notebook.page.evaluate(CELLS)]


def command(notebook, name):
    notebook.page.evaluate("name => window.jupyterapp.commands.execute(name)", name)


def select(notebook, index):
    notebook.page.evaluate(f"i => {{ {WIDGET}.content.activeCellIndex = i; {WIDGET}.content.deselectAll() }}", index)


def quiet(notebook):
    """Nothing failed in the page."""
    assert notebook.faults == []


def test_the_status_item_before_after_and_while_a_cell_runs(open_notebook):
    zig = "%%zig dot\npub fn add(a: i32, b: i32) i32 { return a + b; }"
    notebook = open_notebook([LOAD, zig, "import time; time.sleep(20)", "%o off", "%o on", "%unload_ext project_o"])
    requests = []
    notebook.page.on("requestfailed", lambda request: requests.append(request.url))
    status(notebook, "Project O: not loaded")
    notebook.screenshot("status not loaded")
    notebook.run_cell(0)
    status(notebook, "Project O: recording")
    status(notebook, "sandbox L")
    status(notebook, "nothing serves")
    notebook.run_cell(1)
    status(notebook, "serving dot")
    notebook.start_cell(2)
    notebook.page.locator(".project-o-status").click()
    listed = notebook.page.locator(".project-o-status-list")
    listed.get_by_text("states in this kernel").wait_for()
    assert "serving dot" in listed.inner_text()
    assert notebook.page.evaluate(f"() => {WIDGET}.content.widgets[2].prompt") == "*"
    notebook.screenshot("status while a cell runs")
    notebook.page.keyboard.press("Escape")
    notebook.page.evaluate(f"() => {{ {WIDGET}.context.sessionContext.session.kernel.interrupt() }}")
    notebook.wait_done(2)
    notebook.run_cell(3)
    status(notebook, "not recording")
    notebook.run_cell(4)
    status(notebook, "Project O: recording")
    notebook.run_cell(5)
    status(notebook, "not loaded")
    assert requests == []
    quiet(notebook)


def test_a_notebook_that_is_not_ours_shows_nothing(open_notebook):
    notebook = open_notebook(["x = 1"])
    notebook.run_cell(0)

    assert notebook.page.evaluate(STATUS) == ""
    assert not notebook.page.locator(".project-o-status").is_visible()
    quiet(notebook)


def test_markdown_order_and_deletions_reach_the_history_and_restore_shows_them(open_notebook):
    notebook = open_notebook([LOAD, "a = 1", "b = 2", "c = 3", LAST])
    notebook.run_cell(0)
    status(notebook, "Project O: recording")
    notebook.run_cell(1)
    notebook.run_cell(2)
    # A markdown cell after the first, `c` above `b`, and `a` away: nothing is saved.
    select(notebook, 0)
    command(notebook, "notebook:insert-cell-below")
    select(notebook, 1)
    command(notebook, "notebook:change-cell-to-markdown")
    notebook.set_source(1, "# As the user saw it")
    select(notebook, 4)
    command(notebook, "notebook:move-cell-up")
    select(notebook, 2)
    command(notebook, "notebook:delete-cell")
    shown = [("code", LOAD), ("markdown", "# As the user saw it"), ("code", "c = 3"), ("code", "b = 2"), ("code", LAST)]
    assert cells(notebook) == shown
    notebook.run_cell(2)
    notebook.run_cell(4)
    notebook.screenshot("before restore")
    said = notebook.outputs(4).inner_text().strip()
    assert said == f"{shown}|live document"

    # Edits that were never run, then back to the state of now.
    notebook.set_source(1, "# Changed")
    notebook.set_source(4, "wanted = %o save wanted")
    notebook.run_cell(4)
    kept = cells(notebook)
    notebook.set_source(1, "# Not wanted")
    notebook.set_source(3, "b = 'edited, and not run'")
    notebook.set_source(4, "%o restore wanted")
    before = cells(notebook)
    notebook.start_cell(4)
    notebook.page.wait_for_function(f"want => JSON.stringify(({CELLS})()) === want", arg=_json(kept))
    notebook.page.get_by_text("Restored").first.wait_for()
    notebook.screenshot("after restore")
    assert not notebook.page.locator(".jp-Dialog").is_visible()
    assert not notebook.page.evaluate(f"() => {WIDGET}.context.model.dirty")
    saved = notebook.save()
    assert not notebook.page.locator(".jp-Dialog").is_visible()
    assert [(cell.cell_type, cell.source) for cell in saved.cells] == kept
    assert [cell.outputs for cell in saved.cells if cell.source == LAST] == []

    # What was shown before is a state of its own.
    notebook.set_source(
        4, "found = [s for s in h.states() if s.kind == 'live'][0]\nprint([(c.type, c.source) for c in h.cells(found)])"
    )
    notebook.run_cell(4)
    assert notebook.outputs(4).inner_text().strip() == str(before)
    quiet(notebook)


def _json(value):
    import json

    return json.dumps(value, separators=(",", ":"))


@pytest.mark.parametrize("kernel", ["python3", "project-o"])
def test_a_restart_opens_the_channel_again(open_notebook, kernel):
    notebook = open_notebook([LOAD, "x = 1"], kernel=kernel)
    if kernel == "python3":
        notebook.run_cell(0)
    status(notebook, "Project O: recording")
    notebook.restart_kernel()
    if kernel == "python3":
        status(notebook, "not loaded")
        notebook.run_cell(0)
    status(notebook, "Project O: recording")
    notebook.page.reload()
    notebook.wait_ready()
    status(notebook, "Project O: recording")
    quiet(notebook)


def test_another_protocol_is_said_in_one_line_and_breaks_nothing(open_notebook):
    older = "import project_o.channel.channel as channel\nchannel.PROTOCOL = 0\n" + LOAD
    notebook = open_notebook([older.replace(LOAD, "get_ipython().run_line_magic('load_ext', 'project_o')"), LAST])
    notebook.run_cell(0)
    status(notebook, "too old")
    notebook.run_cell(1)

    assert notebook.outputs(1).inner_text().strip().endswith("|file")
    notebook.screenshot("status mismatch")
    quiet(notebook)


def test_two_notebooks_one_of_them_renamed_each_have_a_channel_of_their_own(open_notebook, lab):
    first, second = open_notebook([LOAD, LAST]), open_notebook([LOAD, "x = 'other'"])
    for notebook in (first, second):
        notebook.run_cell(0)
        status(notebook, "Project O: recording")
    new = first.path.with_name("renamed-" + first.path.name)
    first.page.evaluate(f"name => {WIDGET}.context.rename(name)", new.name)
    first.page.wait_for_function(f"name => {WIDGET}.context.path.endsWith(name)", arg=new.name)
    first.set_source(1, "print(get_ipython().run_line_magic('o', 'where')['notebook'])")
    first.run_cell(1)
    assert first.outputs(1).inner_text().strip() == str(new)
    second.run_cell(1)
    second.shut_down_kernel()
    second.page.wait_for_function(f"() => ({STATUS})() === ''")
    for notebook in (first, second):
        quiet(notebook)


def test_notebook_7_sends_its_document_too(open_notebook):
    notebook = open_notebook([LOAD, "x = 1", LAST], app="notebook")
    notebook.run_cell(0)
    notebook.run_cell(1)
    for _ in range(20):
        notebook.run_cell(2)  # the channel opens after the cell that loads
        if "file" not in notebook.outputs(2).inner_text()[-8:]:
            break

    assert notebook.outputs(2).inner_text().strip().endswith("|live document")
    assert nbformat.read(notebook.path, 4).cells[1].outputs == []
