"""``python -m attacks [NAME ...] [--in SETTING ...]`` in ``tests/sandbox``: attacks in a control and in the sandbox.

NAME is a part of the names of cases, or a class. As the superuser it runs them as users made for it; ``--as-root``
keeps it from that. ``--list`` only says which there are.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

from . import every  # noqa: F401 - registers the cases
from .case import CASES, CLASSES
from .settings import SETTINGS
from .suite import Suite, counted, counts, failed_controls, notable, table


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m attacks", description=__doc__)
    asked.add_argument("names", nargs="*")
    asked.add_argument("--in", dest="settings", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    asked.add_argument("--as-root", action="store_true")
    asked.add_argument("--no-namespaces", action="store_true", help="have the kernel refuse unshare and its like")
    asked.add_argument("--all", action="store_true", help="say of every run how it ended")
    asked.add_argument("--report", type=Path, help="write the counts, and which controls failed and why, as JSON")
    asked.add_argument("--list", action="store_true")
    options = asked.parse_args()
    chosen = [
        case
        for case in CASES.values()
        if not options.names or any(part in (case.kind if part in CLASSES else case.name) for part in options.names)
    ]
    if options.list:
        print("\n".join(f"{case.kind:10} {case.name}" for case in chosen), counts(chosen), sep="\n")
        return
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        suite = Suite(Path(folder))
        for name, why in suite.lacking.items():
            print(f"{name} could not be built: {why}")
        pairs = [(case, setting) for case in chosen for setting in options.settings]
        reports = suite.run(pairs, as_root=options.as_root, no_namespaces=options.no_namespaces)
    for report in reports:
        if options.all or notable(report):
            print({key: value for key, value in report.items() if value not in ("", [], False)})
    print(table(reports, options.settings))
    if failed := failed_controls(reports):
        print(f"controls in which the attack did not succeed, {len(failed)}:", *failed, sep="\n  ")
    if options.report:
        body = {"counts": {one: counted(reports, one) for one in options.settings}, "failed controls": failed}
        options.report.write_text(json.dumps(body, indent=1) + "\n", "utf-8")
    slow = sorted(reports, key=lambda report: -report["took"])[:8]
    print("slowest:", ", ".join(f"{r['case']} in {r['setting']} {r['took']:.1f} s" for r in slow))
    print(f"{time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
