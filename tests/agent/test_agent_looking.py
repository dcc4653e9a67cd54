"""What an agent's views are made of: scores that add up, what was suppressed, what happened and when."""

import pytest

from project_o.agent import Agent, Memory, MemorySpec, agents, looking, place
from project_o.agent.embedders import words_are_there
from project_o.errors import AgentError
from project_o.history import open_history

TEXTS = ("The safe opens with 4711.", "The door sticks in winter.", "A key lies under the mat.", "Tea is at four.")
SETTINGS = {"model": "", "model_url": "", "model_tape": "", "model_tape_mode": "auto", "model_calls": "native"}


def memory(**options):
    made = Memory(MemorySpec("notes", **options))
    for text in TEXTS:
        made.remember(text, source="the manual")
    return made


@pytest.mark.parametrize("ranking", ["sum", "fused"])
@pytest.mark.parametrize("embedding", ["hash", *(["auto", "words"] if words_are_there() else [])])
def test_what_a_score_is_made_of_adds_up_to_it(ranking, embedding):
    notes = memory(ranking=ranking, embedding=embedding)
    notes.teach("which number lets me in?", notes.blocks[0].id)
    for question in ("how do I open the safe?", "which number lets me in?", "tea"):
        seen = looking.look(notes, question)
        assert [(one.kept.text, one.score) for one in seen.found] == [
            (item.block.text, item.score) for item in notes.peek(question)
        ]
        for one in seen.found:
            assert sum(much for _, much in one.parts) == pytest.approx(one.score, abs=2e-3)
    kinds = {name for one in looking.look(notes, "how do I open the safe?").found for name, _ in one.parts}
    assert kinds == {
        *({"meaning"} if embedding == "words" else {"words"}),
        *({"words", "meaning"} if embedding == "auto" else ()),
        *({"place"} if ranking == "fused" else ()),
    }
    asked = looking.look(notes, "which number lets me in?").found
    taught = dict(next(one.parts for one in asked if one.kept.text == TEXTS[0]))
    assert taught["teaching"] > 0.2


def test_looking_says_which_words_are_shared_and_counts_as_no_use():
    notes = memory(embedding="hash")
    first = looking.look(notes, "What opens the SAFE?").found[0]
    assert (first.kept.text, first.kept.source) == (TEXTS[0], "the manual")
    assert first.shared == ("opens", "the", "safe")
    assert [block.uses for block in notes.blocks] == [0, 0, 0, 0]
    notes.recall("What opens the safe?", 1)
    assert looking.look(notes).kept[-1].uses == 1


def test_what_lost_by_age_alone_is_listed_as_suppressed():
    now = iter(range(1, 1000))
    notes = Memory(MemorySpec("notes", embedding="hash", top=1), clock=lambda: next(now) * 1e6)
    old, new = notes.remember("tea at four"), notes.remember("tea, at four")
    seen = looking.look(notes, "tea at four")
    assert [one.kept.id for one in seen.found] == [new.id]
    assert [one.kept.id for one in seen.suppressed] == [old.id]
    assert seen.suppressed[0].score == pytest.approx(seen.found[0].score)


def test_what_was_corrected_and_what_had_to_leave_is_listed():
    notes = Memory(MemorySpec("notes", embedding="hash", capacity=2))
    for text in ("one apple", "two pears", "three plums"):
        notes.remember(text)
    notes.correct("three plums", "four plums")
    seen = looking.look(notes)
    assert [one.text for one in seen.kept] == ["four plums", "two pears"]
    assert seen.superseded == (("three plums", "four plums"),)
    assert [text for text, _ in seen.forgotten] == ["one apple"]
    assert (seen.question, seen.found) == ("", ())
    assert looking.look(Memory(MemorySpec("empty")), "anything").found == ()


def answering(name="helper"):
    agent = Agent(name, "You help.")

    @agent.tool
    def half(of: int) -> float:
        """Half of it."""
        return of / 2

    @agent.body
    def answer(message, turn):
        return str(turn.use("half", of=int(message)))

    return agent


def test_without_a_history_what_happened_is_the_turns_of_this_kernel(house):
    agent = answering()
    agent("8")
    with pytest.raises(AgentError):
        agent("eight")
    first, second = looking.moments(agent, None)
    assert (first.kind, first.what, first.tools, first.error, first.when) == ("turn", "8", 1, "", None)
    assert first.path == ("idle", "thinking", "acting", "thinking", "idle")
    assert 0 < first.acting_seconds < first.seconds
    assert "ValueError" in second.error


def test_a_history_has_the_turns_of_earlier_kernels_and_what_was_said_of_them(tmp_path):
    for kernel, message in enumerate(("8", "6")):
        history = open_history(tmp_path, session=f"k{kernel}")
        made = agents.Agents(history, SETTINGS.__getitem__, {"__name__": "notebook"})
        place.provide(lambda made=made: made)
        try:
            agent = answering()
            agent(message)
            agent.feedback("up" if kernel else "down", "because")
            found = looking.moments(agent, history)
        finally:
            place.provide(None)
            history.close()
    assert [(one.kind, one.thumb, one.tools) for one in found] == [
        ("turn", "", 1),
        ("feedback", "down", 0),
        ("turn", "", 1),
        ("feedback", "up", 0),
    ]
    turns = [one for one in found if one.kind == "turn"]
    assert [one.what for one in turns] == ["helper: 8", "helper: 6"]
    assert all(one.when and one.state and one.seconds + 1e-3 > one.acting_seconds > 0 for one in turns)
    assert [one.about for one in found if one.thumb] == [one.state[:10] for one in turns]
    assert turns[0].path == ("idle", "thinking", "acting", "thinking", "idle")
