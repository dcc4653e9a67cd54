"""The parent of a job that may have processes: it runs nothing of the job's, and knows when nothing is left of it.

Whatever loses its parent falls to this process, and to no other: so "no child is left" is exact, where a list of the
machine's processes is not, which something that forks and ends faster than it can be read slips through.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import NoReturn

from . import build_tree, locks

END_SIGNAL = signal.SIGTERM
"""What ends such a job: its parent takes all of it along."""
_PAUSE_SECONDS = 0.0002


def supervised(warm: int) -> None:
    """Fork: returns in the job's own process, and never in its parent, which ends as the job's own process did.

    ``warm`` is the process that we were forked from: when it ends, all of the job does.
    """
    ending = _Ending()
    signal.signal(END_SIGNAL, ending)
    locks.process_control(locks.PR_SET_CHILD_SUBREAPER, 1)
    locks.process_control(locks.PR_SET_PDEATHSIG, END_SIGNAL)
    if os.getppid() != warm:
        os._exit(0)
    parent = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, {END_SIGNAL})  # until it is known whom to end
    # What the job's processes hold open is counted from outside, from the first moment on.
    locks.process_control(locks.PR_SET_DUMPABLE, 1)
    ending.job = pid = os.fork()
    with suppress(OSError):  # on both sides: whoever comes first
        os.setpgid(pid, pid or os.getpid())
    if pid:
        locks.process_control(locks.PR_SET_DUMPABLE, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {END_SIGNAL})
        locks.process_name("o-parent")
        _wait_and_end(ending)
    signal.signal(END_SIGNAL, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {END_SIGNAL})
    locks.process_control(locks.PR_SET_CHILD_SUBREAPER, 0)
    locks.die_with(parent)


class _Ending:
    """The handler of the signal that ends a job."""

    def __init__(self) -> None:
        self.job = 0

    def __call__(self, *_: object) -> None:
        if self.job:
            with suppress(ProcessLookupError):
                os.kill(self.job, signal.SIGKILL)  # not collected yet: the number is no other's
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.job, signal.SIGKILL)  # at once what it has started, which would else compete with us


def _wait_and_end(ending: _Ending) -> NoReturn:
    """Wait for the job's process, end all it leaves, end as it did."""
    os.closerange(0, 1 << 20)  # the pipes are the job's: their end must be seen
    status = 0
    while ending.job:
        found, status = os.waitpid(-1, 0)
        if found == ending.job:
            ending.job = 0
    _end_all()
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL) if -code not in (signal.SIGKILL, signal.SIGSTOP) else None
        os.kill(os.getpid(), -code)
    os._exit(code)


def _end_all() -> None:
    """Until no child is left: those that a killed one leaves fall to us, and are next."""
    own = os.getpgid(0)
    while True:
        for pid in build_tree.children(os.getpid()):
            with suppress(OSError):
                if (group := os.getpgid(pid)) != own:
                    os.killpg(group, signal.SIGKILL)  # no fork gets between a group's members
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(_PAUSE_SECONDS)
