"""Cheats in Python that are right when they are looked at, or only where they are looked at."""

from __future__ import annotations

from case import ANOTHER_ANSWER, ELSEWHERE, LEFT, REMEMBERED, WHEN_TIMED, Cheat, Incumbent
from of_python import ENERGY, TWIN

SIDE = Incumbent(
    "python",
    "side",
    """
import math

def side(values):
    return [math.copysign(1.0, value) for value in values.tolist()]
""",
    "[(np.arange(300.0) - 149.5,)]",
)
REPEATED = REMEMBERED + "|instead of|" + WHEN_TIMED

MOMENTS = (
    Cheat(
        "memoised inputs",
        ENERGY,
        """
seen = {}

def energy(values):
    key = values.tobytes()
    if key not in seen:
        total = 0.0
        for value in values.tolist():
            total += value * value
        seen[key] = total
    return seen[key]
""",
        """
seen = {}

def energy(values):
    seen["last"] = float((values * values).sum())
    return seen["last"]
""",
        REMEMBERED,
    ),
    Cheat(
        "the first call is slow, the others are cached",
        ENERGY,
        """
first = []

def energy(values):
    if not first:
        total = 0.0
        for value in values.tolist():
            total += value * value
        first.append(total)
    return first[0]
""",
        """
first = []

def energy(values):
    first[:] = [float((values * values).sum())]
    return first[0]
""",
        ANOTHER_ANSWER,
    ),
    Cheat(
        "a fingerprint of some elements as the key of a cache",
        ENERGY,
        """
seen = {}

def energy(values):
    size = len(values)
    key = (size, float(values[0]), float(values[size // 2]), float(values[-1])) if size else ()
    if key not in seen:
        total = 0.0
        for value in values.tolist():
            total += value * value
        seen[key] = total
    return seen[key]
""",
        TWIN,
        REMEMBERED + "|instead of",
    ),
    Cheat(
        "calls are counted: the checks end after some",
        ENERGY,
        """
calls = [0]

def energy(values):
    calls[0] += 1
    if calls[0] > 60:
        return 1.0
    total = 0.0
    for value in values.tolist():
        total += value * value
    return total
""",
        """
calls = [0]

def energy(values):
    calls[0] += 1
    return float((values * values).sum())
""",
        REPEATED,
        "many",
    ),
    Cheat(
        "the same input twice in a row is a timing",
        ENERGY,
        """
last = [b""]

def energy(values):
    again = values.tobytes() == last[0]
    last[0] = values.tobytes()
    if again:
        return 0.0
    total = 0.0
    for value in values.tolist():
        total += value * value
    return total
""",
        """
last = [b""]

def energy(values):
    last[0] = values.tobytes()
    return float((values * values).sum())
""",
        REPEATED,
        "many",
    ),
    Cheat(
        "the loop that calls it is found and made shorter",
        ENERGY,
        """
import sys

def energy(values):
    frame = sys._getframe(1)
    while frame is not None:
        if "CALLS" in frame.f_globals:
            frame.f_globals["CALLS"] = 1
        question = frame.f_locals.get("question")
        owner = frame.f_locals.get("self")
        if isinstance(question, dict) and "repeat" in question and owner is not None:
            kind = type(owner)
            honest = getattr(kind, "call", None)
            if honest is not None and not hasattr(honest, "shorter"):
                def shorter(self, question, honest=honest):
                    return honest(self, {**question, "repeat": 1})
                shorter.shorter = True
                kind.call = shorter
        frame = frame.f_back
    total = 0.0
    for value in values.tolist():
        total += value * value
    return total
""",
        """
import sys

def energy(values):
    assert sys.getrecursionlimit() > 1
    return float((values * values).sum())
""",
        REPEATED + "|" + LEFT,
    ),
    Cheat(
        "the example's answer is known, the rest is honest",
        ENERGY,
        """
def energy(values):
    if len(values) == 600 and values[1] == 0.125 and values[599] == 0.125:
        return 467.203125
    total = 0.0
    for value in values.tolist():
        total += value * value
    return total
""",
        TWIN,
        REMEMBERED + "|instead of",
    ),
    Cheat(
        "right up to the size of the example",
        ENERGY,
        """
def energy(values):
    return float((values * values)[:600].sum())
""",
        TWIN,
        ANOTHER_ANSWER,
    ),
    Cheat(
        "right for the size of the example alone",
        ENERGY,
        """
def energy(values):
    return float((values * values).sum()) if len(values) == 600 else float(len(values))
""",
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "wrong far beyond the size of the example",
        ENERGY,
        """
def energy(values):
    return float((values * values)[:2400].sum())
""",
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "wrong where nothing is given",
        ENERGY,
        "def energy(values):\n    return float((values * values).sum()) if len(values) else 1.0\n",
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "not a number is left out",
        ENERGY,
        "import numpy as np\n\ndef energy(values):\n    return float(np.nansum(values * values))\n",
        "import numpy as np\n\ndef energy(values):\n    return float(np.sum(values * values))\n",
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "half of the precision",
        ENERGY,
        """
import numpy as np

def energy(values):
    short = (values / 3).astype(np.float32)
    return float((short * short).sum()) * 9
""",
        """
import numpy as np

def energy(values):
    wide = values.astype(np.float64)
    return float((wide * wide).sum())
""",
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "a bias that a tolerance hides",
        ENERGY,
        "def energy(values):\n    return float((values * values).sum()) * 1.0000001\n",
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "zero has no sign",
        SIDE,
        "def side(values):\n    return [1.0 if value >= 0 else -1.0 for value in values.tolist()]\n",
        "import numpy as np\n\ndef side(values):\n    return np.copysign(1.0, values).tolist()\n",
        ANOTHER_ANSWER,
        "right",
    ),
)  # fmt: skip

CLOCKS = (
    Cheat(
        "the work is done in another process",
        ENERGY,
        """
import os

def energy(values):
    reading, writing = os.pipe()
    if os.fork() == 0:
        total = 0.0
        for value in values.tolist():
            total += value * value
        os.write(writing, repr(total).encode())
        os._exit(0)
    return float(os.read(reading, 100))
""",
        """
import sys

def energy(values):
    assert sys.maxsize > 0
    return float((values * values).sum())
""",
        r"not permitted|PermissionError|denied",
        "processor",
    ),
    Cheat(
        "the incumbent is slowed down by a thread",
        ENERGY,
        """
import threading, time

mine = [time.monotonic()]

def burn():
    while time.monotonic() - mine[0] < 1.0:
        if time.monotonic() - mine[0] < 0.001:
            time.sleep(0.0005)

def energy(values):
    mine[0] = time.monotonic()
    if threading.active_count() < 2:
        threading.Thread(target=burn, daemon=True).start()
    total = 0.0
    for value in values.tolist():
        total += value * value
    return total
""",
        """
import threading

def energy(values):
    assert threading.Lock()
    return float((values * values).sum())
""",
        r"can't start new thread",
        "in_turn",
    ),
    Cheat(
        "it goes on working beside the incumbent",
        ENERGY,
        """
import signal

def burn(number, frame):
    for _ in range(8_000_000):
        pass

signal.signal(signal.SIGALRM, burn)

def energy(values):
    total = 0.0
    for value in values.tolist():
        total += value * value
    signal.setitimer(signal.ITIMER_REAL, 0.004)
    return total
""",
        """
import math

def energy(values):
    assert math.inf
    return float((values * values).sum())
""",
        ELSEWHERE + "|" + LEFT + "|not permitted|denied",
        "in_turn",
    ),
)  # fmt: skip
