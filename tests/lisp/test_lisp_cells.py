"""Cells of Lisp: values, names shared with Python, the forms and what they build."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from project_o.errors import AgentError, HistoryWarning, LispError
from project_o.lisp import Specs, current, running
from project_o.lisp.cell import evaluate, is_complete


def test_the_value_is_that_of_the_last_form(notebook):
    assert notebook("1 (+ 1 2) [3 4]") == [3, 4]
    assert notebook("") is None
    assert notebook("; nothing\n#_ (print 1)") is None


def test_names_are_shared_with_python_both_ways(notebook):
    notebook.names.x = 20

    assert notebook("(setv y (* x 2)) (defn double-it [v] (* 2 v))") is None
    assert notebook.names.y == 40
    assert notebook.names.double_it(4) == 8


def test_a_plain_dict_is_a_namespace_too():
    names = {"x": 3}

    assert evaluate("(defmacro twice [v] `(+ ~v ~v)) (setv y (twice x))", names, "<c>", Specs()) is None
    assert evaluate("(twice y)", names, "<d>", Specs()) == 12


def test_the_namespace_gets_no_name_but_the_words(notebook):
    notebook("(deftool add [a b] (+ a b)) (defagent greeter message) (when-> 1 str)")

    new = {name for name in vars(notebook.names) if not name.startswith("_")}
    words = {"get_arg", "has_tool", "llm_respond", "recall", "remember", "use", "hyx_has_toolXquestion_markX"}
    assert new == {"add", "greeter", "hy"} | words


def test_a_name_of_the_user_is_not_overwritten_by_a_word(notebook):
    notebook.names.recall = "mine"
    notebook("1")

    assert notebook.names.recall == "mine"


# ------------------------------------------------------------------------------- deftool


def test_a_tool_is_a_spec_and_a_function(notebook):
    tool = notebook('\n(deftool add [#^ int a  #^ int [b 2]] "Add two numbers." (+ a b))', offset=1)

    assert tool is notebook.names.add is notebook.specs.tool("add")
    assert notebook("(add 1 2)") == 3
    assert notebook.names.add(1) == notebook.names.add(a=1) == 3
    assert (tool.doc, tool.language, tool.line) == ("Add two numbers.", "lisp", 3)
    assert tool.source == '(deftool add [#^ int a  #^ int [b 2]] "Add two numbers." (+ a b))'
    assert tool.schema() == {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 2}},
        "required": ["a"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [("str", "string"), ("float", "number"), ("bool", "boolean"), ("list", "array"), ("dict", "object"),
     ("(get list int)", "array"), ("(get dict #(str int))", "object"), ("object", "any")],
)  # fmt: skip
def test_types_of_tools_come_from_annotations(notebook, annotation, expected):
    assert notebook(f"(deftool t [#^ {annotation} a] a)").parameters[0].type == expected


def test_annotations_that_mean_nothing_here_leave_any_type_and_say_so(notebook):
    with pytest.warns(HistoryWarning, match="tool t: what its annotations mean is not known here.*Nowhere"):
        tool = notebook('(deftool t [#^ "Nowhere" a  #^ int b] a)')

    assert tool.parameters[0].type == "any"


def test_names_with_a_hyphen_are_python_names(notebook):
    tool = notebook("(deftool full-name [first-name last-name] (+ first-name last-name))")

    assert tool.name == "full-name"
    assert [item.name for item in tool.parameters] == ["first_name", "last_name"]
    assert notebook.names.full_name("a", last_name="b") == "ab"
    assert notebook.specs.tool("full_name") is tool


def test_a_tool_may_call_itself_and_another(notebook):
    notebook("(deftool half [n] (// n 2)) (deftool depth [n] (if (< n 2) 0 (+ 1 (depth (half n)))))")

    assert notebook.names.depth(64) == 6


def test_a_new_definition_replaces_the_old_one_and_a_failed_one_does_not(notebook):
    first = notebook("(deftool t [a] 1)")
    with pytest.raises(LispError):
        notebook("(deftool t [#* a] 2)")
    assert notebook.names.t is first is notebook.specs.tool("t")

    second = notebook("(deftool t [a] 2)")
    assert notebook.names.t is second is notebook.specs.tool("t")
    assert notebook.specs.names("tool") == ("t",)


def test_digests_do_not_depend_on_comments_and_layout(notebook):
    first = notebook('(deftool my-tool [a] "Doc." (+ a 0x10))').digest
    again = notebook('(deftool my_tool [a]   ; a comment\n "Doc."\n (+ a 16))').digest
    other = notebook('(deftool my-tool [a] "Doc." (+ a 17))').digest

    assert first == again != other


# ------------------------------------------------------------------------------- defmemory, defagent


def test_a_memory_has_its_options(notebook):
    memory = notebook('(defmemory notes "What was said." :capacity (* 10 100) :embedding "hash" :top 3)')

    assert (memory.capacity, memory.embedding, memory.top, memory.doc) == (1000, "hash", 3, "What was said.")
    assert notebook.specs.memory("notes") is notebook.names.notes is memory


AGENT = """(deftool add [#^ int a  #^ int b] "Add two numbers." (+ a b))
(defmemory notes :capacity 1000 :embedding "hash")
(defagent greeter "You greet people." :tools [add] :memory notes
    (setv warmth 3) ; o: 1 2 3 4 5
    (cond (has-tool? "add") (str (add (get-arg "a" 0) (get-arg "b" 0)))
          True (llm-respond (+ "Greet: " message)))) ; the end"""


def test_an_agent_is_a_spec_with_a_body(notebook):
    agent = notebook(AGENT, offset=1)

    assert (agent.name, agent.doc, agent.tools, agent.memory) == ("greeter", "You greet people.", ("add",), "notes")
    assert agent.line == 4
    assert agent.source.startswith("(defagent greeter")
    assert agent.source.endswith("; the end")
    tools = {"add": notebook.names.add}
    assert notebook.say("greeter", "add a: 2, b=3.", tools=tools) == "5"
    assert notebook.say("greeter", "add", tools=tools, arguments={"a": 4}) == "4"
    assert notebook.say("greeter", "Ann") == "model: Greet: Ann"


def test_a_body_sees_its_turn(notebook):
    notebook(
        """(defagent a
             (remember (+ "heard " message))
             [message (get arguments "k") (recall "heard" :top 1) (use "up" :text "x") (get-arg "none") (has-tool? up)])
           (deftool up [text] (.upper text))"""
    )

    found = notebook.say("a", "hi", arguments={"k": 1}, tools={"up": notebook.names.up})

    assert found == ["hi", 1, ["heard hi"], "X", None, True]


def test_an_agent_may_have_no_body_no_prompt_or_neither(notebook):
    assert notebook('(defagent a "Only a prompt.")').body is None
    assert notebook('(defagent b "Only a prompt." :model "openai:x")').model == "openai:x"
    assert notebook("(defagent c)").doc == ""
    notebook('(defagent d :tools ["add"] (+ message "!"))')
    assert notebook.say("d", "hi") == "hi!"


def test_what_a_definition_is_bound_to_is_the_registrys_choice(notebook):
    notebook.specs.bound = lambda spec: f"<{spec.name}>"

    assert notebook("(defagent a message)") == "<a>" == notebook.names.a
    assert notebook.specs.agent("a").name == "a"


def test_words_outside_a_turn_say_so(notebook):
    with pytest.raises(LispError, match=r"line 2: no turn is under way"):
        notebook('(get-arg "a")', offset=1)
    with pytest.raises(AgentError):
        current()


def test_turns_nest_and_do_not_reach_other_threads(turn):
    def look():
        with pytest.raises(AgentError):
            current()
        found.append("nothing")

    found = []
    with running(turn("outer")):
        with running(turn("inner")):
            assert current().message == "inner"
        assert current().message == "outer"
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert found == ["nothing"]


# ------------------------------------------------------------------------------- when->


def test_when_threads_until_none(notebook):
    assert notebook("(when-> 3 (+ 1) str)") == "4"
    assert notebook("(when-> None (+ 1) str)") is None
    assert notebook('(when-> " a " (.strip) (.replace "a" "b"))') == "b"
    assert notebook("(when-> 3 ((fn [x] None)) (/ 0))") is None
    assert notebook("(when-> 0 (+ 1))") == 1, "only None stops it, not what is false"
    assert notebook("(when-> 5)") == 5


def test_when_captures_no_name_of_the_users(notebook):
    """Every name that its expansion introduces is a gensym, and it uses none that a user may have bound."""
    source = "(defn f [value step thread None-ish] (when-> value (+ step) (* thread) (- None-ish)))"

    notebook(source)

    assert notebook.names.f(1, 2, 3, 4) == 5
    assert notebook("(setv len 1 str 2 thread 3) (when-> len (+ str) (+ thread))") == 6


def test_when_evaluates_each_step_once_and_in_order(notebook):
    notebook("(setv seen []) (defn note [v k] (.append seen k) v)")

    assert notebook("(when-> (note 1 0) (note 1) (note (len seen)))") == 1
    assert notebook.names.seen == [0, 1, 2]


# ------------------------------------------------------------------------------- the user's own macros


def test_macros_of_the_user_work_across_cells_and_may_replace_ours(notebook):
    notebook("(defmacro swap [a b] (setv tmp (hy.gensym)) `(do (setv ~tmp ~a) (setv ~a ~b) (setv ~b ~tmp)))")
    notebook("(setv x 1 y 2 tmp 3) (swap x y)")
    assert (notebook.names.x, notebook.names.y, notebook.names.tmp) == (2, 1, 3)

    assert notebook("(defmacro when-> [x] 7) (when-> 1)") == 7


def test_completeness():
    found = [is_complete(text) for text in ("(a", "(a)", "(a]", '"x', "'", "a ; (", "#[[", "#_")]

    expected = ["incomplete", "complete", "invalid", "incomplete", "incomplete", "complete", "incomplete", "incomplete"]
    assert found == expected


def test_hy_is_loaded_by_the_first_cell_only():
    code = """if True:
        import sys
        import project_o.lisp, project_o.lisp.cell, project_o.lisp.words, project_o.languages, project_o.runtimes
        from project_o.languages import tools_for
        tools_for("lisp").program("a", "(setv k 1) ; o: 1 2")
        assert "hy" not in sys.modules and "numpy" not in sys.modules
        project_o.lisp.cell.evaluate("1", {}, "<c>", project_o.lisp.Specs())
        assert "hy" in sys.modules
    """
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
