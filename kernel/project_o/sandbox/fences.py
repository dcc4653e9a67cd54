"""Where the arguments of a trial lie: each between two pages that nobody may touch, its end right at the second one.

What a function reads or writes beyond the end of an array would go unseen anywhere else: the memory there is another
array's, or nobody's. Here it is a fault, at an address that says which argument it was.
"""

from __future__ import annotations

import mmap

PAGE_BYTES = mmap.PAGESIZE


class Fences:
    """``pages`` are the offsets of the pages that nobody may touch, ``end`` is where free memory begins."""

    def __init__(self) -> None:
        self.pages = [0]
        self.end = PAGE_BYTES
        self._arguments: list[int] = []

    def take(self, argument: int, size: int) -> int:
        """The offset of ``size`` bytes of the argument with this number, right before a new fence."""
        fence = self.end + -(-size // PAGE_BYTES) * PAGE_BYTES
        self._arguments.append(argument)
        self.pages.append(fence)
        self.end = fence + PAGE_BYTES
        return fence - size

    def near(self, offset: int) -> tuple[int, int] | None:
        """Which argument a touched byte lies beyond, and by how much: from 0 on behind its end, below 0 before it.

        None where the byte is in no fence.
        """
        for number, page in enumerate(self.pages):
            inside = offset - page
            if not 0 <= inside < PAGE_BYTES:
                continue
            behind = number > 0 and (inside < PAGE_BYTES // 2 or number == len(self._arguments))
            if behind:
                return self._arguments[number - 1], inside
            return (self._arguments[number], inside - PAGE_BYTES) if self._arguments else None
        return None
