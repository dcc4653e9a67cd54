"""The table of ``docs/security.md``: of each part the newest record in ``benchmarks/results``, and nothing by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
BEGIN = "<!-- Written by `python -m benchmarks.trust figures` from the newest record of each part. -->"
END = "<!-- The end of what is written by it. -->"
RENAMED = {"nulls": "nulls-quiet"}
"""How a part was called in the first records."""
SAID = {
    "same-quiet": "a program with itself, the machine quiet",
    "same-loaded": "a program with itself, each core busy",
    "nulls-quiet": "a run of 40 versions that change nothing",
    "nulls-loaded": "the same, each core busy",
    "gain-1.05": "a version that is truly 1.05 times as fast",
    "gain-1.1": "a version that is truly 1.1 times as fast",
    "gain-1.1-loaded": "the same, each core busy",
    "gain-1.3": "a version that is truly 1.3 times as fast",
}
"""The parts that the page tells, in its order; ``scores`` holds both kinds and is told by its record."""


def newest(folder: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    """Part -> (day, its numbers over all subjects), from the newest record that has it."""
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    records = [json.loads(path.read_text("utf-8")) for path in folder.glob("*-trust*.json")]
    for record in sorted(records, key=lambda body: str(body["date"])):
        for part, numbers in record["parts"].items():
            found[RENAMED.get(part, part)] = str(record["date"])[:10], numbers["all"]
    return found


def figures(folder: Path) -> str:
    """The table: what was compared, how often it was accepted, and what that says of the true share."""
    rows = [
        "| what was compared | accepted | of | the true share (one-sided 95 %) | day |",
        "| --- | --- | --- | --- | --- |",
    ]
    known = newest(folder)
    for part, words in SAID.items():
        if part not in known:
            continue
        day, all_of_it = known[part]
        least, most = all_of_it["share_at_least"], all_of_it["share_at_most"]
        bound = f"at least {least:.0%}" if part.startswith("gain") else f"at most {most:.1%}"
        rows.append(f"| {words} | {all_of_it['accepted']} | {all_of_it['n']} | {bound} | {day} |")
    return "\n".join(rows)


def written(page: str, table: str) -> str:
    """The page with this table between the two comments. Raises ValueError where they are not there."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{after}"
