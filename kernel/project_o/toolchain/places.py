"""Where things are: the compiler, the cache folder, the files of this package."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import lru_cache
from importlib import resources, util
from pathlib import Path

from ..config import cache_directory
from ..errors import ToolchainMissing

__all__ = ["ZIG_VERSION", "cache_directory", "locate", "template", "zig_version"]

ZIG_VERSION = "0.17.1"
"""Exact: the shims are written in the types of this compiler's own reflection."""

_REMEDY = (
    f"install it with `pip install ziglang=={ZIG_VERSION}`, or set PROJECT_O_ZIG to the path of a zig {ZIG_VERSION}"
)
_VERSION_SECONDS = 20.0


def locate() -> Path:
    """The Zig compiler: PROJECT_O_ZIG, else the one in the ``ziglang`` wheel, else ``zig`` on the PATH.

    Raises ToolchainMissing, which says what to install, where there is none or it has another version.
    """
    chosen = os.environ.get("PROJECT_O_ZIG", "")
    path = Path(chosen) if chosen else _wheel() or _on_path()
    origin = f"PROJECT_O_ZIG={chosen}" if chosen else str(path)
    if path is None:
        raise ToolchainMissing(f"no Zig compiler: {_REMEDY}")
    if not path.is_file() or not os.access(path, os.X_OK):
        raise ToolchainMissing(f"no Zig compiler at {origin}: {_REMEDY}")
    found = zig_version(path)
    if found != ZIG_VERSION:
        raise ToolchainMissing(f"{origin} is Zig {found or 'of no known version'}, wanted is {ZIG_VERSION}: {_REMEDY}")
    return path


def zig_version(path: Path) -> str:
    """What ``zig version`` says; "" where it cannot be run. Asked once for each file."""
    try:
        facts = path.stat()
    except OSError:
        return ""
    return _asked_version(str(path), facts.st_mtime_ns, facts.st_size)


@lru_cache(maxsize=16)
def _asked_version(path: str, _modified: int, _size: int) -> str:
    try:
        answer = subprocess.run(
            [path, "version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_VERSION_SECONDS,
            check=True,
            start_new_session=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.decode("utf-8", "replace").strip()


def _wheel() -> Path | None:
    # The module is found, not imported: its binary is run directly, which saves a Python start each time.
    try:
        spec = util.find_spec("ziglang")
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    for folder in spec.submodule_search_locations:
        path = Path(folder) / "zig"
        if path.is_file():
            return path
    return None


def _on_path() -> Path | None:
    found = shutil.which("zig")
    return Path(found) if found else None


@lru_cache(maxsize=64)
def template(name: str) -> str:
    """The text of a file that every build contains: ``root.zig``, ``o.zig``, ``guard.c`` and their like."""
    return resources.files(__package__).joinpath("zig", name).read_text("utf-8")
