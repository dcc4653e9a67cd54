"""A new version of an agent in the shadow of the one that answers: what happens only once happens only once."""

from types import SimpleNamespace

import pytest

from project_o.agent import Agent
from project_o.deploy.conversations import Conversations
from project_o.deploy.plan import Plan
from project_o.errors import AgentError
from project_o.evolution.compare import values_differ
from project_o.models import ScriptedModel


@pytest.fixture
def shadow(house):
    """Begins a shadow of another body beside an agent; what was decided is added to ``decisions``."""

    def begin(agent, body, **plan):
        versions = [SimpleNamespace(artifact=SimpleNamespace(program=SimpleNamespace(name=agent.name))) for _ in "ab"]
        asked = Plan(**{"share": 0.9, "calls": 400, "shadow": True, **plan})
        split = Conversations(
            *versions, asked, differ=values_differ, decided=lambda _, decision: split.decisions.append(decision)
        )
        split.decisions = []
        if "share" not in plan:
            split._table = (True,)
        agent.serve_beside(split, None, (body, ""), {})
        return split

    return begin


def test_a_tool_is_called_once_and_both_versions_see_what_it_gave(house, shadow):
    written = []

    def note(text: str) -> int:
        """Write it down."""
        written.append(text)
        return len(written)

    agent = Agent("keeper", "x", tools=[note], body=lambda message, turn: f"{message} {turn.use('note', text=message)}")
    split = shadow(agent, lambda message, turn: "{} {}".format(message, turn.use("note", {"text": message})))

    replies = [str(agent(f"m{k}")) for k in range(6)]

    assert replies == [f"m{k} {k + 1}" for k in range(6)]
    assert written == [f"m{k}" for k in range(6)]
    assert (split.evidence.compared, split.evidence.refused, split.evidence.difference) == (6, 0, "")
    assert split.evidence.pairs == 0, "what a tool gave was taped, so its time says nothing"


def test_another_call_of_a_tool_is_kept_from_it(house, shadow):
    written = []

    def note(text: str) -> int:
        """Write it down."""
        written.append(text)
        return len(written)

    def careless(message, turn):
        try:
            return str(turn.use("note", text=f"again {message}"))
        except (AgentError, ValueError) as error:
            return str(error)

    agent = Agent("keeper", "x", tools=[note], body=lambda message, turn: str(turn.use("note", text=message)))
    split = shadow(agent, careless)
    for k in range(4):
        agent(f"m{k}")

    assert written == ["m0", "m1", "m2", "m3"]
    assert (split.evidence.compared, split.evidence.refused) == (0, 4)
    assert "4 calls kept from it, in which it asked for what happens only once" in split.evidence.told()


def test_a_shadow_neither_remembers_nor_counts_as_recalling(house, shadow):
    def body(message, turn):
        found = turn.recall(message)
        turn.remember(message)
        return " ".join(found)

    def greedy(message, turn):
        turn.remember(f"shadow of {message}")
        return body(message, turn)

    agent = Agent("keeper", "x", memory=True, body=body)
    split = shadow(agent, greedy)
    agent("the tea is in the kitchen")
    agent("where is the tea")
    agent("the tea and the kitchen")

    assert [block.text for block in agent.memory.blocks] == [
        "the tea is in the kitchen",
        "where is the tea",
        "the tea and the kitchen",
    ]
    assert [block.uses for block in agent.memory.blocks] == [2, 1, 0]
    assert (split.evidence.compared, split.evidence.difference, split.evidence.pairs) == (3, "", 0)


def test_what_models_say_is_not_compared_but_failures_are(house, shadow):
    asked = []
    model = ScriptedModel(lambda messages, tools: asked.append(messages[-1].text) or f"answer {len(asked)}")

    def broken(message, turn):
        raise ValueError("no")

    agent = Agent("talker", "x", model=model, body=lambda message, turn: turn.respond(message))
    split = shadow(agent, lambda message, turn: turn.respond(f"be brief: {message}"))
    replies = [str(agent(f"m{k}")) for k in range(4)]
    assert replies[0] == "answer 1"
    assert len(asked) == 8
    assert len(agent.turns) == 4
    assert (split.evidence.compared, split.evidence.difference, split.evidence.errors_new) == (4, "", 0)

    split = shadow(agent, broken)
    for k in range(40):
        agent(f"m{k}")
    assert split.decisions[0].outcome == "rollback"
    assert "fails more often" in split.decisions[0].reason
    assert "ValueError: no" in split.decisions[0].reason


def test_a_turn_that_fails_fails_as_ever_and_the_shadow_is_asked_all_the_same(house, shadow):
    def failing(message):
        raise ValueError(message)

    agent = Agent("faulty", "x", body=failing)
    split = shadow(agent, lambda message: message)
    for _ in range(3):
        with pytest.raises(AgentError, match="ValueError: hi"):
            agent("hi")
    assert (split.evidence.errors_old, split.evidence.errors_new, split.evidence.compared) == (3, 0, 3)
    assert (agent.state, len(agent.turns)) == ("idle", 3)


def test_equal_versions_are_not_told_apart_by_being_asked_second(house, shadow):
    agent = Agent("equal", "x", body=lambda message: str(sum(range(2_000))))
    split = shadow(agent, lambda message: str(sum(range(2_000))), calls=10_000)
    for k in range(200):
        agent(f"m{k}")
    assert split.decisions == []
    assert 0.8 < split.evidence.interval.estimate < 1.25


def test_a_share_of_the_turns_is_asked(house, shadow):
    agent = Agent("equal", "x", body=lambda message: message)
    split = shadow(agent, lambda message: message, share=0.1)
    for k in range(50):
        agent(f"m{k}")
    assert 3 <= split.evidence.compared <= 7
    assert split.evidence.calls == 50
