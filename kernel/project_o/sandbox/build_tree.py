"""What a job takes that has processes of its own: counted from outside, because no limit of the kernel bounds a tree.

RLIMIT_AS and RLIMIT_CPU bound each process, RLIMIT_NPROC all processes of a user and none of the superuser's. So the
kernel's side walks the tree below a job's first process, which adopts whatever loses its parent.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MANY = 1 << 30
# Fields of /proc/PID/stat behind the name in parentheses (proc_pid_stat(5)), counted from the state, which is 0.
_USER, _SYSTEM, _REAPED_USER, _REAPED_SYSTEM, _THREADS, _SIZE, _RESIDENT = 11, 12, 13, 14, 17, 20, 21
_TABLES_OF_A_BYTE = 512  # a page of entries for so many pages


class Used(NamedTuple):
    """Living processes and threads, CPU seconds (those of collected children too), resident bytes counted singly.

    Pages that processes share count for each of them, and page tables as large as they can be: ``resident_bytes`` is
    never too small.
    """

    processes: int
    threads: int
    cpu_seconds: float
    resident_bytes: int


def used(pid: int, enough: int = _MANY) -> Used:
    """What the process ``pid`` and all below it use now; nothing where it is gone.

    Counting ends beyond ``enough`` threads.
    """
    processes = threads = ticks = pages = mapped = 0
    for one in members(pid):
        try:
            with open(f"/proc/{one}/stat", "rb") as f:
                fields = f.read().rpartition(b") ")[2].split()
        except OSError:
            continue  # it ended while we looked
        processes += 1
        threads += int(fields[_THREADS])
        ticks += sum(int(fields[k]) for k in (_USER, _SYSTEM, _REAPED_USER, _REAPED_SYSTEM))
        pages += int(fields[_RESIDENT])
        mapped += int(fields[_SIZE])
        if threads > enough:
            break
    return Used(processes, threads, ticks / _TICKS_A_SECOND, pages * _PAGE_BYTES + mapped // _TABLES_OF_A_BYTE)


def members(pid: int) -> Iterator[int]:
    """The process ``pid`` and all below it."""
    waiting, seen = [pid], {pid}
    while waiting:
        one = waiting.pop()
        yield one
        for child in children(one):
            if child not in seen:
                seen.add(child)
                waiting.append(child)


def children(pid: int) -> list[int]:
    """The children of every thread of a process."""
    found: list[int] = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - thousands of times a second
    except OSError:
        return found
    for task in tasks:
        with suppress(OSError), open(f"/proc/{pid}/task/{task}/children", "rb") as f:
            found += [int(word) for word in f.read().split()]
    return found


def own_bytes(pid: int) -> int:
    """What the tree takes where shared pages count once: exact, and slower. 0 where the kernel does not tell."""
    total = tables = 0
    for one in members(pid):
        total += _kibibytes(f"/proc/{one}/smaps_rollup", b"Pss:") << 10
        tables += _kibibytes(f"/proc/{one}/status", b"VmPTE:") << 10
    return total + tables if total else 0


def _kibibytes(path: str, name: bytes) -> int:
    with suppress(OSError, ValueError), open(path, "rb") as f:
        for line in f:
            if line.startswith(name):
                return int(line.split()[1])
    return 0
