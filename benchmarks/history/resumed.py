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

KILLS_OF_A_RUN, REPEATS = 2, 10
SECONDS = 120.0
TRIALS = {"settings": 18, "islands": 32}
"""How many trials a run of each kind has."""
BEGIN = """
import sys
from project_o import api, evolve
from project_o.flow import Flow
from project_o.history import open_history

history = open_history(".", notebook="n.ipynb", session="s" + sys.argv[2])
history.note("begin", "", "so that there is a store", {}, {})
api.use(Flow(history))
print("begun", flush=True)
"""
SETTINGS = f"""
def priced(n):
    a = 1  # o: 1 2 3 4 5 6
    b = 1  # o: 1 2 3 4 5 6
    return n * a + b

def evaluate(program):
    return {{"score": program(3) / (1 + program(0))}}

run = evolve(priced, evaluate, trials={TRIALS["settings"]}, seed=5, workers=int(sys.argv[1]), resume=True)
"""
ISLANDS = f"""
PROGRAM = '''# EVOLVE-BLOCK-START
a = 1.0
b = 2.0
c = 3.0

def value(x):
    y = a * x + b
    z = y * y
    z = z - c
    return z
# EVOLVE-BLOCK-END
'''

def evaluate(program):
    found = [program.value(float(k)) for k in range(4)]
    return {{"score": 9 / (1 + sum(abs(y - 3.3 * k * k - k) for k, y in enumerate(found))), "least": min(found)}}

open("curve.py", "w").write(PROGRAM)
run = evolve(
    "curve.py", evaluate, trials={TRIALS["islands"]}, seed=4, workers=int(sys.argv[1]), islands=3,
    grid=["length", "least"], resume=True,
)
assert {{one.proposal.island for one in run.trials}} == {{0, 1, 2}} and len(run.population.elites) > 3
assert any(one.proposal.operator == "crossover" for one in run.trials)
"""
END = """
print("lineage", run.lineage.digest, run.best_index, len(run.trials), flush=True)
history.close()
"""
RUNS_OF = {"settings": BEGIN + SETTINGS + END, "islands": BEGIN + ISLANDS + END}
"""Declared parameters and an archive that keeps the best; and texts on islands with a grid, and crossover."""


def finished(folder: Path, workers: int, number: int, kind: str = "settings") -> str:
    """What a run that nobody disturbs comes to: its digest, its best trial, how many there were."""
    with _started(folder, workers, number, kind) as process:
        told, _ = process.communicate(timeout=SECONDS)
    found = re.search(r"lineage (.*)", told)
    assert found, "the run failed"
    return found[1]


def killed(folder: Path, workers: int, number: int, after_trials: int, kind: str = "settings") -> int:
    """Kill a run with all it started when so many trials are kept; how many are kept then."""
    with _started(folder, workers, number, kind) as process:
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
    """Kills at random moments of a run of each kind, and repeats of it, undisturbed."""
    found = {kind: _soak(kind, kills) for kind in RUNS_OF}
    return {**found, "broken": [f"{kind}: {told}" for kind, one in found.items() for told in one["broken"]]}


def _soak(kind: str, kills: int) -> dict[str, Any]:
    """Kills by ones and twos, with one and two workers; and repeats of the undisturbed run."""
    chance = random.Random("soak resume")
    with tempfile.TemporaryDirectory(prefix="o-resume-") as folder:
        whole = {finished(_new(Path(folder), f"whole {n}"), 1 + n % 2, 0, kind) for n in range(REPEATS)}
        found, kept = set(), []
        for number in range(kills // KILLS_OF_A_RUN):
            broken = _new(Path(folder), f"broken {number}")
            for turn in range(KILLS_OF_A_RUN):
                after = chance.randint(1, TRIALS[kind] - 2)
                kept.append(killed(broken, 1 + (number + turn) % 2, turn, after, kind))
            found.add(finished(broken, 1 + number % 2, KILLS_OF_A_RUN, kind))
    broken_promises = [] if len(whole | found) == 1 else [f"{len(whole | found)} different lineages"]
    return {"kills": len(kept), "kept": kept, "repeats": REPEATS, "broken": broken_promises}


def _new(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


def _started(folder: Path, workers: int, number: int, kind: str) -> subprocess.Popen[str]:
    (folder / "run.py").write_text(RUNS_OF[kind])
    command = [sys.executable, "run.py", str(workers), str(number)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True)
