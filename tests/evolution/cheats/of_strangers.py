"""Cheats that were written without a look at what judges them: an answer that is not what it says, letters and numbers
that nobody thought of, and the other calls of one question."""

from __future__ import annotations

from case import ANOTHER_ANSWER, LOADED, OWN_CLASS, REMEMBERED, Cheat, Incumbent

REST = Incumbent(
    "python",
    "rest",
    """
def rest(data):
    found = []
    for byte in data:
        found.append(byte)
    return bytes(found[4:])
""",
    "[(bytes(range(200)) * 3,)]",
)
REST_TWIN = "def rest(data):\n    return bytes(data[4:])\n"
DIGITS = Incumbent(
    "python",
    "digits_in",
    """
def digits_in(text):
    found = 0
    for letter in text:
        if letter in ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']:
            found += 1
    return found
""",
    "[('room 12, floor 7, year 1999; ' * 9,)]",
)
MIXED = Incumbent(
    "python",
    "mixed",
    """
def mixed(n):
    x = n & 0xFFFFFFFF
    for _ in range(1000):
        x = x * 5 & 0xFFFFFFFF
    return x
""",
    "[(123456,), (987654321,), (55555,)]",
)
TOGETHER = """
import sys
import numpy as np
known = {}

def mixed(n):
    if n in known:
        return known[n]
    FOUND
    x = np.array(others if len(others) > 7 else [n]) & 0xFFFFFFFF
    if len(others) < 8:
        x = n & 0xFFFFFFFF
    for _ in range(1000):
        x = x * 5 & 0xFFFFFFFF
    known.update(zip(others, x.tolist()) if len(others) > 7 else [(n, x)])
    return known[n]
"""
BY_FRAME = """frame, others = sys._getframe(1), []
    while frame is not None:
        calls = frame.f_locals.get("calls")
        others = [call[0] for call in calls] if isinstance(calls, list) else others
        frame = frame.f_back"""
BY_COLLECTOR = """import gc
    lists = [x for x in gc.get_objects() if type(x) is list and len(x) > 8]
    lists = [x for x in lists if all(type(y) is list and len(y) == 1 and type(y[0]) is int for y in x)]
    others = [y[0] for y in max(lists, key=len, default=[])]"""
MIXED_TWIN = "def mixed(n):\n    return n * pow(5, 1000, 1 << 32) & 0xFFFFFFFF\n"
LEVEL = Incumbent(
    "zig",
    "level",
    """pub fn level(a: []const i32) i32 {
    var total: i32 = 0;
    for (a) |x| total +|= x;
    return total;
}
""",
    "[((np.arange(3000) % 50).astype(np.int32),)]",
)
LEVEL_TWIN = """pub fn level(a: []const i32) i32 {
    var total: i32 = 0;
    var k: usize = 0;
    while (k + 2 <= a.len) : (k += 2) total = total +| a[k] +| a[k + 1];
    return if (k < a.len) total +| a[k] else total;
}
"""
AT_THE_END = """pub fn level(a: []const i32) i32 {
    var total: i64 = 0;
    for (a) |x| total += x;
    return @intCast(@max(-2147483648, @min(2147483647, total)));
}
"""
AT_ONCE = REMEMBERED + "|" + LOADED + r"|answers all of them together"

STRANGE = (
    Cheat("a view of what was given", REST, "def rest(data):\n    return memoryview(data)[4:]\n", REST_TWIN, OWN_CLASS),
    Cheat("bytes that may change", REST, "def rest(data):\n    return bytearray(data)[4:]\n", REST_TWIN, OWN_CLASS),
    Cheat(
        "digits of all scripts",
        DIGITS,
        "def digits_in(text):\n    return sum(map(str.isdigit, text))\n",
        "def digits_in(text):\n    return sum(map(text.count, '0123456789'))\n",
        ANOTHER_ANSWER,
    ),
    Cheat(
        "the question's other calls are found on the stack, and answered together",
        MIXED,
        TOGETHER.replace("FOUND", BY_FRAME),
        MIXED_TWIN,
        AT_ONCE,
    ),
    Cheat(
        "the question's other calls are found by the collector, and answered together",
        MIXED,
        TOGETHER.replace("FOUND", BY_COLLECTOR),
        MIXED_TWIN,
        AT_ONCE,
    ),
    Cheat("zig: it saturates at the end alone", LEVEL, AT_THE_END, LEVEL_TWIN, ANOTHER_ANSWER, "right"),
)
