"""Exact search among vectors: one matrix, one product, the best of its scores. The naive twin is a sort of them all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_ROWS_MIN = 16


class Matrix:
    """Vectors by number, in ascending order of the numbers. Not thread-safe: the store that owns it is.

    Vectors are the columns of an array: a product along its rows takes half as long as one along rows of vectors, which
    reads as much, for BLAS then adds whole rows and has no sum for each vector.
    """

    def __init__(self, dimension: int) -> None:
        import numpy as np

        self.dimension = dimension
        self._count = 0
        self._columns = np.zeros((dimension, 0), np.float32)
        self._numbers = np.zeros(0, np.int64)
        self._alive = np.zeros(0, np.bool_)
        self._scopes = np.zeros(0, np.int32)
        self._dead = 0

    def __len__(self) -> int:
        return self._count - self._dead

    @property
    def last(self) -> int:
        """The highest number that was ever added, 0 before the first."""
        return int(self._numbers[self._count - 1]) if self._count else 0

    @property
    def numbers(self) -> np.ndarray:
        """The numbers that are there, ascending, shape (len(self),)."""
        return self._numbers[: self._count][self._alive[: self._count]]

    def extend(self, numbers: Sequence[int], rows: np.ndarray, scopes: Sequence[int]) -> None:
        """Add rows, shape (len(numbers), dimension). Numbers ascend, and are higher than all before."""
        import numpy as np

        start, end = self._count, self._count + len(numbers)
        assert not len(numbers) or not start or numbers[0] > self._numbers[start - 1]
        if end > len(self._numbers):
            length = max(_ROWS_MIN, end, 2 * start)
            for name in ("_columns", "_numbers", "_alive", "_scopes"):
                old = getattr(self, name)
                new = np.zeros((*old.shape[:-1], length), old.dtype)
                new[..., :start] = old[..., :start]
                setattr(self, name, new)
        self._columns[:, start:end], self._numbers[start:end] = np.asarray(rows, np.float32).T, numbers
        self._alive[start:end], self._scopes[start:end] = True, scopes
        self._count = end

    def remove(self, numbers: Sequence[int]) -> None:
        """Take rows out; the matrix is packed when half of it is gone. Unknown numbers are passed over."""
        import numpy as np

        wanted = np.asarray(sorted(numbers), np.int64)
        at = np.searchsorted(self._numbers[: self._count], wanted)
        at = at[at < self._count]
        at = at[np.isin(self._numbers[at], wanted) & self._alive[at]]
        self._alive[at] = False
        self._columns[:, at] = 0.0
        self._dead += len(at)
        if 2 * self._dead > self._count:
            kept = np.flatnonzero(self._alive[: self._count])
            for name in ("_columns", "_numbers", "_alive", "_scopes"):
                setattr(self, name, np.ascontiguousarray(getattr(self, name)[..., kept]))
            self._count, self._dead = len(kept), 0

    def top(self, query: np.ndarray, count: int, scopes: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """The ``count`` best as (number, dot product with ``query``), best first, the higher number where equal.

        ``scopes``: only rows of these. Only what is above 0 fits.
        """
        import numpy as np

        scores = query.astype(np.float32, copy=False) @ self._columns[:, : self._count]
        if scopes is not None:
            scores = np.where(np.isin(self._scopes[: self._count], np.asarray(scopes, np.int32)), scores, -np.inf)
        return best(self._numbers[: self._count], scores, count)


def best(numbers: np.ndarray, scores: np.ndarray, count: int) -> list[tuple[int, float]]:
    """The ``count`` highest positive scores with their numbers, best first, the higher number where equal."""
    import numpy as np

    if len(scores) > 4 * count:
        # All that equals the last one that fits stays in, so that ties are broken by number and not by chance.
        least = np.partition(scores, len(scores) - count)[len(scores) - count]
        kept = np.flatnonzero(scores >= max(least, np.float32(0)))
        numbers, scores = numbers[kept], scores[kept]
    order = np.lexsort((-numbers, -scores))[:count]
    return [(int(numbers[k]), float(scores[k])) for k in order if scores[k] > 0]
