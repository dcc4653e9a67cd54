"""Where the system's C library is. A Zig compiler that is not told starts three programs, each time, to find out.

The same is asked of the C compiler here, once. Not of ``zig libc``: the first time it is used on a machine that command
compiles itself, which takes a minute of the processor's time.
"""

from __future__ import annotations

import os
import subprocess
from functools import lru_cache
from pathlib import Path

from . import cache
from .compiler import clean_environment

_FILE = "libc.txt"
_SECONDS = 5.0
_HEADERS = {"include_dir": "stdlib.h", "sys_include_dir": "sys/errno.h"}
"""What lies in each of the folders of headers; see the text that ``zig libc`` prints."""
_OBJECTS = {"crt_dir": "crt1.o", "cc_dir": "crtbegin.o"}
_OTHERS = ("msvc_lib_dir", "kernel32_lib_dir", "darwin_sdk_dir")


def told() -> tuple[str, ...]:
    """The words that tell a Zig compiler; none where it has to find out, as where the system has no C library to link
    to: then it brings its own.
    """
    found = _found()
    if found is None:
        return ()
    path, folders = found
    return ("--libc", str(path)) if path.is_file() and all(map(os.path.isdir, folders)) else ()


@lru_cache(maxsize=1)
def _found() -> tuple[Path, tuple[str, ...]] | None:
    """What the C compiler says, as a file in Zig's own form, and the folders that it names.

    Asked once in a process: a system may be given another C library.
    """
    try:
        searched = _asked("-E", "-Wp,-v", "-xc", "/dev/null").stderr
        places = [line.strip() for line in searched.splitlines() if line.startswith(" ")]
        folders = {name: _first_with(places, header) for name, header in _HEADERS.items()}
        folders |= {name: str(Path(_asked(f"-print-file-name={file}").stdout.strip()).parent)
                    for name, file in _OBJECTS.items()}  # fmt: skip
        if not all(map(os.path.isabs, folders.values())):
            return None  # a file that it does not find it prints without a folder
        path = cache.compiler_cache() / _FILE
        fresh = path.with_name(f"{_FILE}.{os.getpid()}")
        lines = [f"{name}={folder}\n" for name, folder in (folders | dict.fromkeys(_OTHERS, "")).items()]
        fresh.write_text("".join(lines), "utf-8")
        fresh.replace(path)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return path, tuple(folders.values())


def _asked(*words: str) -> subprocess.CompletedProcess[str]:
    """What the C compiler that Zig would ask says to these. Raises OSError, SubprocessError."""
    return subprocess.run(
        ("cc", *words),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        env=clean_environment(),
        check=True,
        start_new_session=True,  # Jupyter interrupts the kernel's whole process group
    )


def _first_with(folders: list[str], header: str) -> str:
    """The first of these folders that has the file, as Zig takes it. Raises ValueError where none has."""
    for folder in folders:
        if (Path(folder) / header).is_file():
            return folder
    raise ValueError(header)
