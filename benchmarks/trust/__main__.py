"""``python -m benchmarks.trust``: go on with a part or a group, say how far each one is, write the record, or the
figures of all records into the documentation."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import machine
from . import figures
from .parts import GROUPS, Part, load, parts
from .summary import share_at_most, summary, table

ROOT = Path(__file__).resolve().parents[2]
LOG = Path(tempfile.gettempdir()) / "project-o-trust.jsonl"


def main(arguments: list[str] | None = None) -> int:
    """2 for a line that cannot be meant, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trust", description="How often a verdict is wrong.")
    parser.add_argument("verb", choices=("run", "status", "record", "figures"))
    parser.add_argument("part", nargs="?", choices=(*parts(), *GROUPS), help="which part to go on with, or group")
    parser.add_argument("--seconds", type=float, default=240.0, help="for how long; what is under way is finished")
    parser.add_argument("--count", type=int, help="so many comparisons in all, instead of the part's own number")
    parser.add_argument("--log", type=Path, default=LOG, help=f"where the comparisons are kept; {LOG} otherwise")
    parser.add_argument("--out", type=Path, help="where the record goes; a run writes one only if told")
    line = parser.parse_args(arguments)
    if line.verb == "run":
        if line.part is None:
            parser.error("run wants a part: " + ", ".join((*parts(), *GROUPS)))
        until = time.monotonic() + line.seconds
        for name in GROUPS.get(line.part, (line.part,)):
            _run(parts()[name], line.log, until, line.count)
        _status(line.log)
        if line.out is not None:
            _record(line.log, line.out)
    elif line.verb == "status":
        _status(line.log)
    elif line.verb == "figures":
        table = figures.figures(ROOT / "benchmarks" / "results")
        figures.PAGE.write_text(figures.written(figures.PAGE.read_text("utf-8"), table), "utf-8")
        print(table)
    else:
        _record(line.log, line.out)
    return 0


def read(log: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """The lines of a log by part and number."""
    found: dict[str, dict[int, dict[str, Any]]] = {name: {} for name in parts()}
    for text in log.read_text("utf-8").splitlines() if log.exists() else ():
        line = json.loads(text)
        found[line["part"]][line["number"]] = line
    return found


def _run(part: Part, log: Path, until: float, count: int | None) -> None:
    known = read(log)[part.name]
    missing = [number for number in range(part.count) if number not in known][: _wanted(part, known, count)]
    with load(busy=part.loaded), log.open("a", encoding="utf-8") as file:
        for subject in dict.fromkeys(part.subject(number) for number in missing):
            with part.make(subject) as make:
                for number in (one for one in missing if part.subject(one) == subject):
                    if time.monotonic() > until:
                        return
                    began = time.monotonic()
                    line = {"part": part.name, "number": number, "subject": subject, **make(number)}
                    line |= {"seconds": round(time.monotonic() - began, 2), "load": machine.load()}
                    file.write(json.dumps(line) + "\n")
                    file.flush()
                    said = "accepted" if line["accepted"] else "rejected"
                    print(f"{part.name} {number} {subject}: {said}, {line['seconds']} s", flush=True)


def _wanted(part: Part, known: dict[int, Any], count: int | None) -> int:
    return max(0, min(part.count, count if count is not None else part.count) - len(known))


def _status(log: Path) -> None:
    for name, lines in read(log).items():
        accepted = sum(line["accepted"] for line in lines.values())
        bound = f", a true share of at most {share_at_most(accepted, len(lines)):.1%}" if lines else ""
        print(f"{name:18}{len(lines):4} of {parts()[name].count:4}, {accepted} accepted{bound}")


def _record(log: Path, out: Path | None) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    body = {"format": 1, "date": now.isoformat(), "machine": machine.facts(), **summary(read(log))}
    place = out or ROOT / "benchmarks" / "results" / f"{now.date()}-trust.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    print(f"{table(body)}\n\nwritten to {place}")


if __name__ == "__main__":
    sys.exit(main())
