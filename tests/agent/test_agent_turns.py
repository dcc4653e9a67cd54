"""A turn with a model: what it is sent, how its tools are called, and that its text is only ever text."""

from typing import Annotated, Literal

import pytest

from project_o.agent import Agent, MemorySpec
from project_o.errors import AgentError, ModelError, ModelMissing, UsageError
from project_o.models import ScriptedModel, ToolCall


def adding(replies, **options):
    agent = Agent("adder", "You add numbers.", model=ScriptedModel(replies), **options)

    @agent.tool
    def add(a: int, b: Annotated[int, "the other one"] = 0) -> int:
        """Adds."""
        if a == 13:
            raise ValueError("not that one")
        return a + b

    return agent


def sent(agent):
    return agent._given_model.asked


def test_a_model_gets_the_prompt_and_the_tools_and_its_calls_are_carried_out(house):
    heard = []
    agent = adding([ToolCall("", "add", {"a": 1, "b": 2}), "It is **3**."])
    reply = agent.answer("1 + 2?", on_text=heard.append)
    assert (reply, "".join(heard)) == ("It is **3**.", "It is **3**.")
    first, second = sent(agent)
    assert [(m.role, m.text) for m in first.messages] == [("system", "You add numbers."), ("user", "1 + 2?")]
    assert first.tools[0].name == "add"
    assert first.tools[0].parameters["properties"]["b"] == {
        "type": "integer",
        "description": "the other one",
        "default": 0,
    }
    assert second.messages[-1].text == "3"
    use = reply.turn.uses[0]
    assert (use.name, dict(use.arguments), use.result) == ("add", {"a": 1, "b": 2}, "3")
    assert (reply.turn.model, reply.turn.usage.requests) == ("scripted:model", 2)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (ToolCall("", "add", {"a": 13}), "raised ValueError: not that one"),
        (ToolCall("", "add", {"a": "one"}), "a must be integer, not str: it takes a: integer, b: integer = 0"),
        (ToolCall("", "add", {"b": 1}), "add needs a"),
        (ToolCall("", "add", {"a": 1, "c": 1}), "add takes no c"),
        (ToolCall("", "add", {"a": True}), "a must be integer, not bool"),
        (ToolCall("", "multiply", {"a": 1}), "there are add"),
    ],
)
def test_what_goes_wrong_with_a_tool_is_told_to_the_model_and_the_turn_goes_on(house, call, told):
    agent = adding([call, "sorry"])
    assert agent("go") == "sorry"
    assert told in sent(agent)[1].messages[-1].text


def test_a_call_that_is_not_carried_out_stands_in_the_turn(house):
    turn = adding([ToolCall("", "multiply", {"a": 1}), "sorry"])("go").turn

    assert [(use.name, use.arguments, use.error) for use in turn.uses] == [
        ("multiply", (("a", 1),), "there is no tool 'multiply': there are add")
    ]


def test_only_a_choice_of_its_hint_reaches_a_tool(house):
    def paint(colour: Literal["red", "blue"] = "red", coats: int | None = None, walls: list[int] | None = None):
        return f"{colour} {coats}"

    calls = [{"colour": "green"}, {"coats": 1.5}, {"colour": "blue", "coats": None}, {"walls": [1, "two"]}]
    model = ScriptedModel([*(ToolCall("", "paint", call) for call in calls), "done"])
    uses = Agent("painter", tools=[paint], model=model)("go").turn.uses

    assert [use.result for use in uses] == ["", "", "blue None", ""]
    assert """colour must be "red" or "blue", not 'green'""" in uses[0].error
    assert "coats must be integer, not float" in uses[1].error
    assert "walls must be array of integer, not [1, 'two']" in uses[3].error


class Garbled(ScriptedModel):
    """A model of somebody's own whose answer is no Reply."""

    def tools(self, *_):
        return "just text"


@pytest.mark.parametrize(
    ("model", "said"), [(Garbled(["x"]), "in place of a Reply"), (ScriptedModel([None]), "a line of a script is")]
)
def test_a_model_that_returns_garbage_is_one_clear_error(house, model, said):
    agent = Agent("asker", model=model)

    with pytest.raises(ModelError, match=said):
        agent("go")
    assert agent.state == "idle"


def test_a_models_spelling_of_a_tools_name_is_understood(house):
    agent = adding([ToolCall("", "add-up", {"a": 1}), "done"])

    @agent.tool
    def add_up(a: int) -> int:
        return a + 41

    [use] = agent("go").turn.uses
    assert (use.name, use.result, use.error) == ("add_up", "42", "")


def test_the_turns_before_are_sent_and_those_that_failed_are_not(house):
    agent = adding(["one", RuntimeError("broken"), "two", "three"])
    agent("a?")
    with pytest.raises(RuntimeError):
        agent("b?")
    agent("c?")
    agent("d?")
    texts = [(m.role, m.text) for m in sent(agent)[3].messages[1:]]
    assert texts == [("user", "a?"), ("assistant", "one"), ("user", "c?"), ("assistant", "two"), ("user", "d?")]


