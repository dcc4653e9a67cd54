"""The channel between an open notebook and its kernel: the status item, the live document, restore, restarts."""

import json
import re

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


def run_till_live(notebook, index):
    """What the cell says, run again while the kernel had not yet heard what the page shows: it is told that beside the
    cells, and a cell does not wait for it on a busy machine.
    """
    for _ in range(10):
        notebook.run_cell(index)
        said = notebook.outputs(index).inner_text().strip()
        if said.endswith("|live document"):
            break
    return said


def test_the_status_item_before_after_and_while_a_cell_runs(open_notebook):
    zig = "%%zig dot\npub fn add(a: i32, b: i32) i32 { return a + b; }"
    notebook = open_notebook([LOAD, zig, "import time; time.sleep(20)", "%o off", "%o on", "%unload_ext project_o"])
    requests = []
    notebook.page.on("requestfailed", lambda request: requests.append(request.url))
    status(notebook, "Project O: not loaded")
    listed = notebook.page.locator(".project-o-status-list")
    notebook.page.locator(".project-o-status").click()
    listed.get_by_text("run %load_ext project_o").wait_for()
    notebook.screenshot("status not loaded")
    notebook.run_cell(0)
    # The list that is open grows with what is known.
    listed.get_by_text(re.compile("states? in this kernel")).wait_for()
    status(notebook, "Project O: recording")
    status(notebook, "sandbox L")
    status(notebook, "nothing serves")
    notebook.run_cell(1)
    status(notebook, "serving dot")
    notebook.start_cell(2)
    notebook.page.locator(".project-o-status").click()
    listed.get_by_text("states in this kernel").wait_for()
    assert "serving dot" in listed.inner_text()
    assert notebook.page.evaluate(f"() => {WIDGET}.content.widgets[2].prompt") == "*"
    notebook.screenshot("status while a cell runs")
    notebook.page.keyboard.press("Escape")
    listed.wait_for(state="detached")
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
    said = run_till_live(notebook, 4)
    notebook.screenshot("before restore")
    assert said == f"{shown}|live document"

    # Edits that were never run, then back to the state of now.
    notebook.set_source(1, "# Changed")
    notebook.set_source(4, "wanted = %o save wanted\nprint(wanted.short)")
    notebook.run_cell(4)
    short = notebook.outputs(4).inner_text().strip()
    kept = cells(notebook)
    notebook.set_source(1, "# Not wanted")
    notebook.set_source(3, "b = 'edited, and not run'")
    notebook.set_source(4, "%o restore wanted")
    before = cells(notebook)
    notebook.start_cell(4)
    notebook.page.wait_for_function(
        f"want => JSON.stringify(({CELLS})()) === want", arg=json.dumps(kept, separators=(",", ":"))
    )
    notebook.page.get_by_text(f"Restored {short}").first.wait_for()
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


def test_run_all_with_a_restore_in_the_middle_runs_to_its_end_and_then_shows_it(open_notebook, lab):
    go = lab.folder / "go-on"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(go)!r}).exists(): time.sleep(0.05)"
    notebook = open_notebook([LOAD, "saved = %o save middle", "%o restore middle", wait, "print('the last one')"])
    notebook.run_cell(0)
    status(notebook, "Project O: recording")
    notebook.run_cell(1)
    notebook.set_source(0, "# edited, and not run")
    select(notebook, 0)
    notebook.set_source(1, "pass")
    before = cells(notebook)
    notebook.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    notebook.page.get_by_text("as soon as the running cells have ended").first.wait_for()
    assert cells(notebook) == before
    assert notebook.page.evaluate(f"() => {WIDGET}.content.widgets[3].prompt") == "*"
    go.touch()
    notebook.page.wait_for_function(f"load => ({CELLS})()[0][1] === load", arg=LOAD)
    assert notebook.outputs(4).inner_text() == ""

    # What ran after the restore is in the history, and so is what was shown before it.
    notebook.set_source(
        4,
        "h = get_ipython()._project_o_extension.session.history\n"
        "last = [c for c in h.cells('@') if 'the last one' in c.source][0]\n"
        "live = [s for s in h.states() if s.kind == 'live'][0]\n"
        "print(last.outputs[0]['text'].strip(), h.cells(live)[0].source, sep='|')",
    )
    notebook.run_cell(4)
    assert notebook.outputs(4).inner_text().strip() == "the last one|# edited, and not run"
    quiet(notebook)


def test_two_views_of_a_notebook_share_a_channel_and_have_the_same_panel(open_notebook):
    notebook = open_notebook([LOAD, "%o history", "print(len(get_ipython()._project_o_channel._pages))", LAST])
    notebook.run_cell(0)
    notebook.run_cell(1)
    button = notebook.outputs(1).get_by_role("button", name="Show")
    button.wait_for()
    command(notebook, "docmanager:clone")
    notebook.page.wait_for_function("() => document.querySelectorAll('.jp-NotebookPanel').length === 2")
    views = [notebook.page.locator(".jp-NotebookPanel").nth(index) for index in (0, 1)]
    for view in views:
        view.get_by_role("button", name="Show").wait_for()
    views[1].get_by_role("button", name="Show").click()
    for view in views:
        view.get_by_text("commit").first.wait_for()
    notebook.screenshot("two views of a notebook")
    notebook.page.evaluate(f"() => {WIDGET}.dispose()")
    notebook.page.wait_for_function("() => document.querySelectorAll('.jp-NotebookPanel').length === 1")
    notebook.show()
    status(notebook, "Project O: recording")
    notebook.set_source(0, "# as it is in the view that is left")
    notebook.run_cell(2)
    assert notebook.outputs(2).inner_text().strip() == "1"
    said = run_till_live(notebook, 3)
    assert "as it is in the view that is left" in said
    assert said.endswith("|live document")

    # A second window on the same kernel has the panel too.
    notebook.save()
    other = open_notebook(path=notebook.path, window=True)
    other.outputs(1).get_by_role("button", name="Show").wait_for()
    for one in (notebook, other):
        quiet(one)


