"""``python -m benchmarks.history``: disk and kernels beside each other; ``--soak``: and every kill at full count."""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import machine
from . import disk, kills, together

RESULTS = Path(__file__).parents[1] / "results"
KILLS = {"kernel": 100, "recorder": 20, "both": 20, "release": 50}
"""How many kills of each kind were promised."""


def main(arguments: list[str] | None = None) -> int:
    """Run; 1 if something was lost or damaged, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description="The history's promises.")
    parser.add_argument("--soak", action="store_true", help="kill kernels, recorders and releases, at full count")
    parser.add_argument("--only", action="append", choices=[*KILLS, "disk", "together"], help="only these")
    parser.add_argument("--out", type=Path, help="where the record goes; benchmarks/results/ otherwise")
    line = parser.parse_args(arguments)
    wanted = set(line.only or ["disk", "together", *(KILLS if line.soak else ())])
    facts, before = machine.facts(), machine.load()
    body: dict[str, Any] = {"format": 1, "date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": facts}
    body |= {"load_before": before, "results": {}}
    failed = False
    for name, step in _steps().items():
        if name in wanted:
            began = time.monotonic()
            try:
                found: Any = step()
            except kills.DamagedError as damage:
                found, failed = {"damaged": str(damage)}, True
            failed = failed or bool(isinstance(found, dict) and found.get("lost"))
            body["results"][name] = found
            print(f"{name:10}{time.monotonic() - began:8.1f} s  {json.dumps(found)}", flush=True)
    body["load_after"] = machine.load()
    kind = "soak" if line.soak else "disk"
    place = line.out or RESULTS / f"{body['date'][:10]}-history-{kind}-{machine.slug(facts['cpu'])}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    print(f"written to {place}")
    return 1 if failed else 0


def _steps() -> dict[str, Callable[[], Any]]:
    steps: dict[str, Callable[[], Any]] = {"disk": _disk, "together": _together}
    for kind, count in KILLS.items():
        steps[kind] = lambda kind=kind, count=count: _kill(kind, count)
    return steps


def _disk() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="o-disk-") as one, tempfile.TemporaryDirectory(prefix="o-disk-") as two:
        return {"text": disk.text_states(Path(one)), "beside figures": disk.beside_figures(Path(two))}


def _together() -> list[dict[str, Any]]:
    found = []
    for kernels, notebooks, gc in ((2, 1, False), (4, 4, False), (2, 1, True), (4, 4, True)):
        with tempfile.TemporaryDirectory(prefix="o-together-") as folder:
            found.append(together.together(Path(folder), kernels, notebooks=notebooks, states=200, gc=gc))
    return found


def _kill(kind: str, count: int) -> dict[str, Any]:
    from project_o.history import open_history

    chance = random.Random(f"soak {kind}")
    with tempfile.TemporaryDirectory(prefix="o-soak-", ignore_cleanup_errors=True) as folder:
        lost = [getattr(kills, f"kill_{kind}")(Path(folder), chance) for _ in range(count)]
        states = kills.check_store(open_history(folder, "n.ipynb").store)
    return {"kills": count, "lost": sum(lost), "states": states}


if __name__ == "__main__":
    sys.exit(main())
