"""What a job takes that no limit of the kernel bounds, looked at from outside, whether it is being asked or not.

Its folder is one such thing: files by name, and files that it has removed and still holds. All of its processes
together are the other. The warm process looks, which is nobody's candidate and lives as long as its jobs.
"""

from __future__ import annotations

import os
import stat
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from . import build_tree, scratch

_EXACT_SECONDS = 0.25  # in which pages that were shared may have become a process' own without being seen


class Watched:
    """One job, of which ``config`` says what it may take."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._tree: Mapping[str, Any] | None = config.get("tree")
        self._folders = [folder for folder in (config["scratch"], *config.get("places", ())) if folder]
        self._folder_bytes: int = config["scratch_bytes"]
        self._exact_until, self._room = 0.0, 0

    def excess(self, pid: int) -> str:
        """Which bound the job of this process has passed, as ``Answer.ended`` names it; "" while it keeps them."""
        if self._tree is not None:
            used = build_tree.used(pid, self._tree["threads"])
            if used.threads > self._tree["threads"]:
                return "processes"
            if self._holds_too_much(pid, used.resident_bytes, self._tree["memory_bytes"]):
                return "memory"
        left = self._folder_bytes
        for folder in self._folders:
            left -= scratch.used_bytes(folder, left)
            if left < 0:
                return "scratch-quota"
        return "scratch-quota" if self._folders and _nameless_bytes(pid, self._folders) > left else ""

    def _holds_too_much(self, pid: int, resident: int, most: int) -> bool:
        """Pages that processes share count once. That takes long to say, so it is asked again when it may matter."""
        if resident <= most or (resident < self._room and time.monotonic() < self._exact_until):
            return False
        own = build_tree.own_bytes(pid) or resident
        self._room = resident + most - own
        self._exact_until = time.monotonic() + _EXACT_SECONDS
        return own > most


def _nameless_bytes(pid: int, folders: list[str]) -> int:
    """Bytes of removed files of these folders that a process of the job still holds open or mapped."""
    inside = tuple(f"{folder}/".encode() for folder in folders)
    found: dict[bytes, int] = {}
    for one in build_tree.members(pid):
        for file, size in (*_removed_and_open(one, inside), *_removed_and_mapped(one, inside)):
            found[file] = max(size, found.get(file, 0))
    return sum(size + scratch.ENTRY_BYTES for size in found.values())


def _removed_and_open(pid: int, inside: tuple[bytes, ...]) -> Iterator[tuple[bytes, int]]:
    """(inode, bytes) of open files that have no name any more."""
    with suppress(OSError), os.scandir(f"/proc/{pid}/fd".encode()) as entries:
        for entry in entries:
            with suppress(OSError):
                if os.readlink(entry.path).startswith(inside):  # noqa: PTH115 - bytes, many times a second
                    facts = entry.stat()
                    if facts.st_nlink == 0 and stat.S_ISREG(facts.st_mode):
                        yield b"%d" % facts.st_ino, facts.st_blocks * 512


def _removed_and_mapped(pid: int, inside: tuple[bytes, ...]) -> Iterator[tuple[bytes, int]]:
    """The same of what is mapped, in however many pieces: all of that may be on the disk."""
    found: Counter[bytes] = Counter()
    with suppress(OSError, ValueError), open(f"/proc/{pid}/maps", "rb") as f:
        for line in f:
            if line.endswith(b" (deleted)\n"):
                where, _, _, _, number, path = line.split(maxsplit=5)
                if path.startswith(inside):
                    first, _, last = where.partition(b"-")
                    found[number] += int(last, 16) - int(first, 16)
    yield from found.items()
