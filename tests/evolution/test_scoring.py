"""Scores of an evaluator of the user's: deterministic or noisy, one metric or several, and what is no score at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.errors import EvolutionError
from project_o.evolution import run_evolution

SOURCE = "def f(x):\n    return 1.0\n"


class Nothing:
    """A proposer without ideas."""

    def ask(self, index: int, told: Any) -> None:
        return None


def returning(value: float) -> str:
    return f"def f(x):\n    return {value!r}\n"


def judged(task: Any, *sources: str) -> list[Any]:
    run = run_evolution(task, proposer=Nothing())
    return [run.propose(source) for source in sources]


@pytest.mark.parametrize(
    ("value", "accepted", "ratio"),
    [(1.001, True, 1.001), (1.0, False, 1.0), (0.999, False, 0.999), (-1.0, False, -1.0)],
)
def test_of_a_deterministic_score_any_gain_counts(
    make_function_task: Any, value: float, accepted: bool, ratio: float
) -> None:
    task = make_function_task(SOURCE, evaluator=lambda program: {"score": program(1)}, objective="score")
    (found,) = judged(task, returning(value))

    assert found.accepted == accepted, found.reasons
    assert found.measurements[0].ratio == pytest.approx(ratio)
    assert found.measurements[0].pairs == limits.EVALUATOR_PAIRS, "the candidate may not give the same each time"


def test_a_cost_has_to_fall_below_its_threshold(make_function_task: Any) -> None:
    task = make_function_task(SOURCE, evaluator=lambda program: {"loss": program(1)}, objective="loss")
    little, enough = judged(task, returning(0.99), returning(0.97))

    assert not little.accepted
    assert "is not above 1.02" in little.reasons[-1]
    assert enough.accepted
    assert enough.confirmation.minimised


def test_scores_that_are_zero_or_negative_have_a_gain_all_the_same(make_function_task: Any) -> None:
    for start, better in ((0.0, 0.5), (-2.0, -1.0)):
        source = returning(start)
        task = make_function_task(source, evaluator=lambda program: {"score": program(1)}, objective="score")
        (found,) = judged(task, returning(better))
        assert found.accepted, found.reasons
        assert found.measurements[0].ratio == pytest.approx(1.5)


def noisy(spread: float, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    return lambda program: {"score": program(1) + spread * float(rng.standard_normal())}


def test_noise_is_no_gain_and_a_gain_beyond_it_is_found(make_function_task: Any) -> None:
    """Ten evaluators with noise of a tenth: the same program is never better, one that gives twice as much always."""
    same = [
        judged(make_function_task(SOURCE, evaluator=noisy(0.1, seed), objective="score"), SOURCE + "# the same\n")[0]
        for seed in range(10)
    ]
    more = [
        judged(make_function_task(SOURCE, evaluator=noisy(0.1, seed), objective="score"), returning(2.0))[0]
        for seed in range(3)
    ]

    assert not any(found.accepted for found in same)
    assert all(found.accepted for found in more), [found.reasons for found in more]
    assert all(item.measurements[0].pairs >= limits.EVALUATOR_PAIRS for item in (*same, *more))


def test_what_fails_once_in_a_dozen_evaluations_is_not_sure(make_function_task: Any) -> None:
    """That one is trimmed, and all others are the same: no spread is left then, and nothing is known of the next."""
    calls: list[int] = []

    def evaluate(program: Any) -> dict[str, float]:
        score = program(1)
        if score > 1:
            calls.append(1)
            score = 0.5 if len(calls) % 12 == 5 else score
        return {"score": score}

    (found,) = judged(make_function_task(SOURCE, evaluator=evaluate, objective="score"), returning(1.2))

    assert not found.accepted, found.reasons
    assert found.measurements[0].low == pytest.approx(0.5)
    assert found.measurements[0].high == pytest.approx(1.2)


def test_who_is_evaluated_later_is_no_better_for_it(make_function_task: Any) -> None:
    """The evaluator counts up, so each evaluation is above the one before: in turn, that is nobody's gain."""
    calls: list[int] = []

    def evaluate(program: Any) -> dict[str, float]:
        calls.append(int(program(1)))
        return {"score": 100.0 + len(calls)}

    task = make_function_task(SOURCE, evaluator=evaluate, objective="score")
    assert not judged(task, SOURCE + "# the same\n")[0].accepted


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), "1e9", True, None, [2.0], 10**400, b"9", np.array([2.0]), 1 + 1j], ids=repr
)
def test_what_is_no_number_is_no_score(make_function_task: Any, value: Any) -> None:
    """The evaluator hands on whatever it was given: of the incumbent a number, of the candidate something else."""
    task = make_function_task(
        SOURCE, evaluator=lambda program: {"score": 1.0 if program(1) == 1.0 else value}, objective="score"
    )
    (found,) = judged(task, returning(2.0))

    assert not found.accepted
    assert "not a finite number" in found.reasons[-1]


