"""A build in the background, which can be told that nobody wants it any more."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import replace

from ... import limits
from ...errors import ToolchainError
from ...values import Artifact
from ..compiler import Finished, Job, Runner, run

_running: weakref.WeakSet[Later] = weakref.WeakSet()


class Later:
    """``result`` is what ``make`` gives or raises, in a thread of its own. ``make`` gets the runner to compile with."""

    def __init__(self, make: Callable[[Runner], Artifact]) -> None:
        self.result: Future[Artifact] = Future()
        self._make = make
        self._heard, self._told = os.pipe()
        self._lock = threading.Lock()
        self._stopped = False
        self._thread = threading.Thread(target=self._work, name="project-o-later", daemon=True)
        _running.add(self)
        self._thread.start()

    def _work(self) -> None:
        try:
            artifact = self._make(self._run)
        except BaseException as error:  # noqa: BLE001 - it is told to whoever asks for the result
            self.result.set_exception(error)
        else:
            self.result.set_result(artifact)
        finally:
            self._close()

    def _run(self, job: Job) -> Finished:
        with self._lock:
            if self._told < 0:
                raise ToolchainError("the compiler was not started: its cell was edited again")
        return run(replace(job, stop=self._heard))

    def stop(self) -> None:
        """Nobody wants it any more: a compiler that runs for it is ended. Any thread may say so."""
        with self._lock:
            self._stopped = self._stopped or not self.result.done()
            told, self._told = self._told, -1
            if told >= 0:
                os.close(told)  # the other end becomes readable

    @property
    def stopped(self) -> bool:
        """Whether it was told so before it had ended by itself."""
        return self._stopped

    def _close(self) -> None:
        self.stop()
        _running.discard(self)
        os.close(self._heard)

    def forget(self) -> None:
        """In a forked copy of this process, where the lock may be held by a thread that is not there."""
        told, self._told = self._told, -1
        for descriptor in (self._heard, told):
            with suppress(OSError):
                os.close(descriptor)

    def join(self, seconds: float) -> None:
        """Wait for the thread's end."""
        self._thread.join(seconds)


@atexit.register
def _close() -> None:
    """The process ends: no compiler is left running, and no folder that one worked in."""
    for later in list(_running):
        later.stop()
    for later in list(_running):
        later.join(limits.SERVER_GRACE_SECONDS)


def _after_fork() -> None:
    """The threads are the parent's; what they wait for never comes here."""
    for later in list(_running):
        later.forget()
    _running.clear()


os.register_at_fork(after_in_child=_after_fork)
