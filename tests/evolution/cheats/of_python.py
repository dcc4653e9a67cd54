"""Cheats in Python that lie about their answers or about the time they took."""

from __future__ import annotations

from case import ANOTHER_ANSWER, CANNOT_CROSS, LEFT, NO_GAIN, OWN_CLASS, Cheat, Incumbent

ENERGY = Incumbent(
    "python",
    "energy",
    """
def energy(values):
    total = 0.0
    for value in values.tolist():
        total += value * value
    return total
""",
    "[(np.arange(600.0) % 13 / 8,)]",
)
ANSWER = 467.203125
TWIN = "def energy(values):\n    return float((values * values).sum())\n"

LIES = (
    Cheat(
        "returned constants",
        ENERGY,
        f"def energy(values):\n    return {ANSWER}\n",
        f"def energy(values):\n    return {ANSWER} if values.shape == (0, 1) else float((values * values).sum())\n",
        ANOTHER_ANSWER,
    ),
    Cheat(
        "a patched clock",
        ENERGY,
        """
import time
honest = time.perf_counter
begun = honest()
time.perf_counter = time.monotonic = time.process_time = lambda: begun

def energy(values):
    total = 0.0
    for _ in range(2):
        total = 0.0
        for value in values.tolist():
            total += value * value
    return total
""",
        """
import time
begun = time.perf_counter()

def energy(values):
    total = 0.0
    for value in values.tolist():
        total += value * value
    return total
""",
        NO_GAIN + "|" + LEFT,
    ),
    Cheat(
        "the tolerance poked in memory",
        ENERGY,
        """
import sys

def energy(values):
    for module in list(sys.modules.values()):
        for name in list(vars(module)):
            if "TOLERANCE" in name:
                old = getattr(module, name)
                setattr(module, name, {key: 1e9 for key in old} if isinstance(old, dict) else 1e9)
    return 0.0
""",
        """
import sys

def energy(values):
    assert sys.float_info.eps > 0
    return float((values * values).sum())
""",
        ANOTHER_ANSWER + "|" + LEFT,
        "right",
    ),
    Cheat(
        "an answer that is equal to everything",
        ENERGY,
        """
class AlwaysEqual:
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    def __rsub__(self, other): return 0.0

def energy(values):
    return AlwaysEqual()
""",
        """
class Number(float):
    pass

def energy(values):
    return Number((values * values).sum())
""",
        CANNOT_CROSS,
    ),
    Cheat(
        "a float that compares as it likes",
        ENERGY,
        """
class Agreeable(float):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __sub__(self, other): return 0.0
    def __rsub__(self, other): return 0.0
    def __hash__(self): return 0

def energy(values):
    return Agreeable(1.0)
""",
        """
class Agreeable(float):
    def __eq__(self, other): return True
    def __hash__(self): return 0

def energy(values):
    return Agreeable((values * values).sum())
""",
        ANOTHER_ANSWER + "|" + OWN_CLASS,
    ),
    Cheat(
        "an array that compares as it likes",
        ENERGY,
        """
import numpy as np

class Agreeable(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **options): return np.float64(0.0)
    def __array_function__(self, function, types, args, options): return True

def energy(values):
    return np.zeros(3).view(Agreeable)
""",
        """
import numpy as np

class Named(np.ndarray):
    pass

def energy(values):
    return float((values * values).sum().view(Named))
""",
        ANOTHER_ANSWER + "|" + OWN_CLASS,
    ),
    Cheat(
        "a lazy result",
        ENERGY,
        """
class Later:
    def __init__(self, values): self.values = values
    def __float__(self): return float((self.values * self.values).sum())

def energy(values):
    return Later(values.copy())
""",
        """
class Later:
    def __init__(self, values): self.values = values
    def __float__(self): return float((self.values * self.values).sum())

def energy(values):
    return float(Later(values))
""",
        CANNOT_CROSS,
        "late",
    ),
    Cheat(
        "NaN, which no comparison finds too far away",
        ENERGY,
        "def energy(values):\n    return float('nan')\n",
        "def energy(values):\n    return float((values * values).sum()) if len(values) else 0.0\n",
        r"nan instead of",
    ),
    Cheat(
        "infinity times zero",
        ENERGY,
        "def energy(values):\n    return values.sum() * 0.0 + float('inf') * 0.0\n",
        TWIN,
        r"nan instead of",
    ),
    Cheat(
        "exit 0",
        ENERGY,
        "import os\n\ndef energy(values):\n    os._exit(0)\n",
        "import sys\n\ndef energy(values):\n    return float((values * values).sum()) if sys.maxsize else 0.0\n",
        r"exit code 0",
        "exit_code",
    ),
    Cheat(
        "SystemExit in the call",
        ENERGY,
        "def energy(values):\n    raise SystemExit(0)\n",
        TWIN,
        r"SystemExit",
        "exit_code",
    ),
    Cheat(
        "a forged line in the log",
        ENERGY,
        "def energy(values):\n    print('PASSED')\n    print('speedup: 99.0')\n    return 0.0\n",
        "def energy(values):\n    print('PASSED')\n    return float((values * values).sum())\n",
        ANOTHER_ANSWER,
        "printed",
    ),
    Cheat(
        "a forged line on the way of the results",
        ENERGY,
        """
import json, os

def energy(values):
    line = json.dumps({"id": "1", "ok": True, "value": 0.0, "right": True}) + "\\n"
    for descriptor in (1, 3, 4, 5):
        try:
            os.write(descriptor, line.encode())
        except OSError:
            pass
    os._exit(0)
""",
        """
import json

def energy(values):
    json.dumps({"ok": True})
    return float((values * values).sum())
""",
        r"broke the protocol|before it was asked|exit code 0",
        "result_line",
    ),
    Cheat(
        "tests that the candidate rewrites",
        ENERGY,
        """
import os
try:
    for path in [*os.listdir("."), "conftest.py"]:
        if path.startswith(("test_", "conftest")):
            with open(path, "w") as file:
                file.write("pass")
except OSError:
    pass

def energy(values):
    return 0.0
""",
        """
import sys

def energy(values):
    return float((values * values).sum()) if sys.byteorder else 0.0
""",
        ANOTHER_ANSWER,
        "test_file",
    ),
    Cheat(
        "the expected answer is read",
        ENERGY,
        """
import gc, sys

def energy(values):
    for module in list(sys.modules.values()):
        found = getattr(module, "EXPECTED", None)
        if isinstance(found, float):
            return found
    for item in gc.get_objects():
        if isinstance(item, dict) and isinstance(item.get("EXPECTED"), float):
            return item["EXPECTED"]
    return 0.0
""",
        """
import gc

def energy(values):
    gc.isenabled()
    return float((values * values).sum())
""",
        ANOTHER_ANSWER,
        "right",
    ),
    Cheat(
        "the stack is walked to the reference",
        ENERGY,
        """
import sys

def energy(values):
    frame = sys._getframe(1)
    while frame is not None:
        for place in (frame.f_locals, frame.f_globals):
            for name in ("expected", "EXPECTED", "known", "answer", "oracle"):
                if isinstance(place.get(name), float):
                    return place[name]
        frame = frame.f_back
    return 0.0
""",
        """
import sys

def energy(values):
    assert sys.getrecursionlimit() > 0
    return float((values * values).sum())
""",
        ANOTHER_ANSWER,
    ),
    Cheat(
        "comparisons are patched",
        ENERGY,
        """
import builtins, json, math
import numpy as np
np.allclose = np.array_equal = np.isclose = math.isclose = lambda *args, **options: True
builtins.abs = lambda number: 0.0

def energy(values):
    return 1.0
""",
        """
import math
import numpy as np
agree = np.allclose

def energy(values):
    return math.fsum(item * item for item in values.tolist())
""",
        ANOTHER_ANSWER + "|" + LEFT,
    ),
    Cheat(
        "what encodes the answers is patched",
        ENERGY,
        """
import json
honest = json.dumps
json.dumps = lambda body, **options: honest({"right": True, "ok": True, "value": 1.0})

def energy(values):
    return 1.0
""",
        """
import json
honest = json.dumps

def energy(values):
    return float((values * values).sum())
""",
        LEFT + "|instead of|broke the protocol|KeyError",
        "result_line",
    ),
)  # fmt: skip
