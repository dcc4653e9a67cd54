"""Whether a gain is there on inputs that nobody has seen, and how often that is mistaken."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.evolution import run_evolution
from project_o.evolution.unseen import LOOKS, SCREENING_LOOKS, Unseen, _places

RUNS = 4000
"""Simulated checks for each kind of noise."""


def noise(rng: np.random.Generator, n: int, kind: str) -> np.ndarray:
    """One series with unit variance."""
    if kind == "normal":
        return rng.standard_normal(n)
    if kind == "heavy":
        return rng.standard_t(3, n) / math.sqrt(3)
    shocks = rng.standard_normal(n + 20)
    for k in range(1, n + 20):
        shocks[k] = 0.5 * shocks[k - 1] + math.sqrt(0.75) * shocks[k]
    return shocks[20:]


def judged(rng: np.random.Generator, share: float, spread: float, kind: str, looks: Any = LOOKS) -> Unseen:
    """A check in which ``share`` of a gain of 1 is there, with a noise of ``spread`` of the gain in each question."""
    found = Unseen()
    for claimed, saved in zip(
        1 + 0.1 * rng.standard_normal(looks[-1]), spread * noise(rng, looks[-1], kind), strict=True
    ):
        found.claimed.append(float(claimed))
        found.saved.append(float(share * claimed + saved))
        if len(found.saved) in looks and (found.shown or found.defect):
            break
    return found


@pytest.mark.parametrize("looks", [LOOKS, SCREENING_LOOKS], ids=["whole", "screening"])
@pytest.mark.parametrize("kind", ["normal", "heavy", "memory"])
@pytest.mark.parametrize("spread", [0.1, 0.5, 3.0])
def test_an_honest_gain_is_hardly_ever_called_none(spread: float, kind: str, looks: Any) -> None:
    """Less than one in a thousand, however noisy the questions are; and mostly it is seen to be there."""
    rng = np.random.default_rng([7, int(10 * spread), len(kind)])
    found = [judged(rng, 1.0, spread, kind, looks) for _ in range(RUNS)]

    assert sum(one.defect is not None for one in found) <= RUNS / 1000
    if spread < 1 and looks is LOOKS:
        assert sum(one.shown for one in found) >= 0.97 * RUNS


@pytest.mark.parametrize("kind", ["normal", "heavy", "memory"])
@pytest.mark.parametrize(("share", "spread"), [(0.0, 0.05), (0.0, 0.2), (-0.3, 0.3), (0.1, 0.1)])
def test_answers_that_are_remembered_are_noticed(share: float, spread: float, kind: str) -> None:
    """Always where the questions are as precise as a quiet machine has them, nearly always in much noise."""
    rng = np.random.default_rng([9, int(100 * spread), len(kind)])
    found = [judged(rng, share, spread, kind) for _ in range(RUNS // 10)]

    noticed = sum(one.defect is not None for one in found)
    assert noticed == len(found) if spread <= 0.1 else noticed >= 0.99 * len(found)
    assert not any(one.shown for one in found)


def test_bursts_of_load_hide_neither() -> None:
    """One question in eight is spoilt by ten times the gain, in either direction."""
    rng = np.random.default_rng(3)

    def spoilt(share: float) -> Unseen:
        found = judged(rng, share, 0.05, "normal", (24,))
        for place in rng.choice(24, size=3, replace=False):
            found.saved[place] += float(rng.choice([-10.0, 10.0]))
        return found

    assert all(spoilt(0.0).defect is not None for _ in range(200))
    assert not any(spoilt(1.0).defect is not None for _ in range(200))


@pytest.mark.parametrize("kind", ["normal", "heavy", "memory"])
def test_a_small_gain_in_noise_is_seen_with_more_questions_than_pairs(kind: str) -> None:
    """A gain of which each question is off by six tenths: what 16 questions tell too rarely, 80 do.

    Nothing that is remembered is taken for it more often than once in sixteen, where the noise has a memory.
    """
    rng = np.random.default_rng(11)
    few = sum(judged(rng, 0.8, 0.6, kind, (6, 12)).shown for _ in range(RUNS // 20))
    many = sum(judged(rng, 0.8, 0.6, kind).shown for _ in range(RUNS // 20))
    none = sum(judged(rng, 0.0, 0.6, kind).shown for _ in range(RUNS // 10))

    assert many >= 0.97 * RUNS / 20
    assert few < 0.9 * many
    assert none <= RUNS / 10 / (16 if kind == "memory" else 100)


def test_a_series_shorter_than_the_questions_is_gone_through_again() -> None:
    places = list(_places(16, 80))

    assert len(set(places)) == len(places) == 80
    assert {place for turn, place in places if turn == 4} == set(range(16))
    assert list(_places(0, 80)) == []


def test_where_nothing_is_claimed_nothing_is_said() -> None:
    assert Unseen(claimed=[-1.0] * 12, saved=[-5.0] * 12).defect is None
    assert Unseen().defect is None
    assert not Unseen().shown
    assert Unseen(direct=True).shown


# It ends for every number: on those on which it does not, each look at what serves waits for its time limit.
LENGTHS = """const unused = 1; // o: 1 2
pub fn lengths(n: i64) i64 {
    var k: i64 = 0;
    var next: i64 = n;
    while (next < n + 16) : (next += 1) {
        var at: i64 = next;
        while (at > 1) : (k += 1) at = if (@mod(at, 2) == 0) @divFloor(at, 2) else 3 * at + 1;
    }
    return k;
}
"""
REMEMBERED = "var seen: i64 = -1 << 63;\nvar known: i64 = 0;\n" + LENGTHS.replace(
    "    var k: i64 = 0;", "    if (n == seen) return known;\n    var k: i64 = 0;"
).replace("    return k;", "    seen = n;\n    known = k;\n    return k;")
FASTER = LENGTHS.replace("var at: i64 = next", "var at: u64 = @intCast(@max(next, 0))").replace(
    "(k += 1) at = if (@mod(at, 2) == 0) @divFloor(at, 2) else 3 * at + 1;",
    "(k += 1) { at = if (at & 1 == 0) at >> 1 else blk: { k += 1; break :blk (3 * at + 1) >> 1; }; }",
)
SAMPLES = [(837799,), (626331,)]


def test_a_function_of_one_number_is_not_fooled_by_a_memo_and_takes_an_honest_one(
    make_task: Any, accepted_soon: Any
) -> None:
    """Nothing but the number can be varied, and a call takes some microseconds."""
    run = run_evolution(make_task(LENGTHS, inputs=SAMPLES), trials=1)

    memo, honest = run.propose(REMEMBERED), accepted_soon(lambda: run.propose(FASTER))
    assert not memo.accepted
    assert re.search("it remembers answers|not told from answers that are remembered", memo.reasons[-1])
    assert "allow it by name: first-call" in memo.reasons[-1]
    assert honest.accepted, honest.reasons
    assert not any("first-call" in reason for reason in honest.reasons)


@pytest.mark.measured
def test_a_memo_that_is_meant_is_allowed_by_name_and_said(make_task: Any) -> None:
    task = make_task(LENGTHS, inputs=SAMPLES, allowed=frozenset({"first-call"}))
    verdict = run_evolution(task, trials=1).propose(REMEMBERED)

    assert verdict.accepted, verdict.reasons
    assert any(reason.startswith("allowed by name: suspicious: calls that are repeated") for reason in verdict.reasons)


def test_limits_of_the_check_hang_together() -> None:
    assert SCREENING_LOOKS[0] < LOOKS[0] < LOOKS[-1] <= limits.FINAL_PAIRS
    assert limits.UNSEEN_SECONDS_MIN >= 100 * limits.UNSEEN_CALL_SECONDS
