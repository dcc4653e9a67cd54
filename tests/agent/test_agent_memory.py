"""Memory: one block a text, recall by meaning and words, nothing dropped in silence, no network."""

import importlib.util
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o.agent.embedders import embedder_for
from project_o.agent.memory import Block, Memory, block_id
from project_o.errors import AgentError
from project_o.lisp.specs import MemorySpec
from project_o.models import ScriptedModel

FACTS = [
    "The cat sleeps on the warm mat every afternoon",
    "Deploy with a canary before you promote a version",
    "Prefer float32 arrays for the embedding matrix",
    "Paris is the capital of France",
    "The invoice of March was paid late",
]


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        self.now += 1.0
        return self.now


def memory(capacity=100, embedding="hash", **options):
    return Memory(MemorySpec("notes", capacity=capacity, embedding=embedding), clock=Clock(), **options)


def test_the_same_text_twice_is_one_block():
    notes = memory()
    first = notes.remember(FACTS[0], source="here")
    again = notes.remember(f"  {FACTS[0]}\n", source="there")
    assert (len(notes), again) == (1, first)
    assert (first.id, first.source) == (block_id(FACTS[0]), "here")
    assert FACTS[0] in notes


def test_recall_finds_by_words_best_first_and_counts_the_use():
    notes = memory()
    for text in FACTS:
        notes.remember(text)
    found = notes.recall("what is the capital of France?", top=2)
    assert found[0].block.text == FACTS[3]
    assert len(found) <= 2
    assert [item.score for item in found] == sorted((item.score for item in found), reverse=True)
    assert next(block for block in notes if block.text == FACTS[3]).uses == 1


def test_of_two_that_fit_alike_the_newer_comes_first():
    notes = memory()
    notes.load([Block(block_id("a b"), "a b", when=1.0), Block(block_id("b a"), "b a", when=2.0)])
    assert [item.block.text for item in notes.recall("a b")] == ["b a", "a b"]


def test_past_the_capacity_the_oldest_least_used_leaves_and_is_listed():
    notes = memory(capacity=3)
    for text in FACTS[:3]:
        notes.remember(text)
    notes.recall("cat on the mat", top=1)
    notes.remember(FACTS[3])
    assert [item.text for item in notes.forgotten] == [FACTS[1]]
    assert FACTS[0] in notes
    assert len(notes) == 3
    assert all(item.block.text != FACTS[1] for item in notes.recall("canary deploy version"))


def test_forgetting_one_text_is_listed_too():
    notes = memory()
    block = notes.remember(FACTS[0])
    notes.remember(FACTS[1])
    assert notes.forget(block.id)
    assert not notes.forget(FACTS[0])
    assert notes.forget(FACTS[1])
    assert [item.text for item in notes.forgotten] == FACTS[:2]
    assert notes.recall("cat") == []


@pytest.mark.parametrize("text", ["", "   ", None, 5, "x" * 20_001])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(AgentError):
        memory().remember(text)


def test_half_a_character_and_signs_alone_are_texts_too():
    notes = memory(embedding="auto")
    kept = notes.remember("a \ud83d b \x00 c")
    assert notes.remember("a \ud83d b \x00 c") == kept
    assert "a \ud83d b \x00 c" in notes
    notes.define(MemorySpec("notes", ranking="fused"))
    assert notes.peek("a \ud83d b") == notes.peek("a ? b") != []
    assert isinstance(notes.recall('?! "" ( OR NEAR'), list)
    assert notes.forget("a \ud83d b \x00 c")


@pytest.mark.parametrize("top", [0, -1, 1.5, True])
def test_a_recall_of_no_number_is_refused(top):
    with pytest.raises(AgentError, match="from 1 text on"):
        memory().recall("x", top)


