"""Killed recorders, torn journals, and many kernels: nothing that was acknowledged is lost.

Kills at random moments are in ``tests/benchmarks/test_soak.py``, a few of each kind, and in ``make soak`` all of them.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o.history import CellRun, open_history
from project_o.history.journal import JournalReader, JournalWriter, LaneJournal, frame, lanes_with_journal, scan
from project_o.history.link import RecorderLink
from project_o.history.refs import list_refs, read_ref, update_ref


def sequences(store: str) -> dict[str, list[int]]:
    """The sequence numbers on each lane, oldest first, as Git tells them."""
    out = subprocess.run(
        [
            "git",
            f"--git-dir={store}",
            "log",
            "--reverse",
            "--topo-order",
            "--format=%(trailers:key=O-Lane,valueonly,separator=%x20) %(trailers:key=O-Seq,valueonly,separator=%x20)",
            "--glob=refs/o",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    found: dict[str, list[int]] = {}
    for line in out.split("\n"):
        if line.strip():
            lane, number = line.split()
            found.setdefault(lane, []).append(int(number))
    return found


def test_a_killed_recorder_is_replaced_and_nothing_is_lost(tmp_path: Path, fsck) -> None:
    history = open_history(tmp_path)
    for number in range(60):
        history.record(CellRun("a", f"x = {number}"))
        if number % 20 == 10:
            history.flush()  # a recorder that dies at once is not started again at once
            os.kill(history.where()["recorder"], signal.SIGKILL)
    state = history.note("save", "", "after three kills", {}, {})
    assert state.sequence == 61
    assert [s.sequence for s in history.states(100)] == list(range(61, 0, -1))
    fsck(history.where()["store"])
    history.close()


def test_a_stopped_recorder_does_not_hold_up_the_cell(tmp_path: Path) -> None:
    history = open_history(tmp_path)
    history.record(CellRun("a", "0"))
    history.flush()
    recorder = history.where()["recorder"]
    os.kill(recorder, signal.SIGSTOP)
    try:
        for _ in range(35_000):  # more wake-ups than the pipe can hold
            assert history._recording._link is not None
            history._recording._link.wake()
        assert history.record(CellRun("a", "1")) == 2
        with pytest.warns(UserWarning, match="did not answer"):
            history.flush(0.2)
        assert "did not answer" in history.problem
    finally:
        os.kill(recorder, signal.SIGCONT)
    history.flush()
    assert len(history.states()) == 2
    history.close()


def test_late_answers_are_not_taken_for_those_of_the_next_barrier(tmp_path: Path) -> None:
    history = open_history(tmp_path)
    history.record(CellRun("a", "0"))
    history.flush()
    recorder = history.where()["recorder"]
    os.kill(recorder, signal.SIGSTOP)
    with pytest.warns(UserWarning, match="did not answer"):
        history.flush(0.1)
    os.kill(recorder, signal.SIGCONT)
    state = history.note("evolve", "dot", "x", {}, {})
    assert (state.sequence, state.kind) == (2, "evolve")
    history.close()


def test_the_recorder_ignores_interrupts_and_lives_in_its_own_session(tmp_path: Path) -> None:
    history = open_history(tmp_path)
    history.record(CellRun("a", "0"))
    recorder = history.where()["recorder"]
    history.flush()
    assert os.getsid(recorder) == recorder
    os.killpg(recorder, signal.SIGINT)
    history.record(CellRun("a", "1"))
    assert len(history.states()) == 2
    assert history.where()["recorder"] == recorder
    history.close()


def test_where_no_process_can_be_started_the_work_is_done_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RecorderLink, "_start", lambda self, now=False: False)
    history = open_history(tmp_path)
    history.record(CellRun("a", "0"))
    state = history.note("evolve", "dot", "x", {"ratio": "2"}, {"programs/dot/cell.zig": "z"})
    assert history.states(1)[0].id == state.id
    assert history.where()["recorder"] is None
    history.record(CellRun("a", "1"))
    history.close()
    assert [s.sequence for s in open_history(tmp_path).states()] == [3, 2, 1]


def test_two_kernels_share_a_store(tmp_path: Path, fsck) -> None:
    program = """
import sys
from project_o.history import CellRun, open_history
history = open_history(sys.argv[1], "n.ipynb")
for number in range(60):
    history.record(CellRun(f"c{number % 3}", f"x = {number}"))
