"""The arguments of a function's first call, remembered: what generated tests may take as an example of its use.

They stay in this process, bounded in bytes and copied, so that what the call changes is not in them. Only plain values
are remembered: numbers, text, bytes, arrays, and lists, tuples, dicts and sets of such.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from .. import limits
from ..abi import copied

Args = tuple[Any, ...]


class Observed:
    """The first arguments of each function of one name, whichever version served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: dict[str, Args | None] = {}
        """By function; None where its first call could not be remembered."""

    def see(self, function: str, args: Sequence[Any]) -> None:
        """A call is about to be made. What cannot be remembered is not, and neither are later calls."""
        with self._lock:
            if function in self.calls:
                return
            try:
                self.calls[function] = copied(args, limits.OBSERVED_BYTES_MAX)
            except (TypeError, ValueError, RecursionError):
                self.calls[function] = None

    def of(self, function: str, allowed: Callable[[str], bool]) -> tuple[Args, ...]:
        """The arguments as samples; none where one of their texts is not ``allowed``."""
        found = self.calls.get(function)
        if found is None or not all(allowed(text) for text in _texts(found)):
            return ()
        return (copied(found, limits.OBSERVED_BYTES_MAX),)


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes):
        return [value.decode("utf-8", "replace")]
    if isinstance(value, dict):
        return [text for pair in value.items() for item in pair for text in _texts(item)]
    if isinstance(value, (list, tuple, set, frozenset)):
        return [text for item in value for text in _texts(item)]
    if getattr(getattr(value, "dtype", None), "kind", "") in ("S", "U"):
        return [str(item) for item in value.reshape(-1).tolist()]
    return []
