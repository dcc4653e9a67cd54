"""The machine and the versions that a result belongs to. Nothing here says whose machine it is."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("project-o", "ipykernel", "ipython", "numpy", "pyzmq", "ziglang")


def facts() -> dict[str, Any]:
    """Processor, cores, memory, kernel, Python, compilers, packages, and the commit that was measured."""
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_mib": _memory_mib(),
        "system": platform.system(),
        "kernel": platform.release(),
        "scheduling": _scheduling(),
        "libc": "-".join(platform.libc_ver()),
        "python": platform.python_version(),
        "gcc": _first_line(["gcc", "--version"]),
        "packages": {name: _version(name) for name in PACKAGES},
        "commit": _first_line(["git", "-C", str(ROOT), "rev-parse", "HEAD"]),
        "uncommitted_changes": bool(_first_line(["git", "-C", str(ROOT), "status", "--porcelain", "-uno"])),
    }


def cpu_model() -> str:
    """The processor's name as the system gives it, else its architecture."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^(?:model name|Processor|cpu model)\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def slug(text: str) -> str:
    """A processor's name as part of a file's name."""
    words = re.sub(r"\((?:R|TM|tm|r)\)|\bCPU\b|\bProcessor\b", " ", text)
    return re.sub(r"[^a-z0-9.]+", "-", words.lower()).strip("-.") or "unknown"


def load() -> list[float] | None:
    """The load average over 1, 5 and 15 minutes; None where the system has none."""
    try:
        return [round(value, 2) for value in os.getloadavg()]
    except OSError:
        return None


def _scheduling() -> str:
    """How this process is scheduled: on a machine that others use, a run may be given its processors first."""
    names = {getattr(os, name, None): name for name in ("SCHED_OTHER", "SCHED_BATCH", "SCHED_FIFO", "SCHED_RR")}
    try:
        return names.get(os.sched_getscheduler(0), "unknown")
    except (AttributeError, OSError):
        return ""


def _memory_mib() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 20
    except (ValueError, OSError):
        return None


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _first_line(command: list[str]) -> str:
    if shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.partition("\n")[0]
