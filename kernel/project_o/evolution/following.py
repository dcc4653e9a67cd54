"""The records that are new since the last time, for whoever folds them as they come: long runs stay linear."""

from __future__ import annotations

from collections.abc import Sequence

from ..values import Record


class Following:
    """Where one is in a sequence of records that grows at its end."""

    def __init__(self) -> None:
        self._count = 0
        self._last: Record | None = None

    def new(self, told: Sequence[Record]) -> tuple[Sequence[Record], bool]:
        """What is new, and whether that is everything again: a sequence that is no continuation begins anew.

        Whoever was starved had been told of more than the next one may know.
        """
        continued = self._count <= len(told) and (not self._count or told[self._count - 1] is self._last)
        found = told[self._count :] if continued else told
        self._count, self._last = len(told), told[-1] if told else None
        return found, not continued
