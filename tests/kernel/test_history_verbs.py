"""Fork, publish, forget and replay from inside a real kernel."""

import subprocess
import zlib

import nbformat
import pytest


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "user.name", "Ada")
    git(tmp_path, "config", "user.email", "ada@example.org")
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1", id="one")]), tmp_path / "n.ipynb")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    return tmp_path


def test_each_verb_does_its_work_and_shows_what_it_did(repository, start_kernel):
    kernel = start_kernel(repository, environment={"PROJECT_O_NOTEBOOK": str(repository / "n.ipynb")})
    kernel.run("x = 1\nprint('one')")
    kernel.run('%o save "the first"')
    kernel.run("token = 'hunter2-rest'\nprint(token, x)")

    replayed = kernel.run("again = %o replay ..@\nagain")
    assert replayed.status == "ok", replayed.text
    assert "3 of 3 as recorded" not in replayed.text, "a saved state is no cell"
    assert kernel.value("[c.ended for c in again if '%o' not in c.source]") == "['same', 'same']"

    forked = kernel.run("%o fork the-first branched")
    assert "branched.ipynb" in forked.text
    assert "x = 1\nprint('one')" in [cell.source for cell in nbformat.read(repository / "branched.ipynb", 4).cells]

    published = kernel.run("made = %o publish results\nmade")
    assert "results" in published.text
    assert git(repository, "log", "-1", "--format=%(trailers:key=O-State,valueonly)", "results").strip()
    assert git(repository, "status", "--porcelain").split() == ["??", "branched.ipynb"]

    forgotten = kernel.run("%o forget hunter2-rest")
    assert forgotten.status == "ok", forgotten.text
    kernel.run("after = 'it goes on'")
    assert "it goes on" in kernel.run("%o show @").text
    store = repository / ".git" / "o"
    for path in store.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            assert b"hunter2-rest" not in data + (zlib.decompress(data) if len(path.parent.name) == 2 else b""), path
    every = subprocess.run(
        ["git", "cat-file", "--batch-all-objects", "--batch"], cwd=store, capture_output=True, check=True
    ).stdout
    assert b"hunter2-rest" not in every
    assert b"[forgotten]" in every


def test_a_range_that_ends_its_kernel_says_so(tmp_path, start_kernel):
    kernel = start_kernel(tmp_path)
    kernel.run("import os, pathlib\nif pathlib.Path('now').exists(): os._exit(3)")
    kernel.run("print('later')")
    (tmp_path / "now").touch()
    kernel.run("again = %o replay ..@")
    assert kernel.value("[c.ended for c in again][:2]") == "['died', 'not run']"
    assert kernel.value("1 + 1") == "2"
