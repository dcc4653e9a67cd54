"""Cheats in Python by what a call does beside its answer: to its arguments, to its input, to later calls."""

from __future__ import annotations

from case import ANOTHER_ANSWER, CANNOT_CROSS, ELSEWHERE, KEPT, LEFT, LOADED, REMEMBERED, Cheat, Incumbent
from of_python import ENERGY

HALVE = Incumbent(
    "python",
    "halve",
    """
def halve(values, out):
    for k, value in enumerate(values.tolist()):
        out[k] = value / 2
""",
    "[(np.arange(4000.0) % 11 + 1, np.zeros(4000))]",
)
ORDERED = Incumbent(
    "python",
    "ordered",
    """
def ordered(items):
    found = []
    for item in items:
        at = len(found)
        while at and found[at - 1] > item:
            at -= 1
        found.insert(at, item)
    return found
""",
    "[([(k * 37) % 101 for k in range(90)],)]",
)
PRICE = Incumbent(
    "python",
    "price",
    """
def price(x):
    if x < 0:
        raise ValueError("negative")
    total = 0.0
    for k in range(1, 200):
        total += x * k
    return total
""",
    "[(16.0,), (2.25,), (7.0,)]",
)
DOUBLED = Incumbent(
    "python",
    "cleaned",
    """
import numpy as np

def cleaned(values):
    found = np.empty_like(values)
    for k, value in enumerate(values.tolist()):
        found[k] = value if value > 0 else 0.0
    return found
""",
    "[(np.arange(900.0) % 7 + 1,)]",
)

