"""A memory's file in the history's store: one a notebook and name, searched, and made anew from a state's lines."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import warn
from ...lisp.specs import canonical
from .block import Forgotten, block_id
from .opening import DamagedError

if TYPE_CHECKING:
    from ...history import History
    from ..memory import Memory

_RESTORED = "restored"
"""The note that says up to which restore of the history a file has come."""


class Beside:
    """Where the files are. Without a history, or before its store is there, memories are in this process alone."""

    def __init__(self, history: History | None) -> None:
        self._history = history
        self._open: dict[str, Memory] = {}
        self._waiting: dict[str, Memory] = {}

    def path(self, name: str) -> str:
        """The file of a memory, "" where there is no place for one."""
        history = self._history
        if history is None or not history.enabled or not history.store or not os.path.isdir(history.store):  # noqa: PTH112
            return ""
        notebook = hashlib.sha256((history.notebook or "").encode("utf-8", "surrogateescape")).hexdigest()[:8]
        short = re.sub(r"\W", "_", canonical(name))[:40] + "-" + block_id(canonical(name))[:8]
        return str(Path(history.store, f"memory-{short}-{notebook}.sqlite"))

    def open(self, memory: Memory, restored: str) -> bool:
        """Let a memory be what its file holds; whether there was one, and no state was restored since."""
        path = self.path(memory.name)
        if not path or not Path(path).exists():
            return False
        try:
            memory.move_to(path)
        except DamagedError as error:
            aside = f"{path}.damaged-{time.time_ns()}"
            Path(path).rename(aside)
            _remove(path, ("-wal", "-shm"))
            warn(f"{error}; it is now {aside}, and the memory {memory.name} is what the newest state holds")
            return False
        self._open[canonical(memory.name)] = memory
        return memory.store.facts().get(_RESTORED, "") == restored

    def keep(self, memory: Memory, restored: str | None = None) -> None:
        """Let a memory that is in this process alone be in its file from now on, once there is a place for one."""
        if self._open.get(canonical(memory.name)) is not memory:
            path = self.path(memory.name)
            if not path:
                self._waiting[canonical(memory.name)] = memory
                return
            self._waiting.pop(canonical(memory.name), None)
            memory.save_to(path)
            self._open[canonical(memory.name)] = memory
            restored = "" if restored is None else restored
        if restored is not None:
            memory.store.note(_RESTORED, restored)

    def settle(self) -> None:
        """The store may be there now: whoever waited for it gets its file."""
        for memory in tuple(self._waiting.values()):
            self.keep(memory)

    def clean(self, memory: Memory, clean: Callable[[str], str], restored: str) -> None:
        """A new file with what is left of the texts; of the old one nothing is."""
        blocks = [
            replace(block, id=block_id(text), text=text, source=clean(block.source), document="", start=0)
            if (text := clean(block.text)) != block.text
            else replace(block, source=clean(block.source))
            for block in memory.store.blocks(superseded=None)
        ]
        forgotten = [Forgotten(item.id, clean(item.text), item.when) for item in memory.forgotten]
        taught = [(block, clean(question)) for block, question in memory.store.taught()]
        memory.move_to("")
        _remove(self.path(memory.name))
        self._open.pop(canonical(memory.name), None)
        memory.load(blocks, forgotten, taught)
        self.keep(memory, restored)


def _remove(path: str, endings: tuple[str, ...] = ("", "-wal", "-shm")) -> None:
    for ending in endings if path else ():
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path + ending)  # noqa: PTH108
