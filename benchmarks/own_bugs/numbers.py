"""What functions on numbers promise: (arguments, answer), by the definition or by how the question was made."""

from __future__ import annotations

import math
import statistics
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

Drawn = Any
SMALL = st.integers(-30, 30).map(float)


@st.composite
def loss(draw: Drawn) -> Any:
    """8 for each failure more and 1 for there being any; 8 for all of a score; 1 for each doubling of a time."""
    kind = draw(st.sampled_from(["failures", "score", "time"]))
    if kind == "failures":
        past, more = draw(st.integers(0, 8)) / 8, draw(st.integers(-4, 8)) / 8
        return (kind, past, past + more), 8 * more + (more > 0)
    if kind == "score":
        past, share = draw(st.sampled_from([1.0, 2.0, -4.0, 0.5])), draw(st.integers(-4, 8)) / 8
        return (kind, past, past - share * abs(past)), 8 * share if share > 0 else 0.0
    past, doublings = draw(st.sampled_from([0.0, 0.25, 1.0, 3.0])), draw(st.integers(-3, 4))
    return (kind, past, past * 2.0**doublings), float(doublings) if past and doublings > 0 else 0.0


@st.composite
def size_class(draw: Drawn) -> Any:
    """The first power of two above all that the arguments hold together."""
    held = draw(st.lists(st.integers(0, 40), max_size=4))
    made = [draw(st.sampled_from(["x" * n, b"x" * n, [0] * n, dict.fromkeys(range(n), 0)])) for n in held]
    args = [*made, *draw(st.lists(st.sampled_from([3, 2.5, None, True]), max_size=2))]
    return (draw(st.permutations(args)),), next(k for k in range(20) if 2**k > sum(held))


@st.composite
def middle(draw: Drawn) -> Any:
    """The median."""
    values = draw(st.lists(SMALL, min_size=1, max_size=9))
    return (values,), statistics.median(values)


@st.composite
def gain(draw: Drawn) -> Any:
    """What the new is above the old, as a share of the old; of fewer than eight pairs nothing is said."""
    pairs = draw(st.lists(st.tuples(SMALL, SMALL), min_size=6, max_size=12))
    if draw(st.integers(0, 3)) == 0:
        pairs = [(0.0, new) for _, new in pairs]
    old, new = (sum(Fraction(pair[k]) for pair in pairs) for k in (0, 1))
    return (pairs,), -math.inf if len(pairs) < 8 else float((new - old) / (abs(old) if old else 1))


@st.composite
def log_ratios(draw: Drawn) -> Any:
    """Half the cost is log 2."""
    baseline = draw(st.lists(st.sampled_from([0.5, 1.0, 3.0, 10.0]), min_size=1, max_size=6))
    halvings = [draw(st.integers(-3, 3)) for _ in baseline]
    candidate = [cost / 2**k for cost, k in zip(baseline, halvings, strict=True)]
    return (baseline, candidate), [k * math.log(2) for k in halvings]


@st.composite
def effective(draw: Drawn) -> Any:
    """n (1 - r) / (1 + r), where r is the autocorrelation, put right for its bias, from 0 to 0.9."""
    values = draw(st.lists(SMALL, min_size=1, max_size=10))
    if draw(st.booleans()):
        values = sorted(values)
    caution = draw(st.sampled_from([0.0, 0.0, 0.5, 1.0]))
    n, exact = len(values), [Fraction(value) for value in values]
    around = [value - sum(exact) / n for value in exact]
    square = sum(value * value for value in around)
    if n < 4 or square == 0:
        return (values, caution), float(n)
    lagged = sum(around[k] * around[k + 1] for k in range(n - 1)) / square
    r = min(0.9, max(0.0, float((lagged * n + 1) / (n - 3)) + caution / n**0.5))
    return (values, caution), n * (1 - r) / (1 + r)


@st.composite
def signs(draw: Drawn) -> Any:
    """Whether as many heads of as many fair coins are rare enough."""
    values = draw(st.lists(st.sampled_from([-2.0, -1.0, -1.0, 0.0, 1.0]), max_size=10))
    error = draw(st.sampled_from([0.5, 0.25, 0.1, 0.05, 0.01]))
    n, below = len(values), len([value for value in values if value < 0])
    row = [1]
    for _ in range(n):
        row = [a + b for a, b in zip([0, *row], [*row, 0], strict=True)]
    return (values, error), n > 0 and Fraction(sum(row[below:]), 2**n) <= Fraction(error)


@st.composite
def spread(draw: Drawn) -> Any:
    """Different places of a series, evenly from all of it: every second one first, then the others."""
    count, wanted = draw(st.integers(0, 30)), draw(st.integers(1, 12))
    places: list[int] = []
    for k in range(wanted):
        place = k * count // wanted
        if count and place not in places:
            places.append(place)
    first = [place for k, place in enumerate(places) if k % 2 == 0]
    return (count, wanted), first + [place for place in places if place not in first]


@st.composite
def bytes_told(draw: Drawn) -> Any:
    """Three digits at most, one of them behind the point below a hundred, in the unit that leaves them."""
    power = draw(st.integers(0, 4))
    unit, sign = ("B", "kB", "MB", "GB", "TB")[power], draw(st.sampled_from([1, 1, -1]))
    if power and draw(st.booleans()):
        tenths = sign * draw(st.integers(10, 998))
        return (tenths * 1000.0**power / 10,), f"{tenths / 10:.1f} {unit}"
    whole = sign * draw(st.integers(100 if power else 0, 5000 if power == 4 else 999))
    return (whole * 1000.0**power,), f"{whole} {unit}"


@st.composite
def suspicion(draw: Drawn) -> Any:
    """Ochiai's coefficient of each line that a failing test ran: 1 where all of them did and no other."""
    lines = st.frozensets(st.integers(1, 6), max_size=5)
    spectrum = draw(st.lists(st.tuples(lines, st.booleans()), min_size=1, max_size=7))
    failing = [ran for ran, fails in spectrum if fails]
    passing = [ran for ran, fails in spectrum if not fails]
    found = {}
    for line in range(1, 7):
        a, b = len([ran for ran in failing if line in ran]), len([ran for ran in passing if line in ran])
        if a:
            found[line] = a / (len(failing) * (a + b)) ** 0.5
    return (spectrum,), found
