"""Fill the compilers' caches, and leave a mark that this was done.

    python -m project_o.toolchain.warming MARK

It steps back behind everything else, ends with the process that started it, and lets another one that does the same go
first.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import FrameType

from ..errors import ProjectOError
from .checks import warm

_PR_SET_PDEATHSIG = 1
_NICE = 10


def main(mark: Path) -> None:
    """Fill them; nothing is said, and whatever fails is left to the cells."""
    parent = os.getppid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)
    # SAFETY: prctl with this option takes one number and touches no memory of ours.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        return
    os.nice(_NICE)
    with suppress(OSError, ProjectOError):
        mark.parent.mkdir(parents=True, exist_ok=True)
        with open(mark.with_name(f"{mark.name}.lock"), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            warm(everything=True)
        mark.touch()


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit()  # compilers under way are ended, and their folders removed, as it unwinds


if __name__ == "__main__":
    main(Path(sys.argv[1]))
