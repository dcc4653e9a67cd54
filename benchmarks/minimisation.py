"""Function minimisation in OpenEvolve's form, with no model: how near to the known minimum 60 evaluations come.

    python -m benchmarks.minimisation [SEED ...]

The task is ``benchmarks/tasks/function_minimisation``, run as anybody runs one. The best program of each run, by the
evaluator's own word, is then asked five times in the sandbox, and the median of what it finds is held against the known
minimum. The first program is asked as often. Seeds that were recorded on the same day are kept in the record.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from project_o import Sandbox, evolve

from . import machine

ROOT = Path(__file__).resolve().parent.parent
TASK = ROOT / "benchmarks" / "tasks" / "function_minimisation"
LEAST = -1.5187
EVALUATIONS, REPEATS, WITHIN = 60, 5, 0.01


def found_by(source: str) -> float:
    """The median of what a program finds: the function's value where it ends, computed here."""
    from math import cos, sin

    values = []
    with Sandbox(wall_seconds=30, cpu_seconds=30) as box, box.python(source) as job:
        for _ in range(REPEATS):
            answer = job.ask("run_search")
            assert answer.ok, answer.error
            x, y, _ = answer.value
            values.append(sin(x) * cos(y) + sin(x * y) + (x * x + y * y) / 20)
    return statistics.median(values)


def run(seed: int) -> dict[str, object]:
    """One run, and what its best program finds."""
    began = time.monotonic()
    found = evolve(TASK, trials=EVALUATIONS, seed=seed)
    value = found_by(found.best.source)
    return {
        "seed": seed,
        "evaluations": len(found.trials),
        "best_trial": found.best_index,
        "self_reported": found.verdict.self_reported,
        "first_program": round(found_by(found.baseline.source), 5),
        "best_program": round(value, 5),
        "within_1_percent": value <= LEAST + WITHIN * abs(LEAST),
        "seconds": round(time.monotonic() - began, 1),
        "change": [line for line in found.diff().splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")],
    }


def main(seeds: list[int]) -> int:
    """Run the seeds, print and record them; 1 if one of them did not come near enough."""
    before = machine.load()
    now = datetime.now(UTC).replace(microsecond=0)
    out = ROOT / "benchmarks" / "results" / f"{now.date()}-function-minimisation.json"
    kept = json.loads(out.read_text())["runs"] if out.exists() else []
    runs = {item["seed"]: item for item in kept}
    for seed in seeds:
        runs[seed] = run(seed)
        print(json.dumps(runs[seed]), flush=True)
    record = {"format": 1, "date": now.isoformat(), "machine": machine.facts(), "least": LEAST,
              "runs": [runs[seed] for seed in sorted(runs)],
              "near_enough": sum(bool(item["within_1_percent"]) for item in runs.values()),
              "load_average": {"before": before, "after": machine.load()}}  # fmt: skip
    out.write_text(json.dumps(record, indent=1) + "\n")
    print(out)
    return 0 if all(item["within_1_percent"] for item in runs.values()) else 1


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]] or list(range(10))))
