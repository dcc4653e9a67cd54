"""What a job takes that no limit of the kernel bounds, looked at from outside, whether it is being asked or not.

Its folder is one such thing: files by name, and files that it has removed and still holds. All of its processes
together are the other. The warm process looks, which is nobody's candidate and lives as long as its jobs.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .. import limits
from . import build_tree, held, scratch

_AGAIN_SECONDS = 0.004
_EXACT_SECONDS = 0.25  # in which pages that were shared may have become a process' own without being seen


class Watched:
    """One job, of which ``config`` says what it may take."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._tree: Mapping[str, Any] | None = config.get("tree")
        self._folders = [folder for folder in (config["scratch"], *config.get("places", ())) if folder]
        self._folder_bytes: int = config["scratch_bytes"]
        self._unmeasured_max = limits.UNMEASURED_FILES_MAX if self._tree is not None else 0
        self._exact_until, self._room = 0.0, 0
        self._before = held.Held()
        self._sizes: dict[int, int] = {}

    def excess(self, pid: int) -> str:
        """Which bound the job of this process has passed, as ``Answer.ended`` names it; "" while it keeps them."""
        if self._tree is not None:
            used = build_tree.used(pid, self._tree["threads"])
            if used.threads > self._tree["threads"]:
                return "processes"
            found = held.look(pid, self._folders, self._sizes, self._tree["memory_bytes"])
            if self._holds_too_much(pid, used.resident_bytes, self._tree["memory_bytes"] - found.buffer_bytes):
                return "memory"
        else:
            found = held.look(pid, self._folders, self._sizes)
        most = self._unmeasured_max
        if found.under_way > most >= self._before.under_way or len(found.unmeasured) > most >= len(
            self._before.unmeasured
        ):
            time.sleep(_AGAIN_SECONDS)  # much can be written within a turn, so this is looked at twice in the same one
            self._before, found = found, held.look(pid, self._folders, self._sizes)
        found.unseen.discard(pid)  # the parent of all, who runs nothing of the job's, or a job that cannot hide
        return self._files_excess(found)

    def _files_excess(self, found: held.Held) -> str:
        before, self._before = self._before, found
        if not self._folders:
            return ""
        # Twice: a process that ends, or opens a file at this moment, looks as if it had something to hide.
        if found.unseen & before.unseen:
            return "hidden"
        mapped = len(found.unmeasured & before.unmeasured)
        if mapped + min(found.under_way, before.under_way) > self._unmeasured_max:
            return "scratch-quota"
        left = self._folder_bytes - found.nameless_bytes
        for folder in self._folders:
            left -= scratch.used_bytes(folder, left, self._sizes)
            if left < 0:
                return "scratch-quota"
        return ""

    def _holds_too_much(self, pid: int, resident: int, most: int) -> bool:
        """Pages that processes share count once. That takes long to say, so it is asked again when it may matter."""
        if resident <= most or (resident < self._room and time.monotonic() < self._exact_until):
            return False
        own = build_tree.own_bytes(pid) or resident
        self._room = resident + most - own
        self._exact_until = time.monotonic() + _EXACT_SECONDS
        return own > most
