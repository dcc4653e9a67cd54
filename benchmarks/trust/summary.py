"""What the comparisons say together: counts, shares with their bounds, and what was simulated from their pairs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from typing import Any

from . import simulate

SIMULATED_RUNS = 2000
Lines = Mapping[str, Mapping[int, Mapping[str, Any]]]


def summary(lines: Lines) -> dict[str, Any]:
    """The record's body: a part, and of each its subjects and all together."""
    body: dict[str, Any] = {"parts": {}, "simulated": {}}
    for name, found in lines.items():
        if not found:
            continue
        subjects = dict.fromkeys(line["subject"] for line in found.values())
        groups = {one: [line for line in found.values() if line["subject"] == one] for one in subjects}
        body["parts"][name] = {"all": _counted(found.values()), **{one: _counted(some) for one, some in groups.items()}}
        series = simulate.recorded(list(found.values()))
        if name.startswith("same") and len(series) >= 10:
            body["simulated"][name] = simulate.runs(series, SIMULATED_RUNS, seed=1)
    return body


def _counted(lines: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    known = list(lines)
    n, accepted = len(known), sum(bool(line["accepted"]) for line in known)
    body: dict[str, Any] = {"n": n, "accepted": accepted, "share_at_most": round(share_at_most(accepted, n), 4)}
    body["share_at_least"] = round(1 - share_at_most(n - accepted, n), 4)
    body["measured"] = sum(bool(line.get("measured")) for line in known)
    defects = [line["defect"] for line in known if line.get("defect")]
    body["defects"] = {name: defects.count(name) for name in dict.fromkeys(defects)}
    body["stopped"] = sum(bool(line.get("stopped")) for line in known)
    body["remarked"] = sum(bool(line.get("remarks")) for line in known)
    if ratios := [line["ratios"][0] for line in known if line.get("ratios")]:
        body["ratio_median"] = round(statistics.median(one[0] for one in ratios), 4)
        body["pairs_median"] = statistics.median(one[3] for one in ratios)
        widths = [one[2] / one[1] - 1 for one in ratios if one[1] > 0 and math.isfinite(one[2])]
        body["width_median"] = round(statistics.median(widths), 4) if widths else None
    body["load_median"] = statistics.median(line["load"][0] if line.get("load") else 0.0 for line in known)
    body["seconds_median"] = statistics.median(line["seconds"] for line in known)
    return body


def share_at_most(hits: int, n: int, confidence: float = 0.95) -> float:
    """The upper bound of a share of which ``hits`` of ``n`` were seen, one-sided (Clopper and Pearson 1934)."""
    if hits >= n:
        return 1.0
    low, high = hits / n, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        tail = math.fsum(math.comb(n, k) * middle**k * (1 - middle) ** (n - k) for k in range(hits + 1))
        low, high = (middle, high) if tail > 1 - confidence else (low, middle)
    return high


def table(body: Mapping[str, Any]) -> str:
    """The record as plain text."""
    rows = [f"{'part':18}{'of':24}{'n':>5}{'accepted':>10}{'share':>9}{'at most':>9}{'at least':>9}{'ratio':>8}"]
    for name, groups in body["parts"].items():
        for group, one in groups.items():
            share = f"{one['accepted'] / one['n']:.1%}"
            bounds = f"{one['share_at_most']:>9.1%}{one['share_at_least']:>9.1%}"
            ratio = one.get("ratio_median", "-")
            rows.append(f"{name:18}{group:24}{one['n']:>5}{one['accepted']:>10}{share:>9}{bounds}{ratio:>8}")
    for name, one in body["simulated"].items():
        rows.append(
            f"simulated from the pairs of {name}: {one['runs']} runs of {one['candidates']} candidates: someone "
            f"measured above the threshold in {one['measured']}, accepted in {one['accepted']}"
        )
    return "\n".join(rows)
