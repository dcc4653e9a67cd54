"""A naive Zig kernel and a naive Rust kernel, evolved with no model: batch cosine top-k, 64 queries.

    python -m benchmarks.top_k [zig|rust ...]

The texts of ``benchmarks/tasks/top_k`` declare nothing and know no vectors; both are built with ``--mode fast``.
A run edits their syntax trees (sums in lanes, float mode, how many lanes), and accepts by the usual verdict. What was
accepted is then timed in turn with the first version and with numpy (one product of matrices, ``argpartition``), and
finds the same neighbours: of whole-number vectors, as quantised embeddings are, dot products are exact in any order.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from project_o import evolve, rust, zig
from project_o.observe import paired_ratio

from . import machine

ROOT = Path(__file__).resolve().parent.parent
TASKS = ROOT / "benchmarks" / "tasks" / "top_k"
LANGUAGES = {"zig": (zig, "naive.zig"), "rust": (rust, "naive.rs")}
QUERIES, ROWS, DIMENSIONS, BEST = 64, 4096, 64, 10
OVER_FIRST, OVER_NUMPY = 3.0, 1.3


def data(rows: int = ROWS) -> tuple[Any, ...]:
    """Rows, 1 / their norms, queries, and room for what is found."""
    rng = np.random.default_rng(0)
    table = rng.integers(-8, 9, (rows, DIMENSIONS)).astype(np.float32)
    queries = rng.integers(-8, 9, (QUERIES, DIMENSIONS)).astype(np.float32)
    scale = (1 / np.linalg.norm(table, axis=1)).astype(np.float32)
    return table, scale, queries, np.zeros((QUERIES, BEST), np.uint32)


def by_numpy(rows: Any, scale: Any, queries: Any, found: Any) -> None:
    """The same search: one matrix product, then the best of each row of it, best first."""
    scores = (queries @ rows.T) * scale
    best = np.argpartition(-scores, BEST - 1, axis=1)[:, :BEST]
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    found[:] = np.take_along_axis(best, order, axis=1)


def differ(given: tuple[Any, ...], one: Any, other: Any) -> int:
    """In how many places two findings differ by more than a tie or a rounding: their scores are not the same."""
    rows, scale, queries, _ = given
    scores = (queries.astype(float) @ rows.T.astype(float)) * scale
    left, right = (np.take_along_axis(scores, found.astype(int), axis=1) for found in (one, other))
    return int((np.abs(left - right) > 1e-5 * np.abs(right)).sum())


def run(language: str, trials: int = 10, rounds: int = 30, rows: int = ROWS) -> dict[str, Any]:
    """Evolve one of them, and time it beside the first version and numpy."""
    make, file = LANGUAGES[language]
    source, given = (TASKS / file).read_text(), data(rows)
    kernel = make(source, f"top_k_{language}", mode="fast")
    first = make(source, f"first_{language}", mode="fast")
    found = evolve(kernel, trials=trials, seed=1, inputs=given)
    if found.verdict.accepted:
        found.accept()
    ways = {"first": first.nearest, "evolved": kernel.nearest, "numpy": by_numpy}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    answers = {}
    pick = np.random.default_rng(1)
    for _ in range(rounds):
        for name in pick.permutation(list(ways)):
            began = time.perf_counter()
            ways[name](*given)
            seconds[name].append(time.perf_counter() - began)
            answers[name] = given[-1].copy()
    over = {name: paired_ratio(seconds[name], seconds["evolved"]) for name in ("first", "numpy")}
    return {
        "language": language,
        "accepted": found.verdict.accepted,
        "headline": found.headline,
        "milliseconds": {name: round(1000 * float(np.median(values)), 3) for name, values in seconds.items()},
        "over_first": [over["first"].estimate, over["first"].low, over["first"].high],
        "over_numpy": [over["numpy"].estimate, over["numpy"].low, over["numpy"].high],
        "other_neighbours": {name: differ(given, answers["evolved"], answers[name]) for name in ("first", "numpy")},
        "reasons": list(found.verdict.reasons),
        "tried": [[item.proposal.operator, item.proposal.hypothesis, item.status] for item in found.trials],
        "change": [line for line in found.diff().splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")],
    }


def reached(item: dict[str, Any]) -> bool:
    """Whether the lower bounds are above what is wanted, and the neighbours the same."""
    low = item["over_first"][1] >= OVER_FIRST and item["over_numpy"][1] >= OVER_NUMPY
    return bool(item["accepted"] and low and not any(item["other_neighbours"].values()))


def main(languages: list[str]) -> int:
    """Run, print and record; 1 if one of them did not reach its target."""
    before = machine.load()
    now = datetime.now(UTC).replace(microsecond=0)
    out = ROOT / "benchmarks" / "results" / f"{now.date()}-top-k.json"
    runs = {item["language"]: item for item in (json.loads(out.read_text())["runs"] if out.exists() else [])}
    for language in languages:
        runs[language] = run(language)
        shown = ("language", "headline", "milliseconds", "over_first", "over_numpy", "other_neighbours")
        print(json.dumps({name: runs[language][name] for name in shown}), flush=True)
    record = {"format": 1, "date": now.isoformat(), "machine": machine.facts(), "runs": list(runs.values()),
              "reached": sum(map(reached, runs.values())),
              "load_average": {"before": before, "after": machine.load()}}  # fmt: skip
    out.write_text(json.dumps(record, indent=1) + "\n")
    print(out)
    return 0 if all(map(reached, runs.values())) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(LANGUAGES)))
