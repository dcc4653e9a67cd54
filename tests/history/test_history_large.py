"""Large outputs: kept by their hash, let go of over a quota; and stores of older formats are taken over."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from project_o.errors import HistoryWarning
from project_o.history import CellRun, open_history
from project_o.history.blobs import Blobs
from project_o.history.places import SCHEMA, format_of


def figure(seed: int, size: int = 400_000) -> dict:
    raw = b"\x89PNG" + bytes((seed * k) % 251 for k in range(size))
    return {"output_type": "display_data", "data": {"image/png": base64.b64encode(raw).decode()}, "metadata": {}}


LARGE = {
    "image": figure(7),
    "text": {"output_type": "stream", "name": "stdout", "text": "a line of text\n" * 30_000},
    "html": {"output_type": "display_data", "data": {"text/html": "<i>é</i>" * 60_000}, "metadata": {}},
    "json": {"output_type": "display_data", "data": {"application/json": {"k": ["x" * 99] * 4_000}}, "metadata": {}},
    "no base64": {"output_type": "display_data", "data": {"image/png": "not base64! " * 30_000}, "metadata": {}},
}


@pytest.mark.parametrize("kind", LARGE)
def test_a_large_output_comes_back_as_it_was_and_is_not_in_git(tmp_path: Path, kind: str, fsck) -> None:
    history = open_history(tmp_path, "n.ipynb")
    history.record(CellRun("a", "big()", (LARGE[kind],), 1))
    history.record(CellRun("b", "small()", ({"output_type": "stream", "name": "stdout", "text": "hello"},), 2))
    (big, small) = history.cells("@")
    assert list(big.outputs) == [LARGE[kind]]
    assert small.outputs[0]["text"] == "hello"
    assert len(list(Blobs(history.store).entries())) == 1
    sizes = subprocess.run(
        ["git", f"--git-dir={history.store}", "cat-file", "--batch-all-objects", "--batch-check=%(objectsize)"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert max(map(int, sizes)) < 10_000
    fsck(history.store)
    history.close()


def test_what_a_user_shows_is_never_taken_for_a_pointer(tmp_path: Path) -> None:
    shown = {"output_type": "display_data", "data": {"application/json": {"o:blob": "0" * 64}}, "metadata": {}}
    history = open_history(tmp_path)
    history.record(CellRun("a", "tricky()", (shown,), 1))
    assert list(history.cells("@")[0].outputs) == [shown]
    history.close()


def test_over_the_quota_the_oldest_go_but_not_what_is_saved_or_newest(tmp_path: Path) -> None:
    history = open_history(tmp_path, "n.ipynb")
    history.keep_large_outputs(1_000_000)
    for number in range(6):
        history.record(CellRun("a", f"plot({number})", (figure(number + 2),), number))
        history.flush()
        if number == 1:
            history.save("the good one")
        for _, path, _, _ in Blobs(history.store).entries():
            os.utime(path, (time.time() - 1_000, time.time() - 1_000 - number))
    assert history.where()["large_outputs"] > 2_000_000

    freed = history.clean_outputs()

    assert freed > 1_500_000
    assert list(history.cells("@")[0].outputs) == [figure(7)], "the newest state is whole"
    assert list(history.cells("the-good-one")[0].outputs) == [figure(3)]
    gone = history.cells("@~3")[0].outputs[0]
    assert "image/png" not in gone["data"]
    assert "let go of by the history, sha256" in gone["data"]["text/plain"]
    restored = history.restore("@~3")
    assert "let go of" in Path(restored.path or "").read_text()
    history.close()


def test_the_recorder_keeps_within_the_quota_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from project_o.history.link import RecorderLink

    monkeypatch.setattr(RecorderLink, "_start", lambda self, now=False: False)  # in place, where limits can be set
    monkeypatch.setattr("project_o.history.worker.REPACK_STATES", 3)
    history = open_history(tmp_path, "n.ipynb")
    history.keep_large_outputs(900_000)
    for number in range(6):
        history.record(CellRun("a", f"plot({number})", (figure(number + 2),), number))
    history.flush()
    from project_o.history.upkeep import keep_within

    keep_within(history.store, 900_000)
    assert Blobs(history.store).size_bytes() <= 900_000
    history.close()


def test_a_damaged_content_is_as_good_as_gone(tmp_path: Path) -> None:
    history = open_history(tmp_path)
    history.record(CellRun("a", "plot()", (figure(2),), 1))
    history.flush()
    ((_, path, _, _),) = Blobs(history.store).entries()
    os.chmod(path, 0o600)
    Path(path).write_bytes(b"something else")
    assert "let go of" in str(history.cells("@")[0].outputs)
    history.close()


def test_forgetting_reaches_large_outputs(tmp_path: Path) -> None:
    history = open_history(tmp_path)
    secret = {"output_type": "stream", "name": "stdout", "text": "x" * 300_000 + "hunter2-rest" + "x" * 300_000}
    history.record(CellRun("a", "show()", (secret,), 1))
    history.record(CellRun("b", "plot()", (figure(3),), 2))
    history.forget("hunter2-rest")
    assert len(list(Blobs(history.store).entries())) == 1
    first, second = history.cells("@")
    assert "let go of" in first.outputs[0]["text"]
    assert list(second.outputs) == [figure(3)]
    history.close()


# ------------------------------------------------------------------------------------ formats


def as_format_1(store: Path) -> None:
    """A store as the first format had it."""
    (store / "blobs").rmdir()
    (store / "project-o.json").write_text('{"schema": 1, "what": "a history of notebook states; see `git log` here"}\n')


def lives(pid: int | None) -> bool:
    try:
        return pid is not None and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def ended(history) -> Path:
    """The store, when its recorder has put everything in order, too, and is gone."""
    store, recorder = Path(history.store), history.where()["recorder"]
    history.close()
    deadline = time.monotonic() + 60
    while list((store / "journal").glob("*")) or lives(recorder):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return store


def test_a_store_of_an_older_format_is_taken_over_with_all_its_states(tmp_path: Path, cell, fsck) -> None:
    history = open_history(tmp_path, "n.ipynb")
    history.record(cell("a", "x = 1", "one\n"))
    old = history.states(1)[0]
    as_format_1(ended(history))

    again = open_history(tmp_path, "n.ipynb")
    again.record(CellRun("b", "plot()", (figure(5),), 2))

    assert again.states(2)[1].id == old.id
    assert list(again.cells("@")[1].outputs) == [figure(5)]
    assert format_of(again.store) == SCHEMA == again.where()["format"]
    fsck(again.store)
    again.close()


def test_a_store_of_a_newer_format_is_left_alone(tmp_path: Path, cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    folder = tmp_path / "work"
    folder.mkdir()
    history = open_history(folder)
    history.record(cell("a", "x = 1"))
    history.flush()
    store = ended(history)
    (store / "project-o.json").write_text(json.dumps({"schema": SCHEMA + 1}))
    before = sorted((path, path.stat().st_mtime_ns) for path in store.rglob("*"))

    with pytest.warns(HistoryWarning, match="update it"):
        newer = open_history(folder)
    newer.record(cell("b", "y = 2"))
    assert newer.where()["kind"] == "data"
    newer.close()
    assert sorted((path, path.stat().st_mtime_ns) for path in store.rglob("*")) == before
