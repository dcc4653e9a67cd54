"""A version that serves keeps to itself; digests do not depend on Python's version; secrets stay in the notebook."""

import ast
import json
import sys
import types

import pytest

from project_o.agent import Agent
from project_o.agent.secrets import is_secret, secrets_in
from project_o.errors import AgentError
from project_o.models import ScriptedModel

CELL = """(setv depth 1) ; o: 1 2 3
(defn twice [x] (* 2 x))
(defmacro plus [a b] `(+ ~a ~b))
(deftool scale [x] "Scales." (* x depth))
(defagent a "You." :tools [scale]
  (str [(twice 1) (plus 1 1) (scale 10) (use "scale" :x 1) other (len limits)]))"""


def test_an_accepted_version_changes_no_name_of_the_notebook(house, lisp):
    lisp('(setv other "mine" limits [1 2])\n' + CELL)
    names, agent = house.namespace, house.agent("a")
    twice, scale, helpers = names["twice"], names["scale"], dict(house.specs.helpers)
    program = agent.program
    changed = program.source.replace("depth 1", "depth 3").replace("(* 2 x)", "(* 5 x)").replace("(+ ~a", "(- ~a")
    agent.serve(program.with_source(changed, program.parameters))

    assert agent("go") == "[5, 0, 30, 3, 'mine', 2]"
    assert (names["depth"], names["twice"], names["scale"]) == (1, twice, scale)
    assert (names["twice"](1), names["scale"](10), house.specs.helpers) == (2, 10, helpers)
    assert lisp("(plus 1 1)") == 2
    names["other"] = "new"  # what the version does not define is the notebook's, as it is now
    assert agent("go").endswith("'new', 2]")
    agent.serve(program)
    assert agent("go") == "[2, 2, 10, 1, 'new', 2]"


def test_a_version_sees_names_of_the_notebook_before_pythons_own(house, lisp):
    lisp('(defagent a "x" (do (defclass C [] (setv y base)) (str [(sum [1 2]) C.y (recall "q")])))')
    house.namespace |= {"sum": lambda _: "mine", "base": 7, "recall": lambda _: "my recall"}
    agent = house.agent("a")
    agent.serve(agent.program)
    assert agent("go") == "['mine', 7, 'my recall']"


def test_digests_do_not_depend_on_the_version_of_python(lisp):
    made = lisp(
        '(deftool t [x [y None]] "T." (lfor i x :if i f"{i :>3}") (try (get x 0) (except [e KeyError] (with [z x] z))))'
        '(defagent a "p" :tools [t] (setv f (fn [q] q)) (if (has-tool? "t") (f message) (use "t" :x [-1 1.5 None])))'
    )
    assert made.digest == "ac320e6cd31808de506f8a34f2d5a421b609b6e70a194dee139efa2c4dbd21ba"


def test_a_listener_that_fails_stops_no_turn(house):
    agent = Agent("a", body=lambda message: message)
    agent.listen(lambda before, after: 1 / 0)
    with pytest.warns(UserWarning, match="listener of a failed.*ZeroDivisionError"):
        assert agent("hi") == "hi"
    assert (agent.state, len(agent.turns)) == ("idle", 1)
    with pytest.warns(UserWarning, match="idle to evolving"):
        assert state_in_a_run(agent) == "evolving"
    assert agent.state == "idle"


def state_in_a_run(agent):
    with agent.evolving():
        return agent.state


def test_a_secret_of_the_notebook_reaches_no_model_no_turn_and_no_sandbox(house, lisp):
    house.namespace |= {"api_key": "plain1secret2value", "settings": {"password": "correcthorse"}, "key": "temperature"}
    lisp(
        '(defmemory notes)\n(deftool fetch [url [token api-key]] "Fetch." (+ url token))\n'
        '(defagent a "x" :tools [fetch] :memory notes (remember api-key) (use "fetch" :url api-key))'
    )
    agent = house.agent("a")
    agent("the temperature")
    turn = agent.turns[-1]
    assert "plain1secret2value" not in repr((turn.uses, agent.memory.blocks))
    assert turn.message == "the temperature"
    sent = json.dumps(agent.program.files)
    assert "plain1secret2value" not in sent
    assert "api_key looks like a secret" in sent

    asked = []
    model = ScriptedModel(lambda messages, tools: asked.append((messages, tools)) or "ok")
    Agent("b", "x", tools=["fetch"], model=model)("say correcthorse")
    assert "plain1secret2value" not in repr(asked)
    assert "correcthorse" not in repr(asked)


def test_what_is_a_secret():
    assert is_secret("my_password", "correcthorse")
    assert is_secret("API_KEY", "abcdefgh1")
    assert not is_secret("key", "temperature")
    assert not is_secret("key", "version 2 of it")
    assert not is_secret("api_key", "short1")
    assert not is_secret("name", "abcdefgh1")
    assert secrets_in({"a": {"token": "abcdefgh1"}, "b": {"c": {"token": "abcdefgh2"}}, 3: 4}) == ["abcdefgh1"]


@pytest.fixture
def notebook(house):
    """Evaluates Lisp in a module, as a kernel does."""
    made = sys.modules["notebook_of_versions"] = types.ModuleType("notebook_of_versions")
    house.namespace = vars(made)
    yield lambda source: house.evaluate(source, made, "<cell 1>.hy", 1)
    del sys.modules["notebook_of_versions"]


def test_a_version_has_the_digest_of_the_same_text_in_a_cell(house, notebook):
    notebook(CELL + '\n(setv other 1 limits "ab")')
    agent = house.agent("a")
    digest = agent.digest
    agent.serve(agent.program)
    assert agent.digest == digest


def test_a_body_is_compiled_once_more_when_its_digest_is_asked_for_with_the_macros_of_its_cell(notebook, capsys):
    made = notebook('(defmacro noted [] (print "expanded") 1)\n(defagent a "x" (str (noted)))')
    assert capsys.readouterr().out.count("expanded") == 1
    notebook("(defmacro noted [] 2)")
    first = made.digest
    assert capsys.readouterr().out.count("expanded") == 1
    assert made.digest == first
    assert capsys.readouterr().out == ""
    assert notebook('(defagent a "x" (str (noted)))').digest != first


def test_a_message_that_is_no_text_is_said_to_be_none(house):
    with pytest.raises(AgentError, match="a message to a is text, not int"):
        Agent("a", body=lambda message: message)(5)


def test_digests_depend_on_no_order_of_a_set_and_no_place_in_memory(house, notebook):
    house.namespace["words"] = {"e", "d", "c", "b", "a"}
    house.namespace["deep"] = {"k": [({3, 1, 2},), (), {}, -0.5, None]}
    notebook('(defagent a "x" (str [words deep]))')
    files = dict(house.agent("a").program.files)
    values = json.loads(next(text for path, text in files.items() if '"values"' in text))["values"]
    assert values["words"] == "{'a', 'b', 'c', 'd', 'e'}"
    assert ast.literal_eval(values["deep"]) == house.namespace["deep"]
    digests = {notebook("(deftool t [[by (fn [] 1)]] (by))").digest for _ in range(2)}
    kept = [object() for _ in range(3)]  # so that the next function is elsewhere
    assert digests == {notebook("(deftool t [[by (fn [] 1)]] (by))").digest}, kept
