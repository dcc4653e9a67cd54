"""The vectors of a store as this process holds them: one matrix, kept equal to what is in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ... import limits
from .matrix import Matrix, best

if TYPE_CHECKING:
    import numpy as np

Rows = Callable[..., list[Any]]
Pieces = Callable[[int], Iterator[list[tuple[int, str, bytes]]]]


class Held:
    """What is searched. ``rows`` asks the file, ``pieces`` gives the vectors behind a number. Not thread-safe."""

    def __init__(self, rows: Rows, pieces: Pieces) -> None:
        self._rows = rows
        self._pieces = pieces
        self._seen = -1
        self._matrix: Matrix | None = None
        self._scopes: dict[str, int] = {"": 0}
        self._taught: tuple[list[tuple[str, str]], np.ndarray] | None = None

    def drop(self) -> None:
        """Everything may have changed."""
        self._matrix = self._taught = None

    def taught_changed(self) -> None:
        """What was taught has changed, or the blocks that it is about."""
        self._taught = None

    def gone(self, number: int) -> None:
        """This block cannot be found any more."""
        if self._matrix is not None:
            self._matrix.remove([number])

    def nearest(self, vector: np.ndarray, count: int, scope: str | None) -> list[tuple[int, float]]:
        """The best blocks by number, best first."""
        self._look(len(vector))
        if self._matrix is None:
            return self._stream(vector, count, scope)
        codes = None if scope is None else [self._scopes.get(name, -1) for name in ("", scope)]
        return self._matrix.top(vector, count, codes)

    def _look(self, dimension: int) -> None:
        """Hold the vectors that are in the file now, by whichever process they came; none where they are too many."""
        import numpy as np

        seen = int(self._rows("PRAGMA data_version")[0][0])
        others, self._seen = seen != self._seen, seen
        if others:
            self._taught = None
        held = self._matrix
        if held is not None and (held.dimension != dimension or (others and not self._take_out(held))):
            held = self._matrix = None
        if held is None:
            count = int(self._rows("SELECT count(*) FROM vector")[0][0])
            if 4 * dimension * count > limits.MEMORY_MATRIX_BYTES_MAX:
                return
            held = self._matrix = Matrix(dimension)
        for rows in self._pieces(held.last):
            codes = [self._scopes.setdefault(row[1], len(self._scopes)) for row in rows]
            vectors = np.frombuffer(b"".join(row[2] for row in rows), np.float32).reshape(len(rows), -1)
            held.extend([row[0] for row in rows], vectors, codes)

    def _take_out(self, held: Matrix) -> bool:
        """Another process wrote: take out what it removed. False where a lower number, or another scope, may be new."""
        import numpy as np

        there = np.asarray([row[0] for row in self._rows("SELECT number FROM vector ORDER BY number")], np.int64)
        held.remove(np.setdiff1d(held.numbers, there).tolist())
        return bool(np.isin(there[there <= held.last], held.numbers).all())

    def _stream(self, vector: np.ndarray, count: int, scope: str | None) -> list[tuple[int, float]]:
        """The best without holding the vectors: read in pieces, the best of each kept."""
        import numpy as np

        kept: list[tuple[int, float]] = []
        for rows in self._pieces(0):
            mine = rows if scope is None else [row for row in rows if row[1] in ("", scope)]
            if mine:
                part = np.frombuffer(b"".join(row[2] for row in mine), np.float32).reshape(len(mine), -1)
                kept += best(np.asarray([row[0] for row in mine], np.int64), part @ vector, count)
        return sorted(kept, key=lambda item: (-item[1], -item[0]))[:count]

    def answers(self, vector: np.ndarray, scope: str | None) -> dict[str, float]:
        """Blocks by the questions that they were said to answer."""
        import numpy as np

        if self._taught is None:
            rows = self._rows(
                "SELECT taught.block, vector.scope, taught.vector FROM taught JOIN block ON block.id = taught.block "
                "JOIN vector ON vector.number = block.number ORDER BY taught.number"
            )
            vectors = np.frombuffer(b"".join(row[2] for row in rows), np.float32).reshape(len(rows), len(vector))
            self._taught = ([(row[0], row[1]) for row in rows], vectors)
        places, vectors = self._taught
        if not places:
            return {}
        found: dict[str, float] = {}
        for (name, where), score in zip(places, map(float, vectors @ vector), strict=True):
            if score >= limits.MEMORY_TAUGHT_SCORE_MIN and (scope is None or where in ("", scope)):
                found[name] = max(limits.MEMORY_TAUGHT_SHARE * score, found.get(name, 0.0))
        return found


def packed(vector: np.ndarray) -> bytes:
    """A vector as the file holds it: float32 in the machine's order."""
    import numpy as np

    return np.ascontiguousarray(vector, np.float32).tobytes()
