"""Digits that are given away are seen, and another order of operations is not taken for that."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from project_o.evolution.checks.precision import cases, lost
from project_o.evolution.infer import typed
from project_o.evolution.inputs import Inputs
from project_o.sandbox import Answer
from project_o.values import NativeFunction, NativeType

Function = Callable[..., Any]
ANY = NativeType("any")
EXACT = np.arange(600.0) % 13 / 8
SQUARE = np.arange(144.0).reshape(12, 12) % 7 / 4


def naive_sum(a: Any) -> float:
    total = a.dtype.type(0)
    for item in a:
        total += item * item
    return float(total)


def naive_variance(a: Any) -> float:
    mean = sum(a.tolist()) / len(a)
    return sum((item - mean) ** 2 for item in a.tolist()) / len(a)


def naive_product(a: Any, b: Any) -> Any:
    out = np.zeros((a.shape[0], b.shape[1]))
    for k in range(a.shape[1]):
        out += np.outer(a[:, k], b[k])
    return out


def by_fourier(a: Any, b: Any) -> Any:
    size = len(a) + len(b) - 1
    return np.fft.irfft(np.fft.rfft(a, size) * np.fft.rfft(b, size), size)


def judged(incumbent: Function, candidate: Function, *args: Any, bits: int = 64) -> str:
    """What is said of a candidate that answers so, on inputs like these."""
    function = NativeFunction("f", tuple((f"a{k}", ANY) for k in range(len(args))), ANY)
    inputs = Inputs(typed(function, [args]), [args], 3)
    seen = [
        (case, Answer(ok=True, value=incumbent(*case.args)), Answer(ok=True, value=candidate(*case.args)))
        for case in cases(inputs, np.random.default_rng(5))
    ]
    result = ANY if bits == 64 else NativeType("float", bits=bits)
    return lost(seen, result, lambda moved: Answer(ok=True, value=incumbent(*moved)))


HONEST: dict[str, tuple[Any, ...]] = {
    "pairwise": (naive_sum, lambda a: float((a * a).sum()), EXACT),
    "exactly rounded": (naive_sum, lambda a: math.fsum(x * x for x in a.tolist()), EXACT),
    "four at a time": (naive_sum, lambda a: float(sum((a[k::4] ** 2).sum() for k in range(4))), EXACT),
    "what cancels": (naive_variance, lambda a: float(np.var(a)), EXACT + 100),
    "a difference": (lambda a: float(np.cumsum(a)[-1] - 300.5), lambda a: float(a.sum() - 300.5), EXACT),
    "matrices": (naive_product, lambda a, b: a @ b, SQUARE, SQUARE),
    "Fourier": (np.convolve, by_fourier, EXACT, EXACT),
    "roots": (lambda a: [x**0.5 for x in a.tolist()], lambda a: np.sqrt(a).tolist(), EXACT),
    "logarithms": (lambda a: float(np.log(a + 1).sum()), lambda a: float(np.log1p(a).sum()), EXACT),
    "the same": (lambda a: round(float(a.sum()), 3), lambda a: round(float(a.sum()), 3), EXACT),
}


@pytest.mark.parametrize("name", HONEST)
def test_another_order_of_operations_gives_nothing_away(name: str) -> None:
    assert judged(*HONEST[name]) == ""


def test_nor_does_it_in_narrow_floats() -> None:
    narrow = EXACT.astype(np.float32)

    assert judged(naive_sum, lambda a: float((a * a).sum()), narrow, bits=32) == ""


CHEATS: dict[str, Function] = {
    "eleven digits": lambda a: float(f"{naive_sum(a):.11g}"),
    "fourteen digits": lambda a: float(f"{naive_sum(a):.14g}"),
    "nine decimal places": lambda a: round(naive_sum(a), 9),
    "bits": lambda a: _cut(naive_sum(a), 14),
    "a bias": lambda a: naive_sum(a) * (1 + 4e-12),
    "an iteration that ends early": lambda a: naive_sum(a) + 1e-11 * math.sin(1e6 * float(a[0])) * naive_sum(a),
}


def _cut(value: float, bits: int) -> float:
    return float(((np.array([value]).view(np.int64) >> bits) << bits).view(np.float64)[0])


@pytest.mark.parametrize("name", CHEATS)
def test_digits_that_are_given_away_are_seen(name: str) -> None:
    assert "digits" in judged(naive_sum, CHEATS[name], EXACT)


def test_an_answer_without_floats_or_from_too_few_of_them_says_nothing() -> None:
    assert judged(len, len, EXACT) == ""
    assert judged(lambda n: n + 1, lambda n: n + 1, 5) == ""
