"""``python -m benchmarks.alone``: degradations by seed, what was done about each, chance beside it, the record.

A record that is there is gone on with: ``--for`` begins no degradation after so many seconds, so that it can be made in
pieces.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from project_o.agent.improving import Choose, worst
from project_o.agent.watched import Sign

from .. import machine
from .workspace import LAYERS, workspace

ROOT = Path(__file__).resolve().parents[2]
RECOVERED_MIN = 0.8


def at_random(seed: int) -> Choose:
    """The control: whatever it draws, however well that is."""
    rng = random.Random(seed)

    def choose(signs: Sequence[Sign]) -> Sign | None:
        return rng.choice(sorted(signs, key=lambda sign: sign.name)) if signs else None

    return choose


def once(choose: Choose) -> Choose:
    """One deed each: the right one, or not."""
    chosen: list[Sign] = []

    def choose_once(signs: Sequence[Sign]) -> Sign | None:
        if chosen or (found := choose(signs)) is None:
            return None
        chosen.append(found)
        return found

    return choose_once


def degraded(number: int, seed: int, seconds: float, choose: Choose) -> dict[str, Any]:
    """One thing is made worse; which layer was looked into, and how much of what was lost is back."""
    layer, began = LAYERS[number % len(LAYERS)], time.monotonic()
    made = workspace()
    how = made.worsen(layer, seed * 1_000 + number)
    lost = next(sign for sign in made.improver.perceive() if sign.layer == layer)
    deeds = made.improver.improve(seconds, seed=seed, choose=once(choose))
    after = next(sign for sign in made.improver.perceive() if sign.layer == layer)
    return {
        "number": number, "layer": layer, "how": how, "lost": round(lost.loss, 3),
        "looked into": [deed.sign.layer for deed in deeds], "outcomes": [str(deed) for deed in deeds],
        "right layer": bool(deeds) and deeds[0].sign.layer == layer,
        "recovered": round(1.0 - after.loss / lost.loss, 3) if lost.loss else 0.0,
        "seconds": round(time.monotonic() - began, 1),
    }  # fmt: skip


def summary(rows: list[dict[str, Any]]) -> dict[str, int]:
    """How many of how many."""
    right = sum(row["right layer"] for row in rows)
    recovered = sum(row["recovered"] >= RECOVERED_MIN for row in rows)
    return {"degradations": len(rows), "right layer": right, "recovered": recovered}


def main(arguments: list[str] | None = None) -> int:
    """0 where the right layer was found in 8 of 10, what was lost is back in 6 of 10, and chance does worse.

    2 where the record is not whole yet.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alone", description="An agent left alone.")
    parser.add_argument("--count", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0, help="the most for one degradation")
    parser.add_argument("--for", type=float, default=float("inf"), dest="bound", help="begin none after so many")
    parser.add_argument("--out", type=Path, help="where the record goes; benchmarks/results/DATE-alone.json otherwise")
    line = parser.parse_args(arguments)
    began, today = time.monotonic(), datetime.now(UTC).date().isoformat()
    out = line.out or ROOT / "benchmarks" / "results" / f"{today}-alone.json"
    how = {"format": 1, "seed": line.seed, "seconds_each": line.seconds}
    record = json.loads(out.read_text("utf-8")) if out.exists() else {"choosers": {}}
    if {key: record.get(key, value) for key, value in how.items()} != how:
        parser.error(f"{out} is of other settings: remove it, or name another with --out")
    found = {name: record["choosers"].get(name, {}).get("degradations", []) for name in CHOOSERS}
    for number, name in itertools.product(range(line.count), CHOOSERS):
        if len(found[name]) > number or time.monotonic() - began > line.bound:
            continue
        load, choose = machine.load(), CHOOSERS[name](line.seed * 100 + number)
        row = degraded(number, line.seed, line.seconds, choose) | {"load_before": load}
        found[name].append(row)
        print(f"{name}: {row['layer']:7} {row['how']:60.60} recovered {row['recovered']:.0%}", flush=True)
        choosers = {key: {"summary": summary(rows), "degradations": rows} for key, rows in found.items()}
        out.write_text(
            json.dumps({**how, "date": today, "machine": machine.facts(), "choosers": choosers}, indent=1) + "\n"
        )
    ours, chance = (summary(found[name]) for name in CHOOSERS)
    print(ours, "at random:", chance, out)
    if chance["degradations"] < line.count:
        return 2
    enough = ours["right layer"] >= 0.8 * line.count and ours["recovered"] >= 0.6 * line.count
    return 0 if enough and ours["recovered"] > chance["recovered"] else 1


CHOOSERS: dict[str, Callable[[int], Choose]] = {"the worst first": lambda _: worst, "at random": at_random}


if __name__ == "__main__":
    sys.exit(main())
