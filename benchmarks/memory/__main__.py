"""``python -m benchmarks.memory``: measure, print a table, write a record."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import machine
from . import quality, speed, strategy, users

RESULTS = Path(__file__).resolve().parents[1] / "results"


def main(arguments: list[str] | None = None) -> int:
    """Always 0: a record says what it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description="How well and how fast.")
    parser.add_argument("parts", nargs="*", default=["quality", "top"], help="quality, top, many, strategy, users")
    parser.add_argument("--count", type=int, default=1_000_000, help="how many blocks `many` writes")
    parser.add_argument("--out", type=Path, help="where the record goes; benchmarks/results/DATE-memory.json otherwise")
    line = parser.parse_args(arguments)
    out = line.out or RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-memory.json"
    body: dict[str, Any] = json.loads(out.read_text("utf-8")) if out.exists() else {"format": 1}
    body |= {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine.facts()}
    for part in line.parts:
        load = machine.load()
        measured = {
            "quality": quality.table,
            "top": speed.exact_top,
            "many": lambda: speed.many(line.count),
            "strategy": strategy.both,
            "users": users.everything,
        }[part]()
        body[part] = {"load_average": {"before": load, "after": machine.load()}, "found": measured}
        out.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    print(shown(body))
    return 0


def shown(body: dict[str, Any]) -> str:
    """A record as text."""
    lines = []
    if "quality" in body:
        columns = ("first question", "second question", "unseen, first", "unseen, second", "words left out")
        lines.append(f"{'recall at 5 / reciprocal rank':30}" + "".join(f"{name:>19}" for name in (*columns, "Lee r")))
        for name, row in body["quality"]["found"].items():
            cells = [f"{row[at]['recall_at_5']:.2f} / {row[at]['reciprocal_rank']:.2f}" for at in columns]
            cells.append("-" if row["lee"] is None else f"{row['lee']:.3f}")
            lines.append(f"{name:30}" + "".join(f"{cell:>19}" for cell in cells))
    if "top" in body:
        top = body["top"]["found"]
        lines.append(
            f"exact best 10 of {top['rows']:,} x {top['dimension']}: median {top['median_ms']:.2f} ms, 95 % "
            f"{top['p95_ms']:.2f} ms (a full sort: {top['sort_of_all_median_ms']:.2f} ms)"
        )
    if "many" in body:
        lines.append(json.dumps(body["many"]["found"]))
    for row in body.get("strategy", {"found": {}})["found"].values():
        lines.append(json.dumps(row))
    for name, row in body.get("users", {"found": {}})["found"].items():
        lines.append(f"{name}: {json.dumps(row)}")
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())
