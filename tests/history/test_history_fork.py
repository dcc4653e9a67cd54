"""Forking: a notebook of its own that goes on from an old state."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest

from project_o.errors import HistoryError
from project_o.history import open_history


def test_a_fork_is_a_notebook_whose_history_goes_on_from_the_old_state(tmp_path: Path, cell, fsck) -> None:
    history = open_history(tmp_path, "n.ipynb")
    for number in range(3):
        history.record(cell("a", f"x = {number}", f"{number}\n"))
        history.record(cell(f"b{number}", f"y = {number}"))
    history.note("promote", "dot", "faster", {}, {"programs/dot/cell.zig": "pub fn", "deployments.json": "{}"})
    old = history.resolve("@~3")

    made = history.fork(old, "other")

    assert made.path == str(tmp_path / "other.ipynb")
    written = nbformat.read(made.path, 4)
    nbformat.validate(written)
    assert [c.source for c in written.cells] == ["x = 1", "y = 1", "y = 0"]
    assert made.state.parents == (old.id,)
    assert dict(made.state.facts)["from"] == old.id
    assert history.resolve("other").id == made.state.id, "the fork has a name"
    assert history.states(1)[0].kind == "promote", "this notebook's own history goes on as it was"
    again = open_history(tmp_path, "other.ipynb")
    again.record(cell("a", "x = 100"))
    assert [s.kind for s in again.states(3)] == ["run", "fork", "run"]
    assert [c.source for c in again.cells("@")] == ["x = 100", "y = 1", "y = 0"]
    fsck(history.where()["store"])
    again.close()
    history.close()


def test_a_fork_takes_along_what_served(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path, "n.ipynb")
    history.note("promote", "dot", "faster", {}, {"programs/dot/cell.zig": "one", "deployments.json": '{"a": 1}'})
    history.note("promote", "dot", "faster", {}, {"programs/dot/cell.zig": "two", "deployments.json": '{"a": 2}'})
    history.fork("@~1", "was")
    forked = open_history(tmp_path, "was.ipynb")
    assert forked.read(forked.states(1)[0], "deployments.json") == '{"a": 1}'
    assert forked.read(forked.states(1)[0], "programs/dot/cell.zig") == "one"
    history.close()


def test_a_fork_overwrites_nothing(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path, "n.ipynb")
    history.record(cell("a", "1"))
    (tmp_path / "taken.ipynb").write_text("mine")
    with pytest.raises(HistoryError, match="another name"):
        history.fork("@", "taken.ipynb")
    assert (tmp_path / "taken.ipynb").read_text() == "mine"
    assert len(history.states()) == 1
    history.close()


def test_a_fork_of_an_unnamed_notebook_is_called_after_its_state(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path)
    history.record(cell("a", "1"))
    made = history.fork("@")
    assert Path(made.path).name == f"notebook-from-{made.source.short}.ipynb"
    assert json.loads(Path(made.path).read_text())["cells"][0]["source"] == ["1"]
    history.close()
