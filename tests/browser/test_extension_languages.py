"""Cells that begin with a magic: coloured, indented and matched in their own language while they are typed."""

import re

TOKENS = """i => [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell')[i]
  .querySelectorAll('.cm-line')].map(line => [...line.querySelectorAll('span')].filter(s => !s.children.length)
  .map(s => [s.textContent, s.className.split(' ').filter(name => !name.startsWith('cm-')).join(' ')]))"""
SOURCE = "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.sharedModel.getSource()"
MIME = "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.mimeType"

LOAD = "%load_ext project_o"
SOURCE_OF_LAST = "print(dict(get_ipython()._project_o_extension.session.history.resolve('@').facts)['source'])"
ZIG = """%%zig dot
/// The sum.
pub fn sum(a: []const f32) f32 {
    var s: f32 = 0; // of "{"
    for (a) |x| {
        s += x;
    }
    return s;
}"""
RUST = """%%rust
/// The sum.
pub fn sum(a: &[f32]) -> f32 {
    let mut s = 0.0;
    for x in a {
        s += x;
    }
    s
}"""
LISP = """%%agent
; twice
(defn double [x]
  "it doubles"
  (* x 2))
(setv y {"a" 1
         "b" 2})
(defagent helper
  (when (has-tool? "a")
    (llm-respond "yes
no")))"""
MESSAGE = """%%agent helper
# Please
- do **this** and `that`"""
PYTHON = """# one
def f(x):
    return (x,
            2)"""


def type_cell(notebook, index, text):
    """With real keys, and without the spaces that begin a line: those are the editor's to put."""
    notebook.cell(index).locator(".cm-content").click()
    notebook.page.keyboard.press("Control+a")
    notebook.page.keyboard.press("Delete")
    for position, line in enumerate(text.split("\n")):
        if position:
            notebook.page.keyboard.press("Enter")
        notebook.page.keyboard.type(line.lstrip())


def source(notebook, index):
    return notebook.page.evaluate(SOURCE, index)


def looks(notebook, index):
    """The looks of each word of a cell, line by line."""
    return [dict(line) for line in notebook.page.evaluate(TOKENS, index)]


def wait_for_look(notebook, index, line, word, look):
    script = f"([i, line, word, look]) => ({TOKENS})(i)[line].some(([w, l]) => w === word && l === look)"
    notebook.page.wait_for_function(script, arg=[index, line, word, look])


def test_typed_cells_are_coloured_and_indented_in_their_language(open_notebook):
    texts = [ZIG, RUST, LISP, MESSAGE, PYTHON]
    notebook = open_notebook([""] * len(texts))
    for index, text in enumerate(texts):
        type_cell(notebook, index, text)

    assert [source(notebook, index) for index in range(len(texts))] == texts
    zig, rust, lisp, message, python = (looks(notebook, index) for index in range(len(texts)))
    keyword, comment, number = python[1]["def"], python[0]["# one"], python[3]["2"]
    assert keyword != comment != number
    assert {zig[2]["pub"], zig[4]["for"], zig[7]["return"]} == {keyword}
    assert {zig[1]["/// The sum."], rust[1]["/// The sum."], lisp[1]["; twice"]} == {comment}
    assert {rust[2]["pub"], rust[3]["mut"], rust[4]["in"]} == {keyword}
    assert {lisp[2]["defn"], lisp[7]["defagent"], lisp[9]["llm-respond"]} == {keyword}
    assert {zig[3]["0"], lisp[4]["2"]} == {number}
    # A string of Lisp goes on in the next line, at its first column.
    assert lisp[10]['no"'] == lisp[3]['"it doubles"'] != keyword
    assert message[1][" Please"] not in (keyword, comment, number)
    assert "that" in message[2]
    heads = [zig[0], rust[0], lisp[0], message[0]]
    assert [list(head) for head in heads] == [["%%zig dot"], ["%%rust"], ["%%agent"], ["%%agent helper"]]
    assert len({look for head in heads for look in head.values()}) == 1
    notebook.screenshot("languages of cells")
    assert notebook.faults == []


