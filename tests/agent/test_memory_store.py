"""A store of blocks: exact search, one schema and back, two processes, and nothing acknowledged is lost."""

import itertools
import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from project_o import limits
from project_o.agent.blocks import schema
from project_o.agent.blocks.block import Block, block_id
from project_o.agent.blocks.matrix import Matrix
from project_o.agent.blocks.opening import open_file
from project_o.agent.blocks.seam import Entry
from project_o.agent.blocks.splitting import joined, named, split
from project_o.agent.blocks.sqlite import SqliteBlocks
from project_o.agent.memory import Memory
from project_o.errors import AgentError
from project_o.lisp.specs import MemorySpec

SPEC = MemorySpec("notes", embedding="hash")


def entry(text, vector, **values):
    return Entry(Block(block_id(text), text, **values), np.asarray(vector, np.float32))


def normed(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def filled(path, count=40, dimension=8, seed=1):
    store, rng = SqliteBlocks(str(path)), np.random.default_rng(seed)
    rows = normed(rng.standard_normal((count, dimension)))
    store.add([entry(f"text {k}", row, scope="odd" if k % 2 else "") for k, row in enumerate(rows)])
    return store, rows


# ------------------------------------------------------------------ search


def naive(rows, alive, query, count):
    scores = rows @ query
    order = sorted(alive, key=lambda k: (-scores[k], -k))
    return [k for k in order if scores[k] > 0][:count]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 12), st.lists(st.integers(0, 59), max_size=70), st.integers(0, 99))
def test_the_matrix_finds_what_a_sort_of_all_finds(count, wanted, gone, seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-2, 3, (count, 3)).astype(np.float32)  # small whole numbers: many ties
    matrix, alive, at = Matrix(3), set(range(count)), 0
    while at < count:
        step = int(rng.integers(1, 20))
        matrix.extend(
            list(range(at + 1, min(count, at + step) + 1)), rows[at : at + step], [0] * len(rows[at : at + step])
        )
        at += step
        for k in [k for k in gone if k < min(at, count)]:
            matrix.remove([k + 1])
            alive.discard(k)
    query = rng.integers(-2, 3, 3).astype(np.float32)
    assert [number - 1 for number, _ in matrix.top(query, wanted)] == naive(rows, alive, query, wanted)
    assert len(matrix) == len(alive)


def test_a_search_in_pieces_finds_the_same_and_holds_nothing(tmp_path, monkeypatch):
    store, rows = filled(tmp_path / "m.sqlite", 300)
    held = [store.nearest(row, 10) for row in rows[:20]]
    scoped = [store.nearest(row, 10, "even") for row in rows[:20]]
    monkeypatch.setattr(limits, "MEMORY_MATRIX_BYTES_MAX", 0)
    monkeypatch.setattr(limits, "MEMORY_STREAM_ROWS", 7)
    other = SqliteBlocks(str(tmp_path / "m.sqlite"))
    assert [[name for name, _ in found] for found in held] == [
        [name for name, _ in other.nearest(row, 10)] for row in rows[:20]
    ]
    assert [name for name, _ in scoped[3]] == [name for name, _ in other.nearest(rows[3], 10, "even")]
    assert other._held._matrix is None


def test_a_scope_sees_its_own_and_everybodys():
    store, rows = filled(":memory:")
    everybody = {block.id for block in store.blocks() if not block.scope}
    assert {name for name, _ in store.nearest(rows[1], 40, "other")} <= everybody
    assert store.nearest(rows[1], 1, "odd")[0][0] == block_id("text 1")
    assert block_id("text 1") in store.matching("text 1", 40, "odd")
    assert block_id("text 1") not in store.matching("text 1", 40, "other")


# ------------------------------------------------------------------ blocks of a text


@settings(max_examples=80, deadline=None)
@given(st.text("ab .\n", min_size=1, max_size=900), st.integers(64, 200), st.integers(0, 30))
def test_a_text_is_in_its_blocks_as_a_whole(text, size, overlap):
    pieces = split(text, size, overlap)
    assert all(0 < len(piece) <= size and text[start : start + len(piece)] == piece for start, piece in pieces)
    assert [start for start, _ in pieces] == sorted({start for start, _ in pieces})
    assert joined([Block(name, piece, start=start) for name, start, piece in named(text, size, overlap)]) == text


