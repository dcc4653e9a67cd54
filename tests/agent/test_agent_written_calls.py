"""A model that can only write: its calls are carried out, its mistakes told to it, its prose left alone."""

import pytest

from project_o.agent import Agent
from project_o.errors import ModelError
from project_o.models import ScriptedModel


def add(a: int, b: int = 0) -> int:
    """Add."""
    return a + b


def talk(replies, tools=(add,)):
    model = ScriptedModel(replies)
    agent = Agent("a", "You add.", tools=tools, model=model)
    return agent("go"), agent, model


def test_a_written_call_is_carried_out_and_told(house):
    reply, agent, model = talk(["(add a: 20 b: 22)", "It is 42."])

    assert reply == "It is 42."
    assert model.asked[1].messages[-1].text == "add returned: 42"
    (use,) = agent.turns[-1].uses
    assert (use.name, dict(use.arguments), use.result) == ("add", {"a": 20, "b": 22}, "42")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("(add a: 1 c: 2)", "error: add has no parameter c"),
        ("(rm path: \"x\")", "error: there is no tool rm"),
        ('(add a: "one")', "error: add: a must be integer"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_to_the_model_and_stands_in_the_turn(house, text, told):
    reply, agent, model = talk([text, "Sorry."])

    assert reply == "Sorry."
    assert model.asked[1].messages[-1].text.startswith(told)
    assert agent.turns[-1].uses[0].error


def test_garbage_and_prose_are_a_reply(house):
    for text in ("(see above)", "%%%\x01 (((", "(add 1 2)"):
        reply, agent, _ = talk([text])
        assert reply == text
        assert agent.turns[-1].uses == ()


def test_calls_without_end_are_ended(house):
    with pytest.raises(ModelError, match="still writes calls of tools after 16 rounds"):
        talk(lambda messages, tools: "(add a: 1)")


def test_without_tools_all_is_text(house):
    assert talk(["(add a: 1)"], tools=())[0] == "(add a: 1)"


@pytest.mark.parametrize("way", ["written", "grammar"])
def test_a_model_without_calls_of_its_own_is_told_how_to_write_them(house, way):
    house.settings["model_calls"] = way
    reply, _, model = talk(["(add a: 1)", "One."])

    assert reply == "One."
    first, second = model.asked
    assert first.tools == ()
    assert "(add a: integer b: integer?) - Add." in first.messages[0].text
    assert (first.messages[-1].grammar != "") == (way == "grammar")
    assert first.messages[-1].grammar == second.messages[-1].grammar
    assert 'call-0 ::= "(add" " a: " integer (" b: " integer)? ")"' in first.messages[-1].grammar or way == "written"
