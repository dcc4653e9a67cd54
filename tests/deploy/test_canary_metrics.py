"""Metrics of the user's beside a canary: one that fails says nothing of the versions, and that is said."""

from __future__ import annotations

import numpy as np
import pytest

from project_o import limits
from project_o.deploy.plan import Plan
from project_o.errors import HistoryWarning

from .test_canary import Version, beside, doubled


@pytest.mark.parametrize("shadow", [False, True])
def test_a_metric_that_fails_says_nothing_of_the_versions_and_that_is_said_once(shadow, monkeypatch):
    monkeypatch.setattr(limits, "CANARY_SLOWER", 1e9)

    def worth(answer, xs, out):
        raise ZeroDivisionError("of the user's own")

    plan = Plan(share=0.5, calls=1_000_000, shadow=shadow)
    canary, decided = beside(Version(doubled), Version(doubled), plan, metrics={"worth": worth})
    with pytest.warns(HistoryWarning, match="the metric worth failed on an answer of scale.*of the user's own") as said:
        found = {canary.call("scale", (np.ones(3), np.zeros(3))) for _ in range(40)}

    assert len(said) == 1
    assert found == {6.0}
    assert canary.evidence.metrics == {}
    assert decided == []
