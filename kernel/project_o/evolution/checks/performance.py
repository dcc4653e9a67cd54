"""The last gate: the bench's own screening, and later its verdict's measurements, as findings."""

from __future__ import annotations

import time

from ...errors import ProjectOError
from ...values import Finding, Measurement, Scalar
from ..bench import MeasurementFailed, Outcome
from ..task import Stopped
from .seam import Subject, failed, passed


def screened(subject: Subject) -> tuple[Outcome, Finding]:
    """What the bench measures of a candidate that passed all other checks. Raises Stopped."""
    started = time.monotonic()
    try:
        outcome = subject.bench.screen(subject.jobs, subject.artifact, subject.index)
    except Stopped:
        raise
    except (MeasurementFailed, ProjectOError) as error:
        outcome = Outcome("failed", str(error))
    except Exception as error:  # noqa: BLE001 - a candidate costs only itself; what it did is in its finding
        outcome = Outcome("failed", f"{type(error).__name__}: {error}")
    if subject.jobs.stopped:  # an evaluator may have caught what ended its calls, and made a score of it
        raise Stopped
    found = finding_of(outcome)
    return outcome, Finding(found.stage, found.outcome, found.reason, found.evidence, found.facts,
                            time.monotonic() - started)  # fmt: skip


def finding_of(outcome: Outcome) -> Finding:
    """A screening as a finding: passed where the candidate was measured better."""
    facts: dict[str, Scalar] = dict(outcome.metrics)
    if outcome.ratio is not None:
        facts["ratio"] = outcome.ratio
    if outcome.status in ("better", "baseline"):
        return passed("performance", outcome.reason, outcome.evidence, facts)
    return failed("performance", outcome.reason, outcome.evidence, facts)


def concluded(measurement: Measurement, *, enough: bool, reason: str) -> Finding:
    """The measurement that a verdict rests on, as a finding."""
    make = passed if enough else failed
    facts: dict[str, Scalar] = {
        "ratio": measurement.ratio,
        "low": measurement.low,
        "high": measurement.high,
        "pairs": measurement.pairs,
    }
    return make("performance", reason, facts=facts)
