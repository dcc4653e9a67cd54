"""Values -> the record that is kept, and the table that is read."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any

from project_o.observe import paired_ratio

from .definitions import QUANTITIES, Definition
from .harness import Series

FORMAT = 1
DIGITS = 5
SCALES = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


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
    if promise := _promise(definition, one, body["metrics"]):
        body["promise"] = promise
    return body


def _promise(definition: Definition, one: Series, metrics: dict[str, Any]) -> dict[str, Any]:
    """What was promised of this engine, and whether it was kept; empty without a promise."""
    entry, values = one.entry, one.samples["wall"]
    promise: dict[str, Any] = {}
    kept = True
    if entry.ratio_max is not None:
        found = metrics["wall"].get("ratio")
        promise["ratio_max"] = entry.ratio_max
        kept = found is not None and found["estimate"] <= entry.ratio_max
    for share, most in ((0.5, entry.p50_max), (0.95, entry.p95_max)):
        if most is not None:
            promise[f"p{100 * share:.0f}_max_{definition.quantity}"] = most
            kept = kept and _quantile(values, share) <= most
    return {**promise, "kept": kept} if promise else {}


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _metric(metric: str, values: list[float], definition: Definition, reference: Series | None) -> dict[str, Any]:
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
    unit = definition.quantity
    body: dict[str, Any] = {
        f"median_{unit}": _short(median(values)),
        f"quartiles_{unit}": [_short(low), _short(high)],
        f"p95_{unit}": _short(_quantile(values, 0.95)),
        unit: [_short(value) for value in values],
    }
    if metric in definition.per_minute:
        body["per_minute"] = _short(60 / median(values))
    others = reference.samples.get(metric, []) if reference is not None and reference.status == "measured" else []
    if len(others) == len(values):
        if min(*values, *others) > 0:
            found = paired_ratio(values, others)
            body["ratio"] = {
                "estimate": _short(found.estimate),
                "low": _finite(found.low),
                "high": _finite(found.high),
                "confidence": found.confidence,
                "pairs": found.pairs,
                "method": found.method,
            }
        body[f"added_{unit}"] = _short(median(mine - other for mine, other in zip(values, others, strict=True)))
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
        unit = next(key for key in QUANTITIES if key in values)
        low, high = values[f"quartiles_{unit}"]
        text = f"{metric:5}{spell(values[f'median_{unit}'], unit):>9} [{spell(low, unit)} .. {spell(high, unit)}]"
        text += f", p95 {spell(values[f'p95_{unit}'], unit)}" if f"p95_{unit}" in values else ""
        if "per_minute" in values:
            text += f", {values['per_minute']:.0f} {benchmark['unit']}s a minute"
        if "ratio" in values:
            ratio = values["ratio"]
            bounds = f"[{_bound(ratio['low'])}, {_bound(ratio['high'])}]"
            text += f", {ratio['estimate']:.3g} {bounds} of {benchmark['reference']}"
        if f"added_{unit}" in values:
            text += f", {_added(values[f'added_{unit}'], unit)}"
        if metric == "wall" and "promise" in engine:
            text += f"; promised at most {_promised(engine['promise'])}"
        rows.append(text)
    return rows


def _promised(promise: dict[str, Any]) -> str:
    words = []
    for key, most in promise.items():
        if key == "ratio_max":
            words.append(f"{most} of it")
        elif key != "kept":
            share, _, unit = key.split("_")
            words.append(f"{spell(most, unit)} ({share})")
    return f"{', '.join(words)}: {'kept' if promise['kept'] else 'NOT KEPT'}"


def spell(seconds: float, unit: str = "seconds") -> str:
    """A time, or a size, with three digits and its unit."""
    if unit == "mib":
        return f"{seconds:.3g} MiB"
    scale, unit = next((pair for pair in SCALES if abs(seconds) >= pair[0]), SCALES[-1])
    return f"{seconds / scale:.3g} {unit}"


def _added(value: float, unit: str) -> str:
    return f"{'-' if value < 0 else '+'}{spell(abs(value), unit)}"


def _bound(value: float | None) -> str:
    return "?" if value is None else f"{value:.3g}"


def _short(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")


def _finite(value: float) -> float | None:
    # JSON has no infinity: fewer than four rounds bound nothing.
    return _short(value) if math.isfinite(value) and value > 0 else None
