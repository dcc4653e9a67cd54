"""The rule of acceptance: two lower bounds above the threshold, no guarded metric lost, every reason in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from project_o.evolution.bench import Defect
from project_o.evolution.decide import acceptable, decide, lowest, refused
from project_o.values import Finding, Measurement, Trial

PASSED = Trial("passed", "L3", inputs=40, inputs_out_of_domain=3)


def measured(low: float, metric: str = "time", **fields: Any) -> Measurement:
    known: dict[str, Any] = {
        "metric": metric, "unit": "s", "pairs": 24, "baseline": 2.0, "candidate": 1.0, "ratio": low + 0.05, "low": low,
        "high": low + 0.1, "confidence": 0.95, "method": "pairs",
    }  # fmt: skip
    return Measurement(**{**known, **fields})


def guard(metric: str, low: float, tolerance: float | None = 0.2, **fields: Any) -> Measurement:
    fields.setdefault("role", "guard" if tolerance is not None else "shown")
    return measured(low, metric, tolerance=tolerance, **fields)


def verdict(first: Measurement | None, second: Measurement | None, **fields: Any) -> Any:
    known: dict[str, Any] = {"trial": PASSED, "threshold": 1.02, "level": "L3"}
    return decide(measurement=first, confirmation=second, **{**known, **fields})


def test_two_lower_bounds_above_the_threshold_are_accepted_and_both_are_told() -> None:
    found = verdict(measured(1.3), measured(1.25))

    assert found.accepted
    assert found.reasons == (
        "it answers as the incumbent does on 40 inputs (3 more are out of the incumbent's own domain)",
        "measured: ratio 1.350 [1.300, 1.400] in 24 pairs of time",
        "on fresh inputs in fresh processes: ratio 1.300 [1.250, 1.350] in 24 pairs of time",
        "accepted: both lower bounds are above 1.02",
    )


@pytest.mark.parametrize(
    ("first", "second", "fields", "says"),
    [
        (1.02, 1.3, {}, "no improvement that holds: the lower bound 1.020 is not above 1.02"),
        (1.3, 1.02, {}, "not confirmed: no improvement that holds: the lower bound 1.020 is not above 1.02"),
        (1.3, None, {}, "it was not confirmed: the confirmation did not take place"),
        (1.3, None, {"stopped": "the budget was over"}, "it was not confirmed: the budget was over"),
        (None, None, {}, "it was not measured: nothing was to be gained"),
        (float("nan"), 1.3, {}, "no improvement that holds: the lower bound nan is not above 1.02"),
        (1.3, float("nan"), {}, "not confirmed: no improvement that holds: the lower bound nan is not above 1.02"),
    ],
)
def test_what_is_missing_is_the_last_reason(first: Any, second: Any, fields: dict[str, Any], says: str) -> None:
    given = [None if low is None else measured(low) for low in (first, second)]
    found = verdict(*given, **fields)

    assert not found.accepted
    assert found.reasons[-1] == says


def test_a_failed_trial_is_rejected_whatever_was_measured() -> None:
    failed = Trial("failed", "L3", "on (1,): returned 2 instead of 1")
    found = verdict(measured(9.0), measured(9.0), trial=failed)

    assert not found.accepted
    assert found.reasons == ("it does not answer as the incumbent does: on (1,): returned 2 instead of 1",)


def test_a_fault_that_was_measured_is_told_with_the_check_that_saw_it() -> None:
    trial = refused(replace(PASSED, findings=(Finding("security", "passed", "nothing found"),)), Defect("clock", "odd"))
    found = verdict(None, None, trial=trial)

    assert found.reasons == ("security: nothing found", "rejected by the check performance: odd")
    assert trial.findings[-1].facts == (("defect", "clock"),)


@pytest.mark.parametrize(
    ("tolerance", "minimised", "bound"),
    [(0.2, True, 1 / 1.2), (0.2, False, 0.8), (0.0, True, 1.0), (1.0, True, 0.5), (0.05, False, 0.95)],
)
def test_a_guard_may_lose_its_tolerance_and_no_more(tolerance: float, minimised: bool, bound: float) -> None:
    """20 % of a cost of 10 is 12, and of a score of 10 it is 8."""
    inside, outside = (
        measured(1.3, beside=(guard("calls", low, tolerance, minimised=minimised),)) for low in (bound + 1e-6, bound)
    )

    assert lowest(inside.beside[0]) == pytest.approx(bound)
    assert acceptable(inside, 1.02)
    assert verdict(inside, inside).accepted
    assert not acceptable(outside, 1.02)
    assert not verdict(outside, inside).accepted
    assert not verdict(inside, outside).accepted
    assert verdict(inside, outside).reasons[-1].startswith("not confirmed: calls")


def test_a_guard_that_is_too_noisy_to_tell_rejects_and_says_so() -> None:
    noisy = guard("memory", 0.5, high=1.9)
    worse = guard("memory", 0.5, high=0.7)
    told = [verdict(measured(1.3, beside=(item,)), measured(1.3)).reasons[-1] for item in (noisy, worse)]

    assert "memory may be worse by more than the 20% that it may lose: ratio 0.550 [0.500, 1.900]" in told[0]
    assert "memory is worse by more than the 20%" in told[1]
    assert "its lower bound has to be above 0.833" in told[1]


def test_a_metric_that_is_only_shown_rejects_nothing() -> None:
    found = verdict(
        measured(1.3, beside=(guard("size", 0.1, None),)), measured(1.3, beside=(guard("size", 0.1, None),))
    )

    assert found.accepted
    assert found.reasons[-1] == "accepted: both lower bounds are above 1.02"


def test_what_was_kept_is_named() -> None:
    one = measured(1.3, beside=(guard("memory", 0.99),))
    two = measured(1.3, beside=(guard("memory", 0.99), guard("loss", 1.0, role="objective")))

    assert verdict(one, one).reasons[-1].endswith("above 1.02, and no guard is worse than it may be (memory by 20%)")
    assert verdict(two, two).reasons[-1].endswith("(memory by 20%, loss by 20%)")


def test_remarks_of_both_measurements_are_told_once() -> None:
    first, second = measured(1.3, remarks=("odd",)), measured(1.3, remarks=("odd", "more"))
    found = verdict(first, second)

    assert found.accepted
    assert found.reasons.count("odd") == 1
    assert "more" in found.reasons
