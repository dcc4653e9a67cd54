"""Starts runners as ordinary users made for it, hands out the cases, and gathers what is reported."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .case import Case
from .settings import SETTINGS
from .tools import as_user, build_libraries, free_users, reachable_compilers, reachable_python

RUNNERS = 2


class Suite:
    """Everything that runs of attacks need, made once in ``folder``; ``lacking`` says what could not be built."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.fixed = folder, folder / "fixed"
        self.made_users = free_users(RUNNERS) if os.geteuid() == 0 else []
        folder.chmod(0o755)
        self.fixed.mkdir()
        self.fixed.chmod(0o1777)
        uid = self.made_users[0] if self.made_users else os.geteuid()
        self.python = reachable_python(folder, uid)
        self.compilers = reachable_compilers(folder, uid)
        self.libraries, self.lacking = build_libraries(folder, self.fixed)

    def run(
        self, pairs: Iterable[tuple[Case, str]], *, as_root: bool = False, no_namespaces: bool = False
    ) -> list[dict[str, Any]]:
        """The reports of all (case, setting), in no order, with none of the kernel's namespaces to be had if so asked.

        Raises AssertionError where a runner breaks down.
        """
        wanted: dict[str, list[str]] = {}
        cases = {}
        for case, setting in pairs:
            cases[case.name] = case
            wanted.setdefault(case.name, []).append(setting)
        # Those that look at the whole machine, or meet at one place, must not see each other.
        together = deque(name for name in wanted if cases[name].in_the_way)
        others = deque(name for name in wanted if not cases[name].in_the_way)
        used = {setting for names in wanted.values() for setting in names}
        # Two runners of one user would take each other's shared memory for what an attack has left.
        users = self.made_users if self.made_users and not as_root else [os.geteuid()]
        runners = [Runner(self, number, uid, used, no_namespaces=no_namespaces) for number, uid in enumerate(users)]
        queues = [[together, others], *[[others]] * (len(runners) - 1)]
        threads = [
            threading.Thread(target=runner.work, args=(queue, wanted))
            for runner, queue in zip(runners, queues, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for runner in runners:
            runner.close()
        return [report for runner in runners for report in runner.reports]

    def honest(self) -> list[str]:
        """What honest code gets wrong as one of the users made for this."""
        command, variables = self.python
        uid = self.made_users[0] if self.made_users else os.geteuid()
        home = self.folder / "home-honest"
        home.mkdir()
        os.chown(home, uid, uid) if self.made_users else None
        environment = {**variables, "PATH": "/usr/bin:/bin", "HOME": str(home), "TMPDIR": str(home)}
        line = [*command, "-m", "honest"]
        done = subprocess.run(
            line, env=environment, cwd=home, capture_output=True, text=True, check=False, **as_user(uid)
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


class Runner:
    """One process of ``attacks.runner`` with a user, a home and a temporary folder of its own."""

    def __init__(self, suite: Suite, number: int, uid: int, settings: Iterable[str], *, no_namespaces: bool) -> None:
        self.home = suite.folder / f"home-{uid}-{number}"
        self.reports: list[dict[str, Any]] = []
        for path in (self.home, self.home / "tmp"):
            path.mkdir(exist_ok=True)
            os.chown(path, uid, uid) if uid != os.geteuid() else None
        command, variables = suite.python
        spec = {
            "settings": {name: SETTINGS[name] for name in SETTINGS if name in set(settings)},
            "libraries": suite.libraries,
            "compilers": {**suite.compilers, "python": command[0]},
            "dedicated": uid in suite.made_users,
            "no_namespaces": no_namespaces,
        }
        environment = {
            **variables,
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.home),
            "TMPDIR": str(self.home / "tmp"),
            "LC_ALL": "C.UTF-8",
            "O_ATTACK_FIXED": str(suite.fixed),
            "O_ATTACK_LIBRARY": suite.libraries.get("load", ""),
        }
        self.errors = open(self.home / "errors", "w+")  # noqa: SIM115 - closed in close
        self.process = subprocess.Popen(
            [*command, "-m", "attacks.runner", json.dumps(spec)],
            env=environment,
            cwd=self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            start_new_session=True,
            **as_user(uid),
        )

    def work(self, queues: list[deque[str]], wanted: dict[str, list[str]]) -> None:
        """Hand out one case after the other until there are no more, or the runner is gone."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        for queue in queues:
            while queue:
                try:
                    name = queue.popleft()
                except IndexError:
                    break
                try:
                    self.process.stdin.write(json.dumps([name, wanted[name]]) + "\n")
                    self.process.stdin.flush()
                except OSError:
                    return
                for line in self.process.stdout:
                    if line == "done\n":
                        break
                    self.reports.append(json.loads(line))
                else:
                    return

    def close(self) -> None:
        """Have it end. Raises AssertionError with its complaints where it ended before."""
        self.process.communicate()
        self.errors.seek(0)
        complaints = self.errors.read()
        self.errors.close()
        assert self.process.returncode == 0, f"a runner ended with {self.process.returncode}: {complaints[-3000:]}"


def notable(report: dict[str, Any]) -> bool:
    """Whether somebody must look at it: a dead control, a breach, something left behind, an attack not tried."""
    if {"lacks", "broken"} & report.keys():
        return True
    expected = report["setting"] == "control"
    return "breached" in report and bool(report["breached"] != expected or report["left"] or report.get("vacuous"))


def failed_controls(reports: Iterable[dict[str, Any]]) -> list[str]:
    """A line for each attack that does not succeed in its control, with the reason: it shows nothing of the sandbox."""
    return [
        f"{report['case']} ({report['class']}): "
        + str(report.get("lacks") or (report.get("broken") or "").strip().split("\n")[-1] or report.get("why") or "?")
        for report in sorted(reports, key=lambda one: (one["class"], one["case"]))
        if report["setting"] == "control" and not report.get("breached") and "not" not in report
    ]


def counted(reports: Iterable[dict[str, Any]], setting: str, kind: str = "all") -> list[int]:
    """How many attacks succeeded in this setting, and how many were made, of one class or of all."""
    made = [r for r in reports if r["setting"] == setting and kind in (r["class"], "all") and "breached" in r]
    return [sum(r["breached"] for r in made), len(made)]


def table(reports: list[dict[str, Any]], settings: Iterable[str]) -> str:
    """Classes by settings: attacks that were made, and of those that succeeded."""
    rows = [f"{'class':12}" + "".join(f"{setting:>22}" for setting in settings)]
    kinds = sorted({report["class"] for report in reports})
    for kind in [*kinds, "all"]:
        cells = []
        for setting in settings:
            succeeded, made = counted(reports, setting, kind)
            cells.append(f"{succeeded:>14} of {made:<4}")
        rows.append(f"{kind:12}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(rows)


def counts(cases: Iterable[Case]) -> Counter[str]:
    """How many cases each class has."""
    return Counter(case.kind for case in cases)