def test_what_fits_is_recalled_and_a_model_may_remember(house):
    agent = adding(
        [ToolCall("", "remember", {"text": "The user's cat is called Mau"}), "noted", "Mau"],
        memory=MemorySpec("notes", embedding="hash"),
    )
    agent("my cat is Mau")
    assert agent.memory.blocks[0].text == "The user's cat is called Mau"
    assert agent.turns[0].uses[0].name == "remember"
    agent("what is the name of my cat?")
    assert "- The user's cat is called Mau" in sent(agent)[2].messages[0].text
    assert {tool.name for tool in sent(agent)[0].tools} == {"add", "correct", "recall", "remember"}


def test_no_secret_reaches_the_model(house, monkeypatch):
    monkeypatch.setenv("BANK_PASSWORD", "correct-horse-battery")
    agent = adding([ToolCall("", "look", {}), "done", "done"], memory=MemorySpec("notes", embedding="hash"))

    @agent.tool
    def look() -> str:
        """Looks."""
        return "it is correct-horse-battery"

    agent.memory.remember("the password is correct-horse-battery")
    agent("is the password correct-horse-battery?")
    agent("and again, the password?")
    texts = "\n".join(message.text for asked in sent(agent) for message in asked.messages)
    assert "correct-horse" not in texts
    assert "[redacted " in texts


def test_lisp_in_a_models_text_stays_text(house):
    house.namespace["touched"] = touched = []
    text = '(touched.append 1) (hy.eval (quote (touched.append 2))) (defagent evil "x")'
    agent = adding([text])
    assert agent("go") == text
    assert touched == []
    with pytest.raises(AgentError, match="no agent is called evil"):
        house.agent("evil")


def test_without_a_model_the_three_lines_are_said(house, lisp):
    for agent in (Agent("bare", "x"), lisp('(defagent asking "x" (llm-respond "hi"))')):
        with pytest.raises(ModelMissing) as caught:
            agent("hello")
        assert len(str(caught.value).splitlines()) == 4
        assert agent.state == "idle"


def test_a_body_may_ask_the_configured_model(house, lisp):
    house.settings["model"] = "scripted:forty-two"
    agent = lisp('(defagent asking "x" (+ "the model says " (llm-respond (+ "about " message))))')
    reply = agent("life")
    assert (reply, reply.turn.model) == ("the model says forty-two", "scripted:forty-two")


def test_a_named_model_goes_before_the_configured_one(house, lisp):
    house.settings["model"] = "scripted:no"
    assert lisp('(defagent a "x" :model "scripted:yes")')("go") == "yes"


def test_a_body_that_recalls_without_a_memory_is_told_how_to_get_one(house, lisp):
    agent = lisp('(defagent a "x" (str (recall "y")))')
    with pytest.raises(AgentError, match=r"a has no memory: define one with \(defmemory notes\)"):
        agent("go")


def test_functions_of_the_notebook_are_tools_by_name(house, lisp):
    def double(x: int) -> int:
        """Doubles."""
        return 2 * x

    house.namespace["double"] = double
    assert lisp('(defagent a "x" :tools [double] (str (use "double" :x 4)))')("go") == "8"


def test_a_tool_that_is_not_there_is_named(house, lisp):
    agent = lisp('(defagent a "x" :tools [nothing] "ok")')
    with pytest.raises(AgentError, match="a names the tool nothing, which is not defined"):
        agent("go")
    assert agent.state == "idle"


def test_the_error_of_a_body_and_of_a_tool_names_the_cells_own_line(house, lisp):
    agent = lisp('(deftool bad [a]\n  "Fails."\n  (/ a 0))\n(defagent a "x" :tools [bad]\n  (use bad :a 1))')
    with pytest.raises(AgentError, match=r"the tool bad of a raised ZeroDivisionError: .* \(line 4 of its cell\)"):
        agent("go")
    agent = lisp('(defagent b "x"\n  (setv y 1)\n  (/ y 0))')
    with pytest.raises(AgentError, match=r"the body of b raised ZeroDivisionError: .* \(line 4 of its cell\)"):
        agent("go")


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: Agent("9 lives", "x"), "cannot be the name"),
        (lambda: Agent("a", "x", tools=[5]), "an int cannot be a tool"),
        (lambda: Agent("a", "x", tools=[lambda *xs: xs]), "cannot be given by name"),
        (lambda: Agent("a", "x", body=lambda question: question), "it may take message, arguments and turn"),
        (lambda: Agent("a", "x").program, "a has no body, so there is nothing to search: a model answers"),
    ],
)
def test_what_cannot_be_meant_is_refused(house, make, error):
    with pytest.raises(UsageError, match=error):
        make()


@pytest.mark.parametrize("message", ["", "   "])
def test_a_message_that_says_nothing_is_refused(house, message):
    with pytest.raises(AgentError, match="is empty"):
        Agent("a", "x", body=lambda: "ok")(message)


def test_a_value_that_is_no_text_is_the_replys_value(house):
    reply = Agent("a", body=lambda: {"sum": 3})("go")
    assert (reply, reply.value) == ('{"sum": 3}', {"sum": 3})
