"""Corrections, importance, pins, scopes, ties: what a memory promises about what it returns."""

import pytest
from benchmarks.memory.users import corrected, facts

from project_o import limits
from project_o.agent.memory import Block, Memory, block_id
from project_o.errors import AgentError, UsageError
from project_o.lisp.specs import MemorySpec

DAY = 86_400.0


class Clock:
    now = 1e9

    def __call__(self):
        self.now += 1.0
        return self.now


def memory(**values):
    return Memory(MemorySpec("notes", **{"embedding": "hash", "capacity": 5_000} | values), clock=Clock())


def texts(found):
    return [item.block.text for item in found]


# ------------------------------------------------------------------ corrections


@pytest.mark.parametrize(("embedding", "seed"), [("hash", 1), ("auto", 2)])
def test_after_200_corrections_no_stale_answer_and_nothing_else_lost(embedding, seed):
    notes, stale = memory(embedding=embedding), {old for _, old, _ in facts(seed, 400)[:200]}
    found = corrected(notes, seed)
    assert found == {"corrections": 200, "stale answers": 0, "corrections lost": 0, "others lost": 0}
    everything = texts(notes.recall("what is the code of the room, the name of the plan", 4_000))
    assert len(everything) > 300
    assert not any(stale & set(text.split()) for text in everything)
    assert (len(notes), len(notes.superseded)) == (400, 200)


def test_a_corrected_text_that_is_heard_again_stays_corrected():
    notes = memory()
    notes.remember("the dog is called Rex")
    new = notes.correct("the dog is called Rex", "the dog is called Max", source="the user")
    assert notes.remember("the dog is called Rex") == new
    assert texts(notes.recall("what is the dog called?")) == ["the dog is called Max"]
    assert "the dog is called Rex" not in notes
    assert new.supersedes == block_id("the dog is called Rex")
    assert [block.superseded_by for block in notes.superseded] == [new.id]


def test_a_correction_can_be_corrected_also_back_again():
    notes = memory()
    for old, new in (("Rex", "Max"), ("Max", "Bo"), ("Bo", "Rex")):
        notes.remember(f"the dog is called {old}") if old == "Rex" else None
        notes.correct(f"the dog is called {old}", f"the dog is called {new}")
    assert texts(notes.recall("dog called", 10)) == ["the dog is called Rex"]
    assert {block.text for block in notes.superseded} == {"the dog is called Max", "the dog is called Bo"}
    assert notes.remember("the dog is called Max").text == "the dog is called Rex"


def test_a_correction_that_may_mean_two_names_both_and_changes_nothing():
    notes = memory()
    notes.remember_all(["the red door is locked", "the blue door is locked"])
    with pytest.raises(AgentError, match=r"may mean '.*door is locked' or '.*door is locked'"):
        notes.correct("door is locked", "the door is open")
    with pytest.raises(AgentError, match="remembers nothing like"):
        notes.correct("zzz qqq", "something")
    assert (len(notes), notes.superseded) == (2, ())


def test_a_long_text_is_corrected_as_a_whole():
    notes = memory()
    old = " ".join(f"The old rule {k} says that gate {k} is shut." for k in range(60))
    notes.remember(old)
    assert len(notes) > 3
    notes.correct(old, "There are no rules on gates.")
    assert texts(notes.recall("rule about a gate", 10)) == ["There are no rules on gates."]


# ------------------------------------------------------------------ ties, importance, pins, scopes


def loaded(*blocks, **values):
    notes = memory(**values)
    notes.load(blocks)
    return notes


def block(text, **values):
    return Block(block_id(text), text, **values)


def test_age_and_importance_break_ties_only_and_say_what_they_suppress():
    now = Clock.now
    same = [
        block(f"{word} tea", when=now - age * DAY, last_used=now - age * DAY)
        for word, age in (("a b", 900), ("b a", 1))
    ]
    better = block("a b green tea", when=now - 5_000 * DAY)
    notes = loaded(*same, better)
    assert texts(notes.recall("green tea a b", 1)) == ["a b green tea"]
    found = notes.recall("tea a b", 1)
    assert (texts(found), texts(found.suppressed)) == (["b a tea"], ["a b tea"])
    notes.weigh("a b tea", 50.0)
    assert texts(notes.recall("tea a b", 1)) == ["a b tea"]
    assert texts(notes.recall("tea a b", 3).suppressed) == []


