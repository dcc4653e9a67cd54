"""What is done as a program is loaded has to be won back; a table of all answers is a program where they are few."""

from __future__ import annotations

import numpy as np
import pytest

from project_o import limits
from project_o.evolution.loading import domain, load_defect
from project_o.evolution.measure import Series
from project_o.evolution.plausible import LOAD
from project_o.values import NativeFunction, NativeType, Program

BYTE = NativeType("int", bits=8)
FLAG = NativeType("bool")
WIDE = NativeType("int", bits=64, signed=True)
SAVED = 30e-6
REPEAT = 100
RUNS = 400


def function(*kinds: NativeType) -> NativeFunction:
    return NativeFunction("f", tuple((f"a{k}", kind) for k, kind in enumerate(kinds)), NativeType("any"))


def series(rng: np.random.Generator, extra: float, spread: float = 2e-4, processes: int = 12) -> Series:
    """Pairs of a candidate that saves so much a call, and takes so much more to be loaded."""
    found = Series(REPEAT)
    for _ in range(2 * processes):
        found.cpu[0].append(REPEAT * 40e-6)
        found.cpu[1].append(REPEAT * (40e-6 - SAVED))
    for _ in range(processes):
        burst = 5e-3 if rng.random() < 0.1 else 0.0
        found.load[0].append(4e-3 + spread * float(rng.standard_normal()) + burst)
        found.load[1].append(4e-3 - SAVED + extra + spread * float(rng.standard_normal()))
    return found


def said(found: Series, *kinds: NativeType, longer: int = 0) -> bool:
    old = Program("f", "python", (("f.py", "x" * 100),))
    new = Program("f", "python", (("f.py", "x" * (100 + longer)),))
    defect = load_defect(found, function(*kinds), old, new)
    assert defect is None or defect.name == LOAD
    return defect is not None


def test_a_table_of_many_answers_is_seen() -> None:
    rng = np.random.default_rng(1)

    assert all(said(series(rng, 300 * 40e-6), WIDE) for _ in range(RUNS // 4))


@pytest.mark.parametrize("extra", [0.0, 2 * SAVED, limits.LOAD_SECONDS_FREE])
def test_who_does_little_as_it_is_loaded_is_hardly_ever_refused(extra: float) -> None:
    rng = np.random.default_rng(2)

    assert sum(said(series(rng, extra), WIDE) for _ in range(RUNS)) <= RUNS / 100


def test_a_longer_text_may_take_longer_to_be_compiled() -> None:
    rng = np.random.default_rng(3)
    found = series(rng, 4e-3, spread=1e-5)

    assert said(found, WIDE)
    assert not said(found, WIDE, longer=5000)


@pytest.mark.parametrize(("kinds", "inputs"), [((BYTE,), 256), ((FLAG, BYTE), 512), ((WIDE,), 0), ((), 0),
                                               ((BYTE, BYTE, BYTE), 0)])  # fmt: skip
def test_the_types_say_how_many_inputs_there_are(kinds: tuple[NativeType, ...], inputs: int) -> None:
    assert domain(function(*kinds)) == inputs


def test_a_table_of_all_answers_is_taken_where_they_are_few() -> None:
    rng = np.random.default_rng(4)
    found = series(rng, 200 * SAVED, spread=1e-5)

    assert said(found, WIDE)
    assert not said(found, BYTE)


def test_too_few_processes_say_nothing() -> None:
    assert not said(series(np.random.default_rng(5), 1.0, processes=3), WIDE)
