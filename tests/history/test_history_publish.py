"""Publishing: a branch of the user's own repository, and nothing else of it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import nbformat
import pytest

from project_o.errors import HistoryError
from project_o.history import open_history


def git(folder: Path | str, *words: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(params=["sha1", "sha256"])
def repository(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path / "repository"
    (folder / "deep").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", f"--object-format={request.param}")
    git(folder, "config", "user.name", "Ada Löwe")
    git(folder, "config", "user.email", "ada@example.org")
    hook = folder / ".git" / "hooks" / "reference-transaction"
    hook.write_text("#!/bin/sh\necho ran >> hooked\n")
    hook.chmod(0o755)
    (folder / "a.txt").write_text("one\n")
    git(folder, "-c", "core.hooksPath=/dev/null", "add", ".")
    git(folder, "-c", "core.hooksPath=/dev/null", "commit", "-qm", "first")
    (folder / "a.txt").write_text("staged\n")
    git(folder, "add", ".")
    return folder


def around(folder: Path) -> list[str]:
    """What publishing must leave as it was."""
    index = (folder / ".git" / "index").read_bytes().hex()
    heads = [line for line in git(folder, "for-each-ref").splitlines() if "refs/heads/o/" not in line]
    return [index, *heads, git(folder, "status", "--porcelain"), (folder / ".git" / "HEAD").read_text()]


def test_milestones_become_commits_of_a_branch_and_nothing_else_changes(repository: Path, cell) -> None:
    before = around(repository)
    history = open_history(repository / "deep", "näme.ipynb")
    history.record(cell("a", "x = 1", "one\n"))
    history.save("the first result")
    history.record(cell("a", "x = 2", "two\n"))
    sources = {"programs/dot/cell.zig": "pub fn dot", "programs/dot/run.json": "{}"}
    promoted = history.note("promote", "dot", "1.8x faster", {}, sources)
    history.record(cell("a", "x = 3"))

    made = history.publish()

    assert made.branch.startswith("o/")
    log = git(repository, "log", "--format=%an|%s|%(trailers:key=O-State,valueonly)", made.branch).splitlines()
    assert [line.split("|")[1] for line in log if line] == [
        "run(a): x = 3",
        "promote(dot): 1.8x faster",
        "save: the first result",
    ]
    assert promoted.id in "".join(log)
    assert log[0].startswith("Ada Löwe|")
    assert set(made.files) == {"deep/näme.ipynb", "deep/näme.programs/dot/cell.zig", "deep/näme.changelog.md"}
    assert promoted.id in git(repository, "show", f"{made.branch}:deep/näme.changelog.md")
    first = nbformat.reads(git(repository, "show", f"{made.branch}~2:deep/näme.ipynb"), 4)
    assert first.cells[0].source == "x = 1"
    assert git(repository, "show", f"{made.branch}:deep/näme.programs/dot/cell.zig") == "pub fn dot"
    git(repository, "fsck", "--strict")
    assert around(repository) == before
    assert not (repository / "hooked").exists(), "no hook of the user's runs"
    history.close()


def test_publishing_again_adds_what_is_new(repository: Path, cell) -> None:
    history = open_history(repository, "n.ipynb")
    history.record(cell("a", "x = 1"))
    history.save("one")
    made = history.publish("results")
    assert len(made.commits) == 1
    assert history.publish("results").commits == ()
    history.record(cell("a", "x = 2"))
    history.save("two")
    again = history.publish("results")
    assert [state.summary for state in again.states] == ["two"]
    assert git(repository, "rev-parse", "results~1").strip() == made.commits[-1]
    history.close()


def test_a_branch_of_somebody_elses_is_refused(repository: Path, cell) -> None:
    history = open_history(repository, "n.ipynb")
    history.record(cell("a", "x = 1"))
    git(repository, "branch", "theirs")
    for branch, why in [("main", "checked out"), ("theirs", "not published from here"), ("a b", "name of a branch")]:
        with pytest.raises(HistoryError, match=why):
            history.publish(branch)
    history.close()


def test_the_states_themselves_are_published_on_request(tmp_path: Path, cell) -> None:
    git(tmp_path, "init", "-q")
    history = open_history(tmp_path, "n.ipynb")
    for number in range(20):
        history.record(cell("a", f"x = {number}"))
    made = history.publish("raw", states=True)
    assert made.commits == (history.states(1)[0].id,)
    assert len(git(tmp_path, "rev-list", "raw").split()) == 20
    history.close()


def test_what_looks_like_a_secret_is_not_published(tmp_path: Path, cell, monkeypatch: pytest.MonkeyPatch) -> None:
    git(tmp_path, "init", "-q")
    history = open_history(tmp_path, "n.ipynb")
    history.record(cell("a", "password = 'correct horse battery'"))
    history.flush()
    monkeypatch.setenv("LATER_PASSWORD", "correct horse battery")
    with pytest.raises(HistoryError, match="looks like a secret"):
        history.publish()
    assert git(tmp_path, "for-each-ref") == ""
    history.close()


def test_without_a_repository_publishing_says_what_to_do(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path)
    history.record(cell("a", "1"))
    with pytest.raises(HistoryError, match="git init"):
        history.publish()
    history.close()
