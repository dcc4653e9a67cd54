"""kill -9 in the middle of a run of evolution, and on from there: it has to come out as if nothing had happened."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from project_o.history.places import RUNS

TRIALS, KILLS_OF_A_RUN, REPEATS = 18, 2, 10
SECONDS = 120.0
RUN = f"""
import sys
from project_o.flow import Flow
from project_o.history import open_history

def priced(n):
    a = 1  # o: 1 2 3 4 5 6
    b = 1  # o: 1 2 3 4 5 6
    return n * a + b

def evaluate(program):
    return {{"score": program(3) / (1 + program(0))}}

history = open_history(".", notebook="n.ipynb", session="s" + sys.argv[2])
history.note("begin", "", "so that there is a store", {{}}, {{}})
flow = Flow(history)
print("begun", flush=True)
run = flow.evolve(priced, evaluate, trials={TRIALS}, seed=5, workers=int(sys.argv[1]), resume=True)
print("lineage", run.lineage.digest, run.best_index, len(run.trials), flush=True)
history.close()
"""


def finished(folder: Path, workers: int, number: int) -> str:
    """What a run that nobody disturbs comes to: its digest, its best trial, how many there were."""
    with _started(folder, workers, number) as process:
        told, _ = process.communicate(timeout=SECONDS)
    found = re.search(r"lineage (.*)", told)
    assert found, "the run failed"
    return found[1]


def killed(folder: Path, workers: int, number: int, after_trials: int) -> int:
    """Kill a run with all it started when so many trials are kept; how many are kept then."""
    with _started(folder, workers, number) as process:
        assert process.stdout is not None
        process.stdout.readline()
        until = time.monotonic() + SECONDS
        while process.poll() is None and trials_of(folder) < after_trials and time.monotonic() < until:
            time.sleep(0.001)
        os.killpg(process.pid, signal.SIGKILL)
    return trials_of(folder)


def trials_of(folder: Path) -> int:
    """How many trials of its run a folder keeps."""
    lines = [path.read_bytes().count(b"\n") for path in folder.glob(f".o/store.git/{RUNS}/*")]
    return max(lines, default=1) - 1


def soak(kills: int = 20) -> dict[str, Any]:
    """Kills at random moments, by ones and twos, with one and two workers; and repeats of the undisturbed run."""
    chance = random.Random("soak resume")
    with tempfile.TemporaryDirectory(prefix="o-resume-") as folder:
        whole = {finished(_new(Path(folder), f"whole {n}"), 1 + n % 2, 0) for n in range(REPEATS)}
        found, kept = set(), []
        for number in range(kills // KILLS_OF_A_RUN):
            broken = _new(Path(folder), f"broken {number}")
            for turn in range(KILLS_OF_A_RUN):
                kept.append(killed(broken, 1 + (number + turn) % 2, turn, chance.randint(1, TRIALS - 2)))
            found.add(finished(broken, 1 + number % 2, KILLS_OF_A_RUN))
    broken_promises = [] if len(whole | found) == 1 else [f"{len(whole | found)} different lineages"]
    return {"kills": len(kept), "kept": kept, "repeats": REPEATS, "broken": broken_promises}


def _new(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def _started(folder: Path, workers: int, number: int) -> subprocess.Popen[str]:
    (folder / "run.py").write_text(RUN)
    command = [sys.executable, "run.py", str(workers), str(number)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True)
