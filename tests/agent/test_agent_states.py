"""The table of legal moves, and that every way out of a turn ends in idle."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.agent import Agent
from project_o.agent.states import MOVES, Machine
from project_o.errors import AgentError, LispError, ModelError
from project_o.models import ScriptedModel, ToolCall

STATES = tuple(MOVES)


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_only_the_moves_of_the_table_are_made(before, after):
    machine = Machine("agent")
    machine._state = before

    if after in MOVES[before]:
        machine.move(after)
        assert machine.state == after
    else:
        with pytest.raises(AgentError, match=f"agent is {before} and cannot go on to {after}"):
            machine.move(after)
        assert machine.state == before


@given(st.lists(st.sampled_from(STATES), max_size=30))
def test_listeners_hear_exactly_the_moves_that_happened(wanted):
    machine, heard = Machine("agent"), []
    machine.listen(lambda before, after: heard.append((before, after)))

    state = "idle"
    for after in wanted:
        try:
            machine.move(after)
        except AgentError:
            continue
        assert heard[-1] == (state, after)
        state = after
    assert machine.state == state
    machine.rest()
    assert machine.state == "idle"


def test_a_listener_can_stop_listening():
    machine, heard = Machine("agent"), []
    end = machine.listen(lambda *moves: heard.append(moves))
    machine.move("thinking")
    end()
    end()
    machine.rest()
    assert heard == [("idle", "thinking")]


def stuck(message):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (lambda message: 1 / 0, AgentError),
        (lambda message: None, AgentError),
        (stuck, KeyboardInterrupt),
        (lambda message: "x" * 10_000_000, AgentError),
    ],
)
def test_every_way_out_of_a_turn_ends_in_idle(house, body, error):
    agent = Agent("failing", body=body)
    with pytest.raises(error):
        agent("go")
    assert agent.state == "idle"
    assert agent.turns[-1].states == ("idle", "thinking", "idle")
    assert agent.turns[-1].error
    with pytest.raises(error):
        agent("go again")


def test_a_tool_is_called_while_acting_and_an_interrupt_in_it_ends_in_idle(house):
    seen = []

    def look() -> str:
        """Looks."""
        seen.append(agent.state)
        if len(seen) > 1:
            raise KeyboardInterrupt
        return "seen"

    agent = Agent("looking", tools=[look], body=lambda turn: turn.use("look"))
    assert agent("go") == "seen"
    assert seen == ["acting"]
    with pytest.raises(KeyboardInterrupt):
        agent("go")
    assert agent.state == "idle"
    assert agent.turns[-1].error == "interrupted"
    assert agent.turns[-1].states == ("idle", "thinking", "acting", "thinking", "idle")


def test_a_model_that_fails_leaves_the_agent_idle_and_what_it_said_in_the_turn(house):
    def replies(messages, tools):
        raise ModelError("the line is dead")

    agent = Agent("calling", model=ScriptedModel(replies))
    with pytest.raises(ModelError, match="dead"):
        agent("hello?")
    assert (agent.state, agent.turns[-1].reply) == ("idle", "")


def test_messages_of_two_threads_wait_for_each_other(house):
    running, most = [], []

    def body(message):
        running.append(message)
        most.append(len(running))
        time.sleep(0.02)
        running.remove(message)
        return message

    agent = Agent("busy", body=body)
    replies = []
    threads = [threading.Thread(target=lambda k=k: replies.append(agent(f"m{k}"))) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(replies) == [f"m{k}" for k in range(6)]
    assert max(most) == 1


def test_an_agent_that_writes_to_itself_is_told_so(house):
    agent = Agent("mirror", body=lambda message: agent("and again"))
    with pytest.raises(AgentError, match="cannot send a message to itself"):
        agent("look")
    assert agent.state == "idle"


def test_an_agent_may_ask_another_one(house):
    inner = Agent("inner", body=lambda message: message.upper())
    outer = Agent("outer", body=lambda message: inner(message) + "!")
    assert outer("hi") == "HI!"


def test_a_message_while_evolving_is_refused_and_so_is_evolving_during_a_turn(house):
    agent = Agent("growing", body=lambda message: "ok")
    with agent.evolving():
        assert agent.state == "evolving"
        with pytest.raises(AgentError, match=r"is evolving.*wait for the run"):
            agent("now?")
    assert agent("now?") == "ok"

    other = Agent("talking", body=lambda message: other.evolving().__enter__())
    with pytest.raises(AgentError, match="thinking"):
        other("grow")


def test_a_new_definition_during_a_turn_is_refused_and_the_old_one_stays(house, lisp):
    house.namespace["redefine"] = lambda: lisp('(defagent self-maker "Two.")')
    agent = lisp('(defagent self-maker "One." (redefine))')
    with pytest.raises(LispError, match="line 2: self-maker is thinking and cannot be defined anew"):
        agent("go")
    assert agent.doc == "One."
    assert lisp('(defagent self-maker "Three." "ok")') is agent
    assert (agent.doc, agent("x")) == ("Three.", "ok")


def test_the_model_path_goes_through_acting(house):
    agent = Agent("adder", model=ScriptedModel([ToolCall("", "add", {"a": 1, "b": 2}), "three"]))

    @agent.tool
    def add(a: int, b: int) -> int:
        """Adds."""
        return a + b

    assert agent("1 + 2?") == "three"
    assert agent.turns[-1].states == ("idle", "thinking", "acting", "thinking", "idle")
