"""What an evaluator of the user's sees of a candidate: the same as of a direct call, and no lies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from project_o.errors import NativeError, NativeResultError
from project_o.evolution import run_evolution
from project_o.evolution.manners import Manners, as_metric, cut, finite


class Nothing:
    """A proposer without ideas."""

    def ask(self, index: int, told: Any) -> None:
        return None


def seen(make_function_task: Any, source: str, use: Any) -> list[Any]:
    """What ``use`` gave, each time the evaluator was called with the program."""
    found: list[Any] = []

    def evaluate(program: Any) -> dict[str, float]:
        found.append(use(program))
        return {"score": 1.0}

    run_evolution(make_function_task(source, evaluator=evaluate, objective="score"), proposer=Nothing())
    return found


@pytest.mark.parametrize(
    ("body", "argument", "after"),
    [
        ("v.sort()", [3, 1], [1, 3]),
        ("v['a'] = 1", {"b": 2}, {"b": 2, "a": 1}),
        ("v.add(1)", {2}, {1, 2}),
        ("v[0].append(2)", ([1], "x"), ([1, 2], "x")),
        ("v[0] = 9", np.arange(2.0), np.array([9.0, 1.0])),
    ],
    ids=str,
)
def test_arguments_are_written_as_by_a_direct_call(
    make_function_task: Any, body: str, argument: Any, after: Any
) -> None:
    import copy

    def use(program: Any) -> Any:
        own = copy.deepcopy(argument)
        program(own)
        return own

    for found in seen(make_function_task, f"def f(v):\n    {body}\n", use):
        assert type(found) is type(after)
        assert repr(found) == repr(after)


def test_what_it_raises_is_raised_with_its_class_as_a_name(make_function_task: Any) -> None:
    def use(program: Any) -> tuple[type, str, str]:
        with pytest.raises(NativeError) as caught:
            program(-1)
        return type(caught.value), getattr(caught.value, "name", ""), str(caught.value)

    source = "def f(x):\n    if x < 0:\n        raise ValueError('below zero')\n    return x\n"
    kind, name, text = seen(make_function_task, source, use)[0]
    assert (kind, name) == (NativeResultError, "ValueError")
    assert "ValueError: below zero" in text


def test_who_writes_what_the_incumbent_leaves_is_stopped(make_function_task: Any) -> None:
    """The list is the evaluator's own, and the next candidate is judged by it too."""
    data = [3.0, 1.0, 2.0]

    def evaluate(program: Any) -> dict[str, float]:
        return {"score": -abs(program(data) - sum(data))}

    task = make_function_task("def f(v):\n    return 0.0\n", evaluator=evaluate, objective="score")
    run = run_evolution(task, proposer=Nothing())
    cheat = run.propose("def f(v):\n    v.clear()\n    return 0\n")
    honest = run.propose("def f(v):\n    return sum(v)\n")

    assert not cheat.accepted
    assert "f writes into argument 1, which the incumbent leaves as it is" in cheat.reasons[-1]
    assert data == [3.0, 1.0, 2.0]
    assert honest.accepted, honest.reasons


def test_what_the_incumbent_does_is_allowed() -> None:
    class Answer:
        ok, value, written = True, float("nan"), ((0, [1]),)

    manners = Manners()
    assert "writes into argument 1" in manners.offence("f", Answer())
    manners.learning().offence("f", Answer())
    assert manners.offence("f", Answer()) == ""
    assert "writes into argument 1" in manners.offence("g", Answer()), "each function has rules of its own"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1.0), (2.5, 2.5), (np.float32(2.5), 2.5), (np.int8(3), 3.0), (10**400, float("inf")),
     (-(10**400), float("-inf")), (True, None), (np.bool_(True), None),
     ("1", None), (b"1", None), (None, None), ([1.0], None), (np.ones(1), None),
     (1j, None)],
    ids=str,
)  # fmt: skip
def test_a_metric_is_a_number_and_nothing_that_reads_as_one(value: Any, expected: float | None) -> None:
    assert as_metric(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, True), (float("nan"), False), ([1, (2, float("inf"))], False), ({"a": np.array([np.nan])}, False),
     (np.float32("inf"), False), (complex(0, float("nan")), False), (np.arange(3), True), ("nan", True),
     ({1, 2}, True)],
    ids=str,
)  # fmt: skip
def test_a_number_that_is_not_finite_is_found_wherever_it_is(value: Any, expected: bool) -> None:
    assert finite(value) == expected


def test_what_is_shown_of_a_value_is_short_whatever_it_is() -> None:
    assert cut(1.5) == "1.5"
    assert cut(10**5000) == "a int of very many digits"
    assert len(cut("x" * 500)) == 80
