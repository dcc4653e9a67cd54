"""Arguments of several calls, each brought near to the processor before its call."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence


class Near:
    """``spans`` are where the arguments of each call lie in the shared memory: (offset, bytes).

    A repeated call finds its arguments in the nearest caches. A first call finds them there too once they were read,
    so that the two differ by what the function does, and not by where the kernel's side left the data.
    """

    def __init__(self, arena: int, spans: Sequence[Sequence[int]]) -> None:
        self._places = [(arena + at, size) for at, size in spans]
        self.any = any(size for _, size in self._places)
        self._scratch = ctypes.create_string_buffer(max((size for _, size in self._places), default=0) or 1)

    def read(self, number: int) -> None:
        """Read the arguments of this call."""
        at, size = self._places[number]
        if size:
            # SAFETY: the kernel's side has written ``size`` bytes there, and the buffer has room for the largest.
            ctypes.memmove(self._scratch, at, size)
