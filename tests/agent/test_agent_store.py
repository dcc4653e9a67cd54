"""Turns, feedback and memories outlive the kernel in the history store, and a restored state brings them back."""

import json

import pytest

from project_o.agent import Agent, MemorySpec, agents, place
from project_o.errors import AgentError, UsageError
from project_o.history import open_history
from project_o.history.records import CellRun

SETTINGS = {"model": "", "model_url": "", "model_tape": "", "model_tape_mode": "auto", "model_calls": "native"}


@pytest.fixture
def kernel(tmp_path):
    """A function that begins a kernel on the folder; the one before it is gone."""
    opened = []

    def begin(**options):
        if opened:
            opened.pop().close()
        history = open_history(tmp_path, session=f"k{len(list(tmp_path.iterdir()))}", **options)
        opened.append(history)
        made = agents.Agents(history, SETTINGS.__getitem__, {"__name__": "notebook"})
        place.provide(lambda: made)
        return made

    yield begin
    place.provide(None)
    for history in opened:
        history.close()


def noting(name="noter"):
    def body(message, turn):
        turn.remember(message)
        return f"kept {message}"

    return Agent(name, "You note.", memory=MemorySpec("notes", embedding="hash"), body=body)


def test_a_turn_is_a_state_of_the_history(kernel):
    house = kernel()
    agent = noting()
    agent("the sky is blue")
    (state,) = house.store._history.states(1, scope="noter")
    assert (state.kind, state.summary) == ("agent", "noter: the sky is blue")
    assert dict(state.facts)["states"] == "idle thinking idle"
    turn = json.loads(house.store._history.read(state, "agents/noter/turn.json"))
    assert (turn["message"], turn["reply"]) == ("the sky is blue", "kept the sky is blue")


def test_a_new_kernel_remembers_also_over_several(kernel):
    kernel()
    agent = noting()
    agent("the sky is blue")
    agent("grass is green")
    kernel()
    agent = noting()
    assert [block.text for block in agent.memory] == ["the sky is blue", "grass is green"]
    agent("snow is white")
    kernel()
    agent = noting()
    assert [block.text for block in agent.memory] == ["the sky is blue", "grass is green", "snow is white"]
    assert agent.memory.recall("what is green?")[0].block.text == "grass is green"


def test_what_had_to_leave_is_listed_in_the_next_kernel_too(kernel):
    house = kernel()
    agent = noting()
    house.memory(MemorySpec("notes", capacity=1, embedding="hash"))
    agent("one")
    agent("two")
    kernel()
    agent = noting()
    assert [block.text for block in agent.memory] == ["two"]
    assert [item.text for item in agent.memory.forgotten] == ["one"]


def test_a_restored_state_brings_its_memories_back(kernel):
    house = kernel()
    agent = noting()
    agent("the sky is blue")
    then = house.store._history.states(1)[0]
    agent("the sky is grey")
    house.store._history.restore(then)
    house.restored()
    assert [block.text for block in agent.memory] == ["the sky is blue"]
    agent("grass is green")
    kernel()
    assert [block.text for block in noting().memory] == ["the sky is blue", "grass is green"]


def test_feedback_is_kept_with_the_turn_it_is_about(kernel):
    house = kernel()
    agent = noting()
    first = agent("one").turn
    agent("two")
    agent.feedback("up", "nice")
    agent.feedback("down", turn=first)
    kernel()
    told = noting()._house.store.told("noter")
    assert [(entry["value"], entry["why"], entry["message"]) for entry in told] == [
        ("up", "nice", "two"),
        ("down", "", "one"),
    ]
    assert all(entry["turn"] for entry in told)
    assert house.store._history.states(1, scope="noter")[0].kind == "feedback"


def test_feedback_that_cannot_be_meant_is_refused(kernel):
    kernel()
    agent = noting()
    with pytest.raises(UsageError, match="up or down"):
        agent.feedback("sideways")
    with pytest.raises(AgentError, match="has not answered anything"):
        agent.feedback("up")


