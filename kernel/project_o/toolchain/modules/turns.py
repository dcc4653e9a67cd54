"""Who may use a state now: many calls that look at it, or one that changes it, or one that hands it over."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType
from typing import Self


class _Ticket:
    """A wait for a turn. Whoever grants it lets the waiting thread go."""

    __slots__ = ("changes", "gate", "granted", "thread")

    def __init__(self, thread: int, *, changes: bool) -> None:
        self.thread = thread
        self.changes = changes
        self.granted = False
        self.gate = threading.Lock()
        self.gate.acquire()


class Turns:
    """A lock that readers share, given in the order in which it was asked for: nobody waits for ever.

    ``with turns.looking:`` and ``with turns.changing:``. A thread that has a turn may ask for another one meanwhile:
    what the garbage collector runs between two lines of ours may call the module, too, and native code calls nobody.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queue: deque[_Ticket] = deque()
        self._readers: dict[int, int] = {}
        self._writer = 0
        self._depth = 0
        self.looking = _Looking(self)
        self.changing = _Changing(self)

    def look(self) -> None:
        """Wait for a turn to look."""
        self._take(changes=False, seconds=-1)

    def change(self, seconds: float = -1) -> bool:
        """Wait for a turn to change; False where there was none within ``seconds``."""
        return self._take(changes=True, seconds=seconds)

    def looked(self) -> None:
        """End it."""
        me = threading.get_ident()
        with self._lock:
            self._readers[me] -= 1
            if not self._readers[me]:
                del self._readers[me]
                self._grant()

    def changed(self) -> None:
        """End it."""
        with self._lock:
            self._depth -= 1
            if not self._depth:
                self._writer = 0
                self._grant()

    def _take(self, *, changes: bool, seconds: float) -> bool:
        me = threading.get_ident()
        with self._lock:
            mine = self._writer == me or me in self._readers
            if self._is_free(me, changes=changes) and (mine or not self._queue):
                self._give(me, changes=changes)
                return True
            ticket = _Ticket(me, changes=changes)
            if mine:
                self._queue.appendleft(ticket)  # those behind it wait for this very thread
            else:
                self._queue.append(ticket)
        try:
            if ticket.gate.acquire(timeout=seconds):
                return True
        except BaseException:
            if self._withdrawn(ticket):
                raise
            (self.changed if changes else self.looked)()
            raise
        return not self._withdrawn(ticket)

    def _withdrawn(self, ticket: _Ticket) -> bool:
        """Take a ticket back; False where the turn has come meanwhile."""
        with self._lock:
            if ticket.granted:
                return False
            self._queue.remove(ticket)
            self._grant()
            return True

    def _is_free(self, thread: int, *, changes: bool) -> bool:
        if self._writer not in (0, thread):
            return False
        return not changes or not self._readers.keys() - {thread}

    def _give(self, thread: int, *, changes: bool) -> None:
        if changes:
            self._writer = thread
            self._depth += 1
        else:
            self._readers[thread] = self._readers.get(thread, 0) + 1

    def _grant(self) -> None:
        while self._queue and self._is_free(self._queue[0].thread, changes=self._queue[0].changes):
            ticket = self._queue.popleft()
            self._give(ticket.thread, changes=ticket.changes)
            ticket.granted = True
            ticket.gate.release()


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
