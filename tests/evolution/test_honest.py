"""Improvements as people make them: each is better, and a verdict that refuses one is wrong."""

from __future__ import annotations

import linecache
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from project_o.evolution.checks.rounding import is_rounding
from project_o.flow import Flow
from project_o.sandbox import Answer
from project_o.values import NativeType

sys.path.insert(0, str(Path(__file__).parent / "cheats"))

from case import insertion_sort

ANY = NativeType("any")
IN_PLACE = (
    "in place, where the second call has less to do",
    insertion_sort("f"),
    [([(k * 37) % 101 for k in range(200)],)],
    "def f(items):\n    items.sort()\n",
)
COSTS = (
    "where the next number costs twice as much",
    "def f(n):\n    if n < 2:\n        return n\n    return f(n - 1) + f(n - 2)\n",
    [(16,)],
    """
def f(n):
    if n < 2:
        return n
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
""",
)
NOTHING = (
    "whose sum of nothing is a whole number",
    """
def f(a):
    total = 0.0
    for x in a:
        for _ in range(4):
            total += x * 0.25
    return total
""",
    [([k % 17 / 8 for k in range(400)],)],
    "def f(a):\n    return sum(a)\n",
)
CANCELS = (
    "that rounds otherwise where all cancels",
    """
def f(a):
    if len(a) == 0:
        return 0.0
    mean = sum(a.tolist()) / len(a)
    total = 0.0
    for x in a.tolist():
        total += (x - mean) ** 2
    return total / len(a)
""",
    [(np.random.default_rng(3).random(900) * 10,)],
    "import numpy as np\n\ndef f(a):\n    return float(np.var(a)) if len(a) else 0.0\n",
)
NUMPY = (
    "with numpy",
    """
import numpy as np

def f(a, b):
    out = np.zeros((a.shape[0], b.shape[1]))
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            for k in range(a.shape[1]):
                out[i, j] += a[i, k] * b[k, j]
    return out
""",
    [(np.random.default_rng(1).random((14, 12)), np.random.default_rng(2).random((12, 16)))],
    "def f(a, b):\n    return a @ b\n",
)
TABLE = (
    "with a table that a call uses often",
    """
def f(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
""",
    [(b"some text " * 60,)],
    """
def one(k):
    for _ in range(8):
        k = (k >> 1) ^ (0xEDB88320 if k & 1 else 0)
    return k

TABLE = [one(k) for k in range(256)]

def f(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = TABLE[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF
""",
)
STEPS = (
    "of a number of which few are near, and each costs another time",
    """
def f(n):
    steps = 0
    while n != 1:
        if n % 2 == 0:
            n = n // 2
        else:
            n = 3 * n + 1
        steps += 1
    return steps
""",
    [(27,), (97,), (871,)],
    """
def f(n):
    steps = 0
    while n != 1:
        if n & 1:
            n += (n >> 1) + 1
            steps += 2
        else:
            n >>= 1
            steps += 1
    return steps
""",
)
CASES = {case[0]: case[1:] for case in (IN_PLACE, COSTS, NOTHING, CANCELS, NUMPY, TABLE, STEPS)}


class Nothing:
    """A proposer of nothing."""

    def ask(self, index, told):
        return None


def function(source: str) -> types.FunctionType:
    """The function f of a cell."""
    source = source.lstrip("\n")
    file = f"<honest {hash(source)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    names: dict = {"__name__": "__main__"}
    exec(compile(source, file, "exec"), names)
    return names["f"]


@pytest.mark.measured
@pytest.mark.parametrize("name", CASES)
def test_an_improvement_is_accepted(name: str) -> None:
    before, inputs, after = CASES[name]
    run = Flow().evolve(function(before), function="f", inputs=inputs, proposer=Nothing(), trials=1)
    verdict = run.propose(after)

    assert verdict.accepted, verdict.reasons


def variance(args):
    return Answer(ok=True, value=float(sum((args[0] - args[0].mean()) ** 2)))


@pytest.mark.parametrize(("given", "same"), [(0.0, True), (1e-31, True), (1e-20, False), (None, False)])
def test_what_cancels_may_round_otherwise_and_nothing_more(given: object, same: bool) -> None:
    """Of equal values the variance is rounding alone; a fault of any other size is none."""
    args = (np.full(8, 0.8471535374634753),)
    expected = Answer(ok=True, value=1.232595164407831e-32)

    assert is_rounding(expected, Answer(ok=True, value=given), ANY, args, variance) == same


def test_a_fault_where_nothing_cancels_is_no_rounding() -> None:
    args = (np.arange(9.0),)
    expected = variance(args)
    given = Answer(ok=True, value=expected.value * (1 + 1e-9))

    assert not is_rounding(expected, given, ANY, args, variance)


@pytest.mark.parametrize(("lost", "same"), [(0, True), (2_000, False)])
def test_long_sums_in_float32_may_be_taken_in_another_order(lost: int, same: bool) -> None:
    """One after the other they are off by more than a thousand roundings, all in the same direction."""
    terms = (np.random.default_rng(1).integers(0, 16, 200_000).astype(np.float32) * np.float32(4.1e3)) ** 2

    def one_by_one(args):
        return Answer(ok=True, value=float(np.cumsum(args[0], dtype=np.float32)[-1]))

    given = Answer(ok=True, value=float(np.sum(terms[: len(terms) - lost], dtype=np.float64)))
    expected = one_by_one((terms,))
    assert abs(expected.value - given.value) > 1e-4 * expected.value

    assert is_rounding(expected, given, NativeType("float", bits=32), (terms,), one_by_one) == same