def test_numbers_of_numpy_are_scores(make_function_task: Any) -> None:
    task = make_function_task(
        SOURCE, evaluator=lambda program: {"score": np.float32(program(1)), "calls": np.int64(3)}, objective="score"
    )
    (found,) = judged(task, returning(2.0))

    assert found.accepted, found.reasons


def test_every_other_metric_is_guarded(make_function_task: Any) -> None:
    """The score doubles, and what else is returned becomes worse by a share."""

    def evaluate(program: Any) -> dict[str, float]:
        value = program(1)
        return {"score": value, "cost": 1.0 if value == 1.0 else value - 1}

    fields: dict[str, Any] = {"evaluator": evaluate, "objective": "score"}
    within, beyond = judged(make_function_task(SOURCE, **fields), returning(2.19), returning(2.21))
    wide = judged(make_function_task(SOURCE, guards={"cost": "30%"}, **fields), returning(2.21))[0]
    off = judged(make_function_task(SOURCE, guards={"cost": "off"}, **fields), returning(9.0))[0]

    assert within.accepted, within.reasons
    assert "cost by 20%" in within.reasons[-1]
    assert not beyond.accepted
    assert "cost is worse by more than the 20% that it may lose" in beyond.reasons[-1]
    assert wide.accepted, wide.reasons
    assert off.accepted, off.reasons


def test_several_objectives_make_a_step_towards_the_front(make_function_task: Any) -> None:
    """Better in the second and the same in the first; better in one and worse in the other is none."""
    source = "def f(x):\n    return (1.0, 1.0)\n"

    def evaluate(program: Any) -> dict[str, float]:
        quality, speed = program(1)
        return {"quality": quality, "speed": speed}

    task = make_function_task(source, evaluator=evaluate, objective="quality", also=("speed:max:10%",))
    second, aside, within = judged(
        task, *(f"def f(x):\n    return {pair!r}\n" for pair in ((1.0, 1.5), (1.5, 0.8), (1.5, 0.95)))
    )

    assert second.accepted, second.reasons
    assert second.confirmation.metric == "speed"
    assert not aside.accepted
    assert "speed is worse by more than the 10%" in aside.reasons[-1]
    assert within.accepted, within.reasons


def test_memory_and_size_of_a_program_can_be_guarded_beside_its_score(make_function_task: Any) -> None:
    task = make_function_task(
        SOURCE,
        evaluator=lambda program: {"score": program(1)},
        objective="score",
        guards={"size": "50%", "memory": "20%"},
    )
    plain, long, hungry = judged(
        task,
        returning(2.0),
        returning(2.0) + "# " + "x" * 100,
        'held = bytearray(b"1") * (24 << 20)\n' + returning(2.0),
    )

    assert plain.accepted, plain.reasons
    assert "size is worse by more than the 50%" in long.reasons[-1]
    assert not hungry.accepted


@pytest.mark.parametrize(
    ("returned", "fields", "says"),
    [
        (
            {"score": 1.0},
            {"objective": "quality"},
            "returns no metric quality (it returns: score): name one of them with",
        ),
        ({"score": 1.0}, {"guards": {"calls": 0.1}}, "returns no metric calls"),
        ({"score": float("nan")}, {}, "it must be finite"),
        ({}, {}, "returns no metric score (it returns: none)"),
        ({"score": "good"}, {}, "returns no metric score"),
    ],
)
def test_an_evaluator_that_does_not_return_what_is_wanted_is_an_error(
    make_function_task: Any, returned: dict[str, Any], fields: dict[str, Any], says: str
) -> None:
    task = make_function_task(SOURCE, **{"evaluator": lambda program: returned, "objective": "score", **fields})
    with pytest.raises(EvolutionError) as caught:
        run_evolution(task, proposer=Nothing())

    assert says in str(caught.value)
