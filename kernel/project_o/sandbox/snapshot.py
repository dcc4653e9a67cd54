"""Data that many jobs read: written once into sealed memory, mapped by each job, copied by none.

A job maps it privately: what it writes there stays its own, page by page, and reaches neither the kernel nor
another job.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Sequence
from typing import Any

from .. import limits
from ..errors import SandboxError
from .arena import aligned

_F_ADD_SEALS, _ALL_SEALS = 1033, 0x1 | 0x2 | 0x4 | 0x8  # seal, shrink, grow, write


class Snapshot:
    """The bytes of some buffers, each from a multiple of 64 bytes on. ``offsets`` are theirs, ``digest`` is over all.

    Raises SandboxError for more than limits.SNAPSHOT_BYTES_MAX.
    """

    def __init__(self, buffers: Sequence[Any]) -> None:
        views = [memoryview(item).cast("B") for item in buffers]
        self._lengths = [view.nbytes for view in views]
        self.offsets: list[int] = []
        end = 0
        for view in views:
            self.offsets.append(end)
            end = aligned(end + view.nbytes)
        self.size = end
        if end > limits.SNAPSHOT_BYTES_MAX:
            raise SandboxError(
                f"data of {end:,} bytes is more than the {limits.SNAPSHOT_BYTES_MAX:,} bytes that can be shared with "
                "the sandbox: use less of it"
            )
        found = hashlib.sha256()
        self.fd = os.memfd_create("o-snapshot", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.fd, end)
            for at, view in zip(self.offsets, views, strict=True):
                _write(self.fd, view, at)
                found.update(view.nbytes.to_bytes(8, "little"))
                found.update(view)
            # Whoever holds the descriptor, a candidate included, can neither change it nor take pages from the others.
            fcntl.fcntl(self.fd, _F_ADD_SEALS, _ALL_SEALS)
        except BaseException:
            self.close()
            raise
        self.digest = found.hexdigest()

    def buffers(self) -> list[bytes]:
        """A copy of each buffer: the same ones make a snapshot with the same digest."""
        return [os.pread(self.fd, length, at) for at, length in zip(self.offsets, self._lengths, strict=True)]

    def close(self) -> None:
        """Give the memory back, once the jobs that hold it have ended too. Idempotent."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        if getattr(self, "fd", -1) >= 0:
            self.close()


def _write(fd: int, view: memoryview, at: int) -> None:
    while view.nbytes:
        done = os.pwrite(fd, view, at)
        view, at = view[done:], at + done
