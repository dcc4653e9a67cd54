"""Memory, size, accuracy and wall time beside the time: measured in the same run, guarded, and each an objective."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

from project_o import limits
from project_o.errors import EvolutionError
from project_o.evolution import run_evolution
from project_o.evolution.checks.reference import Reference, Right
from project_o.evolution.compare import relative_error
from project_o.evolution.plausible import LOAD, PRECISION

LOOP = """
def f(values):
    total = 0.0
    for value in values.tolist():
        total += value * value
    return total
"""
FAST = "def f(values):\n    return float((values * values).sum())\n"
HUNGRY = """held = bytearray(b"1") * (24 << 20)

def f(values):
    return float((values * values).sum()) + 0 * len(held)
"""
TABLE = """const table: [200000]u8 = @splat(7);
pub fn f(k: u64) u64 {
    return if (k < 5) table[k * 3] else 7;
}
"""
ONE = "pub fn f(k: u64) u64 {\n    return if (k < 5) 7 else 7;\n}\n"
LOADING = frozenset({LOAD})
"""It is meant here that a candidate fills its memory as it is loaded."""
X = (np.arange(400.0) % 13 / 8,)
MIB = 1 << 20


class Nothing:
    """A proposer without ideas."""

    def ask(self, index: int, told: Any) -> None:
        return None


def judged(task: Any, source: str) -> Any:
    return run_evolution(task, proposer=Nothing()).propose(source)


@pytest.fixture
def better(accepted_soon: Any) -> Any:
    """``better(task, source)``: as ``judged``, for a text that is better beyond doubt."""

    def asked(task: Any, source: str) -> Any:
        run = run_evolution(task, proposer=Nothing())
        return accepted_soon(lambda: run.propose(source))

    return asked


def squares(values: Any) -> float:
    """What is right, in numpy."""
    with np.errstate(all="ignore"):
        return float((values**2).sum())


def by_name(measurement: Any) -> dict[str, Any]:
    return {item.metric: item for item in (measurement, *measurement.beside)}


def test_memory_is_guarded_where_nobody_says_otherwise(make_function_task: Any, better: Any) -> None:
    """It is much faster, and takes some megabytes more than a fifth of the whole process."""
    task = make_function_task(LOOP, inputs=X, allowed=LOADING)
    fast, hungry = better(task, FAST), judged(task, HUNGRY)

    assert fast.accepted, fast.reasons
    assert "memory by 20%" in fast.reasons[-1]
    memory = by_name(fast.confirmation)["memory"]
    assert (memory.unit, memory.role, memory.tolerance) == ("B", "guard", limits.GUARD_REGRESSION_MAX)
    assert memory.baseline > 5 * MIB
    assert memory.pairs >= 8, "one a process"
    assert not hungry.accepted
    assert "memory is worse by more than the 20% that it may lose" in hungry.reasons[-1]


def test_how_much_a_guard_may_lose_is_configurable(make_function_task: Any, better: Any) -> None:
    wide = better(make_function_task(LOOP, inputs=X, guards={"memory": "900%"}, allowed=LOADING), HUNGRY)
    off = better(make_function_task(LOOP, inputs=X, guards={"memory": "off"}, allowed=LOADING), HUNGRY)
    narrow = judged(make_function_task(LOOP, inputs=X, guards={"size": "0%"}), FAST + "# " + "x" * 200)

    assert wide.accepted, wide.reasons
    assert off.accepted, off.reasons
    assert by_name(off.confirmation)["memory"].role == "shown"
    assert not narrow.accepted
    assert "size is worse by more than the 0% that it may lose" in narrow.reasons[-1]


def test_the_size_of_a_build_can_be_what_is_wanted(make_task: Any, better: Any) -> None:
    """The same function; one has a table of its own in the library that it does not need."""
    task = make_task(TABLE, inputs=(3,), objective="size", guards={"time": "100%", "memory": "off"})
    found = better(task, ONE)
    same = judged(task, TABLE.replace("7;\n}", "7; // the same\n}"))

    assert found.accepted, found.reasons
    assert found.confirmation.metric == "size"
    assert found.confirmation.unit == "B"
    assert found.confirmation.method == "bytes of the build, counted"
    assert not same.accepted


def test_accuracy_against_a_reference_is_an_objective(make_function_task: Any, better: Any) -> None:
    """Of two sums the compensated one is nearer to the exact one, and the answers agree within rounding."""
    naive = LOOP.replace("value * value", "value")
    exact = "import math\n\ndef f(values):\n    return math.fsum(values.tolist())\n"
    rng = np.random.default_rng(0)
    inputs = (rng.random(3000),)
    task = make_function_task(naive, inputs=inputs, objective="accuracy", reference=math.fsum, guards={"time": "500%"})
    found, same = better(task, exact), judged(task, naive.replace("total", "sum_"))

    assert found.accepted, found.reasons
    assert found.confirmation.metric == "accuracy"
    assert found.confirmation.candidate < found.confirmation.baseline
    assert "relative error in float64 against the reference" in found.confirmation.method
    assert not same.accepted


def test_a_reference_warns_of_nothing_on_inputs_that_are_ours() -> None:
    infinities = np.array([np.inf, -np.inf])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = Reference(lambda values: values.sum()).answer((infinities,), like=Right(1.0, 0.0))

    assert answer is not None, "a warning would have been raised, and the input left out"
    assert math.isnan(answer.value)


def test_a_loss_of_accuracy_is_noticed_where_it_is_guarded(make_function_task: Any, better: Any) -> None:
    """An error of 1e-12 is within what another order of sums may bring, and far above the incumbent's."""
    off = "def f(values):\n    return float((values * values).sum()) * (1 + 3e-12)\n"
    plain = better(make_function_task(LOOP, inputs=X, allowed=frozenset({PRECISION})), off)
    task = make_function_task(LOOP, inputs=X, guards={"accuracy": "20%"}, reference=squares)
    guarded = judged(task, off)

    assert plain.accepted, plain.reasons
    assert not guarded.accepted
    assert "accuracy is worse by more than the 20% that it may lose" in guarded.reasons[-1]


