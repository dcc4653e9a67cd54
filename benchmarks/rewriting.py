"""Ten slow programs, rewritten for time with no model: which of them are found, with equal answers.

    python -m benchmarks.rewriting [NAME ...]

The programs of ``benchmarks/tasks/rewriting`` were written before the table of equivalences. Each run has a process of
its own; the answers of the best version, in the sandbox, are held against those of the first one, to 1e-9. A program
counts where the verdict accepts, and the answers are equal. The gain is the verdict's own, with its interval.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from . import machine

ROOT = Path(__file__).resolve().parent.parent
TASKS = ROOT / "benchmarks" / "tasks" / "rewriting"
TRIALS, TOLERANCE = 16, 1e-9
NAMES = tuple(sorted(path.stem for path in TASKS.glob("*.py")))


def furthest(first: Any, second: Any) -> float:
    """The largest difference of two answers, where they are numbers; 0 for others that are equal."""
    if isinstance(first, list) and first and isinstance(first[0], str):
        return 0.0 if first == second else float("inf")
    return float(np.max(np.abs(np.asarray(first, float) - np.asarray(second, float)), initial=0.0))


def run(name: str, trials: int = TRIALS, seed: int = 1, inputs: tuple[Any, ...] | None = None) -> dict[str, Any]:
    """Evolve one of them, on its own inputs or on others; called in a process of its own."""
    sys.path.insert(0, str(TASKS))
    module = importlib.import_module(name)
    function, inputs = getattr(module, name), inputs or module.inputs()

    from project_o import evolve

    began = time.monotonic()
    found = evolve(function, trials=trials, seed=seed, inputs=inputs)
    space: dict[str, Any] = dict(vars(module))
    exec(compile(found.best.source, name, "exec"), space)  # it passed the sandbox, and this process is its own
    won = found.trials[found.best_index or 0]
    return {
        "name": name,
        "found": found.verdict.accepted,
        "headline": found.headline,
        "furthest": furthest(function(*inputs), space[name](*inputs)),
        "trial": won.proposal.index,
        "operator": won.proposal.operator,
        "hypothesis": won.proposal.hypothesis,
        "trials": len(found.trials),
        "reasons": list(found.verdict.reasons),
        "seconds": round(time.monotonic() - began, 1),
        "change": [line for line in found.diff().splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")],
    }


def main(names: list[str]) -> int:
    """Run them, print and record; 1 if fewer than 8 of 10 were found."""
    before = machine.load()
    now = datetime.now(UTC).replace(microsecond=0)
    out = ROOT / "benchmarks" / "results" / f"{now.date()}-rewriting.json"
    runs = {item["name"]: item for item in (json.loads(out.read_text())["runs"] if out.exists() else [])}
    for name in names:
        command = [sys.executable, "-m", "benchmarks.rewriting", "--here", name]
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        runs[name] = json.loads(done.stdout.splitlines()[-1])
        print(json.dumps({key: runs[name][key] for key in ("name", "found", "headline", "furthest", "hypothesis")}))
    every = [runs[name] for name in NAMES if name in runs]
    equal = [item for item in every if item["found"] and item["furthest"] <= TOLERANCE]
    record = {"format": 1, "date": now.isoformat(), "machine": machine.facts(), "found_and_equal": len(equal),
              "runs": every, "load_average": {"before": before, "after": machine.load()}}  # fmt: skip
    out.write_text(json.dumps(record, indent=1) + "\n")
    print(out, f"{len(equal)} of {len(every)}")
    return 0 if len(equal) >= 0.8 * len(every) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        print(json.dumps(run(sys.argv[2])))
        sys.exit(0)
    sys.exit(main(sys.argv[1:] or list(NAMES)))
