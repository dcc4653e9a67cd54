"""What the history's tests share: Git as the judge, and cells."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from project_o.history import CellRun


def _fsck(store: Path | str) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {"LC_ALL": "C"}
    command = ["git", f"--git-dir={store}", "fsck", "--full", "--strict"]
    for _ in range(3):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        lines = (done.stdout + done.stderr).splitlines()
        complaints = [line for line in lines if not line.startswith(("dangling", "notice", "Checking"))]
        if not complaints:
            break
        time.sleep(1)  # a recorder that repacks moves objects under fsck's hands; real damage stays
    assert (done.returncode, complaints) == (0, [])


def _cell(name: str, source: str, text: str = "") -> CellRun:
    outputs = ({"output_type": "stream", "name": "stdout", "text": text},) if text else ()
    return CellRun(name, source, outputs, execution_count=1, started=time.time(), duration_ms=1.0)


@pytest.fixture
def fsck() -> Callable[[Path | str], None]:
    """Fails where Git finds anything wrong with a store; objects that no ref reaches are not wrong."""
    return _fsck


@pytest.fixture
def cell() -> Callable[..., CellRun]:
    """A run cell that printed ``text``."""
    return _cell
