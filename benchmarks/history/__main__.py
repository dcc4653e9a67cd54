"""``python -m benchmarks.history``: disk and kernels beside each other; ``--soak``: and every promise at full count.

``make soak`` is the second. The record says for each step what was found, and whether all of it was as promised.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import machine
from . import decisions, disk, kills, resumed, together

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"
SOAK = ("untouched", "canaries", "resume")
KILLS = {"kernel": 100, "recorder": 20, "both": 20, "release": 50}
"""How many kills of each kind were promised."""


def main(arguments: list[str] | None = None) -> int:
    """Run; 1 if something was lost or damaged, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.history", description="The history's promises.")
    parser.add_argument(
        "--soak",
        action="store_true",
        help="kill kernels, recorders and releases, and let canaries decide, at full count",
    )
    parser.add_argument("--only", action="append", choices=[*KILLS, *SOAK, "disk", "together"], help="only these")
    parser.add_argument("--out", type=Path, help="where the record goes; benchmarks/results/ otherwise")
    line = parser.parse_args(arguments)
    wanted = set(line.only or ["disk", "together", *((*SOAK, *KILLS) if line.soak else ())])
    facts, before = machine.facts(), machine.load()
    body: dict[str, Any] = {"format": 1, "date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": facts}
    body |= {"load_before": before, "results": {}}
    failed = False
    for name, step in _steps().items():
        if name in wanted:
            began = time.monotonic()
            try:
                found: Any = step()
            except Exception as damage:  # noqa: BLE001 - one broken step must not lose the others; it fails the command
                found, failed = {"damaged": f"{type(damage).__name__}: {damage}"}, True
            failed = failed or bool(isinstance(found, dict) and (found.get("lost") or found.get("broken")))
            seconds = round(time.monotonic() - began, 1)
            body["results"][name] = {"seconds": seconds, "found": found}
            print(f"{name:10}{seconds:8.1f} s  {json.dumps(found)}", flush=True)
    body |= {"load_after": machine.load(), "all_as_promised": not failed}
    kind = "soak" if line.soak else f"history-disk-{machine.slug(facts['cpu'])}"
    place = line.out or RESULTS / f"{body['date'][:10]}-{kind}.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    print(f"written to {place}")
    return 1 if failed else 0


def _steps() -> dict[str, Callable[[], Any]]:
    steps: dict[str, Callable[[], Any]] = {"disk": _disk, "together": _together}
    steps |= {"untouched": _untouched, "canaries": decisions.soak, "resume": resumed.soak}
    for kind, count in KILLS.items():
        steps[kind] = lambda kind=kind, count=count: _kill(kind, count)
    return steps


def _disk() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="o-disk-") as one, tempfile.TemporaryDirectory(prefix="o-disk-") as two:
        text, beside = disk.text_states(Path(one)), disk.beside_figures(Path(two))
    return {"text": text, "beside figures": beside, "broken": disk.broken(text) + disk.broken(beside)}


def _together() -> list[dict[str, Any]]:
    found = []
    for kernels, notebooks, gc in ((2, 1, False), (4, 4, False), (2, 1, True), (4, 4, True)):
        with tempfile.TemporaryDirectory(prefix="o-together-", ignore_cleanup_errors=True) as folder:
            found.append(together.together(Path(folder), kernels, notebooks=notebooks, states=200, gc=gc))
    return found


def _untouched() -> dict[str, Any]:
    """The user's repository in every situation, after 100 cells: the test that has them, as it stands."""
    test = ROOT / "tests" / "history" / "test_history_untouched.py"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    told = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else done.stderr[-300:]
    passed = re.search(r"(\d+) passed", told)
    return {"situations": int(passed[1]) if passed else 0, "broken": [] if done.returncode == 0 else [told]}


def _kill(kind: str, count: int) -> dict[str, Any]:
    from project_o.history import open_history

    chance = random.Random(f"soak {kind}")
    with tempfile.TemporaryDirectory(prefix="o-soak-", ignore_cleanup_errors=True) as folder:
        lost = [getattr(kills, f"kill_{kind}")(Path(folder), chance) for _ in range(count)]
        states = kills.check_store(open_history(folder, "n.ipynb").store)
    return {"kills": count, "lost": sum(lost), "states": states}


if __name__ == "__main__":
    sys.exit(main())
