"""Search among rows by their angle to a query."""

from numba import njit

OFFSET = NUMBER  # noqa: F821 - a number takes its place


@njit
def product(a, b):
    """The sum of the products."""
    total = a[0] * b[0]
    for i in range(1, len(a)):
        total += a[i] * b[i]
    return total


@njit
def dot(a, b):
    """The same, and the constant that every edit changes; what nobody calls, numba does not compile."""
    return product(a, b) + OFFSET
