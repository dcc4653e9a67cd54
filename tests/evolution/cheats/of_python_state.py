"""Cheats in Python by what outlives a call: memory of results, counts of calls, settings of the process; and by inputs
that are not like those that were shown."""

from __future__ import annotations

from case import ANOTHER_ANSWER, KEPT, LEFT, LOADED, OWN_CLASS, REMEMBERED, WHEN_TIMED, Cheat, Incumbent, insertion_sort
from of_python import ENERGY, TWIN
from of_python_effects import DOUBLED

PAIRS = Incumbent(
    "python",
    "pairs",
    """
def pairs(n):
    keep = []
    for k in range(n):
        keep.append([k, (k, k + 1), {k: k}])
    return sum(len(item) for item in keep)
""",
    "[(9000,)]",
)
SORTED = Incumbent(
    "python",
    "put_in_order",
    insertion_sort("put_in_order"),
    "[([(k * 37) % 101 for k in range(90)],)]",
)
ROOTS = Incumbent(
    "python",
    "roots",
    """
def roots(values):
    total = 0.0
    for value in values.tolist():
        total += abs(value) ** 0.5
    return total
""",
    "[(np.arange(1, 600.0) % 13 / 8 + 0.125,)]",
)
ROWS = Incumbent(
    "python",
    "worth",
    """
def worth(rows):
    total = 0
    for name, price, count in rows:
        step = 0
        for _ in range(40):
            step += count
        total += price * step + len(name)
    return total
""",
    "[([('n' * (k % 5), k * 3, k % 7) for k in range(60)],)]",
)
PAIRS_TWIN = """
import gc

def pairs(n):
    gc.isenabled()
    return 3 * max(n, 0)
"""
ORDER_TWIN = "def put_in_order(items):\n    items.sort()\n"
ROOTS_TWIN = "import numpy as np\n\ndef roots(values):\n    return float((np.abs(values) ** 0.5).sum())\n"
SETTINGS = r"left the garbage collector of the process otherwise than it was"
COUNTED = WHEN_TIMED

STATE = (
    Cheat(
        "all results lie in one buffer",
        DOUBLED,
        """
import numpy as np
buffers = {}

def cleaned(values):
    if len(values) not in buffers:
        buffers[len(values)] = np.empty_like(values)
    out = buffers[len(values)]
    np.multiply(values, ~(values <= 0), out=out)
    out[np.isnan(values)] = 0.0
    return out
""",
        "import numpy as np\n\ndef cleaned(values):\n    return np.where(values > 0, values, 0.0)\n",
        KEPT + "|its results are not kept|instead of",
    ),
    Cheat("the collector is off", PAIRS, "import gc\ngc.disable()\n" + PAIRS.source, PAIRS_TWIN, SETTINGS),
    Cheat(
        "the collector's thresholds are raised by the call",
        PAIRS,
        PAIRS.source.replace("    keep = []", "    import gc\n    gc.set_threshold(10**8)\n    keep = []"),
        PAIRS_TWIN,
        SETTINGS,
    ),
    Cheat(
        "calls are counted, and it takes very many",
        ENERGY,
        """
calls = [0]

def energy(values):
    calls[0] += 1
    return float((values * values).sum()) if calls[0] < 4000 else 1.0
""",
        TWIN,
        COUNTED,
        "many",
    ),
    Cheat(
        "the work waits until somebody looks at the arguments",
        SORTED,
        """
class Later:
    def __init__(self, held, k): self.held, self.k = held, k
    def __deepcopy__(self, memo): return sorted(self.held)[self.k]

def put_in_order(items):
    held = list(items)
    if not held or not isinstance(held[0], Later):
        items[:] = [Later(held, k) for k in range(len(held))]
""",
        ORDER_TWIN,
        r"cannot cross|left argument 1",
    ),
    Cheat(
        "what copies the arguments does the work",
        SORTED,
        """
import copy
honest = copy.deepcopy
waiting = []

def deepcopy(value, memo=None):
    if any(value is items for items in waiting):
        value.sort()
    return honest(value)

copy.deepcopy = deepcopy

def put_in_order(items):
    waiting[:] = [items]
""",
        ORDER_TWIN,
        LEFT + "|left argument 1|argument 1, which it writes",
    ),
    Cheat(
        "what was shown is known, and only what differs from it is computed",
        ROWS,
        ROWS.source.replace("def worth", "def honest")
        + """
SHOWN = [('n' * (k % 5), k * 3, k % 7) for k in range(60)]
KNOWN = honest(SHOWN)

def worth(rows):
    places = [k for k, row in enumerate(rows) if k >= 60 or row != SHOWN[k]]
    if len(rows) != 60 or len(places) > 3:
        return honest(rows)
    return KNOWN + honest([rows[k] for k in places]) - honest([SHOWN[k] for k in places])
""",
        "def worth(rows):\n    return sum(price * 40 * count + len(name) for name, price, count in rows)\n",
        REMEMBERED + "|" + LOADED,
    ),
    Cheat(
        "right for positive numbers, as they were shown",
        ROOTS,
        """
import numpy as np

def roots(values):
    return float(((values if np.isfinite(values).all() else np.abs(values)) ** 0.5).sum())
""",
        ROOTS_TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "wrong for numbers larger than those that were shown",
        ENERGY,
        "def energy(values):\n    large = (values > 50).any() and (values < 1e200).all()\n"
        "    return 0.0 if large else float((values * values).sum())\n",
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "what is small is nothing",
        ENERGY,
        "def energy(values):\n    large = values[~(abs(values) < 1e-5)]\n    return float((large * large).sum())\n",
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "a float that says that it is another one",
        ENERGY,
        """
class Lazy(float):
    def __new__(cls, values):
        found = super().__new__(cls, 0.0)
        found.values = values.copy()
        return found
    def __float__(self): return float((self.values * self.values).sum())
    def __rsub__(self, other): return other - float(self)
    def __sub__(self, other): return float(self) - other

def energy(values):
    return Lazy(values)
""",
        TWIN,
        ANOTHER_ANSWER + "|" + OWN_CLASS,
    ),
)  # fmt: skip
