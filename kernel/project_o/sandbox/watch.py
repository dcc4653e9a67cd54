"""What a job takes that no limit of the kernel bounds, looked at from outside, whether it is being asked or not.

Its folder is one such thing: files by name, and files that it has removed and still holds. All of its processes
together are the other. The warm process looks, which is nobody's candidate and lives as long as its jobs.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import build_tree, scratch


def excess(pid: int, config: Mapping[str, Any]) -> str:
    """Which bound the job of the process ``pid`` has passed, as ``Answer.ended`` names it; "" while it keeps them."""
    if tree := config.get("tree"):
        used = build_tree.used(pid)
        if used.threads > tree["threads"]:
            return "processes"
        if used.resident_bytes > tree["memory_bytes"]:
            own = build_tree.own_bytes(pid) or used.resident_bytes
            if own > tree["memory_bytes"]:
                return "memory"
    folders = [folder for folder in (config["scratch"], *config.get("folders", ())) if folder]
    if folders:
        quota = config["scratch_bytes"]
        named = sum(scratch.used_bytes(folder, quota) for folder in folders)
        if named > quota or named + sum(_nameless_bytes(pid, folder) for folder in folders) > quota:
            return "scratch-quota"
    return ""


def _nameless_bytes(pid: int, folder: str) -> int:
    """Bytes of removed files on the folder's file system that a process of the job still holds open or mapped."""
    try:
        device = Path(folder).stat().st_dev
    except OSError:
        return 0
    found: dict[int, int] = {}
    for one in build_tree.members(pid):
        for facts in _open_files(one):
            if facts.st_dev == device and facts.st_nlink == 0 and stat.S_ISREG(facts.st_mode):
                found[facts.st_ino] = facts.st_blocks * 512
        for number, size in _removed_mappings(one, device):
            found[number] = max(size, found.get(number, 0))
    return sum(size + scratch.ENTRY_BYTES for size in found.values())


def _open_files(pid: int) -> Iterator[os.stat_result]:
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with suppress(OSError):
                yield entry.stat()


def _removed_mappings(pid: int, device: int) -> Iterator[tuple[int, int]]:
    """(inode, bytes) of what is mapped and has no name any more: at least what is mapped of it may be on the disk."""
    wanted = f"{os.major(device):02x}:{os.minor(device):02x}".encode()
    with suppress(OSError, ValueError), open(f"/proc/{pid}/maps", "rb") as f:
        for line in f:
            if line.endswith(b" (deleted)\n"):
                where, _, _, on, number, *_ = line.split()
                if on == wanted:
                    first, _, last = where.partition(b"-")
                    yield int(number), int(last, 16) - int(first, 16)
