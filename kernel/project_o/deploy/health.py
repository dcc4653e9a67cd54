"""Whether what serves is as well as it was: what a sample of its calls says against its own past.

A suspicion is not a verdict: the machine may be busy, or the arguments may have changed. So a version that is suspected
is put beside the one before it, as a canary is, and only what is shown there takes it back. What needs no comparison is
a fault: a version that was accepted must not end a call by one.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable

from .. import limits
from ..observe.rates import more_failures

Key = tuple[str, int]


class Signs:
    """What was sampled of one release. Its first calls of each kind are what the later ones are held against."""

    def __init__(self) -> None:
        self._first: defaultdict[Key, list[float]] = defaultdict(list)
        self._recent: defaultdict[Key, deque[float]] = defaultdict(lambda: deque(maxlen=limits.HEALTH_CALLS))
        self._failures: deque[bool] = deque(maxlen=2 * limits.HEALTH_CALLS)
        self._failures_before = self._calls_before = 0
        self._growths: deque[int] = deque(maxlen=limits.HEALTH_WINDOWS)

    def call(self, function: str, seconds: float, failed: bool, size: int) -> None:  # noqa: FBT001 - on the path of a call
        """One sampled call."""
        if len(self._failures) == self._failures.maxlen:
            self._calls_before += 1
            self._failures_before += self._failures[0]
        self._failures.append(failed)
        if failed:
            return
        first = self._first[function, size]
        if len(first) < limits.HEALTH_CALLS:
            first.append(seconds)
        else:
            self._recent[function, size].append(seconds)

    def known(self, calls: Iterable[tuple[str, float, bool, int]]) -> None:
        """What earlier kernels sampled of it: its past."""
        for function, seconds, failed, size in calls:
            first = self._first[function, size]
            if not failed and len(first) < limits.HEALTH_CALLS:
                first.append(seconds)

    def grew(self, bytes_grown: int) -> None:
        """How much memory this process took while a few calls were timed."""
        self._growths.append(bytes_grown)

    def suspicion(self) -> str:
        """What is not as it was, in words; "" where nothing is."""
        return self._slower() or self._failing()

    def grows(self) -> bool:
        """Whether memory grew while its calls were watched, again and again."""
        grown = [size for size in self._growths if size > 0]
        if len(self._growths) < limits.HEALTH_WINDOWS or len(grown) < 0.8 * len(self._growths):
            return False
        return sum(self._growths) > limits.HEALTH_GROWTH_BYTES

    def forget_recent(self) -> None:
        """It was looked into: what comes from now on is judged anew."""
        self._recent.clear()
        self._failures.clear()
        self._growths.clear()
        self._failures_before = self._calls_before = 0

    def _slower(self) -> str:
        for (function, size), recent in self._recent.items():
            first = sorted(self._first[function, size])
            if len(recent) < limits.HEALTH_CALLS:
                continue
            past, now = first[len(first) // 2], sorted(recent)[len(recent) // 2]
            above = sum(seconds > past for seconds in recent)
            shown = more_failures(above, len(recent) - above, 0.5) >= limits.HEALTH_EVIDENCE
            if shown and now > past * (1 + limits.HEALTH_SLOWER):
                return f"{function} takes {now * 1e6:.3g} us, and took {past * 1e6:.3g} us"
        return ""

    def _failing(self) -> str:
        failed, calls = sum(self._failures), len(self._failures)
        before = (self._failures_before + 1) / (self._calls_before + 20)  # nothing known counts as one in twenty
        if failed >= limits.HEALTH_FAILURES_MIN and failed / calls > 2 * before:
            return f"{failed} of its last {calls} sampled calls failed"
        return ""


def resident_bytes() -> int:
    """What this process holds in memory; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * 4096
    except (OSError, ValueError, IndexError):
        return 0
