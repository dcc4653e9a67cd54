"""The rule by which a candidate is accepted, with every reason in words.

Accepted is what answers as the incumbent does, is better with the lower bound of its ratio above the threshold
(1.02 for time), has lost no more of any guarded metric than is allowed, and is and has so again on fresh inputs in
fresh processes, from the bytes that are stored. The second look is what a lucky winner among many candidates fails:
with 40 candidates that change nothing, a single 95 % bound crowns one in 64 % of runs.

The error of a run: its confirmation alone accepts what is no better in at most ``limits.FAMILY_ERROR_MAX`` (2.5 %) of
runs, however many candidates there were, since its data are seen by one candidate only, chosen before; and the
measurement before it shares the same error among its finalists.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from ..values import Finding, Measurement, Trial, Verdict
from .bench import Defect


def decide(
    *,
    trial: Trial,
    measurement: Measurement | None,
    confirmation: Measurement | None,
    threshold: float,
    level: str,
    stopped: str = "",
) -> Verdict:
    """The verdict on what was found so far. ``stopped`` says why a later stage did not take place."""
    reasons: list[str] = []
    measurements = (measurement, *measurement.beside) if measurement else ()

    def verdict(*, accepted: bool) -> Verdict:
        return Verdict(accepted, tuple(reasons), level, trial, measurements, confirmation)

    reasons += checked(trial)
    if trial.outcome != "passed":
        return verdict(accepted=False)
    if trial.inputs and not trial.findings:
        reasons.append(
            f"it answers as the incumbent does on {trial.inputs} inputs "
            f"({trial.inputs_out_of_domain} more are out of the incumbent's own domain)"
        )
    if measurement is None:
        reasons.append(f"it was not measured: {stopped or 'nothing was to be gained'}")
        return verdict(accepted=False)
    reasons.append(f"measured: {told(measurement)}")
    reasons += measurement.remarks
    if not measurement.low > threshold:
        reasons.append(_too_low(measurement, threshold))
        return verdict(accepted=False)
    if lost := list(_lost(measurement)):
        reasons += lost
        return verdict(accepted=False)
    if confirmation is None:
        reasons.append(f"it was not confirmed: {stopped or 'the confirmation did not take place'}")
        return verdict(accepted=False)
    reasons.append(f"on fresh inputs in fresh processes: {told(confirmation)}")
    reasons += (remark for remark in confirmation.remarks if remark not in measurement.remarks)
    if not confirmation.low > threshold:
        reasons.append("not confirmed: " + _too_low(confirmation, threshold))
        return verdict(accepted=False)
    if lost := list(_lost(confirmation)):
        reasons += (f"not confirmed: {text}" for text in lost)
        return verdict(accepted=False)
    held = [f"{item.metric} by {item.tolerance:.0%}" for item in confirmation.beside if item.tolerance is not None]
    kept = f", and no guard is worse than it may be ({', '.join(held)})" if held else ""
    reasons.append(f"accepted: both lower bounds are above {threshold:g}{kept}")
    return verdict(accepted=True)


def acceptable(found: Measurement, threshold: float) -> bool:
    """Whether a measurement shows a gain beyond the threshold, and no loss of what is guarded."""
    return found.low > threshold and not any(_lost(found))


def refused(trial: Trial, defect: Defect) -> Trial:
    """The trial of a candidate whose measurement showed a fault of it."""
    finding = Finding("performance", "failed", str(defect), facts=(("defect", defect.name),))
    return replace(trial, outcome="failed", error=str(defect), findings=(*trial.findings, finding))


def lowest(found: Measurement) -> float:
    """What ``low`` must exceed for the metric not to have become worse by more than it may.

    By 20 % a cost of 10 may rise to 12, and a score of 10 fall to 8.
    """
    if found.tolerance is None:
        return -math.inf
    return 1 / (1 + found.tolerance) if found.minimised else 1 - found.tolerance


def _lost(found: Measurement) -> Iterator[str]:
    """A line for each other metric that may have become worse by more than its tolerance. By a bound, not a point."""
    for item in found.beside:
        if not item.low > lowest(item):
            word = "is" if item.high < 1 else "may be"
            yield (
                f"{item.metric} {word} worse by more than the {item.tolerance or 0:.0%} that it may lose: ratio "
                f"{item.ratio:.3f} [{item.low:.3f}, {item.high:.3f}], and its lower bound has to be above "
                f"{lowest(item):.3f}"
            )


def checked(trial: Trial) -> list[str]:
    """What the checks said, a line each where there is something to say; last of all the one that failed."""
    told_first = [
        f"{item.stage}: {'not decided: ' if item.outcome == 'inconclusive' else ''}{item.reason}"
        for item in trial.findings
        if item.reason and item.stage not in ("build", "performance") and item.outcome != "failed"
    ]
    if trial.outcome == "passed":
        return told_first
    bad = next((item.stage for item in trial.findings if item.outcome == "failed"), "generated")
    why = "it does not answer as the incumbent does" if bad == "generated" else f"rejected by the check {bad}"
    return [*told_first, f"{why}: {trial.error}"]


def no_improvement(candidates: int, level: str, why: str = "") -> Verdict:
    """The normal verdict of a run that found nothing better."""
    told_why = why or f"none of {candidates} candidates was measured better than what serves now"
    return Verdict(accepted=False, reasons=(f"no improvement: {told_why}",), level=level)


def told(found: Measurement) -> str:
    """A measurement in one line."""
    return f"ratio {found.ratio:.3f} [{found.low:.3f}, {found.high:.3f}] in {found.pairs} pairs of {found.metric}"


def _too_low(found: Measurement, threshold: float) -> str:
    return f"no improvement that holds: the lower bound {found.low:.3f} is not above {threshold:g}"
