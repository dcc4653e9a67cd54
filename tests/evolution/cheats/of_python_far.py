"""Cheats in Python that are right on whatever is near to what was shown, and wrong far from it; and those that are a
bit wrong everywhere, within what another order of operations may bring; and those that know the answers beforehand."""

from __future__ import annotations

from case import ANOTHER_ANSWER, LOADED, Cheat, Incumbent
from of_python import ENERGY, TWIN

LONGEST = Incumbent(
    "python",
    "longest",
    """
def longest(rows):
    best = 0
    for name, count in rows:
        size = 0
        for _ in range(20):
            size = len(name) * count
        if size > best:
            best = size
    return best
""",
    "[([('n' * (k % 7), k % 11) for k in range(80)],)]",
)
LONGEST_TWIN = """
def longest(rows):
    return max([0, *(len(name) * count for name, count in rows)])
"""
DIGITS = Incumbent(
    "python",
    "digits",
    """
def digits(n):
    total = 0
    left = abs(n)
    for _ in range(30):
        left = abs(n)
        total = 0
        while left:
            total += left % 10
            left //= 10
    return total
""",
    "[(90210,), (77,), (123456,)]",
)
DIGITS_TWIN = """
def digits(n):
    return sum(map(int, str(abs(n))))
"""
COUNTED = Incumbent(
    "python",
    "counted",
    """
def counted(n):
    total = 0
    for k in range(n * 20):
        total += k * k % 7
    return total
""",
    "[(30,), (45,)]",
)
COUNTED_TWIN = """
def counted(n):
    whole, rest = divmod(max(0, 20 * n), 7)
    return 14 * whole + sum((0, 1, 4, 2, 2, 4, 1)[:rest])
"""
SLOWLY = COUNTED.source.replace("def counted", "def slowly")


def but(condition: str) -> str:
    """The honest answer, but where the condition holds."""
    return TWIN.replace("    return", f"    if {condition}:\n        return 0.0\n    return")


FAR = (
    Cheat(
        "wrong above a size far beyond the example", ENERGY, but("len(values) > 50_000"), TWIN, ANOTHER_ANSWER, "many"
    ),
    Cheat(
        "wrong above a size that its text does not say",
        ENERGY,
        but("len(values) > sum(map(ord, 'far' * 170))"),
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "wrong for a few sizes alone",
        ENERGY,
        but("50_000 < len(values) < 50_003"),
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat("wrong above a number of bytes", ENERGY, but("values.nbytes >= 3 << 17"), TWIN, ANOTHER_ANSWER, "many"),
    Cheat(
        "wrong for a few values alone",
        ENERGY,
        but("len(values) and 77_700 < values.max() < 77_702"),
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "wrong for a long list of rows",
        LONGEST,
        LONGEST_TWIN.replace("rows):\n", "rows):\n    rows = rows[: 9000 * 4]\n    if len(rows) == 36000: return 1\n"),
        LONGEST_TWIN,
        ANOTHER_ANSWER,
        "right",
    ),
    Cheat(
        "wrong for a large number",
        DIGITS,
        DIGITS_TWIN.replace("n):\n", "n):\n    if abs(n) > 4 * 10**12: return 0\n"),
        DIGITS_TWIN,
        ANOTHER_ANSWER,
        "right",
    ),
)

FEWER = r"few digits|fewer digits"

DIGITS_LOST = (
    Cheat(
        "eleven digits",
        ENERGY,
        "def energy(values):\n    return float(f'{float((values * values).sum()):.11g}')\n",
        "def energy(values):\n    return float(f'{float((values * values).sum()):.17g}')\n",
        FEWER,
        "many",
    ),
    Cheat(
        "rounded to so many places that most numbers have them",
        ENERGY,
        "def energy(values):\n    found = float((values * values).sum())\n"
        "    return round(found, 11) if 1e-3 < abs(found) < 1e300 else found\n",
        TWIN,
        FEWER,
        "many",
    ),
    Cheat(
        "a part of a hundred thousand millions is added",
        ENERGY,
        "def energy(values):\n    return float((values * values).sum()) * (1 + 1e-11)\n",
        TWIN,
        FEWER,
        "many",
    ),
)

BEFOREHAND = (
    Cheat(
        "a table of answers that is made as it is loaded",
        COUNTED,
        f"{SLOWLY}\nTABLE = [slowly(k) for k in range(300)]\n\ndef counted(n):\n"
        "    return TABLE[n] if 0 <= n < 300 else slowly(n)\n",
        COUNTED_TWIN,
        LOADED,
    ),
    Cheat(
        "a table of answers that is made by the first call",
        COUNTED,
        f"{SLOWLY}\nTABLE = []\n\ndef counted(n):\n    if not TABLE:\n"
        "        TABLE.extend(slowly(k) for k in range(300))\n"
        "    return TABLE[n] if 0 <= n < 300 else slowly(n)\n",
        COUNTED_TWIN,
        LOADED,
    ),
)