def test_wall_time_and_time_are_shown_beside_another_objective(make_task: Any) -> None:
    source = "pub fn f(k: u64) u64 {\n    return k + 1;\n}\n"
    found = judged(make_task(source, inputs=(3,), objective="size"), source.replace("k + 1", "1 + k"))
    beside = by_name(found.measurements[0])

    assert {"size", "time", "wall time", "memory"} == set(beside)
    assert beside["wall time"].role == beside["time"].role == "shown"
    assert beside["wall time"].unit == "s"
    assert beside["wall time"].method.startswith("the parent's clock over the same timings")


def test_a_step_that_makes_one_objective_better_and_none_worse_is_accepted(
    make_function_task: Any, better: Any
) -> None:
    """Faster and of the same accuracy; faster and less accurate is a step aside."""
    task = make_function_task(LOOP, inputs=X, also=("accuracy",), reference=squares)
    faster = better(task, FAST)
    aside = judged(task, "def f(values):\n    return float((values * values).sum()) * (1 + 3e-12)\n")

    assert faster.accepted, faster.reasons
    assert by_name(faster.confirmation)["accuracy"].role == "objective"
    assert not aside.accepted
    assert "accuracy is worse by more than the 5% that it may lose" in aside.reasons[-1]


def test_the_second_objective_may_be_the_one_that_is_better(make_task: Any) -> None:
    """Its time stays what it was, as far as a restless machine can tell; its size is that of what it does."""
    task = make_task(TABLE, inputs=(3,), also=("size",), guards={"memory": "off"})
    for _ in range(4):
        found = judged(task, "pub fn f(k: u64) u64 {\n    return if (k < 5) 7 else 7;\n}\n")
        if found.accepted:
            break
        assert "time" in found.reasons[-1], "nothing else stands against it"

    assert found.accepted, found.reasons
    assert [item.metric for item in (found.measurements[0], found.confirmation)] == ["size", "size"]
    assert by_name(found.confirmation)["time"].role == "objective"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"objective": "score"}, "the objective score needs an evaluator"),
        ({"guards": {"calls": 0.1}}, "the guard calls needs an evaluator"),
        ({"also": ("time",)}, "name each one once"),
        ({"guards": {"memory": "much"}}, r"is none of min, max, off"),
    ],
)
def test_a_metric_that_nobody_measures_is_an_error(make_task: Any, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(EvolutionError, match=says):
        run_evolution(make_task("pub fn f(k: u64) u64 { return k; }", inputs=(3,), **fields), proposer=Nothing())


@pytest.mark.parametrize(
    ("truth", "given", "expected"),
    [
        (2.0, 2.0, 0.0),
        (2.0, 2.5, 0.25),
        ([3.0, 4.0], [3.0, 4.5], 0.1),
        (0.0, 1e-3, 1e-3),
        (math.nan, math.nan, 0.0),
        (math.inf, math.inf, 0.0),
        (1.0, math.nan, math.inf),
        (math.inf, 1.0, math.inf),
        ([1.0], [1.0, 2.0], math.inf),
        ({"a": (1.0, 2)}, {"a": (1.0, 2)}, 0.0),
        (3 + 4j, 3 + 4.5j, 0.1),
        (np.array([3.0, 4.0], np.float32), np.array([3.0, 4.0], np.float32), 0.0),
    ],
)
def test_the_relative_error_is_a_distance_over_the_size_of_the_truth(truth: Any, given: Any, expected: float) -> None:
    assert relative_error(truth, given) == pytest.approx(expected)
