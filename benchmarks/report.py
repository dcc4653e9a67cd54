"""Values -> the record that is kept, and the table that is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any

from project_o.observe import paired_ratio

from .definitions import Definition
from .harness import Series

FORMAT = 1
DIGITS = 5
SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns"))
BYTE_SCALES = ((1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))


def summary(definition: Definition, series: Sequence[Series]) -> dict[str, Any]:
    """One benchmark as JSON: every value in seconds, and for every metric the ratio to the reference's."""
    reference = next(one for one in series if one.entry.name == definition.reference)
    return {
        "name": definition.name,
        "question": definition.question,
        "unit": definition.unit,
        "reference": definition.reference,
        "engines": [_engine(definition, one, reference) for one in series],
    }


def _engine(definition: Definition, one: Series, reference: Series) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": one.entry.name,
        "engine": one.entry.engine,
        "options": dict(one.entry.options),
        "status": one.status,
    }
    if one.reason:
        body["reason"] = one.reason
    if one.status != "measured":
        return body
    body["metrics"] = {
        metric: _metric(metric, values, definition, reference if one is not reference else None)
        for metric, values in one.samples.items()
    }
    if one.entry.ratio_max is not None:
        found = body["metrics"]["wall"].get("ratio")
        body["promise"] = {
            "ratio_max": one.entry.ratio_max,
            "kept": found is not None and found["estimate"] <= one.entry.ratio_max,
        }
    if (most_added := one.entry.added_max) is not None:
        added = body["metrics"]["wall"].get("added_seconds")
        body["metrics"]["wall"]["promise_added"] = {
            "max": most_added,
            "kept": added is not None and added <= most_added,
        }
    for metric, most in one.entry.limits.items():
        found = body["metrics"][metric]
        found["promise"] = {"max": most, "kept": median(one.samples[metric]) <= most}
    for metric, most in one.entry.limits_p95.items():
        reached = _p95(one.samples[metric])
        body["metrics"][metric]["promise_p95"] = {"max": most, "reached": _short(reached), "kept": reached <= most}
    return body


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def _metric(metric: str, values: list[float], definition: Definition, reference: Series | None) -> dict[str, Any]:
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
    if metric in definition.bytes:
        return {"median_bytes": _short(median(values)), "bytes": [_short(value) for value in values]}
    body: dict[str, Any] = {
        "median_seconds": _short(median(values)),
        "quartiles_seconds": [_short(low), _short(high)],
        "seconds": [_short(value) for value in values],
    }
    if metric in definition.per_minute:
        body["per_minute"] = _short(60 / median(values))
    others = reference.samples.get(metric, []) if reference is not None and reference.status == "measured" else []
    if len(others) == len(values):
        if min(*values, *others) > 0:  # what is late by nothing has no ratio
            found = paired_ratio(values, others)
            body["ratio"] = {
                "estimate": _short(found.estimate),
                "low": _finite(found.low),
                "high": _finite(found.high),
                "confidence": found.confidence,
                "pairs": found.pairs,
                "method": found.method,
            }
        body["added_seconds"] = _short(median(mine - other for mine, other in zip(values, others, strict=True)))
    return body


def record(
    benchmarks: list[dict[str, Any]], machine: dict[str, Any], load_before: Any, load_after: Any
) -> dict[str, Any]:
    """The whole record of a run."""
    return {
        "format": FORMAT,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine,
        "load_average": {"before": load_before, "after": load_after},
        "ratio": "cost of the engine / cost of the reference, over the rounds of one run: below 1 the engine is faster",
        "benchmarks": benchmarks,
    }


def joined(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Records of one machine in one state, made one after the other, as one record. Raises ValueError for others."""
    first, last = records[0], records[-1]
    if any(one["format"] != FORMAT or one["machine"] != first["machine"] for one in records):
        raise ValueError("the records are of different machines, packages or commits: measure again")
    found = [benchmark for one in records for benchmark in one["benchmarks"]]
    if len({benchmark["name"] for benchmark in found}) < len(found):
        raise ValueError("a benchmark is in two of the records: leave one of them out")
    load = {"before": first["load_average"]["before"], "after": last["load_average"]["after"]}
    return {**first, "load_average": load, "benchmarks": found}


def table(body: dict[str, Any]) -> str:
    """A record as plain text."""
    lines = []
    for benchmark in body["benchmarks"]:
        lines += ["", f"{benchmark['name']}: {benchmark['question']}"]
        width = max(len(engine["name"]) for engine in benchmark["engines"]) + 2
        for engine in benchmark["engines"]:
            lines += [f"  {engine['name']:{width}}{text}" for text in _rows(engine, benchmark)]
    return "\n".join(lines)


def _rows(engine: dict[str, Any], benchmark: dict[str, Any]) -> list[str]:
    if engine["status"] != "measured":
        return [f"{engine['status']}: {engine['reason'].partition(chr(10))[0]}"]
    rows = []
    for metric, values in engine["metrics"].items():
        if "median_bytes" in values:
            rows.append(f"{metric:7}{spell(values['median_bytes'], BYTE_SCALES):>9}{_kept(values, BYTE_SCALES)}")
            continue
        low, high = values["quartiles_seconds"]
        text = f"{metric:5}{spell(values['median_seconds']):>9} [{spell(low)} .. {spell(high)}]"
        if "per_minute" in values:
            text += f", {values['per_minute']:.0f} {benchmark['unit']}s a minute"
        if "ratio" in values:
            ratio = values["ratio"]
            bounds = f"[{_bound(ratio['low'])}, {_bound(ratio['high'])}]"
            text += f", {ratio['estimate']:.3g} {bounds} of {benchmark['reference']}"
        if "added_seconds" in values:
            text += f", {_added(values['added_seconds'])}"
        if metric == "wall" and "promise" in engine:
            promise = engine["promise"]
            text += f"; promised at most {promise['ratio_max']}: {'kept' if promise['kept'] else 'NOT KEPT'}"
        rows.append(text + _kept(values, SCALES))
    return rows


def _kept(values: dict[str, Any], scales: Sequence[tuple[float, str]]) -> str:
    text = ""
    if promise := values.get("promise_added"):
        text += f"; promised to add at most {spell(promise['max'])}: {'kept' if promise['kept'] else 'NOT KEPT'}"
    if promise := values.get("promise"):
        text += f"; promised at most {spell(promise['max'], scales)}: {'kept' if promise['kept'] else 'NOT KEPT'}"
    if promise := values.get("promise_p95"):
        text += f"; {spell(promise['reached'], scales)} for 95 %, promised at most {spell(promise['max'], scales)}: "
        text += "kept" if promise["kept"] else "NOT KEPT"
    return text


def spell(value: float, scales: Sequence[tuple[float, str]] = SCALES) -> str:
    """A time, or another value on its own scales, with three digits and its unit."""
    scale, unit = next((pair for pair in scales if abs(value) >= pair[0]), scales[-1])
    return f"{value / scale:.3g} {unit}"


def _added(seconds: float) -> str:
    return f"{'-' if seconds < 0 else '+'}{spell(abs(seconds))}"


def _bound(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g}"


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _finite(value: float) -> float | None:
    # JSON has no infinity: fewer than four rounds bound nothing.
    return _short(value) if math.isfinite(value) and value > 0 else None
