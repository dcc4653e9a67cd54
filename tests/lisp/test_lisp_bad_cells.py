"""Cells that cannot be read, expanded or run: one LispError each, with the cell's own line, and nothing lost."""

from __future__ import annotations

import traceback

import pytest

from project_o.errors import LispError

# Each cell stands below a magic's line, so that its first line is the notebook cell's second.
BAD = [
    # reading
    ("(defn f [x]\n  (+ x 1)\n\n(f 2)", 2, r"the form that begins with '\(defn f \[x\]' is not closed: a '\)'"),
    ('(print 1)\n(print "abc\n\n', 3, "the string that begins here is not closed"),
    ("(setv a 1)\n (b [c)", 3, r"a '\)' where the '\[' of line 3 must be closed with '\]' first"),
    ("1\n2\n)", 4, r"a '\)' that closes nothing"),
    ("(f #zork 3)", 2, "reader macro '#zork' is not defined: a cell can use Hy's own '#' forms only"),
    ("(defreader up 1)\n#up", 3, "reader macro '#up' is not defined"),
    ("1\n#[x[ abc ]]", 3, "is not closed"),
    ("(print\n 'a\n '", 4, "nothing follows the '''"),
    ("(f\n a.)", 3, "dotted identifier"),
    ("\n" + "(" * 3000, 3, "nested deeper"),
    # expanding
    ("1\n(deftool)", 3, "deftool needs a name, as in"),
    ('(deftool\n  "add" [a] a)', 3, '"add" is no name: write a symbol'),
    ("(deftool add\n  a a)", 3, "a list of parameters must follow the name"),
    ("(deftool add\n  [a\n   5] a)", 4, "5 is no parameter"),
    ("(deftool add [a])", 2, "there is nothing to do behind the parameters"),
    ("(defagent a\n  :tools add\n  1)", 3, r":tools must be a list of names"),
    (
        "(defagent a\n  :tool [add]\n  1)",
        3,
        "there is no option :tool: it knows :version, :doc, :model, :tools, :memory",
    ),
    ("(defagent a :tools [b]\n  :tools [c] 1)", 3, ":tools is given twice"),
    ("(defmemory m\n  :capacity)", 3, ":capacity has no value"),
    ("(when-> 1\n  str\n  3)", 4, "3 is no step"),
    (
        "(deftool t [a]\n  :timeot 5 a)",
        3,
        "deftool t: there is no option :timeot: it knows :unsafe, :timeout, :effects",
    ),
    ("(deftool t [a]\n  :timeout -1 a)", 3, "its timeout must be 0 to 3600 seconds, not -1"),
    ("(deftool t [a]\n  :unsafe 1 a)", 3, "unsafe must be True or False, not 1"),
    ("(deftool t [a]\n  :effects [web] a)", 3, "'web' is no effect: there are files, memory, network"),
    ("(deftool t [a]\n  :effects\n web a)", 4, ":effects must be a list of names, as in"),
    ('(defagent a "x"\n  :doc "y")', 3, "its prompt is given twice"),
    ("(defagent a\n  :version 1)", 3, r':version must be a text, as in :version "1.2"'),
    ("1\n(defparam k)", 3, "defparam k: its value must stand behind its name"),
    ("(defparam k 3)", 2, r"write the values that it may have, as in :domain \[1 2 4\]"),
    ("(defparam k 3 :domain [1 2])", 2, "param k is 3, which is not in its domain"),
    ('(defparam k 3 :domain "9..12")', 2, "param k is 3, which is not in its domain"),
    ("(defworkflow w)", 2, "defworkflow w: a list of parameters must follow the name"),
    ("(defworkflow w [])", 2, "there are no steps behind the parameters"),
    ("(defworkflow w []\n  (step 5 1))", 3, "step needs a name and what to do"),
    ("(defworkflow w []\n\n  (step a))", 4, "step needs a name and what to do"),
    ("(defworkflow w []\n  (step a 1\n :retry 2))", 4, "step a: there is no option :retry: it knows :retries, :pause"),
    ("(defworkflow w []\n  (parallel))", 3, "parallel needs branches"),
    ("(defworkflow w [n]\n  (step a\n    (/ 1 n)))\n(w 0)", 4, "step a of workflow w failed: ZeroDivisionError"),
    ("(if)", 2, "if"),
    ("(setv 1 2)", 2, "constant"),
    ("(defmacro m [x] `(m ~x))\n\n(m 1)", 4, "macro m expands without end"),
    ("(defmacro m [x] `(+ 1 (m ~x)))\n(m 1)", 3, "without end, or forms are nested too deep"),
    ("(deftool t [a a] 1)", 2, "duplicate argument 'a'"),
    ("1\n(do\n  (require no-such))", 4, "No module named 'no-such'|No module named 'no_such'"),
    ("1\n\n(hy.R.nope.x 1)", 4, "No module named 'nope'"),
    ("(do\n  1\n  (eval-when-compile (/ 1 0)))", 4, "division by zero"),
    ("(do\n  (do-mac\n    (undefined-thing)))", 3, "name 'undefined_thing' is not defined"),
    ("(print\n  {1 2\n   3})", 3, "number of keys as values"),
    # running
    ("(defn f [x]\n  (/ x 0))\n\n(f 1)", 3, "ZeroDivisionError: division by zero"),
    ("(print\n  undefined-thing)", 3, "NameError: name 'undefined_thing' is not defined"),
    ("(import no-such-module)", 2, "ModuleNotFoundError"),
    ("1\n(deftool print [a] a)", 3, "a tool called print would hide Python's own print: call it my-print"),
    ("(defagent a :tools [b b] 1)", 2, "agent a has the tool b twice"),
    ("(defmemory m :capacity -1)", 2, "capacity must be a whole number from 1, not -1"),
    ('(defmemory m :embedding "best")', 2, "embedding must be auto, hash, words or provider:name, not 'best'"),
    ("(defn f [] (f))\n(f)", 2, "calls itself without end"),
]


