"""The history's verbs in a terminal: they speak of the working folder, whichever notebook its states are of."""

import json
import os
import subprocess
import sys

import nbformat
import pytest

from project_o.history import CellRun, open_history


def project_o(*words, cwd, **environment):
    return subprocess.run(
        [sys.executable, "-m", "project_o.cli", *words],
        cwd=cwd, env={**os.environ, **environment}, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def folder(tmp_path):
    """A repository with a notebook whose kernel has ended."""
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "config", "user.name", "Ada")
    git(tmp_path, "config", "user.email", "ada@example.org")
    history = open_history(tmp_path, "n.ipynb")
    for count, source in enumerate(["x = 20", "print(x + 1)", "print(x + 2)"], 1):
        printed = ({"output_type": "stream", "name": "stdout", "text": f"{20 + count - 1}\n"},) if count > 1 else ()
        history.record(CellRun(f"c{count}", source, printed, count, duration_ms=3.0))
    history.close()
    return tmp_path


def test_save_names_the_newest_state_of_the_folder(folder):
    done = project_o("save", "before", "the", "talk", cwd=folder)

    assert done.returncode == 0, done.stderr
    history = open_history(folder, "n.ipynb")
    assert [state.kind for state in history.states(2)] == ["save", "run"], "it is in the notebook's own history"
    assert [cell.source for cell in history.cells("before-the-talk")] == ["x = 20", "print(x + 1)", "print(x + 2)"]
    history.record(CellRun("c1", "x = 30"))
    assert history.cells("@")[0].source == "x = 30", "the notebook goes on from there"
    history.close()


def test_fork_publish_and_forget(folder):
    forked = project_o("fork", "@~1", "other", cwd=folder)
    assert forked.returncode == 0, forked.stderr
    assert [cell.source for cell in nbformat.read(folder / "other.ipynb", 4).cells] == ["x = 20", "print(x + 1)"]
    (folder / "other.ipynb").unlink()

    published = project_o("publish", "o/results", cwd=folder)
    assert published.returncode == 0, published.stderr
    assert git(folder, "log", "--format=%s", "o/results").splitlines()[-1].startswith("fork: other")
    assert git(folder, "status", "--porcelain") == ""

    forgotten = project_o("forget", "x", "+", "1", cwd=folder)
    assert forgotten.returncode == 0, forgotten.stderr
    assert "[forgotten]" in project_o("diff", "@~1", cwd=folder).stdout + project_o("show", "@~1", cwd=folder).stdout


def test_diff_of_outputs_on_request(folder):
    history = open_history(folder, "n.ipynb")
    history.record(CellRun("c3", "print(x + 2)", ({"output_type": "stream", "name": "stdout", "text": "other\n"},), 4))
    history.close()

    assert "other" not in project_o("diff", "@~1", cwd=folder).stdout
    assert "other" in project_o("diff", "@~1", "--outputs", cwd=folder).stdout


def test_replay_runs_a_range_again_and_says_what_differs(folder):
    same = project_o("replay", "..@", cwd=folder)
    assert same.returncode == 0, same.stdout + same.stderr
    assert "3 of 3 as recorded" in same.stdout

    without_x = project_o("replay", "@~1..@", cwd=folder)
    assert without_x.returncode == 1
    assert "NameError" in without_x.stdout
    assert [state.kind for state in open_history(folder, "n.ipynb").states()] == ["run"] * 3, "a replay records nothing"


def test_rollback_chooses_what_serves_when_the_cell_is_run_next(folder):
    def release(text, origin):
        body = {"language": "zig", "files": [["cell.zig", text]], "mode": "safe", "options": [], "parameters": []}
        from project_o.values import Program

        digest = Program("dot", "zig", (("cell.zig", text),)).digest
        return {**body, "origin": origin, "since": 1.0, "state": "", "cell": "c", "level": "", "digest": digest}

    ledger = {"format": 1, "names": {"dot": [release("one", "cell"), release("two", "accepted")]}}
    history = open_history(folder, "n.ipynb")
    history.note("promote", "dot", "faster", {}, {"deployments.json": json.dumps(ledger)})
    history.close()

    done = project_o("rollback", "dot", cwd=folder)

    assert done.returncode == 0, done.stderr
    again = open_history(folder, "n.ipynb")
    newest = again.states(1)[0]
    assert (newest.kind, dict(newest.facts)["scope"]) == ("rollback", "dot")
    releases = json.loads(again.read(newest, "deployments.json"))["names"]["dot"]
    assert [(item["files"][0][1], item["origin"]) for item in releases][-1] == ("one", "rollback")
    assert again.read(newest, "programs/dot/cell.zig") == "one"
    again.close()
    assert project_o("rollback", "nothing", cwd=folder).returncode == 1
