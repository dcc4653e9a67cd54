"""Kernels beside each other: two on one notebook, four on one store, each also while ``git gc`` runs there."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from .kills import DamagedError, check_store

KERNEL = """
import sys
from project_o.history import CellRun, open_history
folder, notebook, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
history = open_history(folder, notebook)
for number in range(count):
    output = {"output_type": "stream", "name": "stdout", "text": f"{number}\\n"}
    history.record(CellRun(f"c{number % 5}", f"x = {number}", (output,), number))
    if number % 20 == 0:
        history.flush()
history.flush(60.0)
assert not history.problem, history.problem
history.close()
"""


def together(folder: Path, kernels: int, *, notebooks: int, states: int, gc: bool) -> dict[str, Any]:
    """``kernels`` kernels on ``notebooks`` notebooks of one store. Raises DamagedError where a state is missing."""
    from project_o.history import CellRun, open_history

    first = open_history(folder, "n0.ipynb")
    first.record(CellRun("first", "0"))
    first.flush()
    store = first.store
    began = time.monotonic()
    running = [
        subprocess.Popen(
            [sys.executable, "-c", KERNEL, str(folder), f"n{number % notebooks}.ipynb", str(states)],
            stderr=subprocess.PIPE,
        )
        for number in range(kernels)
    ]
    collections = 0
    while any(one.poll() is None for one in running):
        if gc:
            subprocess.run(["git", f"--git-dir={store}", "gc", "--quiet"], check=False, capture_output=True)
            collections += 1
        else:
            time.sleep(0.05)
    for one in running:
        _, said = one.communicate()
        if one.returncode:
            raise DamagedError(f"a kernel failed: {said.decode()[-500:]}")
    first.all_notebooks = True
    found = len(first.states(1_000_000))
    first.close()
    if found != kernels * states + 1:
        raise DamagedError(f"{found} states are there, of {kernels * states + 1}")
    check_store(store)
    return {
        "kernels": kernels,
        "notebooks": notebooks,
        "states": found,
        "git_gc_runs": collections,
        "seconds": round(time.monotonic() - began, 2),
    }
