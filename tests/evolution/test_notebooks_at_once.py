"""Several notebooks of one folder evolve at once, with one store and one cache: none meets another's trials."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SECONDS_MAX = 120.0
RUN = """
import sys
from project_o import api, evolve
from project_o.flow import Flow
from project_o.history import open_history

def priced(n):
    a = 1  # o: 1 2 3 4 5 6
    b = 1  # o: 1 2 3 4 5 6
    return n * a + b

def evaluate(program):
    return {"score": program(3) / (1 + program(0))}

history = open_history(".", notebook=sys.argv[1], session=sys.argv[1])
history.note("begin", "", "so that there is a store", {}, {})
api.use(Flow(history))
run = evolve(priced, evaluate, trials=14, seed=int(sys.argv[2]), resume=True)
print("lineage", run.lineage.digest, len(run.trials))
history.close()
"""


def started(folder: Path, notebook: str, seed: int) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    (folder / "run.py").write_text(RUN)
    command = [sys.executable, "run.py", notebook, str(seed)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def lineage(process: subprocess.Popen[str]) -> str:
    said, trouble = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0, trouble
    return next(line for line in said.splitlines() if line.startswith("lineage"))


def test_each_has_the_lineage_that_it_has_alone(tmp_path):
    alone = {seed: lineage(started(tmp_path / f"alone {seed}", "n.ipynb", seed)) for seed in (5, 6)}
    together = [("a.ipynb", 5), ("b.ipynb", 5), ("c.ipynb", 6)]
    processes = [started(tmp_path / "together", *one) for one in together]
    found = [lineage(process) for process in processes]

    assert alone[5] != alone[6]
    assert found == [alone[seed] for _, seed in together]
    assert len(list((tmp_path / "together").glob(".o/store.git/runs/*"))) == len(together)