def test_nothing_old_is_out_of_reach_however_old():
    """A decay that multiplies scores loses a corpus of 242 days; this one finds all of it."""
    now = Clock.now
    notes = loaded(*(block(f"fact {k} on subject {k * 7919}", when=now - 242 * DAY) for k in range(50)))
    assert all(notes.recall(f"subject {k * 7919}", 1)[0].block.text.startswith(f"fact {k} ") for k in range(50))


def test_what_is_pinned_or_matters_more_stays_when_room_is_wanted():
    notes = memory(capacity=4)
    notes.remember("pinned", pinned=True)
    notes.remember("matters", importance=5.0)
    for k in range(10):
        notes.remember(f"passing {k}")
    assert {one.text for one in notes} == {"pinned", "matters", "passing 8", "passing 9"}
    notes.pin("pinned", pinned=False)
    for k in range(10, 14):
        notes.remember(f"passing {k}")
    assert "pinned" not in notes


def test_a_scope_is_seen_by_its_own():
    notes = memory()
    notes.remember("the key is under the mat", scope="ann")
    notes.remember("the key is under the pot", scope="bob")
    notes.remember("the key is round")
    assert set(texts(notes.recall("key", scope="ann"))) == {"the key is under the mat", "the key is round"}
    assert len(notes.recall("key")) == 3


def test_who_it_came_from_is_kept_and_many_at_once_are_as_one_by_one():
    notes, one_by_one = memory(), memory()
    given = [f"fact {k}" for k in range(30)] * 2
    assert notes.remember_all(given, source="a file") == 30
    for text in given:
        one_by_one.remember(text, source="a file")
    assert {(one.id, one.source) for one in notes} == {(one.id, one.source) for one in one_by_one}
    assert texts(notes.recall("fact 7")) == texts(one_by_one.recall("fact 7"))


# ------------------------------------------------------------------ strategies


def test_another_strategy_cuts_what_is_there_anew_and_loses_nothing():
    notes = memory()
    long = " ".join(f"Sentence {k} speaks of thing {k * 31}." for k in range(120))
    notes.remember(long, source="a book")
    notes.remember("short")
    notes.correct("short", "shorter")
    sizes = {}
    for size, overlap in ((512, 50), (128, 20), (1_024, 0)):
        notes.define(MemorySpec("notes", embedding="hash", block=size, overlap=overlap))
        assert max(len(one.text) for one in notes) <= size
        assert {one.source for one in notes if one.document} == {"a book"}
        assert "thing 1240" in notes.recall("thing 1240")[0].block.text
        sizes[size] = len(notes)
        assert long in notes
        assert [one.text for one in notes.superseded] == ["short"]
    assert sizes[128] > sizes[512] > sizes[1_024]


def test_a_fused_ranking_finds_the_rare_word():
    notes = memory(ranking="fused")
    notes.remember_all([f"a note on the colour of house {k}" for k in range(40)] + ["a note on xylophones"])
    found = notes.recall("what was the note on xylophones of house", 3)
    assert found[0].block.text == "a note on xylophones"
    assert all(0 < item.score <= 1 for item in found)


@pytest.mark.parametrize(
    "values", [{"block": 10}, {"block": 9_999}, {"overlap": 300}, {"overlap": -1}, {"ranking": "x"}]
)
def test_a_strategy_that_cannot_be_is_refused(values):
    with pytest.raises(UsageError, match="memory notes: "):
        MemorySpec("notes", **values)


def test_what_a_user_taught_is_found_better_and_survives_another_embedding():
    notes = memory()
    notes.remember_all([f"box {k} is on the high shelves" for k in range(30)])
    right = notes.remember("a ladder stands beside our cellar door")
    asked = "how is one to reach the high shelves?"
    assert notes.recall(asked)[0].block.id != right.id
    notes.teach(asked, right.id)
    assert notes.recall("how is anybody to reach these high shelves?")[0].block.id == right.id
    notes.define(MemorySpec("notes", embedding="auto", capacity=5_000))
    assert notes.recall(asked)[0].block.id == right.id
    notes.correct(right.id, "the ladder is lent to a neighbour")
    assert all(item.block.id != right.id for item in notes.recall(asked, 50))
    assert limits.MEMORY_TAUGHT_SHARE < 1
