"""Between a kernel and its compiler server: starts the server under limits, and ends it when the kernel is gone.

    python -I -S keeper.py KERNEL_PIDFD STATUS FOLDER MEMORY_BYTES FILE_BYTES COMMAND ...

A program of its own that imports nothing of ours. Both standard streams are the server's, so that nothing is relayed;
``STATUS`` is told the server's process id. However the kernel ends, the server and its folder end with it; if this
process is killed, the server ends too.
"""

from __future__ import annotations

import ctypes
import os
import resource
import select
import shutil
import signal
import sys

_PR_SET_PDEATHSIG = 1
_KERNEL_MILLISECONDS = 3000


def main(arguments: list[str]) -> None:
    """Start the server and wait for whichever ends first, it or the kernel."""
    kernel, status = int(arguments[0]), int(arguments[1])
    folder, memory_bytes, file_bytes = arguments[2], int(arguments[3]), int(arguments[4])
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # SAFETY: the C library of this very process.
    libc = ctypes.CDLL(None)
    keeper = os.getpid()
    server = os.fork()
    if server == 0:
        try:
            # SAFETY: prctl with this option takes one number and touches no memory of ours.
            libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != keeper:
                return
            os.close(kernel)
            os.close(status)
            _limit(resource.RLIMIT_AS, memory_bytes)
            _limit(resource.RLIMIT_FSIZE, file_bytes)
            _limit(resource.RLIMIT_CORE, 0)
            os.execv(arguments[5], arguments[5:])
        finally:
            os._exit(127)
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # the kernel must see at once when the server's own ends are closed
        os.dup2(nothing, stream)
    ending = os.pidfd_open(server)
    os.write(status, b"%d\n" % server)
    os.close(status)
    watch = select.poll()
    watch.register(kernel, select.POLLIN)
    watch.register(ending, select.POLLIN)
    over = any(descriptor == kernel for descriptor, _ in watch.poll())
    if over:
        signal.pidfd_send_signal(ending, signal.SIGKILL)
    how = os.waitstatus_to_exitcode(os.waitpid(server, 0)[1])
    if not over and how != -signal.SIGKILL:
        # It has ended by itself: perhaps because its input did, which a kernel that dies closes first of all.
        watch.unregister(ending)
        over = bool(watch.poll(_KERNEL_MILLISECONDS))
    if over:
        shutil.rmtree(folder, ignore_errors=True)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main(sys.argv[1:])
