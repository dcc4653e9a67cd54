"""What a run wants, and what it must not lose: objectives and guards, each with a direction and a tolerance.

    NAME[:min|max][:20%]      time    memory:10%    accuracy:max:1%    calls:off

An objective is to become better. A guard must not become worse by more than its tolerance, and that is shown by a
bound: the lower bound of its ratio has to be above 1 / (1 + tolerance), or 1 - tolerance where more is better. A guard
that is too noisy to tell rejects.
With several objectives a candidate is accepted that makes one of them better, beyond its bound, and none of the others
worse by more than their tolerance: a step towards the Pareto front. The first one orders the search.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from .. import limits
from ..errors import EvolutionError

TIME, MEMORY, SIZE, ACCURACY = "time", "memory", "size", "accuracy"
MEASURED = (TIME, MEMORY, SIZE, ACCURACY)
"""What is measured here, without an evaluator."""
MINIMISED = (
    "time", "seconds", "cost", "latency", "loss", "error", "errors", "memory", "bytes", "size", "failures", "misses",
)  # fmt: skip
"""Last words of the names of metrics of which less is better."""

Role = Literal["objective", "guard", "shown"]
Guards = Mapping[str, float | str | None]
_PERCENT = re.compile(r"^(\d+(?:\.\d+)?)\s*%$")
_NAME = re.compile(r"^[^\s:]+$")


@dataclass(frozen=True, slots=True)
class Goal:
    """One metric of a run. ``tolerance`` is the share by which it may become worse; None: it is not guarded."""

    name: str
    minimised: bool
    role: Role
    tolerance: float | None


def objectives(texts: Sequence[str]) -> tuple[Goal, ...]:
    """The objectives in their order, the first one first. Raises EvolutionError for a text that cannot be meant."""
    found = [goal(text, "objective", limits.OBJECTIVE_REGRESSION_MAX) for text in texts]
    names = [item.name for item in found]
    if not found or len(set(names)) != len(names):
        raise EvolutionError(f"the objectives are {', '.join(names) or 'none'}: name each one once")
    return tuple(found)


def guards(wanted: Guards, regression: float = limits.GUARD_REGRESSION_MAX) -> tuple[Goal, ...]:
    """Guards by name: a share (0.2), a text ("20%", "min:20%", "off"), or None for none of it.

    ``regression`` is the share where none is said. Raises EvolutionError for what cannot be meant.
    """
    found = []
    for name, value in wanted.items():
        if value is None or isinstance(value, str):
            found.append(goal(f"{name}:{value or 'off'}", "guard", regression))
        elif isinstance(value, bool) or not 0 <= value < 10:
            raise EvolutionError(f"the guard {name} is {value!r}: write the share it may lose, 0.2 for 20 %")
        else:
            found.append(goal(name, "guard", float(value)))
    return tuple(found)


def parsed_guards(words: Iterable[str], regression: float = limits.GUARD_REGRESSION_MAX) -> dict[str, str]:
    """``memory:10%`` and ``calls`` of a command line as the mapping that ``guards`` takes."""
    cut = (word.partition(":") for word in words)
    return {name: rest or f"{100 * regression:g}%" for name, _, rest in cut}


def goal(text: str, role: Role, tolerance: float | None) -> Goal:
    """One goal from its text. Raises EvolutionError."""
    name, *rest = text.split(":")
    if not _NAME.match(name):
        raise EvolutionError(f"{text!r} names no metric: write NAME, NAME:min, NAME:max or NAME:20%")
    minimised = name.rpartition("_")[2].lower() in MINIMISED
    if name == ACCURACY:
        minimised = False
    for word in rest:
        percent = _PERCENT.match(word)
        if percent:
            tolerance = float(percent[1]) / 100
        elif word in ("min", "max"):
            minimised = word == "min"
        elif word == "off":
            tolerance = None
        else:
            raise EvolutionError(f"{text!r}: {word!r} is none of min, max, off and a share like 20%")
    return Goal(name, minimised, role, tolerance)


def all_goals(
    first: Sequence[Goal],
    guarded: Sequence[Goal],
    returned: Iterable[str],
    regression: float = limits.GUARD_REGRESSION_MAX,
) -> tuple[Goal, ...]:
    """The objectives, the guards that were named, and a guard for each other metric that is ``returned``."""
    named = {item.name: item for item in (*guarded, *first)}
    rest = [goal(name, "guard", regression) for name in returned if ":" not in name and " " not in name]
    more = [item for item in (*guarded, *rest) if item.name not in {goal.name for goal in first}]
    unique: dict[str, Goal] = {}
    for item in more:
        unique.setdefault(item.name, named.get(item.name, item))
    return (*first, *(item if item.tolerance is not None else replace(item, role="shown") for item in unique.values()))
