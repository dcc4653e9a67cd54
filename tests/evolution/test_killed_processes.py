"""The processes that candidates run in are killed in the middle of a run: it comes out as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from project_o import evolve

SOURCE = """# EVOLVE-BLOCK-START
a = 1.0
b = 2.0
def value(x):
    return a * x + b
# EVOLVE-BLOCK-END
"""
TRIALS = 14


def nearness(program):
    time.sleep(0.05)
    return {"score": 1 / (1 + abs(program.value(2.0) - 9.0))}


def below(root: int) -> list[int]:
    """The processes that this one started, and those that they did."""
    above: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            above[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {root}
    while more := {one for one, parent in above.items() if parent in found} - found:
        found |= more
    return sorted(found - {root})


class Killer:
    """Kills ``count`` of the processes below this one, or all, when some trials are done, three times."""

    def __init__(self, count: int) -> None:
        self.count, self.chance, self.due = count, random.Random(count), [3, 7, 10]
        self.killed: list[int] = []

    def __call__(self, progress):
        if self.due and progress.done >= self.due[0]:
            self.due.pop(0)
            processes = below(os.getpid())
            for process in self.chance.sample(processes, min(self.count, len(processes))):
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    continue
                self.killed.append(process)


@pytest.mark.alone  # it kills whatever there is below its process
def test_a_worker_or_the_whole_pool_is_killed_and_nothing_is_lost(tmp_path):
    path = tmp_path / "line.py"
    path.write_text(SOURCE)
    options = {"trials": TRIALS, "seed": 1, "workers": 2}
    whole = evolve(path, nearness, **options)
    for count in (1, 99):
        kill = Killer(count)
        run = evolve(path, nearness, progress=kill, **options)

        assert len(kill.killed) >= 3, count
        assert [one.reason for one in run.trials if one.status == "failed"] == [], count
        assert run.lineage.digest == whole.lineage.digest, count
