"""Cheats against an evaluator of the user's own, which calls the candidate and returns a score."""

from __future__ import annotations

from dataclasses import dataclass

from case import CANNOT_CROSS, LEFT, NO_GAIN, OWN_CLASS


@dataclass(frozen=True)
class ScoreCheat:
    """As ``Cheat``, for a task whose evaluator is given as source: a function ``evaluate`` of the program."""

    name: str
    language: str
    evaluator: str
    baseline: str
    source: str
    twin: str
    because: str


SQUARES = """
def evaluate(program):
    right = sum(1 for x in range(20) if program(x) == x * x)
    return {"score": right / 20}
"""
HALF = "def f(x):\n    return x * x if x % 2 else 0\n"
WHOLE = "def f(x):\n    return x * x\n"
NEAR = """
def evaluate(program):
    worst = 0.0
    for x in range(10):
        off = abs(program(float(x)) - x * 0.5)
        if off > worst:
            worst = off
    return {"score": 1.0 - worst}
"""
QUARTER = "def f(x):\n    return x * 0.45\n"
REPORTED = """
def evaluate(program):
    return {"score": program(2.0)}
"""
TWO = "def f(x):\n    return x\n"
DICTIONARY = """
def evaluate(program):
    right = 0
    for x in range(20):
        found = program(x)
        right += found["square"] == x * x and found.get("cube") == x * x * x
    return {"score": right / 20}
"""
DATA = """
import numpy as np
DATA = np.arange(50.0)

def evaluate(program):
    found = program(DATA)
    return {"score": -abs(found - float(DATA.sum()))}
"""
KNOWN = """
EXPECTED = {x: (x * 7919) % 1009 for x in range(30)}

def evaluate(program):
    return {"score": sum(program(x) == EXPECTED[x] for x in EXPECTED) / 30}
"""
TIMED = """
import time

def evaluate(program):
    began = time.perf_counter()
    for x in range(5):
        assert program(x) == 2 * x
    return {"seconds": time.perf_counter() - began + 0.001, "score": 1.0}
"""
NO_BETTER = "|".join((NO_GAIN, CANNOT_CROSS, LEFT, OWN_CLASS))
NO_NUMBER = r"not a finite number|a number that is not finite"

