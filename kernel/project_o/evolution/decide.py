"""The rule by which a candidate is accepted, with every reason in words.

Accepted is what answers as the incumbent does, is better with the lower bound of its ratio above the threshold
(1.02 for time), and is so again on fresh inputs in fresh processes. The second look is what a lucky winner among
many candidates fails: with 40 candidates that change nothing, a single 95 % bound crowns one in 64 % of runs.
"""

from __future__ import annotations

from ..values import Measurement, Trial, Verdict


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
    measurements = (measurement,) if measurement else ()

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
    if not measurement.low > threshold:
        reasons.append(_too_low(measurement, threshold))
        return verdict(accepted=False)
    if confirmation is None:
        reasons.append(f"it was not confirmed: {stopped or 'the confirmation did not take place'}")
        return verdict(accepted=False)
    reasons.append(f"on fresh inputs in fresh processes: {told(confirmation)}")
    if not confirmation.low > threshold:
        reasons.append("not confirmed: " + _too_low(confirmation, threshold))
        return verdict(accepted=False)
    reasons.append(f"accepted: both lower bounds are above {threshold:g}")
    return verdict(accepted=True)


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
