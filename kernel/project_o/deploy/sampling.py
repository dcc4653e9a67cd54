"""A few calls of what serves are timed, now and then: for the metrics, and to see when something changes.

Two readings of the clock cost more than a native call. So no call is timed unless somebody asked for it: then a
version that times takes the place of the one that serves, for the next few calls, and gives the place back. Between
those, nothing of this is on the path of a call.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import limits
from ..errors import InterfaceError
from .arguments import size_class
from .handles import Slot, Version, is_provisional

Record = Callable[[str, float, bool, int], None]
"""(function, seconds, whether it failed, the size of its arguments)."""


class Sampled:
    """A version whose next calls are timed. ``give_back`` is called with itself when those were enough."""

    def __init__(self, version: Version, record: Record, give_back: Callable[[Sampled], None]) -> None:
        self.artifact = version.artifact
        self.sampled = version
        self._record = record
        self._give_back = give_back
        self._left = limits.SAMPLED_CALLS
        if hasattr(version, "function"):
            self.function = self._as_function(version.function)

    def __getattr__(self, name: str) -> Any:
        if name in ("sampled", "entry"):  # not made yet; and no dispatcher may pass us by
            raise AttributeError(name)
        return getattr(self.sampled, name)

    def call(self, name: str, args: Sequence[Any]) -> Any:
        """Call one of its functions."""
        return self._timed(name, args, {}, lambda given, _: self.sampled.call(name, given))

    def _as_function(self, original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def timed(*args: Any, **named: Any) -> Any:
            return self._timed(original.__name__, args, named, lambda given, by_name: original(*given, **by_name))

        return timed

    def _timed(
        self,
        name: str,
        args: Sequence[Any],
        named: Mapping[str, Any],
        invoke: Callable[[Sequence[Any], Mapping[str, Any]], Any],
    ) -> Any:
        failed = True
        began = time.perf_counter()
        try:
            value = invoke(args, named)
            failed = False
            return value
        except (InterfaceError, KeyboardInterrupt):
            failed = False  # the caller's own
            raise
        finally:
            seconds = time.perf_counter() - began
            self._left -= 1
            if self._left >= 0:
                self._record(name, seconds, failed, size_class(args))
            if self._left <= 0:
                self._give_back(self)


def plain(version: Version) -> Version:
    """The version that serves, without what times it or is tried beside it."""
    if isinstance(version, Sampled):
        return version.sampled
    found: Version = getattr(version, "old", version) if hasattr(version, "evidence") else version
    return found


def arm(slot: Slot, record: Record, give_back: Callable[[Sampled], None]) -> bool:
    """Time the next calls of a slot; the caller holds the registry's lock. False where something is at work there, or
    the build is not the one whose time means anything.
    """
    version = slot.version
    if (
        isinstance(version, Sampled)
        or is_provisional(version)
        or hasattr(version, "evidence")
        or hasattr(version, "converses")
    ):
        return False
    slot.version = Sampled(version, record, give_back)
    return True
