"""What this process holds of native cells: each thing by its identity, so that what others let go of is not counted."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path


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
