"""The store and the user's repository: one is written, the other stays as it was. Git itself is the judge."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
import warnings
from pathlib import Path

import pytest

from project_o.errors import HistoryError, HistoryWarning
from project_o.history import CellRun, open_history


def git(folder: Path | str, *words: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    git(folder, "config", "user.name", "Ada Löwe")
    git(folder, "config", "user.email", "ada@example.org")
    (folder / "a.txt").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def picture(folder: Path) -> dict[str, str]:
    """Every byte of the working files and the Git directory, without our own folder; and what Git says of it."""
    found = {}
    for base, folders, names in os.walk(folder):
        if base.endswith(".git") and "o" in folders:
            folders.remove("o")
        for name in names:
            path = Path(base, name)
            found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    for words in (["for-each-ref"], ["config", "-l"], ["log", "--all"], ["stash", "list"], ["branch", "-a"]):
        found[" ".join(words)] = git(folder, *words)
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0"}
    status = subprocess.run(["git", "status"], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return found | {"status": status.stdout}


def test_the_users_repository_is_byte_for_byte_untouched(repository: Path, cell, fsck) -> None:
    (repository / "a.txt").write_text("two\n")
    git(repository, "add", "a.txt")
    (repository / "a.txt").write_text("three\n")
    (repository / "new.txt").write_text("untracked\n")
    before = picture(repository)
    history = open_history(repository, session="s")
    for number in range(35):
        history.begin(cell(f"c{number % 7}", f"x = {number}"))
        history.record(cell(f"c{number % 7}", f"x = {number}", f"{number}\n"))
    state = history.note("evolve", "dot", "faster", {"ratio": "1.8"}, {"programs/dot/cell.zig": "pub fn"})
    history.save("before")
    history.restore("@~5")
    assert history.where()["store"] == str(repository / ".git" / "o")
    assert picture(repository) == before
    fsck(repository / ".git" / "o")
    log = git(repository, "--git-dir=.git/o", "log", "--format=%an <%ae>|%s|%(trailers:key=O-Base,valueonly)", state.id)
    head = git(repository, "rev-parse", "HEAD").strip()
    assert log.splitlines()[0] == f"Ada Löwe <ada@example.org>|evolve(dot): faster|{head}"
    assert (
        git(repository, "--git-dir=.git/o", "log", "-1", "--format=%(trailers:key=O-Ratio,valueonly)", state.id).strip()
        == "1.8"
    )
    history.close()
    git(repository, "gc", "-q", "--prune=now")
    git(repository, "clean", "-ffdxq")
    again = open_history(repository)
    assert again.resolve(state.short).id == state.id
    again.close()


def test_detached_head_worktree_and_submodule_use_the_common_directory(repository: Path, tmp_path: Path, cell) -> None:
    git(repository, "checkout", "-q", "--detach")
    history = open_history(repository)
    history.record(cell("a", "1"))
    assert dict(history.states(1)[0].facts)["base"] == git(repository, "rev-parse", "HEAD").strip()
    tree = tmp_path / "tree"
    git(repository, "worktree", "add", "-q", "-b", "side", str(tree))
    (tree / "deep").mkdir()
    other = open_history(tree / "deep")
    other.record(cell("b", "2"))
    assert other.where()["store"] == str(repository / ".git" / "o")
    assert dict(other.states(1)[0].facts)["base"] == git(tree, "rev-parse", "HEAD").strip()
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "part")
    inner = open_history(outer / "part")
    inner.record(cell("c", "3"))
    inner.flush()
    assert inner.where()["store"] == str(outer / ".git" / "modules" / "part" / "o")
    assert git(outer / "part", "status", "--porcelain") == ""
    for opened in (history, other, inner):
        opened.close()


def test_without_a_repository_a_later_git_add_stages_nothing_of_ours(tmp_path: Path, cell) -> None:
    (tmp_path / "n.ipynb").write_text("{}")
    history = open_history(tmp_path)
    history.record(cell("a", "secret = 1"))
    history.flush()
    assert history.where()["kind"] == "folder"
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    assert git(tmp_path, "diff", "--cached", "--name-only").split() == ["n.ipynb"]
    history.close()


def test_a_sha256_repository_is_no_obstacle(tmp_path: Path, cell, fsck) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    history = open_history(tmp_path)
    history.record(cell("a", "1"))
    history.flush()
    fsck(tmp_path / ".git" / "o")
    assert len(history.states()) == 1
    history.close()


def test_the_barrier_makes_a_notes_commit_real(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path)
    store = history.where()["store"]
    for number in range(5):
        history.record(cell("a", f"x = {number}"))
        state = history.note("deploy", "dot", f"v{number}", {}, {"deployments.json": str(number)})
        assert git("/", f"--git-dir={store}", "cat-file", "-t", state.id).strip() == "commit"
        assert git("/", f"--git-dir={store}", "show", f"{state.id}:deployments.json") == str(number)
        assert history.read(state, "deployments.json") == str(number)
    assert [s.sequence for s in history.states(scope="dot")] == [10, 8, 6, 4, 2]
    history.close()


def test_what_waits_for_the_next_cell_does_not_undo_a_newer_note(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path)
    history.stage({"deployments.json": "old", "programs/dot/cell.zig": "old", "agents.json": "waits"})
    history.note("promote", "dot", "x", {}, {"deployments.json": "new", "programs/dot/cell.zig": "new"})
    history.record(cell("a", "1"))
    history.flush()
    latest = history.states(1)[0]
    assert history.read(latest, "deployments.json") == "new"
    assert history.files(latest, "programs/") == {"programs/dot/cell.zig": "new"}
    assert history.read(latest, "agents.json") == "waits"
    history.close()


def test_programs_are_carried_on_and_cells_where_the_notebook_is_known(tmp_path: Path, cell) -> None:
    for notebook, cells in ((None, ["b"]), ("n.ipynb", ["a", "b"])):
        first = open_history(tmp_path, notebook)
        first.record(cell("a", "1"))
        first.note("evolve", "dot", "x", {}, {"programs/dot/cell.zig": "z"})
        first.close()
        second = open_history(tmp_path, notebook)
        second.record(cell("b", "2"))
        latest = second.states(1)[0]
        assert [c.id for c in second.cells(latest)] == cells
        assert second.files(latest, "programs/") == {"programs/dot/cell.zig": "z"}
        assert second.resolve("@~1").lane != latest.lane
        second.close()


def test_resolve_says_what_is_wrong(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path)
    with pytest.raises(HistoryError, match="no states yet"):
        history.resolve("@")
    for number in range(40):
        history.record(cell("a", f"x = {number}"))
    saved = history.save("My best result!")
    assert history.resolve("my-best-result").id == saved.id
    assert history.resolve("@").id == saved.id
    assert history.resolve("@~1").sequence == saved.sequence - 1
    assert history.resolve(saved.id[:8]).id == saved.id
    for text, message in (("zzz", "is no state"), ("@~500", "further back"), ("ffffffffff", "no state begins")):
        with pytest.raises(HistoryError, match=message):
            history.resolve(text)
    assert dict(history.save("My best result!").facts)["saved"] == "my-best-result-2"
    history.close()


def test_paths_that_a_state_cannot_hold_are_refused(tmp_path: Path) -> None:
    history = open_history(tmp_path)
    for path in (
        "../x",
        "/etc/passwd",
        "a//b",
        ".git/config",
        "cells/x",
        "state.json",
        "notebook.json",
        "programs/.GIT/x",
    ):
        with pytest.raises(HistoryError, match=r"cannot be a file of a state|written by the history itself"):
            history.note("save", "", "x", {}, {path: "y"})
    history.close()


def test_messages_cannot_forge_trailers(tmp_path: Path, fsck) -> None:
    history = open_history(tmp_path)
    state = history.note(
        "evolve", "a b(c): d", "line\n\nO-Seq: 99\nO-Status: ok", {"why\nO-Cell: x": "a\nO-Exec: 5"}, {}
    )
    facts = dict(history.resolve(state.id).facts)
    assert state.sequence == 1
    assert "exec" not in facts
    assert "cell" not in facts
    fsck(history.where()["store"])
    history.close()


def test_diff_shows_sources_first_and_programs(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path)
    history.record(cell("a", "x = 1\n", "1\n"))
    history.record(cell("b", "y = 1\n"))
    history.note("evolve", "dot", "x", {}, {"programs/dot/cell.zig": "old\n"})
    before = history.resolve("@")
    history.record(cell("a", "x = 2\n", "2\n"))
    history.record(cell("b", "y = 1\n", "same source, new output\n"))
    history.record(cell("c", "z = 3\n"))
    history.note("evolve", "dot", "x", {}, {"programs/dot/cell.zig": "new\n"})
    diff = history.diff(before)
    assert [(c.id, c.change, bool(c.diff), c.outputs_changed) for c in diff.cells] == [
        ("a", "changed", True, True),
        ("b", "changed", False, True),
        ("c", "added", True, True),
    ]
    assert "-x = 1\n+x = 2\n" in diff.text
    assert [(f.path, f.change) for f in diff.files] == [("programs/dot/cell.zig", "changed")]
    assert history.diff("@", before).cells[-1].change == "removed"
    history.close()


def test_a_large_figure_is_stored_once_and_raw(tmp_path: Path, cell) -> None:
    import base64

    history = open_history(tmp_path)
    for encode in (base64.b64encode, base64.encodebytes):
        picture = encode(os.urandom(3_000_000)).decode()
        figure = {
            "output_type": "display_data",
            "data": {"image/png": picture, "text/plain": "<Figure>"},
            "metadata": {},
        }
        history.record(CellRun("figure", "plot()", (figure,), 1))
        assert history.cells("@")[0].outputs == (figure,)
    size = history.where()["bytes"]
    for number in range(20):
        history.record(cell("text", f"x = {number}", "hello\n"))
    history.flush()
    assert history.where()["bytes"] - size < 2_000_000
    history.close()


# ------------------------------------------------------------------------------------ off, clean


def test_off_stops_recording_and_on_goes_on(tmp_path: Path, cell) -> None:
    history = open_history(tmp_path, enabled=False)
    assert history.record(cell("a", "1")) == 0
    assert history.note("save", "", "x", {}, {}).id == ""
    assert not (tmp_path / ".o").exists()
    history.on()
    assert history.record(cell("a", "2")) == 1
    history.off()
    history.record(cell("a", "3"))
    assert [s.summary for s in history.states()] == ["2"]
    history.close()


def test_clean_removes_our_store_only(repository: Path, tmp_path: Path, cell) -> None:
    before = picture(repository)
    history = open_history(repository)
    history.record(cell("a", "1"))
    history.flush()
    assert history.clean() > 0
    assert not (repository / ".git" / "o").exists()
    assert picture(repository) == before
    assert (history.enabled, history.record(cell("a", "2"))) == (False, 0)
    plain = tmp_path / "plain"
    plain.mkdir()
    other = open_history(plain)
    other.record(cell("a", "1"))
    other.flush()
    (plain / ".o" / "store.git" / "project-o.json").unlink()
    with pytest.raises(HistoryError, match="does not carry our"):
        other.clean()
    assert (plain / ".o" / "store.git" / "objects").is_dir()


def test_clean_waits_for_no_other_kernels_store(tmp_path: Path, cell) -> None:
    first, second = open_history(tmp_path), open_history(tmp_path)
    first.record(cell("a", "1"))
    second.record(cell("b", "2"))
    with pytest.raises(HistoryError, match="in use by"):
        first.clean()
    second.close()
    first.flush()
    deadline = time.monotonic() + 60
    while True:
        try:
            assert first.clean() > 0
            break
        except HistoryError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert list(tmp_path.iterdir()) == []


def test_opening_writes_and_warns_nothing(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", HistoryWarning)
        history = open_history(tmp_path)
        assert history.states() == []
        assert history.where()["exists"] is False
    assert list(tmp_path.iterdir()) == []
    history.close()
