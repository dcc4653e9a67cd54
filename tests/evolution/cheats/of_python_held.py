"""Cheats in Python whose answers have the right elements: by how an answer is held, and by what is changed for all code
of the process. And ways of remembering, sniffing and saving digits that the other files do not try."""

from __future__ import annotations

from case import ANOTHER_ANSWER, Cheat, Incumbent
from of_python import ENERGY, TWIN
from of_python_effects import DOUBLED, ORDERED
from of_python_time import REPEATED

GRID = Incumbent(
    "python",
    "grid",
    """
def grid(rows, columns):
    found = []
    for _ in range(rows):
        row = []
        for k in range(columns):
            row.append(k * 0)
        found.append(row)
    return found
""",
    "[(40, 30), (7, 90)]",
)
GRID_TWIN = "def grid(rows, columns):\n    return [[0] * columns for _ in range(rows)]\n"
DOUBLED_TWIN = "import numpy as np\n\ndef cleaned(values):\n    return np.where(values > 0, values, 0.0)\n"
SORTED_TWIN = "def ordered(items):\n    return sorted(items)\n"
SUM = "    total = 0.0\n    for value in values.tolist():\n        total += value * value\n"
LEFT = r"left .* of the process otherwise than it was"


def cleaned(then: str, before: str = "") -> str:
    """The honest answer, and then something is done to it."""
    return f"import numpy as np\n{before}\ndef cleaned(values):\n    found = np.where(values > 0, values, 0.0)\n{then}"


HELD = (
    Cheat(
        "the rows of its answer are one list",
        GRID,
        "def grid(rows, columns):\n    return [[0] * columns] * rows\n",
        GRID_TWIN,
        r"one object stands in two places",
    ),
    Cheat(
        "the rows of its answer are those of the last one",
        GRID,
        """
kept = {}

def grid(rows, columns):
    held = kept.setdefault(columns, [])
    while len(held) < rows:
        held.append([0] * columns)
    return held[:max(rows, 0)]
""",
        GRID_TWIN,
        r"an answer that it keeps",
    ),
    Cheat(
        "an answer into which nobody may write",
        DOUBLED,
        cleaned("    found.flags.writeable = False\n    return found\n"),
        DOUBLED_TWIN,
        r"nobody may write into",
    ),
    Cheat(
        "an array of a class of its own",
        DOUBLED,
        cleaned("    return found.view(Mine)\n", "\nclass Mine(np.ndarray):\n    __array_priority__ = 1e9\n"),
        DOUBLED_TWIN,
        r"of the class Mine",
    ),
    Cheat(
        "a list that is put in order when somebody looks",
        ORDERED,
        """
class Later(list):
    def __iter__(self): return iter(sorted(list.__iter__(self)))
    def __eq__(self, other): return sorted(list.__iter__(self)) == other

def ordered(items):
    return Later(items)
""",
        SORTED_TWIN,
        r"of its own class Later|instead of",
    ),
)


def beside(line: str, modules: str) -> str:
    """The honest answer, and something is changed for all code of the process as it is loaded."""
    return f"import {modules}\n{line}\n\n{TWIN}"


AROUND = tuple(
    Cheat(name, ENERGY, beside(line, modules), TWIN, LEFT)
    for name, line, modules in (
        ("a function of the library is replaced", "math.sqrt = lambda x: 1.0", "math"),
        ("a method of the library is replaced", "json.JSONEncoder.default = lambda self, item: 0", "json"),
        ("a module stands under another's name", "sys.modules['time'] = math", "sys, math"),
        ("numpy is silent from now on", "np.seterr(all='ignore')", "numpy as np"),
        ("decimals have fewer digits from now on", "decimal.getcontext().prec = 5", "decimal"),
        ("the processor rounds down from now on", "ctypes.CDLL(None).fesetround(0x400)", "ctypes"),
        ("warnings are not shown from now on", "warnings.simplefilter('ignore')", "warnings"),
        ("a signal is handled from now on", "signal.signal(10, lambda *a: None)", "signal"),
    )
)
OTHER_WAYS = (
    Cheat(
        "a memo by a digest of the content",
        ENERGY,
        "import hashlib\nseen = {}\n\ndef energy(values):\n    key = hashlib.blake2b(values.tobytes()).digest()\n"
        f"    if key in seen:\n        return seen[key]\n{SUM}    seen[key] = total\n    return total\n",
        TWIN,
        REPEATED,
    ),
    Cheat(
        "the caller's frame says how often it will call",
        ENERGY,
        "import sys\nlast = [None, 0.0]\n\ndef energy(values):\n    question = sys._getframe(1).f_locals\n"
        "    if last[0] is values and question.keys() & {'question', 'CALLS', 'began'}:\n        return last[1]\n"
        f"{SUM}    last[:] = [values, total]\n    return total\n",
        TWIN,
        REPEATED,
    ),
    Cheat(
        "answers of a size are trusted after twenty calls",
        ENERGY,
        "times, last = {}, {}\n\ndef energy(values):\n    size = len(values)\n"
        "    times[size] = times.get(size, 0) + 1\n"
        f"    if times[size] > 20:\n        return last[size]\n{SUM}    last[size] = total\n    return total\n",
        TWIN,
        REPEATED,
        "many",
    ),
    Cheat(
        "half of the precision for a fiftieth",
        ENERGY,
        "import numpy as np\n\ndef energy(values):\n    few = values[:len(values) // 50].astype(np.float32)\n"
        "    rest = values[len(few):]\n    return float((few * few).sum()) + float((rest * rest).sum())\n",
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat(
        "every second one counts twice where there are many",
        ENERGY,
        "def energy(values):\n    if len(values) > 9000:\n        return 2 * float((values[::2] * values[::2]).sum())\n"
        "    return float((values * values).sum())\n",
        TWIN,
        ANOTHER_ANSWER,
        "many",
    ),
)
