"""What an evaluator in OpenEvolve's form returned, and which number of it is ranked, by that project's published rule:
``combined_score`` where it is there, else the mean of the numeric metrics that do not merely describe the program.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ... import limits
from ...errors import a_kind

COMBINED = "combined_score"
MEAN = "mean_of_metrics"
"""The name of what is ranked where there is no combined score."""


@dataclass(frozen=True)
class Result:
    """Metrics as they were returned, text among them, and artifacts: what is worth telling whoever proposes next."""

    metrics: Mapping[str, Any]
    artifacts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Any) -> Result | str:
        """From what an evaluator returned; a sentence where that is none."""
        if not isinstance(value, Mapping):
            return f"the evaluator returned {_named(value)}, not a dict of metrics"
        pair = set(value) == {"metrics", "artifacts"}
        if pair and isinstance(value["metrics"], Mapping) and isinstance(value["artifacts"], Mapping):
            return cls(value["metrics"], value["artifacts"])
        return cls(value)

    def merged(self, later: Result) -> Result:
        """With the metrics and artifacts of a later stage."""
        kept = {name: value for name, value in numbers({**self.metrics, **later.metrics}) if name != "error"}
        return Result(kept, {**self.artifacts, **later.artifacts})

    def with_failure(self, stage: str, why: str) -> Result:
        """What a stage that failed leaves of the stages before it."""
        return Result({**self.metrics, f"{stage}_passed": 0.0}, {**self.artifacts, f"{stage} failed": why})

    def passes(self, threshold: float) -> bool:
        """Whether the next stage is asked."""
        combined = _number(self.metrics.get(COMBINED))
        if combined is not None:
            return combined >= threshold
        return _mean(value for name, value in numbers(self.metrics) if name != "error") >= threshold

    def ranked(self, features: Iterable[str]) -> tuple[str, float] | None:
        """The name and the value of what is ranked; None where no metric is a number."""
        combined = _number(self.metrics.get(COMBINED))
        if combined is not None:
            return COMBINED, combined
        found = numbers(self.metrics)
        finite = [(name, value) for name, value in found if not math.isnan(value)]
        ranking = [value for name, value in finite if name not in set(features)] or [value for _, value in finite]
        return (MEAN, _mean(ranking)) if ranking else None

    def told(self) -> str:
        """The artifacts, and the metrics that are text, as a text of bounded length."""
        rows = [(name, value) for name, value in self.metrics.items() if isinstance(value, str)]
        parts = [f"{name}: {value}" for name, value in (*rows, *self.artifacts.items())]
        text = "\n".join(parts)
        limit = limits.EVIDENCE_CHARACTERS_MAX
        return text if len(text) <= limit else f"{text[: limit - 3]}..."


def numbers(metrics: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The metrics that are numbers, in their order. Truth values are: so the rule has it."""
    return [(str(name), value) for name, given in metrics.items() if (value := _number(given)) is not None]


def _number(value: Any) -> float | None:
    if not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0


def _named(value: Any) -> str:
    return "nothing" if value is None else a_kind(value)
