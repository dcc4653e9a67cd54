"""Binder's steps on this machine: a fresh environment, a bare shell, and no network once the image is built."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
FIRST_RESULT_SECONDS = 60


def test_the_environment_pins_python_and_stands_in_one_folder():
    text = (ROOT / "binder" / "environment.yml").read_text()
    pinned = re.search(r"python=(\d+)\.(\d+)\b", text)
    assert pinned, "binder/environment.yml pins no Python: Binder's own default is too old"
    assert (int(pinned[1]), int(pinned[2])) >= (3, 12)
    assert not (ROOT / ".binder").exists(), "Binder reads one folder only"


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_the_scripts_end_at_the_first_error_and_may_be_executed(name):
    path = ROOT / "binder" / name
    assert os.access(path, os.X_OK)
    assert "set -euo pipefail" in path.read_text()
    subprocess.run(["bash", "-n", str(path)], check=True)


def test_start_becomes_the_command_it_was_given():
    command = [str(ROOT / "binder" / "start"), "sh", "-c", "echo $PROJECT_O_WORKERS $0", "here"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.split() == ["1", "here"]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    """The repository as Binder has it after ``postBuild``: (folder, environment)."""
    folder = tmp_path_factory.mktemp("binder")
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / "repository" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / "repository" / name)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    (folder / "home").mkdir()
    cache = subprocess.run([sys.executable, "-m", "pip", "cache", "dir"], capture_output=True, text=True, check=True)
    bare = {
        "HOME": str(folder / "home"),
        "PATH": f"{folder / 'venv' / 'bin'}:/usr/local/bin:/usr/bin:/bin",
        "PIP_CACHE_DIR": cache.stdout.strip(),
        "LANG": "C.UTF-8",
    }
    built = subprocess.run(
        [str(folder / "repository" / "binder" / "postBuild")],
        check=False,
        env=bare,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert built.returncode == 0, f"{built.stdout[-3000:]}\n{built.stderr[-3000:]}"
    return folder, bare


@pytest.mark.measured
@pytest.mark.timeout(1200)
def test_the_first_evolved_result_comes_within_a_minute_and_without_a_network(image, lacking):
    folder, bare = image
    offline = ["unshare", "-n", "--"] if os.geteuid() == 0 else ["unshare", "-rn", "--"]
    if subprocess.run([*offline, "true"], check=False, capture_output=True).returncode != 0:
        lacking("network-namespaces", "the network cannot be taken away here")
    out = folder / "out.ipynb"
    until_first_run(folder / "repository" / "notebooks" / "01_evolve_a_kernel.ipynb", folder / "first.ipynb")
    command = [str(folder / "repository" / "binder" / "start"), "papermill", "--no-progress-bar", "-k", "project-o",
               "-p", "budget", "20s", str(folder / "first.ipynb"), str(out)]  # fmt: skip
    # A user's session: loopback is there, and nothing else.
    shell = f"ip link set lo up 2>/dev/null; exec {' '.join(command)}"
    started = time.time()
    ran = subprocess.run(
        [*offline, "sh", "-c", shell],
        check=False,
        env=bare,
        cwd=folder / "repository",
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert _seconds_to_first_result(out, started) < FIRST_RESULT_SECONDS


def until_first_run(book: Path, short: Path) -> None:
    """The notebook up to the first cell with a run in it: all of it is run by ``test_demo``."""
    found = nbformat.read(book, as_version=4)
    first = next(k for k, cell in enumerate(found.cells) if cell.cell_type == "code" and "%evolve" in cell.source)
    found.cells = found.cells[: first + 1]
    nbformat.write(found, short)


def _seconds_to_first_result(out: Path, started: float) -> float:
    """From the start of the kernel to the end of the first cell with a run in it."""
    from datetime import datetime

    for cell in nbformat.read(out, as_version=4).cells:
        if cell.cell_type == "code" and "%evolve" in cell.source:
            ended = datetime.fromisoformat(cell.metadata.papermill.end_time)
            return ended.timestamp() - started if ended.tzinfo else ended.astimezone().timestamp() - started
    raise AssertionError("the notebook evolves nothing")
