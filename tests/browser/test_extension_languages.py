"""Cells that begin with a magic: coloured, indented and matched in their own language while they are typed."""

import re

TOKENS = """i => [...document.querySelectorAll('.jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook .jp-Cell')[i]
  .querySelectorAll('.cm-line')].map(line => [...line.querySelectorAll('span')].filter(s => !s.children.length)
  .map(s => [s.textContent, s.className.split(' ').filter(name => !name.startsWith('cm-')).join(' ')]))"""
SOURCE = "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.sharedModel.getSource()"
MIME = "i => window.jupyterapp.shell.currentWidget.content.widgets[i].model.mimeType"

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


def test_notebook_7_has_the_languages_too(open_notebook):
    notebook = open_notebook([ZIG, PYTHON], app="notebook")
    wait_for_look(notebook, 0, 2, "pub", looks(notebook, 1)[1]["def"])
    type_cell(notebook, 0, RUST)

    assert source(notebook, 0) == RUST
    notebook.screenshot("languages in Notebook 7")
    # Notebook 7 has no file browser on this page, and says so by itself.
    assert [fault for fault in notebook.faults if not re.search("filebrowser|'schema'", fault)] == []
