"""``python -m benchmarks``: measure, print the table, keep the record."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from . import definitions, engines, harness, machine, report

RESULTS = Path(__file__).with_name("results")


def main(arguments: list[str] | None = None) -> int:
    """Run; 1 if an engine failed or answered wrongly, 2 for a line that cannot be meant, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="What Project O costs, against its peers."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which benchmarks; all without a name")
    parser.add_argument("--rounds", type=int, help="rounds of each, instead of what the table says")
    parser.add_argument("--out", type=Path, help="where the record goes; benchmarks/results/DATE-CPU.json otherwise")
    parser.add_argument(
        "--join", type=Path, nargs="+", metavar="RECORD", help="measure nothing: make one record of these, for --out"
    )
    parser.add_argument("--list", action="store_true", help="name the benchmarks and what each one answers")
    line = parser.parse_args(arguments)
    if line.join:
        return _join(line.join, line.out, parser)
    try:
        wanted = definitions.chosen(definitions.read(), line.names)
    except definitions.DefinitionError as error:
        parser.error(str(error))
    if line.rounds is not None and line.rounds < 1:
        parser.error("--rounds wants a whole number above 0")
    if line.list:
        print("\n".join(f"{one.name:18}{one.question}" for one in wanted))
        return 0
    body = _run(wanted, line.rounds)
    place = line.out or RESULTS / f"{body['date'][:10]}-{machine.slug(body['machine']['cpu'])}.json"
    _write(body, place)
    print(f"{report.table(body)}\n\n{body['machine']['cpu']}, {body['machine']['cores']} cores; written to {place}")
    failed = [engine for one in body["benchmarks"] for engine in one["engines"] if engine["status"] == "failed"]
    return 1 if failed else 0


def _join(records: list[Path], out: Path | None, parser: argparse.ArgumentParser) -> int:
    try:
        body = report.joined([json.loads(path.read_bytes()) for path in records])
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if out is None:
        parser.error("--join wants --out")
    _write(body, out)
    print(report.table(body))
    return 0


def _write(body: dict[str, Any], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(body, indent=1, ensure_ascii=False, allow_nan=False) + "\n", "utf-8")


def _run(wanted: tuple[definitions.Definition, ...], rounds: int | None) -> dict[str, Any]:
    # Taken first: what is committed while this runs was not what was measured when it began.
    facts, before = machine.facts(), machine.load()
    # A cache and an IPython folder of our own: what the user has built is neither used nor pushed out, no start-up
    # file of theirs is measured, and our cells do not appear in their input history.
    with tempfile.TemporaryDirectory(prefix="o-benchmarks-", ignore_cleanup_errors=True) as folder:
        os.environ |= {
            "PROJECT_O_CACHE": f"{folder}/cache",
            "IPYTHONDIR": f"{folder}/ipython",
            "PYTHONPYCACHEPREFIX": f"{folder}/bytecode",
        }
        # An installed package is compiled; a checkout must not be compiled anew at every start that is measured.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        benchmarks = [report.summary(one, harness.measure(one, engines.ENGINES, rounds, _say)) for one in wanted]
    _say("")
    return report.record(benchmarks, facts, before, machine.load())


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text and "round" not in text:
        print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