history.flush()
"""
    kernels = [subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) for _ in range(3)]
    assert [kernel.wait() for kernel in kernels] == [0, 0, 0]
    history = open_history(tmp_path, "n.ipynb")
    lanes = sequences(history.where()["store"])
    assert sorted(map(len, lanes.values())) == [60, 60, 60]
    assert len(history.states(1000)) == 180
    fsck(history.where()["store"])
    history.close()


# ------------------------------------------------------------------------------------ the journal

BODIES = st.lists(st.binary(max_size=60), max_size=8)


@given(bodies=BODIES, cut=st.integers(0, 200))
def test_a_torn_tail_is_dropped_and_what_stands_before_it_kept(bodies: list[bytes], cut: int) -> None:
    data = b"".join(map(frame, bodies))
    torn = data[: max(0, len(data) - cut)]
    whole, size = [], 0
    for body in bodies:
        size += len(frame(body))
        if size <= len(torn):
            whole.append(body)
    found, _, damaged = scan(torn, final=True)
    assert found == whole
    assert damaged == (len(torn) > sum(len(frame(body)) for body in whole))
    assert scan(torn)[0] == whole
    assert scan(data, scan(torn)[1])[0] == bodies[len(whole) :]


@given(bodies=st.lists(st.binary(min_size=1, max_size=40), min_size=2, max_size=6), data=st.data())
def test_damage_in_the_middle_costs_one_record(bodies: list[bytes], data: st.DataObject) -> None:
    raw = bytearray(b"".join(map(frame, bodies)))
    victim = data.draw(st.integers(0, len(bodies) - 2))
    start = sum(len(frame(body)) for body in bodies[:victim])
    raw[start + 12] ^= 0xFF
    found, _, damaged = scan(bytes(raw), final=True)
    assert found == bodies[:victim] + bodies[victim + 1 :]
    assert damaged == 1


def test_a_torn_journal_is_replayed_as_far_as_it_goes(tmp_path: Path, fsck) -> None:
    history = open_history(tmp_path)
    history.record(CellRun("a", "0"))
    history.flush()
    store = history.where()["store"]
    history.close()
    writer = JournalWriter(store, "unnamed-0000/20260101-0000", {"directory": str(tmp_path)})
    for number in (1, 2):
        cell = {"id": "a", "source": f"s{number}", "status": "ok"}
        writer.append(json.dumps({"k": "cell", "seq": number, "when": 1.0, "cell": cell}).encode())
    writer.append(b'{"k":"cell","seq":3')  # whole, and no record
    writer.append(b'{"k":"note","seq":4}')  # a record of no form
    path = Path(writer.journal.folder, "000001.log")
    path.write_bytes(path.read_bytes() + frame(b"x" * 50)[:30])
    writer.close()
    again = open_history(tmp_path)
    again.states()
    assert sequences(store)["unnamed-0000/20260101-0000"] == [1, 2]
    fsck(store)
    again.close()


def test_segments_follow_each_other_without_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("project_o.history.journal.JOURNAL_SEGMENT_BYTES_MAX", 200)
    writer = JournalWriter(str(tmp_path), "n/l", {})
    reader = JournalReader(LaneJournal(str(tmp_path), "n/l"))
    seen = []
    for number in range(40):
        writer.append(b'{"n": %d}' % number)
        if number % 7 == 0:
            seen += [record["n"] for record in reader.read()]
    seen += [record["n"] for record in reader.read()]
    assert seen == list(range(40))
    assert len(reader.journal.segments()) > 3
    reader.forget_older_segments()
    assert len(reader.journal.segments()) == 1
    assert Path(reader.journal.folder, reader.journal.segments()[0]).stat().st_mode & 0o777 == 0o600
    writer.close()


def test_many_states_are_packed_and_the_journal_removed(tmp_path: Path) -> None:
    history = open_history(tmp_path)
    for number in range(230):
        history.record(CellRun("a", f"x = {number}"))
    history.flush()
    store = Path(history.where()["store"])
    history.close()
    deadline = time.monotonic() + 60
    while lanes_with_journal(str(store)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert list((store / "objects").glob("??/*")) == []
    again = open_history(tmp_path)
    assert len(again.states(1000)) == 230
    assert again.where()["bytes"] < 400_000
    assert again.cells(again.resolve("@~229"))[0].source == "x = 0"
    again.close()


def test_a_lock_of_gits_is_waited_for_and_one_that_stays_is_broken(tmp_path: Path, cell) -> None:
    """``git gc`` holds a ref's lock while it packs: what is written meanwhile would be removed with the loose ref."""
    history = open_history(tmp_path)
    history.record(cell("a", "1"))
    history.flush()
    (name,) = list_refs(history.store)
    old = read_ref(history.store, name)
    lock = Path(history.store, f"{name}.lock")
    lock.touch()
    taken = threading.Timer(0.3, lock.unlink)
    began = time.monotonic()
    taken.start()
    update_ref(history.store, name, str(old), old, sole_writer=True)
    assert time.monotonic() - began >= 0.25, "it was there, and alive"

    lock.touch()
    os.utime(lock, (0, 0))
    update_ref(history.store, name, str(old), old, sole_writer=True)
    assert not lock.exists()
    history.close()
