"""What an agent looks after: things with a name, how each is asked, and how far it is from the best it ever was.

A probe asks a thing as its users do: on cases, which may say what is right, or by a metric of the user's own. Its worst
deviation from its own past is a *sign*; signs of different kinds are compared by one number, how many times worse.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .. import limits
from ..errors import UsageError

if TYPE_CHECKING:
    from ..flow import Flow

Kind = Literal["failures", "score", "time"]
Metric = Callable[[Any], float]
"""(the thing, which can be called) -> a number of which more is better."""
Case = tuple[tuple[Any, ...], Any]
"""Arguments, and what is right."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that is not as it was: ``loss`` counts how often it has halved, in base 2; 0 where nothing is."""

    name: str
    layer: str
    kind: Kind
    past: float
    now: float
    loss: float

    def __str__(self) -> str:
        match self.kind:
            case "failures":
                return f"{self.name} ({self.layer}) fails {self.now:.0%} of its cases, and failed {self.past:.0%}"
            case "score":
                return f"{self.name} ({self.layer}) scores {self.now:.4g}, and scored {self.past:.4g}"
        return f"{self.name} ({self.layer}) takes {self.now * 1e6:.3g} us a case, and took {self.past * 1e6:.3g} us"


@dataclass(slots=True)
class Watched:
    """One thing that is looked after. ``best`` holds the best value of each kind that was ever seen.

    ``find`` gives what its user calls so now, where that may be defined anew.
    """

    name: str
    target: Any
    layer: str
    cases: Sequence[Case] = ()
    metric: Metric | None = None
    find: Callable[[], Any] | None = None
    best: dict[str, float] = field(default_factory=dict)

    def call(self, *args: Any) -> Any:
        """What serves its name now, called."""
        space = getattr(self.target, "__globals__", {})
        serving = space.get(getattr(self.target, "__name__", ""), self.target)
        value = serving(*args)
        return str(value) if isinstance(value, str) else value  # an agent's reply is a text that knows its turn

    def traffic(self) -> list[tuple[Any, ...]]:
        """Calls as they are of use to a comparison: as many that fail now as others, where any fails."""
        right = [args for args, expected in self.cases if self._is_right(args, expected)]
        wrong = [args for args, expected in self.cases if not self._is_right(args, expected)]
        return [*wrong * max(1, len(right) // len(wrong)), *right] if wrong else right

    def probe(self) -> dict[Kind, float]:
        """Ask it, as it serves now: the share of failures, the seconds a case, the score; what it has of them."""
        self.target = self.find() if self.find is not None else self.target
        found: dict[Kind, float] = {}
        if self.cases:
            wrong = sum(not self._is_right(args, right) for args, right in self.cases)
            found["failures"] = wrong / len(self.cases)
            if not wrong:
                found["time"] = min(self._round() for _ in range(limits.PROBE_ROUNDS)) / len(self.cases)
        if self.metric is not None:
            found["score"] = float(self.metric(self.call))
        return found

    def _is_right(self, args: tuple[Any, ...], right: Any) -> bool:
        from ..evolution.compare import values_differ

        try:
            return not values_differ(right, self.call(*args))
        except Exception:  # noqa: BLE001 - whatever it raises is a failure of what is looked after
            return False

    def _round(self) -> float:
        """Seconds of this thread's processor: those of others, on a busy machine, say nothing of the thing."""
        began, repeats = time.thread_time(), 0
        while repeats < limits.PROBE_REPEATS_MAX:
            for args, _ in self.cases:
                self.call(*args)
            repeats += 1
            if time.thread_time() - began >= limits.PROBE_SECONDS:
                break
        return (time.thread_time() - began) / repeats

    def sign(self) -> Sign:
        """Its worst deviation from the best it ever was; what is better than that is the best from now on."""
        found = []
        for kind, now in self.probe().items():
            past = self.best.get(kind, now)
            better = max(past, now) if kind == "score" else min(past, now)
            self.best[kind] = better
            found.append(Sign(self.name, self.layer, kind, better, now, _loss(kind, better, now)))
        return max(found, key=lambda sign: sign.loss)


def _loss(kind: Kind, past: float, now: float) -> float:
    if kind == "failures":  # the first wrong answer weighs as much as half the speed
        return 8.0 * (now - past) + (1.0 if now > past else 0.0)
    if kind == "score":
        return 8.0 * max(0.0, past - now) / max(abs(past), 1e-12)
    return max(0.0, math.log2(now / past)) if past > 0 else 0.0


def watched(
    flow: Flow,
    target: Any,
    cases: Sequence[Case] = (),
    metric: Metric | None = None,
    layer: str = "",
    find: Callable[[], Any] | None = None,
) -> Watched:
    """What is looked after from now on: a native or Python function, or an agent, known by its name.

    ``cases`` are pairs of arguments and what is right. ``layer`` is the program's language where it is not said.
    Raises UsageError where there is nothing to ask it, and for what cannot be evolved.
    """
    if not isinstance(cases, Sequence) or any(not isinstance(case, Sequence) or len(case) != 2 for case in cases):
        raise UsageError(f"cases are a list of pairs [(arguments, what is right), ...], not {cases!r:.60}")
    if not cases and metric is None:
        raise UsageError("there is nothing to look at: give cases=[(arguments, what is right), ...] or a metric")
    if any(not isinstance(args, tuple) for args, _ in cases):
        raise UsageError("a case is ((arguments, ...), what is right): the arguments are a tuple")
    name, _ = flow._named(target)
    language = flow.registry.releases(name)[-1].program.language
    return Watched(name, target, layer or language, tuple(cases), metric, find)