def test_secrets_are_not_kept(house, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "hunter2hunter2")
    notes = house.memory(MemorySpec("notes", embedding="hash"))
    block = notes.remember("the key is hunter2hunter2 and sk-abcdefghijklmnopqrstuvwx", source="hunter2hunter2 said so")
    notes.teach("is it hunter2hunter2?", block.id)
    assert "hunter2" not in block.source + repr(notes.store.taught())
    assert "hunter2" not in block.text
    assert "sk-abc" not in block.text


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("remember"), st.text("abcde ", min_size=1, max_size=8).filter(str.strip)),
            st.tuples(st.just("forget"), st.text("abcde ", min_size=1, max_size=8).filter(str.strip)),
            st.tuples(st.just("recall"), st.text("abcde ", min_size=1, max_size=8)),
        ),
        max_size=40,
    )
)
def test_it_behaves_like_a_dictionary_with_a_bound(steps):
    """A naive twin: a set of texts; the memory holds a part of it, and what is missing is listed as forgotten."""
    notes, given_texts = memory(capacity=5), set()
    for what, text in steps:
        if what == "remember":
            notes.remember(text)
            given_texts.add(text.strip())
        elif what == "forget":
            notes.forget(text)
        else:
            found = [item.block.text for item in notes.recall(text)]
            assert set(found) <= {block.text for block in notes}
        assert len(notes) <= 5
    held = {block.text for block in notes}
    assert held <= given_texts
    assert given_texts - held <= {item.text for item in notes.forgotten}


def test_a_memory_that_grew_and_shrank_ranks_as_a_fresh_one_does():
    grown, fresh = memory(), memory()
    texts = [f"fact {k} about {word}" for k, word in enumerate(["cats", "boats", "trees", "stars", "rivers"] * 8)]
    for k, text in enumerate(texts):
        grown.remember(text)
        if not k % 7:
            grown.recall("about boats")
    for text in texts[::3]:
        grown.forget(text)
    fresh.remember_all([text for k, text in enumerate(texts) if k % 3])
    found = [
        [(item.block.text, round(item.score, 5)) for item in one.recall("about boats fact 11")]
        for one in (grown, fresh)
    ]
    assert sorted(found[0]) == sorted(found[1])
    assert found[0][0][0] == "fact 11 about boats"
    assert len(grown) == len(fresh) == 26


def test_another_embedding_makes_the_vectors_anew():
    notes = memory(embedding="hash")
    notes.remember(FACTS[0])
    notes.recall("cat")
    assert notes.embedder.id == "hash-512"
    notes.define(MemorySpec("notes", embedding="auto", weight=0.25))
    if importlib.util.find_spec("wordllama") is None:
        assert notes.embedder.id == "hash-512"
    else:
        assert (notes.embedder.id, notes.embedder.dimension) == ("hash-512+wordllama-256", 768)
    assert notes.recall("cat")[0].block.text == FACTS[0]


WITHOUT_A_NETWORK = """
import socket
def refuse(*args, **named):
    raise OSError("no network here")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
from project_o.agent import Memory, MemorySpec
notes = Memory(MemorySpec("notes", embedding={embedding!r}))
for text in {texts!r}:
    notes.remember(text)
print(notes.embedder.id)
print(notes.recall("a kitten dozing after lunch", 1)[0].block.text)
"""


def test_a_memory_of_ones_own_asks_the_server_of_the_kernels_settings(house, monkeypatch):
    opened = []

    def model(name):
        opened.append(name)
        return ScriptedModel(["x"])

    monkeypatch.setattr(house, "model", model)
    notes = Memory(MemorySpec("notes", embedding="local:any"))
    notes.remember("the cat sleeps on the sofa")

    assert opened == ["local:any"]
    assert notes.recall("where does the cat sleep?")


def test_word_vectors_find_a_paraphrase_with_the_network_cut(lacking):
    if importlib.util.find_spec("wordllama") is None:
        lacking("wordllama", "the memory extra is not installed")
    code = WITHOUT_A_NETWORK.format(embedding="auto", texts=FACTS)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["hash-512+wordllama-256", FACTS[0]]


def test_without_the_extra_hashed_vectors_serve_and_words_say_what_to_install(monkeypatch):
    monkeypatch.setattr("project_o.agent.embedders.words_are_there", lambda: False)
    assert embedder_for(MemorySpec("notes")).id == "hash-512"
    with pytest.raises(AgentError, match=r"pip install 'project-o\[memory\]'"):
        embedder_for(MemorySpec("notes", embedding="words"))
