"""The folder that a job may write to, if it was given any. The kernel treats it as hostile.

What is in it may be locked (a folder without rights for its owner), deep (no path reaches its end), or a link. So it
is walked by descriptors, links are never followed, and removing needs as few of them at any depth.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress

ENTRY_BYTES = 1 << 16
DEPTH_MAX = 48
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def used_bytes(folder: str, enough: int, sizes: dict[int, int] | None = None) -> int:
    """Bytes in use, where each entry counts 64 KiB more: a thousand empty files weigh as much as 64 MiB.

    Counting ends beyond ``enough``. A folder that is deeper than any program needs it counts as more than that.
    ``sizes`` is told how large each file is, by its number.
    """
    try:
        at = os.open(folder, _FOLDER)
    except OSError:
        return 0
    return _used(at, enough, 0, {} if sizes is None else sizes)


def _used(at: int, enough: int, depth: int, sizes: dict[int, int]) -> int:
    """The same for an open folder, which is closed."""
    total = 0
    try:
        with os.scandir(at) as entries:
            for entry in entries:
                with suppress(OSError):  # it is being changed while we look
                    facts = entry.stat(follow_symlinks=False)
                    total += ENTRY_BYTES + facts.st_blocks * 512
                    sizes[facts.st_ino] = facts.st_blocks * 512
                    if total <= enough and stat.S_ISDIR(facts.st_mode):
                        if depth == DEPTH_MAX:
                            return enough + 1
                        total += _used(_unlocked(entry.name, at), enough - total, depth + 1, sizes)
                if total > enough:
                    break
    finally:
        os.close(at)
    return total


def remove(path: str) -> None:
    """Take a folder away with all that is in it, however deep or locked. What cannot be removed stays."""
    parent, name = os.path.split(path)
    with suppress(OSError):
        above = os.open(parent, _FOLDER)
        try:
            top = _unlocked(name, above)
            try:
                while _removed_a_layer(top):
                    pass
            finally:
                os.close(top)
            os.rmdir(name, dir_fd=above)
        finally:
            os.close(above)


def _removed_a_layer(top: int) -> bool:
    """Remove what lies in ``top``, and move up into it what lies in its folders: whether there was any of that."""
    moved = False
    for name in os.listdir(top):
        with suppress(OSError):
            os.unlink(name, dir_fd=top)
            continue
        with suppress(OSError):
            at = _unlocked(name, top)
            try:
                moved |= _emptied(at, top)
            finally:
                os.close(at)
            os.rmdir(name, dir_fd=top)
    return moved


def _emptied(at: int, top: int) -> bool:
    """Remove the files of one folder and move its folders into ``top``: whether there were any."""
    moved = False
    for name in os.listdir(at):
        with suppress(OSError):
            os.unlink(name, dir_fd=at)
            continue
        with suppress(OSError):
            os.close(_unlocked(name, at))  # a folder is moved only by who may write in it
            os.rename(name, os.urandom(16).hex(), src_dir_fd=at, dst_dir_fd=top)
            moved = True
    return moved


def _unlocked(name: str, parent: int) -> int:
    """The folder ``name``, open; it is given back the rights that were taken from it. Raises OSError."""
    try:
        at = os.open(name, _FOLDER, dir_fd=parent)
        if os.fstat(at).st_mode & 0o700 == 0o700:
            return at
        os.close(at)
    except PermissionError:
        pass
    known = os.open(name, _FOLDER | os.O_PATH, dir_fd=parent)
    try:
        os.chmod(f"/proc/self/fd/{known}", 0o700)  # noqa: PTH101 - the folder that is open, whatever its name means now
    finally:
        os.close(known)
    return os.open(name, _FOLDER, dir_fd=parent)
