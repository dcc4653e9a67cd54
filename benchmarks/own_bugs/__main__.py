"""``python -m benchmarks.own_bugs``: a hundred faults, each found, repaired and judged; and the record.

A record that is there is gone on with: ``--seconds`` begins no fault after so many, so that it can be made in pieces.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import machine
from .measure import BUDGET_SECONDS, CASES, DIFFERENTIAL_CASES, UNSEEN_CASES, control, measured
from .properties import SUBJECTS

RESULTS = Path(__file__).resolve().parents[1] / "results"


def one(number: int, folder: Path) -> dict[str, Any]:
    """The fault of that number, and what chance makes of it in as many tries."""
    row = measured(number, folder)
    tried = row.get("tried", 0)
    if tried:
        row["by chance, as many as were needed"] = control(number, row.get("place", tried))
        row["by chance, as many as were tried"] = control(number, tried)
    return row


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts, and the shares that are aimed at."""
    counts = Counter(row["outcome"] for row in rows)
    accepted = counts["repaired"] + counts["over-fitted"]
    seconds = sorted(row["seconds"] for row in rows if "seconds" in row)
    found = {
        "faults": len(rows),
        "different": len({(row["function"], row["line"], row["before"], row["after"]) for row in rows}),
        "functions": len({row["function"] for row in rows}),
        "modules": len({row["function"].split(":")[0] for row in rows}),
        "found": len(rows) - counts["not found"],
        "accepted on held-out cases": accepted,
        "repaired": counts["repaired"],
        "over-fitted": counts["over-fitted"],
        "over-fitted share of accepted": round(counts["over-fitted"] / accepted, 3) if accepted else None,
        "text as it was before the fault": sum(row.get("as it was", False) for row in rows),
        "seconds": {"median": seconds[len(seconds) // 2], "most": seconds[-1]} if seconds else {},
    }
    for name in ("by chance, as many as were needed", "by chance, as many as were tried"):
        found[name] = dict(Counter(row[name]["outcome"] for row in rows if name in row))
    return found


def main(arguments: list[str] | None = None) -> int:
    """2 where the record is not whole yet, 1 where it is and misses what is aimed at."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.own_bugs", description="Faults in our own functions.")
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no fault after so many")
    parser.add_argument(
        "--out", type=Path, help="where the record goes; benchmarks/results/DATE-own-bugs.json otherwise"
    )
    line = parser.parse_args(arguments)
    began, today = time.monotonic(), datetime.now(UTC).date().isoformat()
    out = line.out or RESULTS / f"{today}-own-bugs.json"
    record = json.loads(out.read_text("utf-8")) if out.exists() else {"format": 1, "date": today, "faults": []}
    rows = {row["number"]: row for row in record["faults"]}
    facts = machine.facts()
    # Faults of one function follow each other: its inputs are drawn once.
    order = sorted(range(line.count), key=lambda number: (number % len(SUBJECTS), number))
    with tempfile.TemporaryDirectory(prefix="project-o-own-bugs-") as folder:
        for number in order:
            if number in rows or time.monotonic() - began > line.seconds:
                continue
            rows[number] = one(number, Path(folder))
            print(json.dumps(rows[number]), flush=True)
            faults = [rows[k] for k in sorted(rows)]
            how = {"cases": CASES, "differential cases": DIFFERENTIAL_CASES, "unseen cases": UNSEEN_CASES,
                   "budget seconds": BUDGET_SECONDS}  # fmt: skip
            record |= {"machine": facts, "how": how, "summary": summary(faults), "faults": faults}
            out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    told = summary(list(rows.values()))
    print(json.dumps(told, indent=1))
    if len(rows) < line.count:
        return 2
    share = told["over-fitted share of accepted"]
    return 0 if told["repaired"] >= 0.6 * line.count and (share or 0.0) <= 0.15 else 1


if __name__ == "__main__":
    sys.exit(main())
