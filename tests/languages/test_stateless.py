"""What a text can remember is read in it, and how it tells where it runs; where in doubt the answer is that it can."""

import pytest

from project_o.languages.hazards import hazards
from project_o.languages.stateless import forgets

NUMBERS, LISTS = [(27,), (3, 2.5)], [([1, 2], 3)]
HONEST = """
import math
from itertools import accumulate

def halved(n):
    return n >> 1

def f(n, start=0):
    known = {1: start}
    path = [k for k in range(n) if k % 2]
    path.append(n)
    try:
        for k in accumulate(path):
            known[k] = math.isqrt(k) + halved(k)
    except ValueError as error:
        return -1
    return sum(known.values())
"""
KEEPING = (
    "seen = {}\ndef f(n):\n    seen[n] = 1\n    return n",
    "def f(n, seen={}):\n    seen[n] = 1\n    return n",
    "def f(n):\n    f.last = n\n    return n",
    "def f(n):\n    setattr(f, 'last', n)\n    return n",
    "def f(n):\n    global last\n    last = n\n    return n",
    "import functools\n@functools.cache\ndef f(n):\n    return n",
    "def f(n):\n    g = (x for x in ())\n    g.gi_frame.f_globals['last'] = n\n    return n",
    "def f(n):\n    return TABLE[n]",
    "class Kept:\n    last = {}\ndef f(n):\n    Kept.last[n] = n\n    return n",
    "import math\ndef f(n):\n    math.last = n\n    return n",
    "import sys as math\ndef f(n):\n    return math.modules",
    "from math import *\ndef f(n):\n    return n",
    "def g():\n    return {}\nKEPT = g()\ndef f(n):\n    return KEPT.setdefault(n, n)",
    "def f(n: [].append(1)):\n    return n",
    "def f(n):\n    return (lambda kept=[]: kept)()",
    "def f(n):\n    try:\n        return n\n    except Exception as error:\n        error.last = n",
    "def f(n):\n    math = f\n    math.last = n\n    return n",
    "def f(n):\n    return __builtins__",
    "def f(n:",
)


def test_who_changes_names_of_his_own_alone_keeps_nothing():
    assert forgets(HONEST, NUMBERS)


@pytest.mark.parametrize("text", KEEPING)
def test_who_might_keep_something_is_not_believed(text):
    assert not forgets(text, NUMBERS)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(xs, y):\n    for x in xs:\n        if x == y:\n            return True\n    return False", True),
        ("def f(xs, y):\n    xs.append(y)\n    return y in xs", False),
        ("def f(xs, y):\n    xs[0] = y\n    return y", False),
        ("def f(xs, y):\n    del xs[0]\n    return y", False),
        ("import heapq\ndef f(xs, y):\n    heapq.heappush(xs, y)\n    return y", False),
        ("from bisect import insort\ndef f(xs, y):\n    insort(xs, y)\n    return y", False),
    ],
)
def test_into_a_list_that_was_given_nothing_may_be_written(text, said):
    assert forgets(text, LISTS) == said


@pytest.mark.parametrize("given", [("a text keeps its hash",), ({"a": 1},), ([[b"x"]],), (object(),)])
def test_other_arguments_may_remember(given):
    assert not forgets("def f(x):\n    return 1", [given])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("def f(a):\n    return a.flags['OWNDATA']", True),
        ("def f(a):\n    return 0 if a.base is None else 1", True),
        ("def f(a):\n    return 1 if a.base else 0", True),
        ("def f(a):\n    async def g(): pass\n    return g().cr_frame", True),
        ("import operator\ndef f(a):\n    return operator.attrgetter('gi_frame.f_back')(x for x in a)", True),
        ("def f(a):\n    return '{0.__globals__}'.format(f)", True),
        ("def f(a):\n    match f:\n        case object(__globals__=g): return g", True),
        ("import numpy as np\ndef f(a):\n    return np.datetime64('now')", True),
        ("import time\ndef f(a):\n    return time.process_time() < 5", True),
        ("import locale\ndef f(a):\n    return locale.getlocale()", True),
        ("import numpy as np\ndef f(a):\n    return np.datetime64('2024-01-01')", False),
        ("def f(a, base):\n    return base ** a.base", False),
        ('def f(a):\n    """Nothing of __globals__ is used."""\n    return "{0:.3f} now".format(a)', False),
    ],
)
def test_who_tells_a_trial_from_the_notebook_is_found(text, found):
    assert any(item.denied for item in hazards("python", text)) == found
