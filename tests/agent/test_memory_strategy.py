"""A memory's strategy is a function with a name: evolved by the one flow, served, given a canary, and taken back."""

import importlib.util
import sys

import pytest

from project_o import api
from project_o.agent.following import with_settings
from project_o.agent.memory import Memory
from project_o.agent.retrieval import Retrieval
from project_o.errors import AgentError, UsageError
from project_o.flow import Flow
from project_o.limits import MEMORY_STRATEGY_SETTLED_RECALLS
from project_o.lisp.specs import MemorySpec

SOURCE = """
def strategy():
    block = 512  # o: 64 512
    weight = 0.0  # o: 0.0
    return {"block": block, "overlap": 0, "weight": weight}
"""

NAMES = ("amber", "birch", "cedar", "dahlia", "elder", "fern", "gorse", "hazel", "iris", "juniper")
DIARY = " ".join(f"The plot of {name} was dug in year {1900 + 7 * k} by hand." for k, name in enumerate(NAMES * 4))
ASKED = [
    (f"plot of {name} dug", f"The plot of {name} was dug in year {1900 + 7 * k} by hand.")
    for k, name in enumerate(NAMES)
]


@pytest.fixture
def written(tmp_path):
    """The module that a user wrote, with its strategy."""
    path = tmp_path / "my_strategy.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("my_strategy", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["my_strategy"] = module
    spec.loader.exec_module(module)
    flow = Flow()
    api.use(flow)
    yield module, flow
    api.use(None)
    del sys.modules["my_strategy"]


def notes():
    made = Memory(MemorySpec("notes", embedding="hash", overlap=0, weight=0.0))
    made.remember(DIARY)
    return made


def sizes(memory, times=1):
    return [max(len(item.block.text) for item in memory.recall("plot of birch dug")) for _ in range(times)]


def test_an_evolved_strategy_serves_the_memory_and_a_rollback_takes_it_back(written):
    module, flow = written
    judge = Retrieval([DIARY], ASKED, characters=150, spec=MemorySpec("judged", embedding="hash", overlap=0))
    memory = notes()
    memory.follow(module.strategy)
    assert sizes(memory)[0] > 200
    run = api.evolve(
        module.strategy, lambda program: {"score": 1.0 + judge.score(program())}, trials=2, objective="score"
    )
    assert run.verdict.accepted, run.verdict
    assert judge.score({"block": 64, "overlap": 0}) > judge.score({"block": 512, "overlap": 0})
    run.accept()
    assert max(sizes(memory, MEMORY_STRATEGY_SETTLED_RECALLS)) <= 64
    assert memory.spec.block == 64
    flow.rollback("strategy")
    assert min(sizes(memory, MEMORY_STRATEGY_SETTLED_RECALLS)) > 200
    assert memory.spec.block == 512
    assert DIARY in memory


def test_what_a_canary_chooses_is_beside_the_memory_and_changes_nothing_in_it():
    memory, calls = notes(), []

    def strategy():
        calls.append(1)
        return {"block": 64, "overlap": 0} if not len(calls) % 4 else {}

    before = memory.blocks
    memory.follow(strategy)
    found = sizes(memory, 40)
    assert [size <= 64 for size in found] == [not (k + 1) % 4 for k in range(40)]
    assert [block.id for block in memory.blocks] == [block.id for block in before]
    memory.remember("The plot of birch dug up a stone.")
    assert "The plot of birch dug up a stone." in [
        item.block.text for _ in range(4) for item in memory.recall("birch stone")
    ]
    memory.follow(None)
    assert min(sizes(memory, 8)) > 30


def test_another_weight_is_tried_on_the_same_blocks():
    memory = notes()
    memory.follow(lambda: {"ranking": "fused"})
    assert memory.recall("plot of birch dug")
    assert memory.spec.ranking == "sum"
    assert any(block.uses for block in memory.blocks)


@pytest.mark.parametrize("settings", [{"capacity": 5}, {"block": 3}, [1], None])
def test_a_strategy_may_choose_only_what_is_its_own(settings):
    with pytest.raises(UsageError, match="memory notes"):
        with_settings(MemorySpec("notes"), settings)


def test_a_question_is_answered_where_its_passage_is_within_the_room():
    judge = Retrieval([DIARY], ASKED, characters=150, spec=MemorySpec("judged", embedding="hash", overlap=0))
    seen, held_out = judge.halves(1)
    assert set(seen) | set(held_out) == set(ASKED)
    assert not set(seen) & set(held_out)
    everything = judge.score({"block": 64})
    assert everything == pytest.approx((judge.score({"block": 64}, seen) + judge.score({"block": 64}, held_out)) / 2)
    assert judge.score({"block": 512}) == 0.0  # no block of that size fits into the room


def test_a_schema_that_is_chosen_is_migrated_to_with_the_same_data_and_back(tmp_path):
    path, version = str(tmp_path / "m.sqlite"), [2]
    memory = Memory(MemorySpec("notes", embedding="hash"), path=path)
    memory.remember(DIARY)
    memory.teach("which was the first?", memory.blocks[0].id)

    def strategy():
        return {"schema": version[0]}

    memory.follow(strategy)
    version[0] = 1
    for k in range(MEMORY_STRATEGY_SETTLED_RECALLS):
        assert memory.store.version() == 2
        if k == 3:  # a canary that was taken back: nothing was migrated, and the count begins anew
            version[0] = 2
            memory.recall("birch")
            version[0] = 1
            break
        memory.recall("birch")
    used = {block.id: block.uses for block in memory}
    for _ in range(MEMORY_STRATEGY_SETTLED_RECALLS):
        assert memory.recall("plot of birch dug")
    assert memory.store.version() == 1
    assert used.keys() == {block.id for block in memory}
    memory.store.close()
    again = Memory(MemorySpec("notes", embedding="hash"), path=path)
    assert again.store.version() == 1, "it stays where it was brought to"
    again.remember("kept by the older schema")
    again.correct("kept by the older schema", "corrected in the older schema")
    again.forget("corrected in the older schema")
    with pytest.raises(AgentError, match="cannot be taught"):
        again.teach("what?", again.blocks[0].id)
    version[0] = 2
    again.follow(strategy)
    for _ in range(MEMORY_STRATEGY_SETTLED_RECALLS):
        again.recall("plot of birch dug")
    assert again.store.version() == 2
    assert again.store.taught() == [(again.blocks[0].id, "which was the first?")]