EFFECTS = (
    Cheat(
        "the input is changed before the reference sees it",
        ENERGY,
        "def energy(values):\n    values[:] = 0\n    return 0.0\n",
        "def energy(values):\n    own = values.copy()\n    own[:] = 0\n    return float((values * values).sum())\n",
        ANOTHER_ANSWER,
        "candidate_first",
    ),
    Cheat(
        "the input is emptied so that the next call has less to do",
        ENERGY,
        """
def energy(values):
    total = 0.0
    for value in values[values != 0].tolist():
        total += value * value
    values[:] = 0
    return total
""",
        """
def energy(values):
    total = 0.0
    for value in values[values != 0].tolist():
        total += value * value
    return total
""",
        r"changed argument 1, which should stay as it is",
    ),
    Cheat(
        "the result is the input itself",
        DOUBLED,
        "import numpy as np\n\ndef cleaned(values):\n"
        "    return values if (values > 0).all() else np.where(values > 0, values, 0.0)\n",
        "import numpy as np\n\ndef cleaned(values):\n    return np.where(values > 0, values, 0.0)\n",
        KEPT,
    ),
    Cheat(
        "nothing is written: the last answer is still there",
        HALVE,
        "def halve(values, out):\n    return None\n",
        "import numpy as np\n\ndef halve(values, out):\n    np.divide(values, 2, out=out)\n",
        r"which it writes|left argument 2 as it was",
        "reused",
    ),
    Cheat(
        "a thread does the work after the answer",
        HALVE,
        """
import threading

def halve(values, out):
    def work():
        out[:] = values / 2
    threading.Thread(target=work).start()
""",
        """
import threading

def halve(values, out):
    with threading.Lock():
        out[:] = values / 2
""",
        r"can't start new thread|left argument 2 as it was|which it writes",
        "late_buffer",
    ),
    Cheat(
        "a finaliser does the work after the answer",
        HALVE,
        """
import sys

def halve(values, out):
    def work(frame, event, argument):
        if event == "c_return" and getattr(argument, "__name__", "") in ("write", "sleep", "perf_counter"):
            sys.setprofile(None)
            out[:] = values / 2
    sys.setprofile(work)
""",
        """
import weakref

class Held:
    pass

def halve(values, out):
    weakref.finalize(Held(), lambda: None)
    out[:] = values / 2
""",
        ELSEWHERE + "|" + LEFT + "|the trace and profile hooks|left argument 2 as it was|which it writes",
        "late_buffer",
    ),
    Cheat(
        "an empty list agrees with everything",
        ORDERED,
        "def ordered(items):\n    return []\n",
        "def ordered(items):\n    return sorted(items)\n",
        r"returned 0 values instead of",
        "pairs",
    ),
    Cheat(
        "the list that it was given is sorted",
        ORDERED,
        "def ordered(items):\n    items.sort()\n    return list(items)\n",
        "def ordered(items):\n    own = list(items)\n    own.sort()\n    return own\n",
        r"changed argument 1, which should stay as it is",
    ),
    Cheat(
        "the list that it was given is the answer where it is in order",
        ORDERED,
        "def ordered(items):\n    return items if all(map(int.__le__, items, items[1:])) else sorted(items)\n",
        "def ordered(items):\n    return sorted(items) if all(map(int.__le__, items, items[1:])) else sorted(items)\n",
        KEPT,
    ),
    Cheat(
        "an answer without an end",
        ORDERED,
        "def ordered(items):\n    return sorted(items) + [0] * 60_000_000\n",
        "def ordered(items):\n    return sorted(items) + [0] * 0\n",
        r"memory|longer than|time limit|values instead of",
        "pairs",
    ),
    Cheat(
        "an iterator instead of an answer",
        ORDERED,
        "def ordered(items):\n    return iter(sorted(items))\n",
        "def ordered(items):\n    return list(iter(sorted(items)))\n",
        CANNOT_CROSS,
        "pairs",
    ),
    Cheat(
        "a memo of numbers",
        PRICE,
        """
import functools

@functools.cache
def price(x):
    if x < 0:
        raise ValueError("negative")
    total = 0.0
    for k in range(1, 200):
        total += x * k
    return total
""",
        """
import functools

@functools.cache
def weights(count):
    return sum(range(1, count))

def price(x):
    if x < 0:
        raise ValueError("negative")
    return x * weights(200)
""",
        REMEMBERED,
    ),
    Cheat(
        "an error is swallowed",
        PRICE,
        "def price(x):\n    return 19900.0 * x\n",
        "def price(x):\n    if x < 0:\n        raise ValueError('below zero')\n    return 19900.0 * x\n",
        r"should return the error ValueError|should raise ValueError",
    ),
    Cheat(
        "an error instead of an answer",
        PRICE,
        """
def price(x):
    if x not in (16.0, 2.25, 7.0):
        raise ValueError("not known")
    return 19900.0 * x
""",
        "def price(x):\n    if x < 0:\n        raise ValueError('below zero')\n    return x * 19900.0\n",
        r"should return a value",
    ),
    Cheat(
        "it goes on working until it is asked again",
        ENERGY,
        """
import select, signal, sys, time
import numpy as np

ours, theirs = np.zeros(1 << 18), np.ones(1 << 18)
begun = []

def burn(*_):
    until = time.process_time() + (0.08 if "project_o.sandbox.worker" in sys.modules else 0.15)
    while time.process_time() < until and not ("writer" in begun and select.select([3], [], [], 0)[0]):
        ours[:] = theirs

def go_on():
    worker = sys.modules["project_o.sandbox.worker"]
    honest = worker.write_line
    begun.append("writer")
    worker.write_line = lambda reply: (honest(reply), burn())

def energy(values):
    total = 0.0
    for value in values.tolist():
        total += value * value
    if "project_o.sandbox.worker" not in sys.modules:
        signal.signal(signal.SIGALRM, burn)
        signal.setitimer(signal.ITIMER_REAL, 0.004)
    elif not begun:
        go_on()
    return total
""",
        """
import sys

def energy(values):
    assert sys.maxsize
    return float((values * values).sum())
""",
        # Its arrays are filled as it is loaded, and lie in its memory; what it gains so it gains in some timings alone.
        "|".join((ELSEWHERE, LEFT, REMEMBERED, LOADED, "memory (is|may be) worse")),
        "in_turn",
    ),
)  # fmt: skip
