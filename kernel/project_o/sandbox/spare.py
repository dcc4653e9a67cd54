"""A child of the warm process that was forked before anybody asked for it, and waits to become a job.

Forking takes a third of a trial, and so does the first touch of every page that the fork shares. Both are done when the
job before is over, or goes on for long; where jobs follow one another without a rest, beside the one that is at work.
What waits here has run nothing of any job and holds nothing but one socket. It does so for a moment only; whoever looks
at a machine at rest finds no process that nobody needs.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Self

from . import locks, worker

_SOCKET = 3


class Spare:
    """``pid`` waits until ``start`` tells it what to become. ``until`` is when it has waited long enough, by the
    monotonic clock."""

    def __init__(self, pid: int, ours: socket.socket) -> None:
        self.pid, self._socket, self.until = pid, ours, 0.0

    @classmethod
    def fork(cls, become: Callable[[dict[str, Any], Sequence[int]], NoReturn], most: tuple[int, int]) -> Self:
        """Fork one. It calls ``become`` with what it is told: a message and descriptors of at most these sizes."""
        parent = os.getpid()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            _wait(theirs, parent, become, most)
        theirs.close()
        return cls(pid, ours)

    def start(self, message: bytes, descriptors: Sequence[int]) -> bool:
        """Have it become a job. False where it is gone."""
        with self._socket:
            try:
                socket.send_fds(self._socket, [message], list(descriptors))
            except OSError:
                return False
            return True

    def close(self) -> None:
        """Let go of it: it ends by itself."""
        self._socket.close()


def _wait(
    theirs: socket.socket,
    parent: int,
    become: Callable[[dict[str, Any], Sequence[int]], NoReturn],
    most: tuple[int, int],
) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        locks.die_with(parent)
        os.dup2(theirs.fileno(), _SOCKET)
        theirs.detach()
        os.closerange(_SOCKET + 1, 1 << 20)
        locks.process_name("o-spare")
        worker.rehearse()
        with socket.socket(fileno=_SOCKET) as orders:
            message, descriptors, _, _ = socket.recv_fds(orders, *most)
        if message:
            become(json.loads(message), descriptors)
    finally:
        os._exit(0)
