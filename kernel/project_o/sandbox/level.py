"""Which level of the sandbox holds on this machine: found by trying, never derived from a version number.

L3   L2, in namespaces of its own besides: what lies outside is not even visible
L2   Landlock + seccomp + limits hold: no reads or writes outside, no network, no processes, bounded
     time and memory, for Python and for native code
L1   seccomp + limits hold, Landlock is missing: as L2 for Python; native code is refused, because its
     constructors run while files can still be opened
L0   nothing that can be relied on: candidates are refused
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_EXCESS_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Level:
    """What holds. ``reason`` says why it is not higher and what to do; "" if there is nothing to do.

    ``tried`` are the attempts by name: True where the attempt was stopped.
    """

    name: str
    reason: str
    landlock_version: int
    tried: tuple[tuple[str, bool], ...] = ()


def try_everything(canary: str, port: int, kernel: int) -> dict[str, bool]:
    """In a locked child: attempt what no candidate may do. True where the attempt failed."""
    return {
        "open a file outside": _stopped(lambda: os.close(os.open(canary, os.O_RDONLY))),
        "write a file outside": _stopped(lambda: os.close(os.open(canary, os.O_WRONLY))),
        "see a file outside": _stopped(lambda: Path(canary).stat()),
        "see the kernel's process": _stopped(lambda: os.getsid(kernel)),
        "connect": _stopped(lambda: _connect(port)),
        "start a process": _stopped(_fork),
        "signal another process": _stopped(lambda: os.kill(os.getppid(), 0)),
        "use more memory than allowed": _stopped(_allocate),
        "raise a limit": _stopped(lambda: resource.setrlimit(resource.RLIMIT_CPU, (1 << 30, 1 << 30))),
    }


FILE_TRIES = ("open a file outside", "write a file outside")
NAMESPACE_TRIES = (*FILE_TRIES, "see a file outside", "see the kernel's process", "connect")


def _stopped(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except (OSError, MemoryError, ValueError):
        return True
    return False


def _connect(port: int) -> None:
    with socket.socket() as s:
        s.settimeout(1.0)
        s.connect(("127.0.0.1", port))


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _allocate() -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return
    # SAFETY: malloc with a size beyond the limit returns NULL, or memory that is freed at once and never touched.
    libc = ctypes.CDLL(None)
    libc.malloc.restype = ctypes.c_void_p
    libc.malloc.argtypes = [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    block = libc.malloc(soft + _EXCESS_BYTES)
    if not block:
        raise MemoryError
    libc.free(block)


def judge(
    files_only: dict[str, bool] | None,
    strict: dict[str, bool] | None,
    landlock_version: int,
    namespaces: dict[str, bool] | None = None,
    why: str = "",
) -> Level:
    """The level from what was stopped: in a child with Landlock alone, with the strict filter, with namespaces alone.

    None where that child could not be set up at all; ``why`` says so of the namespaces.
    """
    tried: list[tuple[str, bool]] = []
    if strict is not None:
        tried += strict.items()
    files_hold = files_only is not None and all(files_only.get(name, False) for name in FILE_TRIES)
    tried.append(("open a file while a library is loaded", files_hold))
    if strict is None or not all(strict.values()):
        failed = "it could not be installed" if strict is None else ", ".join(k for k, ok in strict.items() if not ok)
        reason = (
            f"the seccomp filter does not hold here ({failed}): use Linux 5.4 or newer on x86-64 or aarch64 with "
            "seccomp enabled; Sandbox(allow=('unsafe',)) runs candidates unprotected"
        )
        return Level("L0", reason, landlock_version, tuple(tried))
    if not files_hold:
        reason = (
            "Landlock is missing or off, so native candidates are refused: use Linux 5.13 or newer with landlock in "
            "the list of /sys/kernel/security/lsm (boot with lsm=landlock,...), and not gVisor"
        )
        return Level("L1", reason, landlock_version, tuple(tried))
    if namespaces is None:
        return Level("L2", why, landlock_version, tuple(tried))
    if seen := [name for name in NAMESPACE_TRIES if not namespaces.get(name, False)]:
        return Level("L2", f"its namespaces do not stop everything ({', '.join(seen)})", landlock_version, tuple(tried))
    tried.append(("see what lies outside of its namespaces", True))
    return Level("L3", "", landlock_version, tuple(tried))
