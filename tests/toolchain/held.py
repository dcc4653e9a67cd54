"""What this process holds of native cells: each thing by its identity, so that what others let go of is not counted."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil


def mapped_cells() -> set[str]:
    """The inodes of the cells' libraries whose code is mapped."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split()[4] for line in lines if "project-o-cell" in line and " r-xp " in line}


def open_descriptors() -> Counter[tuple[int, int]]:
    """How many descriptors are open of each device and inode: the kernel's own kinds, as epoll, share one."""
    found: Counter[tuple[int, int]] = Counter()
    for name in os.listdir("/proc/self/fd"):
        try:
            status = os.fstat(int(name))
        except OSError:
            continue  # the listing's own, or one that another thread closed
        found[(status.st_dev, status.st_ino)] += 1
    return found


def resident_growth(use: Callable[[], object], enough: int, rounds: int = 3) -> int:
    """The bytes by which the process grows while that runs, the least of some rounds, or what is below ``enough``.

    What leaks does so in each round; what the allocator keeps, or another thread takes, is there once.
    """
    process = psutil.Process()
    grown = []
    for _ in range(rounds):
        before = process.memory_info().rss
        use()
        grown.append(process.memory_info().rss - before)
        if grown[-1] < enough:
            break
    return min(grown)
