"""What canaries decide: of calls whose times are drawn, and of real calls of native versions of known speed."""

from __future__ import annotations

import math
import random
from typing import Any

from project_o.deploy.canary import Canary
from project_o.deploy.evidence import Evidence
from project_o.deploy.plan import Plan

CALLS_MAX = 10_000
REPEATS = {"slower": 6, "base": 3, "equal": 3, "faster": 2}
"""How often each version goes over its array: the slower one takes twice as long, the faster one two thirds."""
CELL = """pub fn total(values: []const f64) f64 {{
    var sum: f64 = 0;
    for (0..{repeats}) |turn| {{
        for (values) |value| sum += value * @as(f64, @floatFromInt(turn + 1));
    }}
    return sum - sum;
}}
// {name}
"""
Decided = tuple[str, int, str]
"""(outcome, after how many calls, why)."""


def drawn(
    seed: int,
    *,
    speed: float = 1.0,
    errors: tuple[float, float] = (0.0, 0.0),
    noise: float = 0.25,
    calls: int = 4_000,
    drift: float = 0.0,
) -> Decided:
    """What becomes of a version that is ``speed`` times as fast; noise with heavy tails, arguments of mixed sizes.

    Each call takes ``drift`` less than the one before it, as in a process that warms up (below 0: slows down).
    """
    chance = random.Random(seed)
    plan = Plan(seed=seed)
    table, evidence = plan.table(), Evidence(plan)
    extensions = began = 0
    for number in range(calls):
        new = bool(table[number % len(table)])
        size = chance.choice((0, 4, 8))
        key = ("f", size)
        seconds = 1e-5 * 2**size * math.exp(chance.gauss(0, noise)) * (8 if chance.random() < 0.03 else 1)
        seconds *= math.exp(-drift * number)
        if new:
            evidence.calls_new += 1
        else:
            evidence.calls_old += 1
        if chance.random() < errors[new]:
            evidence.failed("ValueError", new=new)
        else:
            evidence.took(key, seconds / speed if new else seconds, new=new)
        found = evidence.decision()
        if found is None and number + 1 - began >= plan.calls:
            found = evidence.at_the_end(extensions)
            if found.outcome == "extend":
                extensions, began, found = extensions + 1, number + 1, None
        if found is not None:
            return found.outcome, number + 1, found.reason
    raise AssertionError("a canary always ends")


def versions() -> dict[str, Any]:
    """Loaded builds by name, as REPEATS has them."""
    from project_o import zig

    return {
        name: zig(CELL.format(repeats=repeats, name=name), f"decided_{name}", mode="fast").slot.version
        for name, repeats in REPEATS.items()
    }


def called(old: Any, new: Any, seed: int) -> Decided:
    """What becomes of a version when real calls are made, on three sizes of arrays, at the default share."""
    import numpy as np

    found: list[Any] = []
    canary = Canary(old, new, Plan(seed=seed), differ=lambda *_: "", decided=lambda _, decision: found.append(decision))
    arrays = [np.ones(size) for size in (2_000, 6_000, 12_000)]
    chance = random.Random(seed)
    for number in range(CALLS_MAX):
        canary.call("total", (chance.choice(arrays),))
        if found:
            return found[0].outcome, number + 1, found[0].reason
    raise AssertionError("a canary always ends")


def soak(seeds: int = 20) -> dict[str, Any]:
    """Drawn and real, ``seeds`` each; of equals twice as many. ``broken`` names the promises that were not kept."""
    built = versions()
    chance = random.Random("order")
    runs = [(kind, seed) for kind in ("slower", "faster", "equal") for seed in range(seeds * (1 + (kind == "equal")))]
    chance.shuffle(runs)  # so that a burst of load meets all kinds
    real: dict[str, list[Decided]] = {}
    for kind, seed in runs:
        real.setdefault(kind, []).append(called(built["base"], built[kind], seed))
    speeds = {"slower": 0.5, "faster": 1.5, "equal": 1.0}
    simulated = {kind: [drawn(seed, speed=speeds[kind]) for seed in range(len(real[kind]))] for kind in real}
    told: dict[str, Any] = {"drawn": _told(simulated), "real calls": _told(real)}
    broken = [
        f"{how}: {what}" for how, found in (("drawn", simulated), ("real calls", real)) for what in _broken(found)
    ]
    return told | {"broken": broken}


def _told(found: dict[str, list[Decided]]) -> dict[str, Any]:
    return {
        kind: {
            "runs": len(runs),
            "promoted": sum(outcome == "promote" for outcome, _, _ in runs),
            "taken back": sum(outcome == "rollback" and "nothing was shown" not in why for outcome, _, why in runs),
            "nothing shown": sum("nothing was shown" in why for _, _, why in runs),
            "calls": sorted(calls for _, calls, _ in runs),
        }
        for kind, runs in sorted(found.items())
    }


def _broken(found: dict[str, list[Decided]]) -> list[str]:
    wrong = []
    if not all(outcome == "rollback" and calls <= 300 for outcome, calls, _ in found["slower"]):
        wrong.append("one that takes twice as long was not taken back within 300 calls")
    if not all(outcome == "promote" for outcome, _, _ in found["faster"]):
        wrong.append("one that is 1.5 times as fast was not promoted")
    if sum("nothing was shown" not in why for _, _, why in found["equal"]) > len(found["equal"]) / 20:
        wrong.append("equals were decided more often than once in twenty")
    return wrong
