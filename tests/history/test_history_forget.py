"""Forgetting: not a byte is left, and everything else is as it was."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
import zlib
from pathlib import Path

import pytest

from project_o.errors import HistoryError
from project_o.history import CellRun, open_history
from project_o.history.forgetting import is_unfinished
from project_o.history.journal import lanes_with_journal

SECRET = 'hunter2 "quoted" säcret'


def everything(store: Path) -> bytes:
    """All bytes of a store, with Git's objects unpacked and JSON's escapes undone."""
    command = ["git", f"--git-dir={store}", "cat-file", "--batch-all-objects", "--batch"]
    data = subprocess.run(command, capture_output=True, check=True).stdout
    for path in store.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            data += str(path).encode() + raw
            if path.parent.parent.name == "objects" and len(path.parent.name) == 2:
                data += zlib.decompress(raw)
    return data + data.replace(b"\\\\", b"\\").replace(b'\\"', b'"').decode("utf-8", "replace").encode()


def fill(folder: Path, cell) -> object:
    history = open_history(folder, "n.ipynb")
    history.record(cell("clean", "print('nothing special')", "fine\n"))
    history.record(cell("a", f"x = 1  # {SECRET}"))
    picture = base64.b64encode(b"PNG" + SECRET.encode() + os.urandom(100_000)).decode()
    outputs = (
        {"output_type": "stream", "name": "stdout", "text": f"before {SECRET} after"},
        {"output_type": "display_data", "data": {"application/json": {SECRET: [SECRET]}}, "metadata": {"m": SECRET}},
        {"output_type": "display_data", "data": {"image/png": picture}, "metadata": {}},
        {"output_type": "error", "ename": "E", "evalue": SECRET, "traceback": [f"line {SECRET}"]},
    )
    history.record(CellRun("b", f"show({SECRET})", outputs, 2))
    ledger = json.dumps({"format": 1, "names": {"dot": [{"files": [["cell.zig", f"// {SECRET}"]], "digest": "d"}]}})
    history.note("promote", "dot", f"because {SECRET}", {"reason": SECRET}, {"deployments.json": ledger})
    history.save(f"with {SECRET}")
    return history


def test_nothing_of_it_is_left_and_the_rest_is_as_it_was(tmp_path: Path, cell, fsck) -> None:
    history = fill(tmp_path, cell)
    before = history.states()
    history.record(cell("clean", "print('last')"))
    history.begin(CellRun("own", f"%o forget {SECRET}"))

    found = history.forget(SECRET)

    history.record(CellRun("own", f"%o forget {SECRET}"))
    history.flush()
    store = Path(history.where()["store"])
    left = everything(store)
    for text in (SECRET, json.dumps(SECRET)[1:-1], json.dumps(SECRET, ensure_ascii=False)[1:-1], "hunter2"):
        assert text.encode() not in left, text
    assert found.matches > 8
    after = history.states()
    assert [state.kind for state in after] == ["run", "run", *(state.kind for state in before)]
    assert after[-1].id == before[-1].id, "what came before it keeps its id"
    assert after[-2].id != before[-2].id
    assert [c.source for c in history.cells("@")][:3] == ["print('last')", "x = 1  # [forgotten]", "show([forgotten])"]
    assert history.cells("@")[-1].source == "%o forget [forgotten]"
    outputs = history.cells(after[2])[2].outputs
    assert outputs[0]["text"] == "before [forgotten] after"
    assert outputs[1]["data"]["application/json"] == {"[forgotten]": ["[forgotten]"]}
    assert json.loads(history.read(after[2], "deployments.json"))["names"]["dot"][0]["digest"] == "d"
    (name,) = [path.name for path in (store / "refs" / "tags" / "o").iterdir()]
    assert name.startswith("forgotten-")
    assert history.resolve(name).kind == "save"
    assert dict(history.resolve(name).facts)["saved"] == name
    fsck(store)
    history.close()
    assert not is_unfinished(str(store))


def test_what_names_a_state_follows_its_new_id(tmp_path: Path, cell) -> None:
    history = fill(tmp_path, cell)
    old = history.resolve("@~1")
    ledger = json.dumps({"format": 1, "names": {"dot": [{"state": old.id}]}})
    history.note("rollback", "dot", "back", {"from": old.id}, {"deployments.json": ledger})
    history.forget(SECRET)
    newest = history.states(1)[0]
    named = json.loads(history.read(newest, "deployments.json"))["names"]["dot"][0]["state"]
    assert named == dict(newest.facts)["from"] == history.states(3)[2].id != old.id
    history.close()


def test_a_page_that_shows_it_does_not_bring_it_back(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path, "n.ipynb")
    shown = {"cells": [{"id": "a", "type": "code", "source": f"x = '{SECRET}'"}], "metadata": {}}
    history.show(shown)
    history.record(cell("a", f"x = '{SECRET}'"))
    history.forget(SECRET)
    history.show(shown)
    history.record(cell("b", "1"))
    history.flush()
    assert b"hunter2" not in everything(Path(history.where()["store"]))
    history.close()


def test_a_regular_expression_takes_out_all_that_match(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path)
    history.record(cell("a", "x = 'tok_123abc'; y = 'tok_999zzz'; z = 'tok_'"))
    history.forget(r"tok_[0-9]+\w*", regex=True)
    assert history.cells("@")[0].source == "x = '[forgotten]'; y = '[forgotten]'; z = 'tok_'"
    history.record(cell("a", "again = 'tok_123abc'"))
    assert history.cells("@")[0].source == "again = '[forgotten]'"
    history.close()


@pytest.mark.parametrize(
    ("pattern", "regex", "why"),
    [
        ("ab", False, "too short"),
        ("stdout", False, "of the format"),
        ("(((.", True, "no regular"),
        ("a*b*c*", True, "empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, cell, pattern: str, regex: bool, why: str) -> None:
    history = open_history(tmp_path)
    history.record(cell("a", "1"))
    with pytest.raises(HistoryError, match=why):
        history.forget(pattern, regex=regex)
    assert len(history.states()) == 1
    history.close()


def test_without_git_it_says_so_and_loses_nothing(tmp_path: Path, cell, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    history = open_history(tmp_path)
    history.record(cell("a", "1 + 1"))
    history.flush()
    monkeypatch.setenv("PATH", str(tmp_path))
    for call, what in ((lambda: history.forget("1 + 1"), "to forget"), (history.publish, "to publish")):
        with pytest.raises(HistoryError, match=f"{what} needs git, which is not on the PATH: install git"):
            call()
    history.record(cell("b", "2 + 2"))
    history.flush()
    assert len(history.states()) == 2
    history.close()


def test_another_kernel_that_records_is_not_disturbed(tmp_path: Path, cell) -> None:
    history, other = open_history(tmp_path), open_history(tmp_path, "other.ipynb")
    history.record(cell("a", SECRET))
    other.record(cell("a", SECRET))
    with pytest.raises(HistoryError, match="in use"):
        history.forget(SECRET)
    other.close()
    history.forget(SECRET)
    assert b"hunter2" not in everything(Path(history.where()["store"]))
    history.close()


def test_a_thousand_states_take_seconds(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path)
    for number in range(300):
        history.record(cell(f"c{number % 30}", f"x = {number}  # {SECRET if number == 3 else ''}", f"{number}\n"))
    history.flush()
    began = time.monotonic()
    found = history.forget(SECRET)
    assert found.states == 297
    assert time.monotonic() - began < 20
    assert len(history.states(1000)) == 300
    assert lanes_with_journal(history.where()["store"]) == []
    history.close()
