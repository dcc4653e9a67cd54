"""What is known of two versions that are at work beside each other, and what follows from it.

Latency is compared in pairs: a call of the new version with the middle one of three of the old one that do the same
function on arguments of the same size, by turns those behind it and those before it, so that neither a mixture of small
and large calls nor a machine (or a process) that becomes slower or warms up makes a difference. The interval of the
ratio holds at every moment (``observe.median``), and so does what is concluded from failures (``observe.rates``): it is
decided as soon as it can be, by calls and not by the clock.

A version is promoted where it is shown to be better (the interval excludes 1, and at least CANARY_FASTER of it is
seen; or it fails less often), and nothing looks worse. It is taken back where it is shown to be worse, by at least
CANARY_SLOWER or CANARY_MORE_ERRORS, or where it crashes on a call that the old version answers.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import limits
from ..observe import Interval
from ..observe.median import RunningMedian
from ..observe.rates import fewer_failures, more_failures
from .plan import Decision, Plan

Key = tuple[str, int]
"""A function, and the size of its arguments as a power of two."""


class _Waiting:
    """Calls of one kind that have no partner yet, and the newest of the old version that nobody was compared with."""

    __slots__ = ("backwards", "before", "new", "old")

    def __init__(self) -> None:
        self.new: list[float] = []
        self.old: list[float] = []
        self.before: deque[float] = deque(maxlen=limits.CANARY_PARTNERS)
        self.backwards = False


class Evidence:
    """Not thread-safe: the canary holds its lock around it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.calls_new = self.calls_old = 0
        self.errors_new = self.errors_old = 0
        self.answered_by_old = 0
        self.refused = 0
        self.why_refused = "whose arguments cannot be copied"
        self.compared = 0
        self.crash = ""
        self.difference = ""
        self.first_error = ""
        self.metrics: dict[str, list[tuple[float, float]]] = {}
        self._news = False
        self._pairs: list[tuple[str, float, float]] = []
        self._waiting: defaultdict[Key, _Waiting] = defaultdict(_Waiting)
        self._ratios = RunningMedian(limits.CONFIDENCE)
        self._interval: Interval | None = None

    @property
    def calls(self) -> int:
        """Of both versions."""
        return self.calls_new + self.calls_old

    @property
    def pairs(self) -> int:
        """How many calls of the new version have been compared in time."""
        return len(self._pairs)

    @property
    def interval(self) -> Interval | None:
        """Old latency over new; None before there is anything to say."""
        return self._interval

    @property
    def _latency(self) -> Interval | None:
        """The interval, where it has a say."""
        return self._interval if self.plan.timed else None

    def latencies(self) -> tuple[float, float] | None:
        """The medians of the compared calls, old and new, in seconds."""
        if not self._pairs:
            return None
        middle = len(self._pairs) // 2
        return sorted(item[1] for item in self._pairs)[middle], sorted(item[2] for item in self._pairs)[middle]

    # ------------------------------------------------------------------ what happens

    def wants_old(self, key: Key) -> bool:
        """Whether a call of the old version is waited for: the new one's calls of that kind have no partners yet."""
        waiting = self._waiting.get(key)
        return waiting is not None and bool(waiting.new)

    def took(self, key: Key, seconds: float, *, new: bool) -> None:
        """A timed call that returned."""
        waiting = self._waiting[key]
        if new:
            if waiting.new and waiting.old:
                self._match(key, waiting)
            waiting.new = [seconds]
            if waiting.backwards and len(waiting.before) == limits.CANARY_PARTNERS:
                waiting.old.extend(waiting.before)
                self._match(key, waiting)
        elif waiting.new:
            waiting.old.append(seconds)
            if len(waiting.old) == limits.CANARY_PARTNERS:
                self._match(key, waiting)
        else:
            waiting.before.append(seconds)

    def took_both(self, key: Key, old: float, new: float) -> None:
        """A call that both versions answered, each on its own."""
        self._pair(key[0], old, new)

    def crashed(self, why: str) -> None:
        """The new version ended a call that the old one then answered."""
        self._news, self.crash = True, why

    def differed(self, how: str) -> None:
        """Both answered a call, and not the same."""
        self._news, self.difference = True, how

    def measured(self, metric: str, old: float, new: float) -> None:
        """A metric of the user's, of a call of each side."""
        self._news = True
        self.metrics.setdefault(metric, []).append((old, new))

    def _match(self, key: Key, waiting: _Waiting) -> None:
        # Of an odd number: one more call of equals is as likely below their middle as above it.
        partners = waiting.old[: len(waiting.old) - (len(waiting.old) + 1) % 2]
        self._pair(key[0], _middle(partners), waiting.new[0])
        waiting.backwards = not waiting.backwards
        waiting.old.clear()
        waiting.new.clear()
        waiting.before.clear()

    def _pair(self, function: str, old: float, new: float) -> None:
        if old <= 0 or new <= 0 or len(self._pairs) >= self.plan.pairs_max:
            return
        self._news = True
        self._pairs.append((function, old, new))
        self._ratios.add(math.log(old / new))
        if len(self._pairs) >= limits.CANARY_PAIRS_MIN:
            found = self._ratios.interval()
            low, high = math.exp(max(found.low, -700.0)), math.exp(min(found.high, 700.0))
            self._interval = replace(found, estimate=math.exp(found.estimate), low=low, high=high)

    def failed(self, error: str, *, new: bool) -> None:
        """A call that raised."""
        self._news = True
        if new:
            self.errors_new += 1
            self.first_error = self.first_error or error
        else:
            self.errors_old += 1

    # ------------------------------------------------------------------ what follows

    def decision(self) -> Decision | None:
        """What the evidence says by itself; None where it says nothing new."""
        if not self._news:
            return None
        self._news = False
        return self._worse() or self._better()

    def at_the_end(self, extensions: int) -> Decision:
        """A stage is over, and nothing was shown."""
        if extensions < limits.CANARY_EXTENSIONS:
            return Decision("extend", self.told())
        why = "no call could be given to it" if self.refused and not self.calls_new else "nothing was shown"
        return Decision("rollback", f"{why} in {self.calls:,} calls: {self.told()}", shown=False)

    @property
    def _share(self) -> float:
        if self.plan.shadow:
            return 0.5
        share = self.calls_new / self.calls if self.calls else self.plan.share
        return min(max(share, 1e-6), 1 - 1e-6)

    def _worse(self) -> Decision | None:
        if self.crash:
            return Decision("rollback", self.crash)
        if self.difference:
            return Decision("rollback", f"its answers differ: {self.difference}")
        found = self._latency
        if found is not None and found.high < 1.0 and found.estimate <= 1 / (1 + limits.CANARY_SLOWER):
            return Decision("rollback", f"it is slower: {_ratio(found)}")
        evidence = more_failures(self.errors_new, self.errors_old, self._share)
        if evidence >= limits.CANARY_EVIDENCE and self._error_ratio() >= 1 + limits.CANARY_MORE_ERRORS:
            return Decision("rollback", f"it fails more often: {self._errors_told()}; first: {self.first_error}")
        return self._metric_decision(better=False)

    def _better(self) -> Decision | None:
        if self._looks_worse():
            return None
        found = self._latency
        if found is not None and found.low > 1.0 and found.estimate >= 1 + limits.CANARY_FASTER:
            return Decision("promote", f"it is faster: {_ratio(found)}")
        evidence = fewer_failures(self.errors_new, self.errors_old, self._share)
        if evidence >= limits.CANARY_EVIDENCE and self._error_ratio() <= 1 - limits.CANARY_FEWER_ERRORS:
            return Decision("promote", f"it fails less often: {self._errors_told()}")
        return self._metric_decision(better=True)

    def _looks_worse(self) -> bool:
        """Whether anything seen so far is worse, shown or not, or too little was seen: nobody is promoted over that."""
        if self.calls_new < limits.CANARY_NEW_CALLS_MIN:
            return True
        if self.errors_new and self._error_ratio() > 1 + limits.CANARY_MORE_ERRORS:
            return True
        if self._latency is not None and self._latency.estimate < 1 / (1 + limits.CANARY_TOLERANCE):
            return True
        if any(_gain(pairs) < -limits.CANARY_TOLERANCE for pairs in self.metrics.values()):
            return True
        slower = 1 / (1 + limits.CANARY_SLOWER)
        return self.plan.timed and any(estimate < slower for estimate in self._by_function().values())

    def _by_function(self) -> dict[str, float]:
        """The ratio of each function of which enough was seen."""
        logs: defaultdict[str, list[float]] = defaultdict(list)
        for function, old, new in self._pairs:
            logs[function].append(math.log(old / new))
        return {name: math.exp(_middle(items)) for name, items in logs.items() if len(items) >= limits.CANARY_PAIRS_MIN}

    def _error_ratio(self) -> float:
        """The new version's share of failures over the old one's."""
        old, new = self.calls_old or 1, self.calls_new or 1
        if self.plan.shadow:
            old = new = self.compared or 1
        rate_old, rate_new = self.errors_old / old, self.errors_new / new
        if rate_old == 0:
            return math.inf if rate_new else 1.0
        return rate_new / rate_old

    def _metric_decision(self, *, better: bool) -> Decision | None:
        """Metrics of the user's own, each call's value beside that of the other side; more is better."""
        from ..observe import mean_interval

        for name, pairs in self.metrics.items():
            if len(pairs) < 2 * limits.CANARY_PAIRS_MIN:
                continue
            old = math.fsum(item[0] for item in pairs) / len(pairs)
            # Looked at after every pair, so each look has a small share of what may go wrong.
            found = mean_interval([new - before for before, new in pairs], 1 - (1 - limits.CONFIDENCE) / 20)
            scale = abs(old) or 1.0
            if better and found.low > 0 and found.estimate / scale >= limits.CANARY_FASTER:
                return Decision("promote", f"{name} is better: {old:.4g} -> {old + found.estimate:.4g}")
            if not better and found.high < 0 and found.estimate / scale <= -limits.CANARY_MORE_ERRORS:
                return Decision("rollback", f"{name} is worse: {old:.4g} -> {old + found.estimate:.4g}")
        return None

    # ------------------------------------------------------------------ telling, keeping

    def _errors_told(self) -> str:
        if self.plan.shadow:
            return f"{self.errors_new} against {self.errors_old} of {self.compared:,} calls"
        return f"{self.errors_new} of {self.calls_new:,} calls against {self.errors_old} of {self.calls_old:,}"

    def told(self) -> str:
        """What is known so far, in one line."""
        parts = [_ratio(self._interval) if self._interval else f"{self.pairs} calls compared"]
        if self.errors_new or self.errors_old:
            parts.append(f"errors {self._errors_told()}")
        if self.refused:
            parts.append(f"{self.refused:,} calls kept from it, {self.why_refused}")
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """As JSON has it."""
        counts = ("calls_new", "calls_old", "errors_new", "errors_old", "answered_by_old", "refused", "compared")
        return {
            **{name: getattr(self, name) for name in counts},
            "first_error": self.first_error,
            "pairs": [[function, float(f"{a:.6g}"), float(f"{b:.6g}")] for function, a, b in self._pairs],
            "metrics": {name: [list(pair) for pair in pairs] for name, pairs in self.metrics.items()},
        }

    @classmethod
    def from_json(cls, plan: Plan, body: Mapping[str, Any]) -> Evidence:
        """The inverse. Raises KeyError, TypeError, ValueError for what cannot be read."""
        found = cls(plan)
        for name in ("calls_new", "calls_old", "errors_new", "errors_old", "answered_by_old", "refused", "compared"):
            setattr(found, name, int(body[name]))
        found.first_error = str(body["first_error"])
        for function, old, new in body["pairs"]:
            found._pair(str(function), float(old), float(new))
        found.metrics = {name: [(float(a), float(b)) for a, b in pairs] for name, pairs in body["metrics"].items()}
        return found


def _middle(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _gain(pairs: Sequence[tuple[float, float]]) -> float:
    """By what share a metric of the new version is above the old one's so far; -inf where too little was seen."""
    if len(pairs) < limits.CANARY_PAIRS_MIN:
        return -math.inf
    old = math.fsum(before for before, _ in pairs)
    return math.fsum(new - before for before, new in pairs) / (abs(old) or 1.0)


def _ratio(found: Interval) -> str:
    return f"{found.estimate:.2f} times as fast [{found.low:.2f}, {found.high:.2f}] in {found.pairs} pairs"
