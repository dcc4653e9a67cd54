"""Builds what native attacks need, starts runners as an ordinary user, and gathers what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FIRST_FREE_USER = 61_000
RUNNERS = 2
SECONDS_MAX = 600


def build_libraries(folder: Path, fixed: Path) -> tuple[dict[str, str], dict[str, str]]:
    """The hostile libraries by name, and why others could not be built."""
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


def start(
    folder: Path, spec: dict[str, Any], uid: int, python: tuple[list[str], dict[str, str]]
) -> subprocess.Popen[str]:
    """One runner with a home and a temporary folder of its own."""
    command, variables = python
    home = folder / f"home-{uid}"
    for path in (home, home / "tmp"):
        path.mkdir(exist_ok=True)
        os.chown(path, uid, uid) if uid != os.geteuid() else None
    environment = {
        **variables,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "LC_ALL": "C.UTF-8",
        "O_ATTACK_FIXED": spec["fixed"],
        "O_ATTACK_LIBRARY": spec["libraries"].get("load", ""),
    }
    errors = open(folder / f"errors-{uid}", "w+")  # noqa: SIM115 - the runner writes there
    return subprocess.Popen(
        [*command, "-m", "attacks.runner", json.dumps(spec)],
        env=environment,
        cwd=home,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        start_new_session=True,
        **as_user(uid),
    )


def gather(processes: Iterable[tuple[subprocess.Popen[str], Path]]) -> list[dict[str, Any]]:
    """All reports. Raises AssertionError with its complaints where a runner did not come to its end."""
    reports: list[dict[str, Any]] = []
    for process, errors in processes:
        try:
            out, _ = process.communicate(timeout=SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
        reports += [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        assert process.returncode == 0, f"a runner ended with {process.returncode}: {errors.read_text()[-3000:]}"
    return reports


def table(reports: list[dict[str, Any]], settings: Iterable[str]) -> str:
    """Classes by settings: attacks that were made, and of those that succeeded."""
    rows = [f"{'class':12}" + "".join(f"{setting:>22}" for setting in settings)]
    kinds = list(dict.fromkeys(report["class"] for report in reports))
    for kind in [*kinds, "all"]:
        cells = []
        for setting in settings:
            made = [r for r in reports if r["setting"] == setting and kind in (r["class"], "all") and "breached" in r]
            cells.append(f"{sum(r['breached'] for r in made):>14} of {len(made):<4}")
        rows.append(f"{kind:12}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(rows)


def shares(names: list[str], count: int) -> list[list[str]]:
    """The cases in ``count`` parts, dealt like cards."""
    return [names[k::count] for k in range(count)]


def counts(cases: Iterable[Any]) -> Counter[str]:
    """How many cases each class has."""
    return Counter(case.kind for case in cases)
