"""What pairs gave, as measurements: time, memory, size and accuracy, each with its unit, direction and interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from .. import limits
from ..observe import Interval, paired_ratio
from ..values import Artifact, Measurement
from .bench import MeasurementFailed
from .compare import TOLERANCE_BY_BITS, float_bits, relative_error
from .fresh import Fresh
from .goals import Goal
from .measure import Measured, Series
from .task import Answer, Handle
from .validate import Oracle

Reference = Callable[..., Any]
ROUNDING_BY_BITS = {16: 2.0**-11, 32: 2.0**-24, 64: 2.0**-53, 80: 2.0**-64, 128: 2.0**-113}


def of_time(found: Measured, aim: Goal, inputs: str) -> Measurement:
    """The ratio of the CPU times, as it was looked at while it was measured."""
    series, interval = found.series, found.interval
    calls = f"{series.repeat} call{'s' if series.repeat > 1 else ''} a timing"
    looks = f"{found.looks} look{'s' if found.looks > 1 else ''}"
    method = f"CPU time, {calls}, {inputs}, answers compared; {interval.method}, {looks}"
    return _measurement(aim, "s", _a_call(series.cpu[0], series), _a_call(series.cpu[1], series), interval, method)


def of_wall(series: Series, confidence: float) -> Measurement:
    """The parent's clock over the same timings: shown, and a defect where it contradicts the CPU clock."""
    interval = paired_ratio(*series.wall, confidence)
    aim = Goal("wall time", minimised=True, role="shown", tolerance=None)
    method = f"the parent's clock over the same timings; {interval.method}"
    return _measurement(aim, "s", _a_call(series.wall[0], series), _a_call(series.wall[1], series), interval, method)


def of_memory(series: Series, aim: Goal, confidence: float) -> Measurement:
    """The peak resident size of the processes, which includes the interpreter that loads the code."""
    interval = paired_ratio(*series.memory, confidence)
    method = f"peak resident size of each process as its parent sees it; {interval.method}"
    old, new = (statistics.median(side) for side in series.memory)
    return _measurement(aim, "B", old, new, interval, method)


def of_size(baseline: Artifact, candidate: Artifact, aim: Goal) -> Measurement:
    """The bytes of the build, or of the source where nothing is built. Exact."""
    old, new = float(max(1, baseline.size_bytes)), float(max(1, candidate.size_bytes))
    interval = Interval(old / new, old / new, old / new, 1, 1.0, 1.0, "counted")
    return _measurement(aim, "B", old, new, interval, "bytes of the build, counted")


def accuracy(
    incumbent: Handle,
    candidate: Handle,
    oracle: Oracle,
    fresh: Fresh,
    aim: Goal,
    reference: Reference | None,
    confidence: float,
) -> Measurement:
    """The relative error of both against a reference, computed in float64, on fresh inputs.

    Without a reference the incumbent's answers are it, and an error within the rounding that is allowed anyway counts
    as little. The ratio is that of the errors, each with the unit of rounding added, so that 0 can be divided by.
    """
    name, result = oracle.function.name, oracle.function.result
    bits = float_bits(result)
    floor = (ROUNDING_BY_BITS if reference else TOLERANCE_BY_BITS).get(bits, ROUNDING_BY_BITS[64])
    errors: tuple[list[float], list[float]] = ([], [])
    draw = fresh.draw("accuracy")
    for number in range(limits.ACCURACY_CASES):
        case = draw(number)
        one = incumbent.ask(name, case.args, seconds=limits.TRIAL_WALL_SECONDS)
        if not one.ok:
            continue
        other = candidate.ask(name, case.args, seconds=limits.TRIAL_WALL_SECONDS)
        if not other.ok:
            raise MeasurementFailed(f"{name} failed while its accuracy was measured: {other.error}")
        truth = _values(one) if reference is None else _truth(reference, case.args, one)
        for kept, answer in zip(errors, (one, other), strict=True):
            kept.append(floor + relative_error(truth, _values(answer)))
    if len(errors[0]) < 2:
        raise MeasurementFailed("the incumbent answers too few of the inputs drawn for its accuracy")
    interval = paired_ratio(*errors, confidence)
    told = "the reference" if reference else "the incumbent"
    method = f"relative error in float64 against {told}, on {len(errors[0])} fresh inputs; {interval.method}"
    middle = [max(0.0, statistics.median(side) - floor) for side in errors]
    return _measurement(aim, "relative error", middle[0], middle[1], interval, method)


def _truth(reference: Reference, args: Sequence[Any], like: Answer) -> list[Any]:
    """What the reference says, in the places where the function answers: what it returned, else what it wrote."""
    import numpy as np

    copied = [item.copy() if isinstance(item, np.ndarray) else item for item in args]
    try:
        value = reference(*copied)
    except Exception as error:
        raise MeasurementFailed(f"the reference raised {type(error).__name__}: {error}") from error
    return [value] if value is not None else [copied[place] for place, _ in like.written]


def _values(answer: Answer) -> list[Any]:
    return [answer.value] if answer.value is not None else [array for _, array in answer.written]


def _a_call(timings: Sequence[float], series: Series) -> float:
    return statistics.median(timings) / series.repeat


def _measurement(aim: Goal, unit: str, baseline: float, candidate: float, found: Interval, method: str) -> Measurement:
    return Measurement(
        metric=aim.name,
        unit=unit,
        pairs=found.pairs,
        baseline=baseline,
        candidate=candidate,
        ratio=found.estimate,
        low=found.low,
        high=found.high if math.isfinite(found.high) else math.inf,
        confidence=found.confidence,
        method=method,
        minimised=aim.minimised or aim.name == "accuracy",
        role=aim.role,
        tolerance=aim.tolerance,
    )