def test_a_failed_turn_is_kept_with_its_error(kernel):
    house = kernel()
    agent = Agent("failing", body=lambda: 1 / 0)
    with pytest.raises(AgentError):
        agent("go")
    (state,) = house.store._history.states(1, scope="failing")
    assert "ZeroDivisionError" in dict(state.facts)["error"]


def test_with_the_history_off_agents_work_and_keep_nothing(kernel):
    kernel(enabled=False)
    agent = noting()
    assert agent("one") == "kept one"
    assert agent.feedback("up") is None
    kernel()
    assert len(noting().memory) == 0


def test_a_secret_is_in_no_file_of_the_store(kernel, tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_SECRET", "open-sesame-now")
    house = kernel()
    agent = noting()
    agent("say open-sesame-now")
    state = house.store._history.states(1)[0]
    assert "open-sesame" not in "".join(house.store._history.files(state).values())
    assert "open-sesame" not in agent.memory.blocks[0].text


def test_names_that_no_path_may_hold_are_spelled(kernel):
    kernel()
    agent = noting("is-it-ok")
    agent("yes")
    kernel()
    assert len(noting("is-it-ok").memory) == 1


@pytest.mark.parametrize("damage", ["not json", '{"text": 5}', '{"id": "x", "text": "kept", "new": 1}', ""])
def test_a_damaged_line_costs_only_itself(damage):
    from project_o.agent.store import _read_memory

    good = '{"id": "x", "text": "kept", "source": "", "when": 1.0, "last_used": 1.0, "uses": 0}'
    if damage:
        with pytest.warns(UserWarning, match="left out"):
            blocks, *_ = _read_memory({"memories/n/a.jsonl": f"{damage}\n{good}\n"})
    else:
        blocks, *_ = _read_memory({"memories/n/a.jsonl": f"{damage}\n{good}\n"})
    assert [block.text for block in blocks] == ["kept"]


def cell_ends(house, source):
    """What a kernel does when a cell has run."""
    house.store._history.record(CellRun("cell", source))
    house.store.cell_ended()


def test_a_loop_of_texts_is_written_whole_by_the_end_of_the_cell_after_it(kernel):
    house = kernel()
    agent = noting()
    for k in range(300):
        agent.memory.remember(f"fact {k}")
    cell_ends(house, "for k in range(300): ...")
    cell_ends(house, "")
    kernel()
    assert len(noting().memory) == 300


def test_what_was_staged_before_a_turn_does_not_undo_what_the_turn_learned(kernel):
    house = kernel()
    agent = noting()
    texts = [f"fact {k}" for k in range(40)]  # more than there are files, so that some share one
    for text in texts[:20]:
        agent.memory.remember(text)
    for text in texts[20:]:
        agent(text)
    cell_ends(house, "...")
    cell_ends(house, "")
    kernel()
    assert [block.text for block in noting().memory] == texts


# ------------------------------------------------------------------ the file beside the states


def files_of(house):
    from pathlib import Path

    return sorted(path.name for path in Path(house.store._history.store).glob("memory-*.sqlite"))


def file_of(house):
    from pathlib import Path

    (path,) = Path(house.store._history.store).glob("memory-*.sqlite")
    return path


def held(agent):
    return [block.text for block in agent.memory]


def test_a_memory_is_in_a_file_beside_the_states_and_kept_by_it(kernel):
    house = kernel()
    agent = noting()
    agent("the sky is blue")
    assert len(files_of(house)) == 1
    agent.memory.remember("said after the last state")  # acknowledged, and in no state yet
    path = file_of(house)
    kernel()
    assert held(noting()) == ["the sky is blue", "said after the last state"]
    assert noting().memory.store.path == str(path)


def test_without_its_file_a_memory_is_what_the_newest_state_holds(kernel):
    house = kernel()
    agent = noting()
    agent("the sky is blue")
    agent.memory.correct("the sky is blue", "the sky is grey")
    agent.memory.teach("what colour is above?", agent.memory.blocks[0].id)
    agent("grass is green")
    path = file_of(house)
    kernel()
    path.unlink()
    fresh = noting().memory
    assert [block.text for block in fresh] == ["the sky is grey", "grass is green"]
    assert [block.text for block in fresh.superseded] == ["the sky is blue"]
    assert fresh.store.taught() == [(fresh.blocks[0].id, "what colour is above?")]
    assert fresh.recall("what colour is the sky above?")[0].block.text == "the sky is grey"


def test_a_damaged_file_is_put_aside_with_one_warning_and_nothing_of_the_states_lost(kernel):
    house = kernel()
    noting()("the sky is blue")
    path = file_of(house)
    house.memory("notes").store.close()
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    kernel()
    with pytest.warns(UserWarning, match="was cut off") as caught:
        agent = noting()
    assert len(caught) == 1
    assert held(agent) == ["the sky is blue"]
    assert [one.stat().st_size for one in path.parent.glob("*.damaged-*")] == [len(data) // 2]
    agent("grass is green")
    kernel()
    assert held(noting()) == ["the sky is blue", "grass is green"]


def test_states_of_a_newer_format_are_refused_with_one_error(kernel):
    house = kernel()
    noting()("the sky is blue")
    body = json.loads(house.store._history.read(house.store._history.states(1)[0], "memories/notes/memory.json"))
    body["format"] = 99
    house.store._history.note("agent", "x", "newer", {}, {"memories/notes/memory.json": json.dumps(body)})
    path = file_of(house)
    kernel()
    path.unlink()
    with pytest.raises(AgentError, match="is of format 99, and this project-o knows up to 2"):
        noting()


def test_a_restore_by_another_process_is_seen_by_the_next_kernel(kernel):
    house = kernel()
    agent = noting()
    agent("the sky is blue")
    then = house.store._history.states(1)[0]
    agent("the sky is grey")
    house.store._history.restore(then)  # as project-o restore does it: nobody tells the agents
    kernel()
    agent = noting()
    assert held(agent) == ["the sky is blue"]
    agent("grass is green")
    kernel()
    assert held(noting()) == ["the sky is blue", "grass is green"]


def test_what_was_forgotten_is_in_no_byte_of_the_file(kernel):
    house = kernel()
    agent = noting()
    agent("the safe opens with swordfish")
    agent("grass is green")
    agent.memory.teach("is swordfish right?", agent.memory.blocks[0].id)
    path = file_of(house)
    assert b"swordfish" in path.read_bytes() + path.with_name(path.name + "-wal").read_bytes()
    house.store.cell_ended()
    house.store._history.forget("swordfish")
    house.forgot()
    here = b"".join(one.read_bytes() for one in path.parent.glob("memory-*"))
    assert b"swordf" not in here
    assert "swordfish" not in "".join(held(agent))
    assert held(agent)[1] == "grass is green"
    agent("snow is white")
    kernel()
    assert "swordfish" not in "".join(held(noting()))
    assert held(noting())[1:] == ["grass is green", "snow is white"]
    assert "grass is green" in [item.block.text for item in noting().memory.recall("what is green?")]


def test_two_kernels_of_one_notebook_see_what_each_other_keeps(kernel, tmp_path):
    kernel()
    first = noting()
    first("the sky is blue")
    history = open_history(tmp_path, session="beside")
    other = agents.Agents(history, SETTINGS.__getitem__, {"__name__": "notebook"})
    beside = other.memory(MemorySpec("notes", embedding="hash"))
    beside.remember("grass is green")
    assert held(first) == ["the sky is blue", "grass is green"]
    assert first.memory.recall("what is green?")[0].block.text == "grass is green"
    history.close()
