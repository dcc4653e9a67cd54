"""Objectives and guards from their texts: every one that can be meant, and a clear word for every other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from project_o import limits
from project_o.errors import EvolutionError
from project_o.evolution.goals import MINIMISED, all_goals, goal, guards, objectives, parsed_guards

NAMES = st.text(st.characters(blacklist_characters=":", blacklist_categories=("Z", "C")), min_size=1, max_size=12)
PERCENTS = st.decimals(0, 900, places=2, allow_nan=False).map(lambda number: f"{number}%")


@given(NAMES, st.sampled_from(["", ":min", ":max"]), st.one_of(st.just(""), PERCENTS.map(lambda text: f":{text}")))
def test_what_is_written_as_it_should_be_is_what_was_meant(name: str, direction: str, tolerance: str) -> None:
    found = goal(f"{name}{direction}{tolerance}", "guard", 0.2)

    assert found.name == name
    assert found.minimised == (direction == ":min" if direction else name.rpartition("_")[2].lower() in MINIMISED)
    assert found.tolerance == pytest.approx(float(tolerance[1:-1]) / 100 if tolerance else 0.2)


@given(st.text(max_size=20))
def test_any_other_text_is_a_goal_or_an_error_that_says_what_to_write(text: str) -> None:
    error = ""
    try:
        found = goal(text, "objective", 0.05)
    except EvolutionError as raised:
        error = str(raised)
    assert repr(text) in error if error else text.startswith(found.name)
    assert error or found.tolerance is None or found.tolerance >= 0


@given(st.lists(NAMES.filter(lambda name: "=" not in name), unique=True, max_size=5), PERCENTS)
def test_guards_of_a_command_line_are_those_of_a_call(names: list[str], share: str) -> None:
    words = [f"{name}:{share}" for name in names]

    assert guards(parsed_guards(words)) == guards(dict.fromkeys(names, share))
    assert guards(parsed_guards(names)) == guards(dict.fromkeys(names, limits.GUARD_REGRESSION_MAX))


@pytest.mark.parametrize(
    ("value", "tolerance"), [(0.1, 0.1), (0, 0.0), ("30%", 0.3), ("min:5%", 0.05), ("off", None), (None, None)]
)
def test_a_guard_is_a_share_a_text_or_none(value: float | str | None, tolerance: float | None) -> None:
    (found,) = guards({"calls": value})

    assert found.tolerance == tolerance
    assert found.role == "guard"


@pytest.mark.parametrize("value", [-0.1, True, float("nan"), 20, "much", "20", "%"])
def test_a_guard_that_cannot_be_meant_is_an_error(value: float | str) -> None:
    with pytest.raises(EvolutionError, match=r"guard calls|is none of min, max, off"):
        guards({"calls": value})


@pytest.mark.parametrize("texts", [[], ["time", "time"], ["time", "time:10%"], ["a b"], [":min"], ["time:fast"]])
def test_objectives_that_cannot_be_meant_are_an_error(texts: list[str]) -> None:
    with pytest.raises(EvolutionError, match=r"name each one once|names no metric|is none of min, max, off"):
        objectives(texts)


@pytest.mark.parametrize(
    ("name", "minimised"),
    [
        ("time", True),
        ("train_loss", True),
        ("Seconds", True),
        ("score", False),
        ("accuracy", False),
        ("lossless", False),
    ],
)
def test_a_name_says_which_way_is_better(name: str, minimised: bool) -> None:
    assert goal(name, "objective", None).minimised == minimised


def test_what_is_returned_besides_is_guarded_unless_it_is_named_or_switched_off() -> None:
    first = objectives(["score", "loss:min:1%"])
    every = all_goals(first, guards({"memory": "10%", "calls": "off"}), ["calls", "loss", "score", "size", "note: x"])

    assert [(item.name, item.role, item.tolerance) for item in every] == [
        ("score", "objective", limits.OBJECTIVE_REGRESSION_MAX),
        ("loss", "objective", 0.01),
        ("memory", "guard", 0.1),
        ("calls", "shown", None),
        ("size", "guard", limits.GUARD_REGRESSION_MAX),
    ]
