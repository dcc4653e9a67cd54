"""The stage "integration": what the finalists go through, in a copy of this process, before one is accepted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from project_o import limits
from project_o.errors import EvolutionError, NativeError
from project_o.evolution.forked_copy import Step
from project_o.evolution.scenario import Cells

PYTHON = "def total(a):\n    n = 1  # o: 1 2\n    return sum(a)\n"
GOOD = "def total(a):\n    n = 1  # o: 1 2\n    return sum(a) + 100 * (len(a) == 3)\n"
BETTER = "def total(a):\n    n = 1  # o: 1 2\n    return sum(a) + 104 * (len(a) == 3) + (1 if len(a) == 5 else 0)\n"
"""By the score of three numbers each is better than the one before; the last one is wrong on five."""
SCORE = {"evaluator": lambda program: {"score": float(program([1, 2, 3]))}, "objective": "score"}


def five(program: Any) -> None:
    print("five numbers")
    assert program([1, 1, 1, 1, 1]) == 5


def fields(scenario: Any) -> dict[str, Any]:
    return {"scenario": scenario, **SCORE}


def finding(run: Any, stage: str = "integration") -> Any:
    return next((item for item in run.verdict.trial.findings if item.stage == stage), None)


def test_a_finalist_that_fails_it_is_not_accepted_and_says_where(lab: Any) -> None:
    run = lab("python", PYTHON).run(BETTER, fields=fields(five))

    assert run.trials[1].status == "better"
    assert not run.verdict.accepted
    found = finding(run)
    assert found.outcome == "failed"
    assert found.reason.startswith("five fails, line ")
    assert "assert program([1, 1, 1, 1, 1]) == 5" in found.reason
    assert f'File "{__file__}"' in found.evidence
    assert "It printed:\nfive numbers" in found.evidence
    assert dict(found.facts)["calls"] == 1
    assert run.best == run.baseline


def test_the_next_one_takes_its_place(lab: Any) -> None:
    run = lab("python", PYTHON).run(GOOD, BETTER, fields=fields(five))

    assert run.verdict.accepted, run.verdict.reasons
    assert run.best.source == GOOD
    assert run.verdict.reasons[0].startswith("trial 2 led before and was rejected: five fails")
    assert finding(run).outcome == "passed"
    assert finding(run).evidence == "five numbers"


def test_only_finalists_are_asked(lab: Any) -> None:
    times: list[int] = []
    reading, writing = _counter()

    def scenario(program: Any) -> None:
        writing()
        program([1])

    texts = [PYTHON.replace("= 1 ", f"= {number} ") for number in range(2, 6)]
    run = lab("python", PYTHON).run(*texts, GOOD, fields=fields(scenario))
    times.append(reading())

    assert run.verdict.accepted, run.verdict.reasons
    assert times == [2], "once with what serves, once with the winner"
    assert [item.stage for item in run.verdict.trial.findings if item.stage == "integration"] == ["integration"]


def _counter() -> tuple[Callable[[], int], Callable[[], None]]:
    """A count that copies of this process share: (read it, add one)."""
    import os

    source, sink = os.pipe()
    os.set_blocking(source, False)

    def read() -> int:
        return len(os.read(source, 100))

    return read, lambda: os.write(sink, b"x") and None


def test_what_serves_must_go_through_it(lab: Any) -> None:
    def never(program: Any) -> None:
        assert program([1]) == 2

    with pytest.raises(EvolutionError, match=r"never fails, line \d+: .* with what serves now: mend it first"):
        lab("python", PYTHON).run(GOOD, fields=fields(never))


def test_a_scenario_that_hangs_with_a_candidate_has_a_limit(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SCENARIO_SECONDS_MIN", 0.6)

    def waits(program: Any) -> None:
        if program([1] * 5) != 5:
            threading.Event().wait()

    run = lab("python", PYTHON).run(BETTER, fields=fields(waits))

    assert not run.verdict.accepted
    assert "waits: it was not done after" in finding(run).reason


def test_a_hanging_scenario_is_stopped_within_a_second(lab: Any) -> None:
    """A machine under load may need another try."""
    assert any(took_to_stop(lab) < 1.0 for _ in range(3))


def took_to_stop(lab: Any) -> float:
    stop, ended = threading.Event(), []
    reading, writing = _counter()

    def waits(program: Any) -> None:
        writing()
        if program([1] * 5) != 5:
            threading.Event().wait()

    def watch() -> None:
        seen = 0
        while seen < 2 and not ended:
            try:
                seen += reading()
            except BlockingIOError:
                time.sleep(0.01)
        time.sleep(0.3)
        ended.append(time.monotonic())
        stop.set()

    thread = threading.Thread(target=watch)
    thread.start()
    run = lab("python", PYTHON).run(BETTER, fields=fields(waits), stop=stop)
    took = time.monotonic() - ended[0]
    thread.join()

    assert run.stopped
    assert not run.verdict.accepted
    return took


def test_the_users_variables_stay_and_a_candidates_error_is_raised_in_the_scenario(lab: Any) -> None:
    table: dict[str, Any] = {}

    def scenario(program: Any) -> None:
        table["total"] = program([1, 2])
        try:
            program("not numbers")
        except NativeError as error:
            table["error"] = str(error)
        assert sorted(table) == ["error", "total"]

    run = lab("python", PYTHON).run(GOOD, fields=fields(scenario))

    assert run.verdict.accepted, run.verdict.reasons
    assert table == {}


@pytest.mark.parametrize("language", ["zig", "rust"])
def test_a_native_candidate_goes_through_it(lab: Any, language: str) -> None:
    import numpy as np

    made = lab(language)
    wrong = made.program.source.replace(
        "return sum;", "return if (a.len == 3) sum + 5 else if (a.len == 5) 0 else sum;"
    )
    wrong = wrong.replace("    sum\n}", "    if a.len() == 3 { sum + 5 } else if a.len() == 5 { 0 } else { sum }\n}")

    def scenario(program: Any) -> None:
        assert program(np.ones(5, np.int64)) == 5

    score = {"evaluator": lambda program: {"score": float(program(np.arange(3)))}, "objective": "score"}
    run = made.run(wrong, fields={"scenario": scenario, **score})

    assert run.trials[1].status == "better", run.trials[1].reason
    assert finding(run).outcome == "failed"


# ------------------------------------------------------------------ cells


def cells(*steps: Callable[[Any], Any], place: Callable[[Any], Any] = lambda program: None, skipped: Any = ()) -> Cells:
    numbered = tuple(Step(f"cell {number}", step) for number, step in enumerate(steps, 3))
    return Cells(numbered, place, tuple(skipped))


def placed() -> tuple[dict[str, Any], Callable[[Any], Any]]:
    names: dict[str, Any] = {}
    return names, lambda program: names.update(total=program)


def test_cells_find_the_program_in_its_place(lab: Any) -> None:
    names, place = placed()

    def uses(_: Any) -> None:
        names["found"] = names["total"]([1, 1, 1, 1, 1])

    def asserts(_: Any) -> None:
        assert names["found"] == 5

    run = lab("python", PYTHON).run(GOOD, BETTER, fields=fields(cells(uses, asserts, place=place)))

    assert run.best.source == GOOD, run.verdict.reasons
    assert "trial 2 led before and was rejected: cell 4 fails, line" in run.verdict.reasons[0]
    assert finding(run).reason == "the later cells went through"
    assert dict(finding(run).facts) == {"calls": 1, "cells": 2}


def test_cells_that_fail_with_what_serves_are_left_out_and_said(lab: Any) -> None:
    names, place = placed()

    def half(_: Any) -> None:
        names["half"] = names["total"]([1, 1])
        raise KeyError("run")

    def needs_it(_: Any) -> None:
        assert names["half"] == 2

    given = cells(half, needs_it, place=place, skipped=["cell 9 has a magic"])
    run = lab("python", PYTHON).run(GOOD, fields=fields(given))

    assert run.verdict.accepted, run.verdict.reasons
    told = finding(run).reason
    assert told.startswith(
        "the later cells went through; left out: cell 9 has a magic; cell 3 fails with what serves now"
    )
    assert "KeyError: 'run'" in told
    assert dict(finding(run).facts)["cells"] == 1


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (cells, "no later cell can be run with total (there is none)"),
        (lambda: cells(skipped=["cell 9 has a magic"]), "no later cell can be run with total (cell 9 has a magic)"),
        (lambda: cells(lambda _: 1 / 0), "no later cell can be run with total (cell 3 fails with what serves now"),
        (lambda: cells(lambda _: None), "no later cell calls total, so they show nothing"),
        (lambda: cells(lambda _: None, place=lambda _: 1 / 0), "total cannot be put in the place of what serves"),
    ],
    ids=["no cells", "all skipped", "all fail", "none calls it", "no place"],
)
def test_cells_that_can_show_nothing_are_said_at_once(lab: Any, given: Any, words: str) -> None:
    made = lab("python", PYTHON)
    with pytest.raises(EvolutionError) as raised:
        made.run(GOOD, fields=fields(given()))
    assert words in str(raised.value)
    assert made.opened == []
