"""What is done a moment later, by one thread of its own: nobody waits for it, and it takes no turn from who is at work.

Whoever has an answer does not need the process that gave it any more. Seeing it to its end takes a millisecond, in
which this process has better things to do.
"""

from __future__ import annotations

import heapq
import itertools
import os
import threading
import time
from collections.abc import Callable

from ..errors import ProjectOError, warn


class Afterwards:
    """A thread that begins with the first thing to be done, and waits for more."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def do(self, seconds: float, what: Callable[[], None]) -> None:
        """Call ``what``, in so many seconds. That its process is gone, or cannot be made, is said to nobody."""
        with self._changed:
            first = (time.monotonic() + seconds, next(self._numbers), what)
            heapq.heappush(self._waiting, first)
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="project-o-afterwards", daemon=True)
                self._thread.start()
            elif self._waiting[0] is first:
                self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                left = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if left is None or left > 0:
                    self._changed.wait(left)
                    continue
                what = heapq.heappop(self._waiting)[2]
            try:
                what()
            except (OSError, ProjectOError):
                pass  # its process is gone already, or cannot be made: who asks for it is told there
            except Exception as error:  # noqa: BLE001 - nobody waits for it who could be told otherwise
                warn(f"what was to be done a moment later failed: {error!r}")
            del what  # or it would be held until there is something else to do


_afterwards = Afterwards()


def afterwards(seconds: float, what: Callable[[], None]) -> None:
    """Have ``what`` called in so many seconds, by a thread of this process; where that forks, in the parent alone."""
    _afterwards.do(seconds, what)


def _after_fork() -> None:
    global _afterwards
    _afterwards = Afterwards()


os.register_at_fork(after_in_child=_after_fork)
