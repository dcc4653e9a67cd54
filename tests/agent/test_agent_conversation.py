"""What a model is told of earlier turns: the last ones whole, older ones shortened, all within a budget."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o import limits
from project_o.agent import Agent
from project_o.agent.conversation import EARLIER, conversation, tokens
from project_o.agent.log import write_turn
from project_o.models import ScriptedModel
from project_o.values import ToolUse, Turn, Usage


def turns(count, size=40):
    return [Turn("a", f"question {k} " + "x" * size, f"answer {k} " + "y" * size) for k in range(count)]


def same(text):
    return text


def test_few_turns_are_whole():
    found = conversation(turns(3), same)
    assert [message.role for message in found.messages] == ["user", "assistant"] * 3
    assert (found.earlier, found.left_out, found.instructions()) == ((), 0, "")


def test_older_turns_are_shortened_and_the_oldest_counted():
    found = conversation(turns(40, size=300), same, budget=4_000)
    assert len(found.messages) == 2 * limits.CONVERSATION_TURNS_MAX
    assert found.earlier[-1].startswith("- user: question 31 ")
    assert f"[{found.left_out} turns before these are left out]" in found.instructions()
    assert found.left_out + len(found.earlier) + limits.CONVERSATION_TURNS_MAX == 40


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 5_000), max_size=60), st.integers(0, 5_000))
def test_the_budget_holds(sizes, budget):
    past = [Turn("a", "q" * size, "r" * (size // 2)) for size in sizes]
    found = conversation(past, same, budget=budget)
    spent = sum(tokens(message.text) for message in found.messages) + sum(map(tokens, found.earlier))
    assert spent <= budget
    assert len(found.messages) // 2 + len(found.earlier) + found.left_out == len(past)


def test_failed_turns_do_not_count_and_secrets_are_hidden():
    past = [
        Turn("a", "sesame", "ok", (ToolUse("add", (), "3"),)),
        Turn("a", "bad", "", error="AgentError: no"),
        *turns(8),
    ]
    found = conversation(past, lambda text: text.replace("sesame", "[hidden]"))
    assert found.earlier == ("- user: [hidden] | you: ok (tools: add)",)


def test_a_model_is_told_what_was_said_before(house):
    model = ScriptedModel(lambda messages, tools: f"reply {len(messages)}")
    agent = Agent("a", "You talk.", model=model)
    for k in range(12):
        agent(f"message {k}")
    asked = model.asked[-1].messages
    assert [message.role for message in asked] == ["system", *["user", "assistant"] * 8, "user"]
    assert EARLIER in asked[0].text
    assert "- user: message 2 | you: reply" in asked[0].text


def test_a_line_of_the_log_says_what_a_turn_did_and_cost(tmp_path):
    use = ToolUse("add", (("a", 1), ("b", {"key": ["sesame"]})), "3", "no sesame", 0.25)
    turn = Turn("a", "hello sesame", "hi", (use,), ("idle", "thinking", "idle"), "m", Usage(1, 20, 3, 0.0005), 1.5)
    write_turn(str(tmp_path), turn, "ab12", lambda text: text.replace("sesame", "[hidden]"))
    entry = json.loads((tmp_path / "turns.jsonl").read_text())
    assert entry.pop("when") > 0
    assert entry == {
        "event": "turn", "agent": "a", "state": "ab12", "states": ["idle", "thinking", "idle"],
        "message": "hello [hidden]", "reply_characters": 2, "model": "m", "requests": 1, "tokens_in": 20,
        "tokens_out": 3, "dollars": 0.0005, "seconds": 1.5, "error": "",
        "tools": [{"name": "add", "arguments": {"a": 1, "b": {"key": ["[hidden]"]}}, "error": "no [hidden]",
                   "seconds": 0.25}],
    }  # fmt: skip
    with pytest.warns(UserWarning, match="turns are not written to"):
        write_turn(str(tmp_path / "none"), turn, "", str)
