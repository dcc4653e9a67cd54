"""What native code prints, in the cell that printed it.

It goes to the process's own descriptors, so through a pipe that a thread of ipykernel's reads. Native code that holds
the interpreter's lock keeps that thread from passing on what it has read, and a cell that ends meanwhile would end
without its output: a client such as papermill looks no further.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from .. import limits

_READ = ("0", "63")
"""The system call ``read`` on x86-64 and on aarch64: the other machine's number is of none that such a thread makes."""


def pass_on(_result: Any = None) -> None:
    """Let what native code printed be read, before the cell ends. Nothing where there is none, or no such thread."""
    if "project_o.toolchain.load" not in sys.modules:
        return
    until = time.monotonic() + limits.PRINTED_WAITS_SECONDS_MAX
    for stream in (sys.stdout, sys.stderr):
        pipe, reader = getattr(stream, "_fid", None), getattr(stream, "watch_fd_thread", None)
        if not isinstance(pipe, int) or reader is None or not reader.native_id:
            continue
        while (waits := _waits(reader.native_id, pipe)) is not True:
            if time.monotonic() > until:
                return
            time.sleep(limits.PRINTED_LOOK_SECONDS)  # it has the interpreter's lock meanwhile
            if waits is None:
                break


def _waits(thread: int, pipe: int) -> bool | None:
    """Whether the thread has passed on all that there was: it is in the system call for more. None: nobody knows."""
    try:
        said = Path(f"/proc/self/task/{thread}/syscall").read_text("ascii").split()
    except OSError:
        return None
    return len(said) > 1 and said[0] in _READ and int(said[1], 16) == pipe
