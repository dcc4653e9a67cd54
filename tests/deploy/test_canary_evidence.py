"""What a canary decides: seeded simulations of calls, with noise that has heavy tails and arguments of mixed sizes."""

from __future__ import annotations

import json
import math
import random

import pytest
from benchmarks.history.decisions import drawn

from project_o.deploy.evidence import Evidence
from project_o.deploy.plan import Plan
from project_o.errors import UsageError


def test_a_version_twice_as_slow_is_taken_back_within_300_calls_in_20_of_20():
    found = [drawn(seed, speed=0.5) for seed in range(20)]

    assert [outcome for outcome, _, _ in found] == ["rollback"] * 20
    assert max(calls for _, calls, _ in found) <= 300
    assert "slower" in found[0][2]


def test_a_version_one_and_a_half_times_as_fast_is_promoted_in_20_of_20():
    found = [drawn(seed, speed=1.5) for seed in range(20)]

    assert [outcome for outcome, _, _ in found] == ["promote"] * 20
    assert "faster" in found[0][2]


def test_the_same_version_is_decided_wrongly_in_at_most_1_of_20():
    found = [drawn(seed) for seed in range(100, 140)]

    shown = [why for _, _, why in found if "nothing was shown" not in why]
    assert len(shown) <= 2, shown
    assert {calls for _, calls, why in found if "nothing was shown" in why} == {4_000}, "after three extensions"


@pytest.mark.parametrize("drift", [0.02, -0.02])
def test_a_process_that_warms_up_or_slows_down_decides_nothing(drift):
    """A call of one version is compared with calls of the other behind it and before it, by turns."""
    found = [drawn(seed, noise=0.02, drift=drift) for seed in range(20)]

    shown = [why for _, _, why in found if "nothing was shown" not in why]
    assert len(shown) <= 1, shown


def test_failures_decide_both_ways():
    worse = [drawn(seed, errors=(0.01, 0.2)) for seed in range(20)]
    better = [drawn(seed, errors=(0.3, 0.02)) for seed in range(20)]
    equal = [drawn(seed, errors=(0.05, 0.05)) for seed in range(20)]

    assert [outcome for outcome, _, _ in worse] == ["rollback"] * 20
    assert "fails more often" in worse[0][2]
    assert "ValueError" in worse[0][2]
    assert sum(outcome == "promote" for outcome, _, _ in better) >= 19
    assert sum("fails" in why for _, _, why in equal) <= 1


def test_faster_is_not_promoted_where_it_fails_more_often():
    found = [drawn(seed, speed=1.5, errors=(0.0, 0.1)) for seed in range(10)]

    assert [outcome for outcome, _, _ in found] == ["rollback"] * 10


def test_faster_on_the_whole_is_not_promoted_over_one_function_that_is_slower():
    evidence = Evidence(Plan())
    for _ in range(40):
        evidence.calls_new += 1
        evidence.took_both(("often", 0), 2e-6, 1e-6)
        evidence.took_both(("seldom", 0), 1e-6, 2e-6)
        evidence.took_both(("often", 0), 2e-6, 1e-6)
        assert evidence.decision() is None


@pytest.mark.parametrize(("old", "new", "outcome"), [(0.5, 0.9, "promote"), (0.9, 0.5, "rollback"), (0.5, 0.5, None)])
def test_a_metric_of_the_users_decides_too(old, new, outcome):
    evidence, chance, found = Evidence(Plan()), random.Random(3), None
    for _ in range(60):
        evidence.calls_new += 1
        evidence.measured("accuracy", old + chance.gauss(0, 0.05), new + chance.gauss(0, 0.05))
        found = found or evidence.decision()

    assert (found.outcome if found else None) == outcome
    assert found is None or "accuracy" in found.reason


@pytest.mark.parametrize(("accuracy", "outcome"), [(0.84, None), (0.9, "promote")])
def test_faster_is_not_promoted_where_a_metric_looks_worse(accuracy, outcome):
    evidence, found = Evidence(Plan()), None
    for number in range(60):
        evidence.calls_new += 1
        evidence.took_both(("f", 0), 2e-6, 1e-6)
        evidence.measured("accuracy", 0.9, accuracy + 0.05 * (-1) ** number)
        found = found or evidence.decision()

    assert (found.outcome if found else None) == outcome


def test_a_crash_and_a_different_answer_decide_at_once():
    for told in ("crashed", "differed"):
        evidence = Evidence(Plan())
        getattr(evidence, told)("f, line 3: index out of bounds")
        assert evidence.decision().outcome == "rollback"


def test_what_is_known_survives_as_json():
    evidence = Evidence(Plan(seed=4))
    chance = random.Random(4)
    for _ in range(30):
        evidence.calls_new += 1
        evidence.took_both(("f", 3), chance.uniform(1e-6, 2e-6), chance.uniform(1e-6, 2e-6))
    evidence.failed("E", new=True)
    evidence.measured("accuracy", 0.5, 0.75)

    again = Evidence.from_json(Plan(seed=4), json.loads(json.dumps(evidence.to_json())))

    assert again.to_json() == evidence.to_json()
    assert again.interval.estimate == pytest.approx(evidence.interval.estimate, rel=1e-4)
    assert again.told().partition("[")[0] == evidence.told().partition("[")[0]


@pytest.mark.parametrize(
    "options", [{"share": 0}, {"share": 0.95}, {"calls": 0}, {"seconds": 0}, {"seconds": math.inf}]
)
def test_a_plan_that_cannot_be_meant_is_refused(options):
    with pytest.raises(UsageError):
        Plan(**options)


def test_the_share_is_kept_and_depends_on_the_seed_alone():
    tables = [Plan(share=0.1, seed=seed).table() for seed in range(3)]

    assert Plan(share=0.1, seed=1).table() == tables[1]
    assert tables[0] != tables[1]
    for table in tables:
        assert sum(table) / len(table) == pytest.approx(0.1, abs=0.02)
