"""The folder of one warm process, below which its jobs find what they load and may write.

It is locked as long as somebody uses it, so that what a killed kernel has left can be told from what is in use.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from .scratch import remove

PREFIX = "o-box-"
_FRESH_SECONDS = 60.0


class Folder:
    """Made empty, ours alone; gone after ``close``. ``path`` is absolute and holds no link.

    It lies in ``parent``; without one, in the folder for temporary files.
    """

    def __init__(self, parent: str = "") -> None:
        parent = parent or _parent()
        sweep(parent)
        self.owner = os.getpid()
        self.path = tempfile.mkdtemp(prefix=PREFIX, dir=os.path.realpath(parent))
        self._held = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self._held, fcntl.LOCK_EX)

    def close(self) -> None:
        """Take it away; in a forked copy of the kernel only let go of it. Idempotent."""
        held, self._held = self._held, -1
        if held >= 0:
            if self.owner == os.getpid():
                remove(self.path)
            os.close(held)


def _parent() -> str:
    """The folder for temporary files, or the user's cache where libraries may not be run from that one."""
    parent = tempfile.gettempdir()
    if not os.statvfs(parent).f_flag & os.ST_NOEXEC:
        return parent
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "project-o"
    with contextlib.suppress(OSError):
        cache.mkdir(parents=True, exist_ok=True)
        if not os.statvfs(cache).f_flag & os.ST_NOEXEC:
            return str(cache)
    return parent


def sweep(parent: str) -> None:
    """Take away the folders of kernels that were killed: ours by owner, not just made, and locked by nobody."""
    for path in Path(parent).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):  # another kernel uses it, or sweeps it at this moment
            at = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                facts = os.fstat(at)
                if facts.st_uid == os.geteuid() and facts.st_mtime < time.time() - _FRESH_SECONDS:
                    fcntl.flock(at, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    remove(str(path))
            finally:
                os.close(at)


def place(files: Iterable[str], folder: str) -> dict[str, str]:
    """Every file under its own name below ``folder``, as a link to the same bytes where that can be, else as a copy.

    What lies side by side does so again, since a library finds others beside it.
    """
    placed: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in dict.fromkeys(files):
        beside, _, name = path.rpartition("/")
        if beside not in folders:
            folders[beside] = f"{folder}/{len(folders)}"
            Path(folders[beside]).mkdir(0o700)
        target = placed[path] = f"{folders[beside]}/{name}"
        try:
            os.link(os.path.realpath(path), target)
        except OSError:  # another file system, or another owner
            shutil.copyfile(path, target)
    return placed
