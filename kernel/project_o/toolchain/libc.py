"""Where the system's C library is. A Zig compiler that is not told starts three programs, each time, to find out."""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path

from . import cache
from .compiler import clean_environment

_FOLDERS = ("include_dir", "sys_include_dir", "crt_dir")
_FILE = "libc.txt"
_SECONDS = 20.0


def told(zig: Path) -> tuple[str, ...]:
    """The words that tell this compiler; none where it has to find out, as where the system has no C library to link
    to: then it brings its own.
    """
    found = _found(str(zig))
    if found is None:
        return ()
    path, folders = found
    return ("--libc", str(path)) if path.is_file() and all(map(os.path.isdir, folders)) else ()


@lru_cache(maxsize=4)
def _found(zig: str) -> tuple[Path, tuple[str, ...]] | None:
    """What the compiler says, as a file, and the folders that it names. Asked once in a process: a system may be given
    another C library.
    """
    try:
        said = subprocess.run(
            (zig, "libc"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            env=clean_environment(),
            check=True,
            start_new_session=True,  # Jupyter interrupts the kernel's whole process group
        ).stdout
        path = cache.compiler_cache() / _FILE
        fresh = path.with_name(f"{_FILE}.{os.getpid()}")
        fresh.write_text(said, "utf-8")
        fresh.replace(path)
    except (OSError, subprocess.SubprocessError):
        return None
    pairs = dict(line.split("=", 1) for line in said.splitlines() if "=" in line and not line.startswith("#"))
    return path, tuple(folder for name in _FOLDERS if (folder := pairs.get(name, "")))
