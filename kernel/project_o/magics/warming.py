"""After an installation the caches of the compilers are filled in the background, while the first cells are written."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress

from .. import __version__
from ..config import cache_directory

_PROGRAM = "project_o.toolchain.warming"


def begin() -> None:
    """Start filling them, in a process of its own that ends with this one, unless that was done before."""
    mark = cache_directory() / f"warm-{__version__}"
    if mark.exists():
        return
    with suppress(OSError):  # a cell fills what it needs by itself
        process = subprocess.Popen(
            [sys.executable, "-m", _PROGRAM, str(mark)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        threading.Thread(target=process.wait, name="project-o-warming", daemon=True).start()  # or it stays as a zombie