def test_blocks_overlap_and_end_at_words():
    text = " ".join(f"word{k}" for k in range(300))
    pieces = split(text, 512, 50)
    for (start, piece), (after, _) in itertools.pairwise(pieces):
        assert 0 < start + len(piece) - after <= 50
        assert text[after - 1] == " "


# ------------------------------------------------------------------ versions


texts = st.lists(st.text(min_size=1, max_size=20), max_size=6, unique=True)


@settings(max_examples=25, deadline=None)
@given(texts, st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4), st.data())
def test_down_and_up_again_the_data_is_the_same(blocks, noted, data):
    store = SqliteBlocks()
    store.add([entry(text, [k, 1.0], importance=k / 3) for k, text in enumerate(blocks)])
    for name, value in noted:
        store.note(name, value)
    for text in blocks[::2]:
        store.teach(block_id(text), data.draw(st.text(min_size=1, max_size=9)), np.ones(2, np.float32))
    if blocks[3:]:
        store.remove([block_id(blocks[0])], 1.0)
    before, taught = schema.digest(store._connection), store.taught()
    for version in range(schema.VERSION - 1, 0, -1):
        store.migrate(version)
        assert schema.digest(store._connection) == before
    if blocks:
        store.add([entry("written by the older version", [1.0, 2.0])])
    store.migrate(schema.VERSION)
    assert sorted(store.taught()) == sorted(taught)
    store.remove([block_id("written by the older version")], 1.0)
    assert [block.text for block in store.blocks()] == blocks[1 if blocks[3:] else 0 :]


def test_a_migration_that_would_lose_something_is_taken_back(tmp_path, monkeypatch):
    store, _ = filled(tmp_path / "m.sqlite")
    store.teach(block_id("text 3"), "which is the third?", np.ones(8, np.float32))
    lossy = ((schema.STEPS[0][0], ("DELETE FROM block WHERE number = 5", "DROP TABLE taught")),)
    monkeypatch.setattr(schema, "STEPS", lossy)
    with pytest.raises(AgentError, match="would not be the same"):
        store.migrate(1)
    assert schema.version_of(store._connection) == schema.VERSION
    assert (store.count(), len(store.taught())) == (40, 1)


def test_an_older_file_is_brought_up_when_it_is_opened(tmp_path):
    store, rows = filled(tmp_path / "m.sqlite")
    store.migrate(1)
    store._connection.execute("DELETE FROM meta WHERE name = 'schema'")  # an older project-o chose no version
    store.close()
    again = SqliteBlocks(str(tmp_path / "m.sqlite"))
    assert schema.version_of(again._connection) == schema.VERSION
    assert again.nearest(rows[7], 1)[0][0] == block_id("text 7")


# ------------------------------------------------------------------ files that are something else


def damaged(kind, path):
    store, _ = filled(path, 200)
    store.close()
    data = path.read_bytes()
    if kind == "cut off":
        path.write_bytes(data[: len(data) // 2])
    elif kind == "garbage":
        path.write_bytes(b"not a database at all, but long enough to be one" * 10)
    elif kind == "torn page":
        path.write_bytes(data[:20_000] + b"\xff" * 40_000 + data[60_000:])
    elif kind == "newer":
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA user_version = 99")
    else:
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE photos (name TEXT)")
    return path.read_bytes()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("cut off", "was cut off: .* bytes are there"),
        ("garbage", "is no memory"),
        ("torn page", "damaged|cannot be opened"),
        ("newer", "is of version 99, and this project-o knows up to"),
        ("of another program", "is a database, but no memory"),
    ],
)
def test_what_is_no_memory_of_ours_is_one_error_and_stays_as_it_is(tmp_path, kind, says):
    path = tmp_path / "m.sqlite"
    before = damaged(kind, path)
    with pytest.raises(AgentError, match=says) as error:
        Memory(SPEC, path=str(path))
    assert "it is left as it is" in str(error.value)
    assert path.read_bytes() == before


# ------------------------------------------------------------------ processes


WRITER = """
import sys
from project_o.agent.memory import Memory
from project_o.lisp.specs import MemorySpec
notes = Memory(MemorySpec("notes", embedding="hash", capacity=100_000), path=sys.argv[1])
for k in range(100_000):
    notes.remember(f"fact {k} " + "of some length " * (k % 50))
    print(k, flush=True)
"""


