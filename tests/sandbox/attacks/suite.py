"""Builds what native attacks need, starts runners as ordinary users made for it, and gathers what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .case import Case
from .settings import SETTINGS

HERE = Path(__file__).resolve().parent
FIRST_FREE_USER = 61_000
RUNNERS = 2


def build_libraries(folder: Path, fixed: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The hostile libraries by name, and why others could not be built. ``fixed`` is where some write and read."""
    import ziglang

    zig = str(Path(ziglang.__file__).parent / "zig")
    caches = ["--cache-dir", str(folder / "cache"), "--global-cache-dir", str(folder / "cache")]
    base = [zig, "build-lib", "-dynamic", "-OReleaseSmall", "-fstrip", "-fno-compiler-rt", "-fallow-shlib-undefined"]
    paths = [f'-DMARK="{fixed / "mark"}"', f'-DCANARY="{fixed / "canary"}"']
    commands = {"zig": [*base, *caches, f"-femit-bin={folder / 'zig.so'}", str(HERE / "hostile.zig")]}
    for name, way in (("load", 1), ("ifunc", 2), ("load_reads", 3)):
        source = ["-cflags", f"-DWAY={way}", *paths, "--", str(HERE / "hostile_load.c")]
        commands[name] = [*base, *caches, f"-femit-bin={folder / name}.so", *source]
    if rustc := shutil.which("rustc"):
        commands["rust"] = [rustc, "--edition=2021", "--crate-type=cdylib", "-O", "-o", f"{folder / 'rust.so'}"]
        commands["rust"] += [str(HERE / "hostile.rs")]
    running = {
        name: subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for name, command in commands.items()
    }
    found, failed = {}, {} if rustc else {"rust": "there is no rustc"}
    for name, process in running.items():
        _, complaints = process.communicate(timeout=120)
        if process.returncode == 0:
            os.chmod(folder / f"{name}.so", 0o755)
            found[name] = str(folder / f"{name}.so")
        else:
            failed[name] = complaints[-500:]
    shutil.rmtree(folder / "cache", ignore_errors=True)
    return found, failed


def free_users(count: int) -> list[int]:
    """Numbers that no account and no process has."""
    import pwd

    taken = {entry.pw_uid for entry in pwd.getpwall()}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            taken.add(entry.stat().st_uid)
    numbers = (uid for uid in range(FIRST_FREE_USER, 65_000) if uid not in taken)
    return [next(numbers) for _ in range(count)]


def readable_python(folder: Path, uid: int) -> tuple[list[str], dict[str, str]]:
    """An interpreter of this version that the user ``uid`` can run, with all that this one imports: (command, variables).

    Where the user cannot reach this one's files they are copied.
    """
    package = HERE.parents[2] / "kernel" / "project_o"
    code = folder / "code"
    ignored = shutil.ignore_patterns("__pycache__", "labextension")
    shutil.copytree(package, code / "project_o", ignore=ignored)
    shutil.copytree(HERE, code / "attacks", ignore=ignored)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    variables = {"PYTHONPATH": os.pathsep.join([str(code), *libraries]), "PYTHONDONTWRITEBYTECODE": "1"}
    check = ["-c", "import numpy, hy"]
    command = [str(Path(sys.executable).resolve()), "-s"]
    if not _works([*command, *check], variables, uid):
        home = folder / "python"
        copied = shutil.ignore_patterns(
            "site-packages", "test", "__pycache__", "*.a", "idlelib", "tkinter", "ensurepip"
        )
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        base = Path(sys.base_prefix)
        shutil.copytree(base / "lib" / version, home / "lib" / version, ignore=copied, symlinks=True)
        for shared in (base / "lib").glob("libpython*.so*"):
            shutil.copy2(shared, home / "lib", follow_symlinks=False)
        (home / "bin").mkdir()
        shutil.copy2(Path(sys.executable).resolve(), home / "bin" / version)
        command = [str(home / "bin" / version), "-s"]
        variables["LD_LIBRARY_PATH"] = str(home / "lib")
        variables["PYTHONHOME"] = str(home)
    return command, variables


def _works(command: list[str], variables: dict[str, str], uid: int) -> bool:
    try:
        return (
            subprocess.run(command, env=variables, cwd="/", capture_output=True, check=False, **as_user(uid)).returncode
            == 0
        )
    except OSError:
        return False


def as_user(uid: int) -> dict[str, Any]:
    """For subprocess: become that user, with no group of ours; nothing where we are that user."""
    return {} if uid == os.geteuid() else {"user": uid, "group": uid, "extra_groups": []}


class Suite:
    """Everything that runs of attacks need, made once in ``folder``; ``lacking`` says what could not be built."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.fixed = folder, folder / "fixed"
        self.made_users = free_users(RUNNERS) if os.geteuid() == 0 else []
        folder.chmod(0o755)
        self.fixed.mkdir()
        self.fixed.chmod(0o1777)
        self.libraries, self.lacking = build_libraries(folder, self.fixed)
        self.python = readable_python(folder, self.made_users[0] if self.made_users else os.geteuid())

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
        queues = [[together, others], *[[others]] * (RUNNERS - 1)]
        used = {setting for names in wanted.values() for setting in names}
        users = self.made_users if self.made_users and not as_root else [os.geteuid()] * RUNNERS
        runners = [Runner(self, number, uid, used, no_namespaces=no_namespaces) for number, uid in enumerate(users)]
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


def table(reports: list[dict[str, Any]], settings: Iterable[str]) -> str:
    """Classes by settings: attacks that were made, and of those that succeeded."""
    rows = [f"{'class':12}" + "".join(f"{setting:>22}" for setting in settings)]
    kinds = sorted({report["class"] for report in reports})
    for kind in [*kinds, "all"]:
        cells = []
        for setting in settings:
            made = [r for r in reports if r["setting"] == setting and kind in (r["class"], "all") and "breached" in r]
            cells.append(f"{sum(r['breached'] for r in made):>14} of {len(made):<4}")
        rows.append(f"{kind:12}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(rows)


def counts(cases: Iterable[Case]) -> Counter[str]:
    """How many cases each class has."""
    return Counter(case.kind for case in cases)