def test_the_kernel_is_told_when_the_last_view_is_closed_and_found_when_the_notebook_is_opened_again(open_notebook):
    pages = "print([page.path for page in get_ipython()._project_o_channel._pages])"
    notebook = open_notebook([LOAD, pages, "%o history", LAST])
    notebook.run_cell(0)
    status(notebook, "Project O: recording")
    command(notebook, "docmanager:clone")
    notebook.page.wait_for_function("() => document.querySelectorAll('.jp-NotebookPanel').length === 2")
    notebook.save()
    for left in (1, 0):
        notebook.page.evaluate(f"() => {WIDGET}.close()")
        notebook.page.wait_for_function(f"() => document.querySelectorAll('.jp-NotebookPanel').length === {left}")
        if left:
            notebook.show()
            notebook.run_cell(1)
            assert notebook.outputs(1).inner_text().strip() == f"['{notebook.path.name}']"
            notebook.save()

    # The kernel lives on: the notebook has its channel before any cell has run, and it is the only one.
    again = open_notebook(path=notebook.path)
    status(again, "Project O: recording")
    again.set_source(0, "# as it is since it was opened again")
    again.run_cell(1)
    assert again.outputs(1).inner_text().strip() == f"['{notebook.path.name}']"
    again.run_cell(3)
    assert "as it is since it was opened again" in again.outputs(3).inner_text()
    again.run_cell(2)
    again.outputs(2).get_by_role("button", name="Show").wait_for()
    quiet(again)


def test_a_restart_ends_the_panels_and_opens_the_channel_again_and_so_does_a_reload(open_notebook):
    notebook = open_notebook([LOAD, "%o history"], window=True)
    notebook.run_cell(0)
    notebook.run_cell(1)
    show = notebook.outputs(1).get_by_role("button", name="Show")
    show.wait_for()
    notebook.save()
    notebook.page.reload()
    notebook.wait_ready()
    status(notebook, "Project O: recording")
    show.click()
    notebook.outputs(1).get_by_text("commit").first.wait_for()
    notebook.restart_kernel()
    notebook.outputs(1).get_by_text("belonged to a kernel that has ended").wait_for()
    status(notebook, "not loaded")
    assert notebook.outputs(1).get_by_role("button").count() == 0
    notebook.screenshot("after a restart")
    notebook.run_cell(0)
    status(notebook, "Project O: recording")
    notebook.run_cell(1)
    show.wait_for()
    quiet(notebook)


def test_the_kernel_of_our_own_has_its_channel_at_once_also_after_a_restart(open_notebook):
    notebook = open_notebook(["x = 1"], kernel="project-o")
    status(notebook, "Project O: recording")
    notebook.restart_kernel()
    status(notebook, "Project O: recording")
    quiet(notebook)


@pytest.mark.parametrize(("protocol", "older_is"), [(0, "the kernel"), (99, "the JupyterLab extension")])
def test_another_protocol_is_said_in_one_line_and_breaks_nothing(open_notebook, protocol, older_is):
    older = f"import project_o.channel.channel as channel\nchannel.PROTOCOL = {protocol}\n" + LOAD
    older = older.replace(LOAD, "get_ipython().run_line_magic('load_ext', 'project_o')")
    notebook = open_notebook([older, LAST, "%o history", "import sys; print('ipywidgets' in sys.modules)"])
    notebook.run_cell(0)
    status(notebook, f"{older_is} is too old")
    for index in (1, 2, 3):
        notebook.run_cell(index)

    assert notebook.outputs(1).inner_text().strip().endswith("|file")
    assert "states" in notebook.outputs(2).inner_text()
    # Who cannot be counted on to draw a panel is sent none.
    assert notebook.cell(2).get_by_role("button", name="Show").count() == 0
    assert notebook.outputs(3).inner_text().strip() == "False"
    notebook.page.locator(".project-o-status").click()
    notebook.page.locator(".project-o-status-list").get_by_text("what to do").wait_for()
    notebook.screenshot("status mismatch")
    notebook.page.keyboard.press("Escape")
    quiet(notebook)


def test_two_notebooks_one_of_them_renamed_each_have_a_channel_of_their_own(open_notebook):
    first, second = open_notebook([LOAD, LAST]), open_notebook([LOAD, "x = 'other'"])
    for notebook in (first, second):
        notebook.show()
        notebook.run_cell(0)
        status(notebook, "Project O: recording")
    first.show()
    new = first.path.with_name("renamed-" + first.path.name)
    first.page.evaluate(f"name => {WIDGET}.context.rename(name)", new.name)
    first.page.wait_for_function(f"name => {WIDGET}.context.path.endsWith(name)", arg=new.name)
    first.path = new
    first.set_source(1, "print(get_ipython().run_line_magic('o', 'where')['notebook'])")
    first.run_cell(1)
    assert first.outputs(1).inner_text().strip() == str(new)
    second.show()
    second.run_cell(1)
    second.shut_down_kernel()
    second.page.wait_for_function(f"() => ({STATUS})() === ''")
    first.show()
    status(first, "Project O: recording")
    quiet(first)
