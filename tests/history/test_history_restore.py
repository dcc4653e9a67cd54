"""Restoring: what comes back equals what was recorded, and nothing that was on disk is lost."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from pathlib import Path

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from project_o.errors import HistoryError
from project_o.history import open_history
from project_o.history.filemerge import read_cells
from project_o.history.redact import Redactor, mark

SOURCES = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("run"), st.sampled_from("abcdef"), SOURCES, SOURCES),
        st.tuples(st.just("file"), st.permutations("abcdef").map(lambda order: order[:4]), SOURCES, st.booleans()),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_each_restored_state_equals_what_was_recorded(
    steps, tmp_path_factory: pytest.TempPathFactory, cell, fsck
) -> None:
    """Runs, insertions, deletions, moves and edited markdown; the model is a plain list of cells."""
    folder = tmp_path_factory.mktemp("restore")
    path = folder / "n.ipynb"
    history = open_history(folder, "n.ipynb")
    model: dict[str, tuple[str, str]] = {}
    ran: dict[str, tuple[str, str]] = {}
    seen = []
    for kind, what, source, extra in steps:
        if kind == "file":
            cells = [nbformat.v4.new_code_cell(source + name, id=name) for name in what]
            if extra:
                cells.insert(1, nbformat.v4.new_markdown_cell(source, id="m"))
            nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
            os.utime(path, ns=(time.time_ns(), time.time_ns()))
            kept = {c.id: ran.get(c.id, (c.source, "")) for c in cells}
            missing = {name: value for name, value in model.items() if name in ran and name not in kept}
            model = kept | missing
        else:
            text = extra and extra + "\n"
            history.record(cell(what, source, text))
            ran[what] = model[what] = (source, text)
            state = history.resolve("@")
            seen.append((state.id, dict(model)))
    for state, expected in seen:
        target = folder / f"{state[:12]}.ipynb"
        history.restore(state, str(target))
        notebook = nbformat.read(target, as_version=4)
        nbformat.validate(notebook)
        found = {c.id: (c.source, "".join(o.text for o in c.get("outputs", []))) for c in notebook.cells}
        assert found == expected
    if seen:
        fsck(history.where()["store"])
    history.clean()


def test_restore_keeps_what_was_on_disk_and_replaces_it_in_one_step(tmp_path: Path, cell) -> None:
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1", id="a")]), path)
    path.chmod(0o640)
    history = open_history(tmp_path, "n.ipynb")
    history.record(cell("a", "x = 1", "ran\n"))
    history.note("deploy", "dot", "v1", {}, {"programs/dot/cell.zig": "z", "deployments.json": "{}"})
    good = history.save("good")
    unsaved = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("precious", id="p")])
    nbformat.write(unsaved, path)
    done = history.restore("good")
    assert nbformat.read(path, as_version=4).cells[0].outputs[0].text == "ran\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert done.replaced is not None
    assert [c.source for c in history.cells(done.replaced)] == ["precious"]
    assert done.files == {"programs/dot/cell.zig": "z", "deployments.json": "{}"}
    assert (done.state.kind, dict(done.state.facts)["from"]) == ("restore", good.id)
    assert [c.source for c in history.cells("@")] == ["x = 1"]
    history.record(cell("a", "x = 2"))
    assert [c.source for c in history.cells("@")] == ["x = 2"]
    assert sorted(p.name for p in tmp_path.iterdir()) == [".o", "n.ipynb"]
    history.close()


def test_outputs_that_were_never_saved_survive_the_next_kernel(tmp_path: Path, cell) -> None:
    """The page goes on showing them after a restart; the file on the disk never had them."""
    path = tmp_path / "n.ipynb"
    written = [nbformat.v4.new_code_cell(text, id=name) for name, text in (("a", "print(1)"), ("e", "old"))]
    nbformat.write(nbformat.v4.new_notebook(cells=written), path)
    first = open_history(tmp_path, "n.ipynb")
    first.record(cell("a", "print(1)", "1\n"))
    first.record(cell("e", "print(0)", "0\n"))
    first.record(cell("c", "print(3)", "3\n"))  # a new cell, which the file does not have
    first.close()
    second = open_history(tmp_path, "n.ipynb")
    texts = [("a", "print(1)"), ("e", "print(0)"), ("c", "print(3)"), ("b", "print(2)")]
    second.show({"cells": [{"id": name, "type": "code", "source": text, "metadata": {}} for name, text in texts],
                 "metadata": {}})  # fmt: skip
    second.record(cell("b", "print(2)", "2\n"))

    second.restore("@")

    found = {c.id: "".join(o.text for o in c.outputs) for c in nbformat.read(path, as_version=4).cells}
    assert found == {"a": "1\n", "e": "0\n", "c": "3\n", "b": "2\n"}
    second.close()


def test_outputs_that_were_cleared_and_saved_do_not_come_back_with_the_next_kernel(tmp_path: Path, cell) -> None:
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)", id="a")]), path)
    first = open_history(tmp_path, "n.ipynb")
    first.record(cell("a", "print(1)", "1\n"))
    first.close()
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(1)", id="a")]), path)
    second = open_history(tmp_path, "n.ipynb")
    second.record(cell("b", "print(2)", "2\n"))

    assert [c.outputs for c in second.cells("@") if c.id == "a"] == [()]
    second.close()


def test_restore_without_a_path_writes_nothing_and_says_so(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path)
    history.record(cell("a", "1"))
    done = history.restore("@")
    assert done.path is None
    assert "path is not known" in done.note
    assert [p.name for p in tmp_path.iterdir()] == [".o"]
    history.close()


def test_restore_leaves_a_file_that_it_cannot_keep(tmp_path: Path, cell) -> None:
    (tmp_path / "n.ipynb").write_text("no notebook")
    history = open_history(tmp_path, "n.ipynb")
    history.record(cell("a", "1"))
    with pytest.raises(HistoryError, match="left as it is"):
        history.restore("@")
    history.off()
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "n.ipynb")
    with pytest.raises(HistoryError, match="could not be committed"):
        history.restore("@")
    assert (tmp_path / "n.ipynb").read_text() != "no notebook"
    history.close()


def test_an_old_notebook_without_ids_is_understood(tmp_path: Path, cell) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("a = 1"), nbformat.v4.new_markdown_cell("m")])
    notebook.nbformat_minor = 4
    for part in notebook.cells:
        del part["id"]
    nbformat.write(notebook, tmp_path / "n.ipynb")
    cells, _ = read_cells(str(tmp_path / "n.ipynb"), Redactor(()))
    assert [(c["id"], c["source"]) for c in cells] == [("f0", "a = 1"), ("f1", "m")]
    history = open_history(tmp_path, "n.ipynb")
    history.record(cell("x1", "a = 1", "found by its source\n"))
    assert [c.id for c in history.cells("@")] == ["f0", "f1"]
    history.close()


def test_a_state_that_cannot_be_read_replaces_nothing(tmp_path: Path, cell) -> None:
    path = tmp_path / "n.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("precious", id="p")]), path)
    before = path.read_bytes()
    history = open_history(tmp_path, "n.ipynb")
    history.record(cell("a", "a source that nothing else holds"))
    state = history.save("here")
    history.close()
    blob = subprocess.run(
        ["git", f"--git-dir={history.store}", "rev-parse", f"{state.id}:cells/{_fan('a')}/a.py"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    (Path(history.store) / "objects" / blob[:2] / blob[2:]).unlink()
    again = open_history(tmp_path, "n.ipynb")

    with pytest.raises(HistoryError, match=blob):
        again.restore(state)

    assert path.read_bytes() == before
    again.close()


def _fan(name: str) -> str:
    return hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()[:2]


def test_a_secret_beside_a_number_in_metadata_is_not_kept(tmp_path: Path) -> None:
    secret = "hunter2-hunter2"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("m", id="m", metadata={"k": [1, secret]})])
    nbformat.write(notebook, tmp_path / "n.ipynb")

    cells, _ = read_cells(str(tmp_path / "n.ipynb"), Redactor((secret,)))

    assert cells[0]["metadata"] == {"k": [1, mark(secret)]}
