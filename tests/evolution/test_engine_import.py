"""What is loaded when: the engine is looked at by many who never start a run."""

from __future__ import annotations

import subprocess
import sys

LATER = ("numpy", "optuna", "tree_sitter", "project_o.sandbox", "project_o.toolchain", "project_o.models",
         "project_o.evolution.start", "project_o.evolution.checks", "project_o.evolution.llm.proposer")  # fmt: skip


def loaded(text: str) -> set[str]:
    shown = subprocess.run([sys.executable, "-c", f"{text}\nimport sys\nprint(*sys.modules)"], capture_output=True,
                           text=True, check=True)  # fmt: skip
    return set(shown.stdout.split())


def test_the_engine_alone_loads_neither_numpy_nor_the_sandbox():
    assert not set(LATER) & loaded("import project_o.evolution")


def test_what_a_run_needs_comes_with_the_first_one():
    found = loaded("from project_o.evolution import run_evolution")

    assert {"numpy", "project_o.sandbox", "project_o.evolution.checks"} <= found
    assert "optuna" not in found
