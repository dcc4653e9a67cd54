"""Which sizes of a function's inputs belong together, as the samples show it.

A *dimension* is the length of a slice, a side of a matrix, or the value of an integer parameter. Those that are
equal in every sample are tied. A length that is always the product of two others is computed from them; one that
is always a multiple of an integer parameter becomes ``quotient x parameter``, and equal quotients are tied too:

    data 1797 x 64, dim 64, query 64   ->   data = q x dim, query = dim, with q and dim free

A tie by chance costs variety, not truth: what the incumbent refuses is out of its domain anyway.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Vector = tuple[int, ...]
"""The value of one dimension in each sample."""


@dataclass(frozen=True)
class Dimension:
    """One size: leaf number, axis (-1 for the value of an integer parameter), and its values in the samples."""

    leaf: int
    axis: int
    values: Vector


@dataclass
class Ties:
    """Free variables by their sample values, and for each dimension the free variables whose product it is.

    A dimension with no factors is a free-standing integer: a parameter that no size depends on.
    """

    free: list[Vector] = field(default_factory=list)
    factors: dict[tuple[int, int], tuple[int, ...]] = field(default_factory=dict)

    def sizes(self, chosen: Sequence[int]) -> Mapping[tuple[int, int], int]:
        """The value of each tied dimension for these values of the free variables."""
        found = {}
        for key, factors in self.factors.items():
            product = 1
            for factor in factors:
                product *= chosen[factor]
            found[key] = product
        return found


def infer(dimensions: Sequence[Dimension]) -> Ties:
    """The ties that hold in every sample."""
    lengths = {item.values for item in dimensions if item.axis >= 0}
    scalars = {item.values for item in dimensions if item.axis < 0}
    ties = Ties()
    parts: dict[Vector, tuple[Vector, ...]] = {}
    # Small ones first: a factor is settled before what it is a factor of.
    for vector in sorted(lengths, key=lambda values: (sum(values), values)):
        parts[vector] = (
            (vector,) if vector in scalars else _product(vector, lengths | scalars) or _quotient(vector, scalars)
        )
    for item in dimensions:
        if item.axis < 0 and item.values not in lengths and not _is_factor(item.values, parts):
            continue
        ties.factors[(item.leaf, item.axis)] = tuple(_index(ties.free, prime) for prime in _primes(item.values, parts))
    return ties


def _product(vector: Vector, known: set[Vector]) -> tuple[Vector, ...]:
    """Two known vectors whose product it is, each above 1 everywhere and so smaller than it; () if there are none."""
    smaller = sorted(item for item in known if all(1 < a < b for a, b in zip(item, vector, strict=True)))
    for left in reversed(smaller):
        for right in smaller:
            if all(a * b == c for a, b, c in zip(left, right, vector, strict=True)):
                return left, right
    return ()


def _quotient(vector: Vector, scalars: set[Vector]) -> tuple[Vector, ...]:
    """The vector as quotient times an integer parameter that divides it everywhere; itself if none does."""
    divisors = [item for item in scalars if all(1 < a < b and b % a == 0 for a, b in zip(item, vector, strict=True))]
    if not divisors:
        return (vector,)
    divisor = max(divisors)
    return divisor, tuple(b // a for a, b in zip(divisor, vector, strict=True))


def _is_factor(vector: Vector, parts: Mapping[Vector, tuple[Vector, ...]]) -> bool:
    return any(vector in factors for factors in parts.values())


def _primes(vector: Vector, parts: Mapping[Vector, tuple[Vector, ...]]) -> tuple[Vector, ...]:
    """The vector's factors, down to those that have none. Factors are smaller, so this ends."""
    factors = parts.get(vector, (vector,))
    if factors == (vector,):
        return factors
    return tuple(prime for factor in factors for prime in _primes(factor, parts))


def _index(items: list[Vector], item: Vector) -> int:
    if item not in items:
        items.append(item)
    return items.index(item)