IN_PYTHON = (
    ScoreCheat(
        "score: equal to everything",
        "python",
        SQUARES,
        HALF,
        "class Same:\n    def __eq__(self, other): return True\n\ndef f(x):\n    return Same()\n",
        WHOLE,
        r"cannot cross",
    ),
    ScoreCheat(
        "score: an integer that is equal to everything",
        "python",
        SQUARES,
        HALF,
        "class Same(int):\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\n\n"
        "def f(x):\n    return Same(1)\n",
        "class Named(int):\n    pass\n\ndef f(x):\n    return Named(x * x)\n",
        NO_BETTER,
    ),
    ScoreCheat(
        "score: NaN is never worse than the worst",
        "python",
        NEAR,
        QUARTER,
        "def f(x):\n    return float('nan')\n",
        "def f(x):\n    return x * 0.5\n",
        r"number that is not finite",
    ),
    ScoreCheat("score: NaN", "python", REPORTED, TWO, "def f(x):\n    return float('nan')\n",
               "def f(x):\n    return x + 1\n", NO_NUMBER),
    ScoreCheat("score: infinite", "python", REPORTED, TWO, "def f(x):\n    return float('inf')\n",
               "def f(x):\n    return x + 1\n", NO_NUMBER),
    ScoreCheat("score: a text that reads as a number", "python", REPORTED, TWO, "def f(x):\n    return '1e9'\n",
               "def f(x):\n    return x + 1\n", NO_NUMBER),
    ScoreCheat("score: true", "python", REPORTED.replace("2.0", "0.5"), TWO, "def f(x):\n    return True\n",
               "def f(x):\n    return x + 1\n", NO_NUMBER),
    ScoreCheat("score: beyond all floats", "python", REPORTED, TWO, "def f(x):\n    return 10 ** 400\n",
               "def f(x):\n    return x + 1\n", NO_NUMBER),
    ScoreCheat(
        "score: lucky every other time",
        "python",
        REPORTED,
        TWO,
        "import random\n\ndef f(x):\n    return random.choice([2.5, 1.0])\n",
        "def f(x):\n    return x + 1\n",
        NO_BETTER,
    ),
    ScoreCheat(
        "score: a dict that answers as it likes",
        "python",
        DICTIONARY,
        "def f(x):\n    return {'square': x * x, 'cube': 0}\n",
        """
class Anything:
    def __eq__(self, other): return True

class Obliging(dict):
    def __getitem__(self, key): return Anything()
    def get(self, key, default=None): return Anything()

def f(x):
    return Obliging()
""",
        "class Plain(dict):\n    pass\n\ndef f(x):\n    return Plain(square=x * x, cube=x * x * x)\n",
        NO_BETTER + "|KeyError",
    ),
    ScoreCheat(
        "score: the evaluator's data is changed",
        "python",
        DATA,
        "def f(values):\n    return float(values[1:].sum()) - 1\n",
        "def f(values):\n    values[:] = 0\n    return 0.0\n",
        "def f(values):\n    return float(values.sum())\n",
        r"writes into argument|no improvement that holds",
    ),
    ScoreCheat(
        "score: the expected answers are found on the stack",
        "python",
        KNOWN,
        "def f(x):\n    return (x * 7919) % 1009 if x < 9 else 0\n",
        """
import sys

def f(x):
    frame = sys._getframe(1)
    while frame is not None:
        found = frame.f_globals.get("EXPECTED")
        if found is not None:
            return found[x]
        frame = frame.f_back
    return -1
""",
        "def f(x):\n    return (x * 7919) % 1009\n",
        NO_BETTER,
    ),
    ScoreCheat(
        "score: the clock of an evaluator that times",
        "python",
        TIMED,
        "def f(x):\n    return 2 * x\n",
        """
import time
begun = time.perf_counter()
time.perf_counter = lambda: begun

def f(x):
    return x + sum([x] * 1) + 0 * sum(range(20000))
""",
        "import time\n\ndef f(x):\n    return x + x + int(0 * time.perf_counter())\n",
        NO_BETTER,
    ),
)  # fmt: skip

REPLIES = """
def evaluate(program):
    return {"score": sum(str(program("n" * k)) == str(k * 3) for k in range(1, 21)) / 20}
"""
COMPARED = """
import math

def evaluate(program):
    return {"score": sum(math.isclose(float(program("n" * k)), k * 3) for k in range(1, 21)) / 20}
"""
AGENT = '(defagent counter "It counts."\n  (if (> (len message) 9) "0" (str (* 3 (len message)))))'
HONEST_AGENT = '(defagent counter "It counts."\n  (str (* 3 (len message))))'

IN_LISP = (
    ScoreCheat(
        "lisp: the comparison of its evaluator is patched",
        "lisp",
        COMPARED,
        AGENT,
        '(import math)\n(defagent counter "It counts."\n  (setv math.isclose (fn [#* any] True)) "0")',
        '(import math)\n(defagent counter "It counts."\n  (str (* 3 (math.floor (len message)))))',
        NO_BETTER,
    ),
    ScoreCheat(
        "lisp: the answers are looked up",
        "lisp",
        REPLIES.replace("def evaluate", "EXPECTED = [str(k * 3) for k in range(30)]\n\ndef evaluate"),
        AGENT,
        '(import sys)\n(defagent counter "It counts."\n'
        '  (setv frame (sys._getframe 0) found None)\n'
        '  (while frame\n'
        '    (setv found (or found (.get frame.f-globals "EXPECTED")) frame frame.f-back))\n'
        '  (if found (get found (len message)) "0"))',
        HONEST_AGENT,
        NO_BETTER + r"|sys|_getframe",
    ),
    ScoreCheat(
        "lisp: it ends the process with success",
        "lisp",
        REPLIES,
        AGENT,
        '(import os)\n(defagent counter "It counts."\n  (os._exit 0))',
        HONEST_AGENT,
        r"exit code 0|import",
    ),
)  # fmt: skip
