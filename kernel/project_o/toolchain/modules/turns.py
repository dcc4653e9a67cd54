"""Who may use a state now: many calls that look at it, or one that changes it, or one that hands it over."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self


class Turns:
    """A lock that readers share. Writers go first, so that a stream of readers does not keep them out.

    ``with turns.looking:`` and ``with turns.changing:``. A thread that has a turn may ask for another one meanwhile:
    what the garbage collector runs between two lines of ours may call the module, too, and native code calls nobody.
    """

    def __init__(self) -> None:
        self._moved = threading.Condition(threading.Lock())
        self._readers: dict[int, int] = {}
        self._writer = 0
        self._depth = 0
        self._waiting = 0
        self.looking = _Looking(self)
        self.changing = _Changing(self)

    def look(self) -> None:
        """Wait for a turn to look."""
        me = threading.get_ident()
        with self._moved:
            if me not in self._readers:
                while self._writer not in (0, me) or (self._waiting and not self._writer):
                    self._moved.wait()
            self._readers[me] = self._readers.get(me, 0) + 1

    def looked(self) -> None:
        """End it."""
        me = threading.get_ident()
        with self._moved:
            self._readers[me] -= 1
            if not self._readers[me]:
                del self._readers[me]
                self._moved.notify_all()

    def change(self, seconds: float | None = None) -> bool:
        """Wait for a turn to change; False where there was none within ``seconds``."""
        me = threading.get_ident()
        until = None if seconds is None else time.monotonic() + seconds
        with self._moved:
            self._waiting += 1
            try:
                while self._writer not in (0, me) or self._readers.keys() - {me}:
                    left = None if until is None else until - time.monotonic()
                    if left is not None and left <= 0:
                        return False
                    self._moved.wait(left)
                self._writer = me
                self._depth += 1
                return True
            finally:
                self._waiting -= 1
                if not self._writer:
                    self._moved.notify_all()

    def changed(self) -> None:
        """End it."""
        with self._moved:
            self._depth -= 1
            if not self._depth:
                self._writer = 0
                self._moved.notify_all()


class _Looking:
    __slots__ = ("_turns",)

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def __enter__(self) -> Self:
        self._turns.look()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._turns.looked()


class _Changing:
    __slots__ = ("_turns",)

    def __init__(self, turns: Turns) -> None:
        self._turns = turns

    def __enter__(self) -> Self:
        self._turns.change()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._turns.changed()