def test_a_kill_in_the_middle_loses_nothing_that_was_acknowledged(tmp_path):
    path, acknowledged = tmp_path / "m.sqlite", -1
    for wanted in (30, 57, 101):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
        for line in writer.stdout:
            acknowledged = max(acknowledged, int(line))
            if int(line) >= wanted:
                break
        writer.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        writer.wait()
        notes = Memory(SPEC, path=str(path))
        held = {int(block.text.split()[1]) for block in notes.blocks if not block.start}
        assert set(range(acknowledged + 1)) <= held
        assert any(
            item.block.text.startswith(f"fact {acknowledged}") for item in notes.recall(f"fact {acknowledged}", 500)
        )
        notes.store.close()


def _remember(path, who, count):
    notes = Memory(SPEC, path=path)
    for k in range(count):
        notes.remember(f"{who} noted {k}")
        if not k % 5:
            notes.recall(f"{who} noted {k}")
    notes.remember("what everybody says")


def test_two_processes_on_one_file_see_and_keep_what_both_say(tmp_path):
    path, count = str(tmp_path / "m.sqlite"), 40
    here = Memory(SPEC, path=path)
    here.remember("here first")
    here.recall("here")
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_remember, args=(path, who, count)) for who in ("ann", "bob")]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    assert [other.exitcode for other in others] == [0, 0]
    assert len(here) == 2 * count + 2
    assert here.recall("ann noted 17")[0].block.text == "ann noted 17"
    assert here.forget("bob noted 3")
    there = Memory(SPEC, path=path)
    here.correct("ann noted 17", "ann noted seventeen")
    assert all(item.block.text != "ann noted 17" for item in there.recall("ann noted 17", 80))
    assert there.recall("ann noted seventeen")[0].block.text == "ann noted seventeen"


@pytest.mark.alone  # a copy of a process with many threads may wait for what one of them held
def test_a_forked_child_has_a_connection_of_its_own(tmp_path):
    notes = Memory(SPEC, path=str(tmp_path / "m.sqlite"))
    notes.remember("before")
    context = multiprocessing.get_context("fork")
    child = context.Process(target=lambda: notes.remember("by the child"))
    child.start()
    child.join(60)
    notes.remember("after")
    assert sorted(block.text for block in notes.blocks) == ["after", "before", "by the child"]


# ------------------------------------------------------------------ size


def test_opening_and_asking_reads_few_of_many_texts(tmp_path):
    """What is read at opening does not grow with the texts: only vectors, and the texts that are found."""
    path = str(tmp_path / "m.sqlite")
    store, rng = SqliteBlocks(path), np.random.default_rng(2)
    rows = normed(rng.standard_normal((3_000, 4)))
    store.add([entry(f"{k} " + "long " * 400, row) for k, row in enumerate(rows)])
    store.close()
    connection, read = open_file(path), []
    connection.close()
    again = SqliteBlocks(path)
    again._connection.set_trace_callback(read.append)
    found = again.nearest(rows[77], 5)
    assert found[0][0] == block_id("77 " + "long " * 400)
    assert len(again.get([name for name, _ in found])) == 5
    asked = [statement for statement in read if "text" in statement]
    assert len(asked) == 1
    assert "WHERE id IN" in asked[0]


def test_exact_search_beats_a_sort_of_everything():
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((40_000, 64)).astype(np.float32)
    matrix = Matrix(64)
    matrix.extend(list(range(1, 40_001)), rows, [0] * 40_000)
    ours, twin = [], []
    for k in range(40):
        began = time.perf_counter()
        found = matrix.top(rows[k], 10)
        ours.append(time.perf_counter() - began)
        began = time.perf_counter()
        scores = (rows @ rows[k]).tolist()
        order = sorted(range(len(scores)), key=lambda at: -scores[at])[:10]
        twin.append(time.perf_counter() - began)
        assert [number - 1 for number, _ in found] == order
        if k >= 4 and min(ours) < min(twin) / 2:
            break
    assert min(ours) < min(twin) / 2


def test_a_writer_that_cannot_write_says_so(tmp_path):
    store, _ = filled(tmp_path / "m.sqlite")
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(AgentError, match="could not be written"):
        store.touch([block_id("text 1")], 1.0)
    assert Path(tmp_path / "m.sqlite").exists()
