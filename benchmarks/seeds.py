"""The demo notebook with several seeds: does the search find its improvement each time?

    python -m benchmarks.seeds [SEED ...]

Each seed is a whole run of ``notebooks/01_evolve_a_kernel.ipynb`` through papermill, in a kernel of its own, with the
notebook's own budget. The notebook fails below 1.5x, and so does this. The record is written beside the others.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from . import machine

ROOT = Path(__file__).resolve().parent.parent
LINE = re.compile(r"^(evolved over .*?)\s+([\d.]+)x\s+\[([\d.]+), ([\d.]+)\]$", re.MULTILINE)


def run(seed: int) -> dict[str, object]:
    """One run of the demo: what its last lines say."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "notebooks" / "run_demo.py"), folder, f"seed={seed}"]
        finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = {name: [float(ratio), float(low), float(high)] for name, ratio, low, high in LINE.findall(finished.stdout)}
    return {"seed": seed, "passed": finished.returncode == 0, **found}


def main(seeds: list[int]) -> int:
    """Run the seeds, print and record them; 1 if one of them failed."""
    before = machine.load()
    runs = []
    for seed in seeds:
        runs.append(run(seed))
        print(json.dumps(runs[-1]))
    now = datetime.now(UTC).replace(microsecond=0)
    record = {"format": 1, "date": now.isoformat(), "machine": machine.facts(), "runs": runs,
              "load_average": {"before": before, "after": machine.load()}}  # fmt: skip
    out = ROOT / "benchmarks" / "results" / f"{now.date()}-demo-seeds.json"
    out.write_text(json.dumps(record, indent=1) + "\n")
    print(out)
    return 0 if all(item["passed"] for item in runs) else 1


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]] or [1, 2, 3, 4, 5]))
