"""How fast this machine's memory can be read, measured once a size and kept for the process, the best of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .. import limits

PASSES = 5
BYTES_MIN = 1 << 20


_best_of: dict[int, float] = {}
"""By size: bytes in a second."""


def bytes_per_second_max(size: int, claimed: float = 0.0) -> float:
    """More than any single thread here reads in a second of ``size`` bytes that are read once.

    Where that is less than what somebody ``claimed``, it is measured once more: others may have read the first time.

    The best of several numpy reductions and copies over a buffer of that size (rounded up to a power of two), times a
    margin of ``limits.MEMORY_BANDWIDTH_MARGIN`` for what a better loop gets out of the same memory. Below
    ``BYTES_MIN``, where numpy's own overhead would be measured, it is what no core's nearest cache can deliver.
    """
    if size < BYTES_MIN:
        return limits.CACHE_BYTES_PER_SECOND_MAX
    rounded = min(1 << (size - 1).bit_length(), limits.INPUT_BYTES_MAX)
    if rounded not in _best_of or limits.MEMORY_BANDWIDTH_MARGIN * _best_of[rounded] < claimed:
        _best_of[rounded] = max(_best_of.get(rounded, 0.0), measured(rounded))
    return min(limits.CACHE_BYTES_PER_SECOND_MAX, limits.MEMORY_BANDWIDTH_MARGIN * _best_of[rounded])


def measured(size: int) -> float:
    """Bytes in a second, the best of several ways to read (or read and write) a buffer of ``size`` bytes, now."""
    import numpy as np

    words = np.arange(size // 8, dtype=np.uint64)
    other = np.empty_like(words)
    floats, octets = words.view(np.float32), words.view(np.uint8)
    ways: tuple[tuple[Callable[[], Any], int], ...] = (
        (lambda: np.bitwise_or.reduce(words), size),
        (octets.max, size),
        (lambda: np.dot(floats[: size // 8], floats[size // 8 :]), size),
        (lambda: np.copyto(other, words), 2 * size),
    )
    with np.errstate(all="ignore"):
        return max(moved / _best(way) for way, moved in ways)


def _best(way: Callable[[], Any]) -> float:
    times = []
    for _ in range(PASSES):
        began = time.perf_counter()
        way()
        times.append(time.perf_counter() - began)
    return max(min(times), 1e-9)
