"""How many candidates a minute are judged in the sandbox, how much a run leaves on the disk, and what the engine costs.

    python -m benchmarks.throughput

The evaluator reads one number, so that what is measured is the engine: a proposal, its checks, a process of its own
in the sandbox, one call, the record of it. Three parts: 2,000 candidates with two workers, and whether the second half
takes longer than the first; 600 candidates of a program of 9 KB with a history, and the bytes of its store; and the CPU
time of a process that imports the engine. The record says what was wanted of each.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from project_o import api, evolve
from project_o.flow import Flow
from project_o.history import open_history
from project_o.values import Progress

from . import machine

ROOT = Path(__file__).resolve().parent.parent
CANDIDATES, WORKERS, IMPORTS = 2_000, 2, 9
STORED, PROGRAM_BYTES = 600, 9 * 1024
WANTED = {"candidates_a_minute": 1_500, "second_half_to_first": 1.1, "bytes": 5_000_000, "import_cpu_seconds": 0.15}
BODY = "# EVOLVE-BLOCK-START\ndef value():\n    return 1.0 + 2.5 * 3.25\n# EVOLVE-BLOCK-END\n"


def number(program: Any) -> dict[str, float]:
    """The evaluator: what the program returns, as near to 9 as it comes."""
    return {"score": 1.0 / (1.0 + abs(float(program()) - 9.0))}


def rate(folder: Path) -> dict[str, Any]:
    """Two thousand candidates, and how long each half of them took."""
    path = folder / "null.py"
    path.write_text(BODY)
    seen: list[tuple[float, int]] = []

    def listen(progress: Progress) -> None:
        seen.append((time.monotonic(), progress.done))

    began = time.monotonic()
    run = evolve(path, number, trials=CANDIDATES + 1, workers=WORKERS, progress=listen)
    whole = time.monotonic() - began
    middle, ended = (_when(seen, began, count) for count in (len(run.trials) / 2, len(run.trials)))
    return {
        "candidates": len(run.trials) - 1,
        "workers": WORKERS,
        "sandbox": run.verdict.level,
        "by_status": dict(Counter(item.status for item in run.trials)),
        "seconds": round(whole, 2),
        "candidates_a_minute": round(60 * (len(run.trials) - 1) / whole),
        "second_half_to_first": round((ended - middle) / middle, 3),
    }


def _when(seen: list[tuple[float, int]], began: float, count: float) -> float:
    """Seconds until so many were done, on a line between the two reports around it."""
    before = (began, 0)
    for report in seen:
        if report[1] >= count:
            share = (count - before[1]) / max(1, report[1] - before[1])
            return before[0] + share * (report[0] - before[0]) - began
        before = report
    return before[0] - began


def stored(folder: Path) -> dict[str, Any]:
    """Six hundred candidates of a large program with a history: the bytes of all that is left."""
    filler = "".join(f"def _helper_{k}(x):\n    return x + {k}\n\n\n" for k in range(PROGRAM_BYTES // 36))
    path = folder / "large.py"
    path.write_text((filler + BODY)[-PROGRAM_BYTES:].partition("\n\n\n")[2])
    history = open_history(folder, notebook=None, session="throughput")
    api.use(Flow(history))
    try:
        run = evolve(path, number, trials=STORED + 1, workers=WORKERS)
    finally:
        api.use(None)
        history.close()
    files = [item for item in Path(history.store).rglob("*") if item.is_file()]
    return {
        "candidates": len(run.trials) - 1,
        "program_bytes": path.stat().st_size,
        "files": len(files),
        "bytes": sum(item.stat().st_size for item in files),
        "bytes_allocated": sum(item.stat().st_blocks * 512 for item in files),
    }


def imported(_: Path) -> dict[str, Any]:
    """CPU seconds of processes, in turn: the engine with what starts a run, all that a run with an evaluator loads,
    numpy alone, and nothing.

    Their byte code is there already, as that of an installed package is.
    """
    texts = {
        "import_cpu_seconds": "from project_o.evolution import run_evolution",
        "scored_run_cpu_seconds": (
            "import project_o.evolution.start, project_o.evolution.scoring, project_o.evolution.tuning, "
            "project_o.sandbox"
        ),
        "numpy_cpu_seconds": "import numpy",
        "interpreter_cpu_seconds": "pass",
    }
    found: dict[str, list[float]] = {name: [] for name in texts}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for turn in range(IMPORTS + 1):
            for name, text in texts.items():
                seconds = _cpu(text, folder)
                if turn:  # the first one writes the byte code
                    found[name].append(seconds)
    medians = {name: round(statistics.median(kept), 4) for name, kept in found.items()}
    return {**medians, "processes": IMPORTS}


def _cpu(text: str, folder: str) -> float:
    around = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    subprocess.run([sys.executable, "-c", text], check=True, env={**around, "PYTHONPYCACHEPREFIX": folder})
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> int:
    """Measure, print and record; 1 if something is not as it is wanted."""
    before = machine.load()
    # The store's upkeep may still be at work when the run is over.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        parts: dict[str, dict[str, Any]] = {}
        for name, part in {"imported": imported, "rate": rate, "stored": stored}.items():
            parts[name] = part(Path(folder))
            print(json.dumps({name: parts[name]}), flush=True)
    found = {key: value for part in parts.values() for key, value in part.items()}
    kept = {
        name: found[name] >= least if name == "candidates_a_minute" else found[name] <= least
        for name, least in WANTED.items()
    }
    now = datetime.now(UTC).replace(microsecond=0)
    record = {"format": 1, "date": now.isoformat(), "machine": machine.facts(), "wanted": WANTED, "kept": kept,
              **parts, "load_average": {"before": before, "after": machine.load()}}  # fmt: skip
    out = ROOT / "benchmarks" / "results" / f"{now.date()}-throughput.json"
    out.write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(kept), out)
    return 0 if all(kept.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
