"""``python -m attacks [NAME ...]`` in ``tests/sandbox``: run cases as the user one is, in a control and the sandbox."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from . import every  # noqa: F401 - registers the cases
from .case import CASES
from .settings import SETTINGS
from .suite import as_user, build_libraries, free_users, gather, readable_python, start, table  # noqa: F401


def main(names: list[str]) -> None:
    root = os.geteuid() == 0
    uid = free_users(1)[0] if root else os.geteuid()
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base)
        os.chmod(folder, 0o755)
        (folder / "fixed").mkdir(mode=0o777)
        os.chmod(folder / "fixed", 0o1777)
        libraries, failed = build_libraries(folder, folder / "fixed")
        print("could not be built:", failed) if failed else None
        chosen = [name for name in CASES if not names or any(part in name for part in names)]
        spec = {
            "cases": chosen,
            "settings": SETTINGS,
            "libraries": libraries,
            "dedicated": root,
            "fixed": str(folder / "fixed"),
        }
        process = start(folder, spec, uid, readable_python(folder, uid))
        reports = gather([(process, folder / f"errors-{uid}")])
    for report in reports:
        live = report["setting"] == "control"
        if ("breached" in report and (report["breached"] != live or report["left"] or report.get("vacuous"))) or {
            "lacks",
            "broken",
        } & report.keys():
            print({key: value for key, value in report.items() if value not in ("", [], False)})
    print(table(reports, SETTINGS))
    slow = sorted(reports, key=lambda report: -report["took"])[:12]
    print(sum(report["took"] for report in reports), [(r["case"], r["setting"], r["took"]) for r in slow])


if __name__ == "__main__":
    main(sys.argv[1:])
