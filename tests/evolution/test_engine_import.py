"""What is loaded when: the engine is looked at by many who never start a run."""

from __future__ import annotations

import os
import subprocess
import sys

LATER = ("numpy", "optuna", "tree_sitter", "project_o.sandbox", "project_o.toolchain", "project_o.models",
         "concurrent.futures.process", "project_o.evolution.timing", "project_o.evolution.scoring",
         "project_o.evolution.checks.generated", "project_o.evolution.foreign.bench",
         "project_o.evolution.repair.hunt", "project_o.evolution.tuning",
         "project_o.evolution.llm.proposer")  # fmt: skip
ENGINE = "from project_o.evolution import run_evolution"
TURNS, CPU_SECONDS_MAX = 6, 0.15
"""The bound is that of the record in ``benchmarks/results``; the test allows twice as much, for a slower machine."""


def loaded(text: str) -> set[str]:
    shown = subprocess.run([sys.executable, "-c", f"{text}\nimport sys\nprint(*sys.modules)"], capture_output=True,
                           text=True, check=True)  # fmt: skip
    return set(shown.stdout.split())


def cpu_seconds(text: str) -> float:
    before = os.times()
    subprocess.run([sys.executable, "-c", text], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def test_the_engine_loads_neither_numpy_nor_the_sandbox_nor_what_only_some_runs_have():
    found = loaded(ENGINE)

    assert "project_o.evolution.start" in found
    assert not set(LATER) & found


def test_the_engine_is_light():
    turns = [(cpu_seconds(ENGINE), cpu_seconds("import numpy")) for _ in range(TURNS)]
    engine, numpy = (min(seconds) for seconds in zip(*turns, strict=True))

    assert engine < max(2 * CPU_SECONDS_MAX, 2.5 * numpy)