@pytest.mark.parametrize(("cell", "line", "message"), BAD)
def test_a_bad_cell_is_told_by_its_own_line(notebook, cell, line, message):
    notebook.names.kept = 1
    with pytest.raises(LispError, match=message) as found:
        notebook(cell, offset=1)

    assert found.value.line == line
    assert str(found.value).startswith(f"line {line}: ")
    assert len(str(found.value)) < 400
    assert notebook.names.kept == 1
    assert notebook("(+ kept 1)") == 2


def test_columns_count_from_one(notebook):
    with pytest.raises(LispError) as found:
        notebook("  (/ 1 0)")
    assert (found.value.line, found.value.column) == (1, 3)

    with pytest.raises(LispError) as found:
        notebook("(a\n   ]")
    assert (found.value.line, found.value.column) == (2, 4)


def test_what_ran_before_a_failing_form_stays(notebook):
    with pytest.raises(LispError):
        notebook("(setv a 1) (deftool t [x] x) (/ 1 0) (setv b 2)")

    assert notebook.names.a == 1
    assert notebook.specs.has("tool", "t")
    assert not hasattr(notebook.names, "b")


def test_nothing_runs_of_a_cell_that_cannot_be_read(notebook):
    with pytest.raises(LispError):
        notebook("(setv a 1)\n(setv b")

    assert not hasattr(notebook.names, "a")


def test_the_cause_is_the_users_error_with_the_cells_lines(notebook):
    with pytest.raises(LispError) as found:
        notebook("(defn g [x]\n  (.missing x))\n(defn f [x]\n  (g x))\n(f 1)", offset=1, filename="<cell 7>")

    cause = found.value.__cause__
    frames = [(frame.filename, frame.lineno, frame.line) for frame in traceback.extract_tb(cause.__traceback__)]
    assert isinstance(cause, AttributeError)
    assert frames == [("<cell 7>", 6, "(f 1)"), ("<cell 7>", 5, "(g x))"), ("<cell 7>", 3, "(.missing x))")]


def test_an_error_in_a_body_names_the_cells_line(notebook, turn):
    notebook("(defagent a\n  (setv n 0)\n  (/ 1 n))", offset=1, filename="<cell 8>")

    with pytest.raises(ZeroDivisionError) as found:
        notebook.say("a", "hi")
    last = traceback.extract_tb(found.value.__traceback__)[-1]
    assert (last.filename, last.lineno, last.name) == ("<cell 8>", 4, "a")


def test_interrupts_and_exits_pass_through(notebook):
    for name in ("KeyboardInterrupt", "SystemExit"):
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            notebook(f"(raise ({name}))")
