"""The arguments of a function's first call that returned, remembered: an example of its use for generated tests.

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
    """The first arguments of each function of one name, whichever version served. Safe to share between threads.

    All of them together are bounded by ``limits.OBSERVED_BYTES_MAX``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left_bytes = limits.OBSERVED_BYTES_MAX
        self.calls: dict[str, Args | None] = {}
        """By function; None where its first call could not be remembered."""

    def look(self, function: str, args: Sequence[Any]) -> Callable[[], None]:
        """A call is about to be made, which may write into its arguments: they are copied now where it is the first.

        What is returned remembers them. It is for after the call: what raises is no example of its use.
        """
        if function in self.calls:
            return _nothing
        room = self._left_bytes
        left = [room]
        copy: Args | None
        try:
            copy = copied(args, left)
        except (TypeError, ValueError, RecursionError):
            copy = None
        taken_bytes = room - left[0]
        return lambda: self._keep(function, copy, taken_bytes)

    def _keep(self, function: str, args: Args | None, taken_bytes: int) -> None:
        with self._lock:
            if function not in self.calls:
                fits = args is not None and taken_bytes <= self._left_bytes
                self.calls[function] = args if fits else None
                self._left_bytes -= taken_bytes if fits else 0

    def of(self, function: str, allowed: Callable[[str], bool]) -> tuple[Args, ...]:
        """The arguments as samples; none where one of their texts is not ``allowed``."""
        found = self.calls.get(function)
        if found is None or not all(allowed(text) for text in _texts(found)):
            return ()
        return (copied(found, [limits.OBSERVED_BYTES_MAX]),)


def _nothing() -> None:
    """It is known already."""


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