def test_the_language_follows_the_first_line_and_completion_stays_that_of_ipython(open_notebook):
    notebook = open_notebook(["def f(): pass", "%%zig\npub fn a() void {}", "%%evolve dot\ndef evaluate(p): pass"])
    keyword = looks(notebook, 2)[1]["def"]
    mime = notebook.page.evaluate(MIME, 0)
    assert looks(notebook, 1)[1]["pub"] == keyword
    assert notebook.page.evaluate(MIME, 1) == mime

    notebook.cell(1).locator(".cm-content").click()
    notebook.page.keyboard.press("Control+Home")
    notebook.page.keyboard.press("Shift+ArrowDown")
    notebook.page.keyboard.press("Delete")
    notebook.page.keyboard.type("def pub(): return 1\n")
    wait_for_look(notebook, 1, 0, "def", keyword)
    assert looks(notebook, 1)[1].get("pub") != keyword

    notebook.page.keyboard.press("Control+Home")
    notebook.page.keyboard.type("%%rust\nlet x = 1;\n")
    wait_for_look(notebook, 1, 1, "let", keyword)

    # What completes is chosen by these two, and neither was changed.
    assert notebook.page.evaluate(MIME, 1) == mime
    notebook.page.keyboard.press("Control+End")
    notebook.page.keyboard.type(" imp")
    notebook.cell(1).locator(".jp-mod-completer-enabled").wait_for()
    assert notebook.faults == []


def test_brackets_match_in_every_language(open_notebook):
    notebook = open_notebook([ZIG, LISP])
    for index, last in ((0, "}"), (1, ")")):
        notebook.cell(index).locator(".cm-content").click()
        notebook.page.keyboard.press("Control+End")
        notebook.page.wait_for_selector(f".jp-Cell:nth-child({index + 1}) .cm-matchingBracket, .cm-matchingBracket")
        matched = notebook.cell(index).locator(".cm-matchingBracket").all_inner_texts()
        assert len(matched) == 2
        assert matched[1] == last


def test_a_markdown_cell_that_quotes_a_magic_stays_markdown(open_notebook):
    notebook = open_notebook(["x = 1"])
    notebook.page.evaluate("() => window.jupyterapp.commands.execute('notebook:change-cell-to-markdown')")
    type_cell(notebook, 0, "%%zig\n# pub")

    assert "pub" not in looks(notebook, 0)[1]
    assert re.search("pub", source(notebook, 0))
    assert notebook.faults == []


def test_completion_is_that_of_ipython_by_the_tab_key(open_notebook):
    notebook = open_notebook(["import os", "os.getcw", "%%zi", "%%zig\nconst out = os.getcw"])
    notebook.run_cell(0)
    for index in (1, 3):
        notebook.cell(index).locator(".cm-content").click()
        notebook.page.keyboard.press("Control+End")
        notebook.page.keyboard.press("Tab")
        popup = notebook.page.locator(".jp-Completer:visible")
        popup.get_by_text("getcwdb").wait_for()
        notebook.screenshot("completion")
        notebook.page.keyboard.press("Escape")
        popup.wait_for(state="hidden")
    notebook.set_source(0, "%load_ext project_o")
    notebook.run_cell(0)
    notebook.cell(2).locator(".cm-content").click()
    notebook.page.keyboard.press("Control+End")
    notebook.page.keyboard.press("Tab")
    popup.get_by_text("%%zig").wait_for()
    notebook.page.keyboard.press("Enter")
    notebook.page.wait_for_function(f"i => ({SOURCE})(i) === '%%zig'", arg=2)
    # JupyterLab's own completer may fail when it is closed while it draws.
    assert [fault for fault in notebook.faults if "project-o" in fault] == []


def test_notebook_7_has_the_languages_and_sends_its_document_too(open_notebook):
    notebook = open_notebook([LOAD, "x = 1", SOURCE_OF_LAST, ZIG, PYTHON], app="notebook")
    wait_for_look(notebook, 3, 2, "pub", looks(notebook, 4)[1]["def"])
    type_cell(notebook, 3, RUST)
    assert source(notebook, 3) == RUST
    notebook.screenshot("languages in Notebook 7")

    notebook.run_cell(0)
    notebook.run_cell(1)
    for _ in range(100):
        notebook.run_cell(2)  # the channel opens after the cell that loads
        if notebook.outputs(2).inner_text().strip() != "file":
            break
    assert notebook.outputs(2).inner_text().strip() == "live document"
    assert notebook.faults == []
