"""What is learned from a user: tastes by thumbs, and which block answers a question; and what that does to the rest."""

import pytest
from benchmarks.memory.quality import corpus
from benchmarks.memory.users import OPTIONS, recall_at_5, tastes, taught

from project_o.agent import Agent
from project_o.agent.embedders import words_are_there
from project_o.agent.memory import Memory
from project_o.agent.preferences import Preferences
from project_o.errors import UsageError
from project_o.lisp.specs import MemorySpec
from project_o.models import ScriptedModel, ToolCall


@pytest.mark.parametrize("options", [OPTIONS, {"tone": ("dry", "warm"), "length": ("1", "2", "3", "4")}])
def test_regret_is_halved_in_20_turns_on_users_with_hidden_tastes(options):
    found = tastes(100, options)
    assert found["first turn"] == pytest.approx(found["by chance"], abs=0.1)
    assert found["last five turns"] <= found["by chance"] / 2
    assert found["liked most"] <= found["by chance"] / 2


def test_without_thumbs_nothing_is_liked_more_and_choices_are_even():
    learned = Preferences(OPTIONS, seed=3)
    drawn = [learned.choose()["form"] for _ in range(300)]
    assert min(map(drawn.count, OPTIONS["form"])) > 60
    assert learned.liked() == {"length": "short", "form": "prose", "code": "yes"}
    assert learned.certainty()["form"] == pytest.approx(1 / 3)


def test_a_taste_outlives_the_kernel_in_the_memorys_file(tmp_path):
    notes = Memory(MemorySpec("notes", embedding="hash"), path=str(tmp_path / "m.sqlite"))
    learned = Preferences(OPTIONS, notes)
    for _ in range(6):
        learned.thumb({"length": "long", "form": "list", "code": "no"}, up=True)
    notes.store.close()
    again = Preferences(OPTIONS, Memory(MemorySpec("notes", embedding="hash"), path=str(tmp_path / "m.sqlite")))
    assert again.liked() == {"length": "long", "form": "list", "code": "no"}
    assert again.certainty() == pytest.approx(learned.certainty())


def test_options_and_choices_that_cannot_be_are_refused():
    with pytest.raises(UsageError, match="two options or more"):
        Preferences({"length": ("short",)})
    with pytest.raises(UsageError, match="combinations"):
        Preferences({str(k): tuple("abcdefgh") for k in range(6)})
    with pytest.raises(UsageError, match="one option for each"):
        Preferences(OPTIONS).thumb({"length": "huge", "form": "list", "code": "no"}, up=True)


@pytest.mark.parametrize("embedding", ["hash", "auto"])
def test_what_is_taught_is_found_when_asked_again_and_the_untaught_stay_as_they_were(embedding):
    """A thumb is about the question that was asked: paraphrases far from it gain nothing, and lose nothing."""
    if embedding == "auto" and not words_are_there():
        pytest.fail("the memory extra belongs to the tests: pip install 'project-o[test]'")
    found = taught(embedding, 4)
    assert found["taught gain"] > 0.1
    assert found["untaught lose"] <= 0.005


def test_the_default_finds_what_paraphrases_ask_for():
    if not words_are_there():
        pytest.fail("the memory extra belongs to the tests: pip install 'project-o[test]'")
    found, (texts, (first, _)) = {}, corpus()
    for name, values in (("default", {}), ("hash", {"embedding": "hash"})):
        notes = Memory(MemorySpec("notes", **values))
        notes.remember_all(texts)
        found[name] = recall_at_5(notes, list(zip(first, texts, strict=True)))
    assert len(texts) >= 40
    assert found["default"] >= 0.93
    assert found["hash"] < found["default"]


def test_a_thumb_up_teaches_the_block_that_the_reply_came_from(house):
    def body(message, turn):
        return turn.recall(message, 1)[0]

    agent = Agent("clerk", "x", memory=MemorySpec("notes", embedding="hash"), body=body)
    agent.memory.remember_all([f"box {k} is on the high shelf" for k in range(9)] + ["the ladder is in the cellar"])
    agent("where is the ladder?")
    agent.feedback("up")
    ((block, question),) = agent.memory.store.taught()
    assert question == "where is the ladder?"
    assert agent.memory.store.get([block])[block].text == "the ladder is in the cellar"
    agent("where is box 3?")
    agent.feedback("down")
    assert len(agent.memory.store.taught()) == 1


def test_a_body_and_a_model_correct_what_is_kept(house):
    agent = Agent("clerk", "x", memory=MemorySpec("notes", embedding="hash"), body=lambda message, turn: turn.correct(
        "the ladder is in the cellar", message) or "ok")  # fmt: skip
    agent.memory.remember("the ladder is in the cellar")
    agent("the ladder is on the roof")
    assert [block.text for block in agent.memory] == ["the ladder is on the roof"]
    assert agent.memory.blocks[0].source == "clerk: the ladder is on the roof"

    call = ToolCall("", "correct", {"old": "the ladder is on the roof", "text": "the ladder is sold"})
    model = ScriptedModel([call, "yes"])
    asked = Agent("asked", "x", memory=MemorySpec("notes", embedding="hash"), model=model)
    assert asked("it was sold") == "yes"
    assert [block.text for block in agent.memory] == ["the ladder is sold"]
