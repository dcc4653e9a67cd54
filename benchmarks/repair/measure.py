"""Repair without a model, measured: ``python -m benchmarks.repair.measure OUT.json [NAME ...]``.

Each wrong program is given half of its cases as tests; the run holds out half of those from its proposer. The other
half of the cases is asked of what was accepted, and of nothing else: *fixed* is what answers all of them, *over-fitted*
what was accepted and does not. The budget is 60 s a program, the seed 0.
"""

from __future__ import annotations

import datetime
import importlib.util
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

from project_o import Sandbox, evolve
from project_o.errors import EvolutionError

from .. import machine
from .bug import Bug, Case
from .classics import BUGS
from .injected import injected

CASES = 40
BUDGET_SECONDS = 60.0
HEADER = "import heapq\nfrom collections import deque\n\n\n"


def loaded(path: Path) -> ModuleType:
    """The file as a module of its own name."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None, "a file has a spec"
    assert spec.loader is not None, "and a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def measured(bug: Bug, folder: Path, seed: int = 0) -> dict[str, Any]:
    """One program. The files of the set are not touched."""
    cases = bug.cases(CASES, seed)
    given, held = cases[::2], cases[1::2]
    path = folder / f"wrong_{bug.name}_{abs(hash(bug.source)) % 10**9}.py"
    path.write_text(HEADER + bug.source, "utf-8")
    module = loaded(path)
    began = time.monotonic()
    row: dict[str, Any] = {"program": bug.name, "bug": bug.kind}
    try:
        run = evolve(getattr(module, bug.name), tests=given, proposer="repair", budget=BUDGET_SECONDS, seed=seed)
    except EvolutionError as error:
        return {**row, "outcome": "not shown", "reason": str(error)}
    row |= {"seconds": round(time.monotonic() - began, 1), "judged": len(run.trials) - 1, "note": run.progress.note}
    if not run.verdict.accepted:
        return {**row, "outcome": "not fixed", "reason": run.verdict.reasons[-1]}
    winner = next(item.proposal for item in run.trials if item.proposal.program == run.best)
    wrong = wrong_answers(bug.name, run.best.source, held)
    outcome = "over-fitted" if wrong else "fixed"
    return {**row, "outcome": outcome, "wrong": wrong, "template": winner.operator, "why": winner.hypothesis}


def wrong_answers(name: str, source: str, cases: list[Case]) -> int:
    """How many of the cases a text gets wrong."""
    found = 0
    with Sandbox(wall_seconds=5) as box:
        for args, expected in cases:
            with box.python(HEADER + source) as job:
                answer = job.ask(name, list(args))
                found += not (answer.ok and answer.value == expected)
    return found


def measure(bugs: list[Bug], seed: int = 0) -> dict[str, Any]:
    """All of them, and the counts."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="project-o-repair-") as folder:
        for bug in bugs:
            rows.append(measured(bug, Path(folder), seed))
            print(json.dumps(rows[-1]), flush=True)
    counts = Counter(row["outcome"] for row in rows)
    accepted = counts["fixed"] + counts["over-fitted"]
    seconds = sorted(row["seconds"] for row in rows if "seconds" in row)
    return {
        "programs": len(rows),
        "counts": dict(counts),
        "over-fitted share of accepted": round(counts["over-fitted"] / accepted, 3) if accepted else None,
        "seconds": {"median": seconds[len(seconds) // 2], "most": seconds[-1]} if seconds else {},
        "rows": rows,
    }


def main(out: str, *names: str) -> None:
    own = [bug for bug in BUGS if not names or bug.name in names]
    body = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine.facts(),
        "budget seconds": BUDGET_SECONDS,
        "workers": 2,
        "cases": f"{CASES} a program, half of them given, half of those hidden by the run",
        "own bugs": measure(own),
    }
    if not names:
        body["injected bugs"] = measure(injected())
    Path(out).write_text(json.dumps(body, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
