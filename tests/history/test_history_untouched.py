"""The user's repository, byte for byte as it was: in every situation that a repository may be in."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from project_o.history import open_history

CELLS = 100


def git(folder: Path | str, *words: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    done = subprocess.run(["git", *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def repository(folder: Path, *options: str) -> Path:
    """A repository with a history, a stash, tags, hooks, something staged, something changed, something untracked."""
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", *options)
    git(folder, "config", "user.name", "Ada Löwe")
    git(folder, "config", "user.email", "ada@example.org")
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"{number}\n")
        git(folder, "add", ".")
        git(folder, "commit", "-qm", f"number {number}")
    git(folder, "tag", "-a", "v1", "-m", "one")
    git(folder, "branch", "side")
    (folder / "0.txt").write_text("stashed\n")
    git(folder, "stash", "-q")
    hook = folder / ".git" / "hooks" / "post-commit"
    hook.write_text(f"#!/bin/sh\ntouch '{folder}/hook-ran'\n")
    hook.chmod(0o755)
    (folder / "1.txt").write_text("staged\n")
    git(folder, "add", "1.txt")
    (folder / "1.txt").write_text("changed since\n")
    (folder / "new.txt").write_text("untracked\n")
    (folder / "n.ipynb").write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}')
    return folder


def plain(folder: Path) -> tuple[Path, Path]:
    made = repository(folder / "r")
    return made, made


def subfolder(folder: Path) -> tuple[Path, Path]:
    made = repository(folder / "r")
    (made / "deep" / "er").mkdir(parents=True)
    return made, made / "deep" / "er"


def detached(folder: Path) -> tuple[Path, Path]:
    made = repository(folder / "r")
    git(made, "stash", "-q", "-u")
    git(made, "checkout", "-q", "--detach", "HEAD~1")
    return made, made


def packed(folder: Path) -> tuple[Path, Path]:
    made = repository(folder / "r")
    git(made, "pack-refs", "--all")
    git(made, "repack", "-adq")
    return made, made


def worktree(folder: Path) -> tuple[Path, Path]:
    made = repository(folder / "r")
    git(made, "worktree", "add", "-q", "-b", "other", str(folder / "tree"))
    (folder / "tree" / "0.txt").write_text("staged in the tree\n")
    git(folder / "tree", "add", ".")
    return folder, folder / "tree"


def submodule(folder: Path) -> tuple[Path, Path]:
    inner = repository(folder / "inner")
    outer = repository(folder / "outer")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(inner), "part")
    return folder, outer / "part"


def sha256(folder: Path) -> tuple[Path, Path]:
    made = repository(folder / "r", "--object-format=sha256")
    return made, made


def unborn(folder: Path) -> tuple[Path, Path]:
    made = folder / "r"
    made.mkdir()
    git(made, "init", "-q")
    (made / "a.txt").write_text("a\n")
    git(made, "add", ".")
    return made, made


def merging(folder: Path) -> tuple[Path, Path]:
    made = repository(folder / "r")
    git(made, "stash", "-q", "-u")
    git(made, "checkout", "-q", "side")
    (made / "2.txt").write_text("theirs\n")
    git(made, "commit", "-qam", "theirs")
    git(made, "checkout", "-q", "main")
    (made / "2.txt").write_text("ours\n")
    git(made, "commit", "-qam", "ours")
    (made / "hook-ran").unlink()
    subprocess.run(["git", "merge", "-q", "side"], cwd=made, capture_output=True, check=False)
    assert (made / ".git" / "MERGE_HEAD").exists()
    return made, made


def picture(folder: Path) -> dict[str, str]:
    """Every byte, mode and link below a folder, but for stores of ours."""
    found = {}
    for base, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if not Path(base, one, "project-o.json").exists()]
        for name in [*names, *folders]:
            path = Path(base, name)
            facts = path.lstat()
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
            found[str(path)] = f"{facts.st_mode:o} {facts.st_uid} {content}"
    return found


def seen(folder: Path) -> list[str]:
    """What Git says of it."""
    asked = (["status", "--porcelain=v2"], ["for-each-ref"], ["config", "-l"], ["stash", "list"], ["branch", "-avv"])
    return [git(folder, *words) for words in asked]


SITUATIONS = [plain, subfolder, detached, packed, worktree, submodule, sha256, unborn, merging]


@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda one: one.__name__)
def test_after_a_hundred_cells_nothing_of_it_has_changed(
    tmp_path: Path, cell, fsck, situation: Callable[[Path], tuple[Path, Path]]
) -> None:
    everything, place = situation(tmp_path)
    git(place, "status")  # which may itself refresh the index
    before, told = picture(everything), seen(place)

    history = open_history(place, "cells.ipynb", session="s")
    for number in range(CELLS):
        history.begin(cell(f"c{number % 9}", f"x = {number}"))
        history.record(cell(f"c{number % 9}", f"x = {number}", f"{number}\n"))
    history.note(
        "promote", "dot", "faster", {"ratio": "1.8"}, {"programs/dot/cell.zig": "pub fn"}, version="dot/v1.0.0"
    )
    history.save("a state")
    history.diff("@~5")
    assert history.where()["kind"] == "repository"
    fsck(history.store)
    assert len(history.states(1_000)) == CELLS + 2
    history.close()

    assert picture(everything) == before
    assert seen(place) == told
    git(place, "fsck", "--strict")
    git(place, "gc", "-q", "--prune=now")
    again = open_history(place, "cells.ipynb")
    assert len(again.states(1_000)) == CELLS + 2, "and its own maintenance leaves ours alone"
    again.close()


def test_without_a_repository_a_later_one_takes_nothing_of_ours(tmp_path: Path, cell) -> None:
    (tmp_path / "n.ipynb").write_text("{}")
    history = open_history(tmp_path, "n.ipynb")
    for number in range(CELLS):
        history.record(cell("a", f"secret = {number}"))
    history.save("a state")
    history.close()
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    assert git(tmp_path, "diff", "--cached", "--name-only").split() == ["n.ipynb"]
    assert git(tmp_path, "status", "--porcelain", "--ignored").splitlines() == ["A  n.ipynb", "!! .o/"]
