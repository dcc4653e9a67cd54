"""The soak's own machinery, each kind of kill a few times; the full counts are ``make soak``."""

import random

import pytest
from benchmarks.history import decisions, kills, together

from project_o.history import open_history


@pytest.mark.parametrize(("kind", "count"), [("kernel", 5), ("recorder", 2), ("both", 4), ("release", 2)])
def test_a_kill_loses_nothing_that_was_acknowledged(tmp_path, kind, count):
    chance = random.Random(f"{kind} 1")
    lost = [getattr(kills, f"kill_{kind}")(tmp_path, chance) for _ in range(count)]

    assert lost == [0] * count
    store = open_history(tmp_path, "n.ipynb").store
    assert kills.check_store(store) > count


@pytest.mark.measured
def test_real_calls_decide_a_canary():
    built = decisions.versions()

    outcome, calls, why = decisions.called(built["base"], built["slower"], 1)
    assert (outcome, "slower" in why) == ("rollback", True)
    assert calls <= 300
    outcome, _, why = decisions.called(built["base"], built["faster"], 1)
    assert (outcome, "faster" in why) == ("promote", True)


def test_kernels_beside_each_other_lose_no_state_while_git_tidies_up(tmp_path):
    found = together.together(tmp_path, 2, notebooks=1, states=30, gc=True)

    assert found["states"] == 61
    assert found["git_gc_runs"] > 0
