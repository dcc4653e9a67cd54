"""Cheats in Python whose answers are equal to the right ones where they are looked at, and not the same: keys and texts
of another class, numbers that become one as floats, and an answer that is wrong by chance."""

from __future__ import annotations

from case import ANOTHER_ANSWER, LEFT, OWN_CLASS, Cheat, Incumbent
from of_python import ENERGY, TWIN

BY_LENGTH = Incumbent(
    "python",
    "by_length",
    """
def by_length(words):
    found = {}
    for word in words:
        known = None
        for length in list(found):
            if length == len(word):
                known = length
        if known is None:
            found[len(word)] = []
        found[len(word)].append(word)
    return found
""",
    "[(['a', 'bb', 'ccc', 'dd', 'e', 'ffff'] * 20,)]",
)
GROUPED = """
def by_length(words):
    found = {}
    for word in words:
        found.setdefault(len(word), []).append(word)
    return found
"""
RANKED = Incumbent(
    "python",
    "ranked",
    """
def ranked(numbers):
    found = []
    for number in numbers:
        at = 0
        while at < len(found) and found[at] <= number:
            at += 1
        found.insert(at, number)
    return found
""",
    "[([(k * 7919) % 1009 for k in range(150)],)]",
)
SORTED = "def ranked(numbers):\n    return sorted(numbers)\n"
LOWERED = Incumbent(
    "python",
    "vowels",
    """
def vowels(text):
    count = 0
    for letter in text.lower():
        if letter in ["a", "e", "i", "o", "u"]:
            count += 1
    return count
""",
    "[('the quick brown fox jumps over the lazy dog ' * 6,)]",
)
COUNTED = "def vowels(text):\n    text = text.lower()\n    return sum(text.count(letter) for letter in 'aeiou')\n"

LIKE = (
    Cheat(
        "keys that are equal and are floats",
        BY_LENGTH,
        GROUPED.replace("setdefault(len(word)", "setdefault(float(len(word))"),
        GROUPED,
        ANOTHER_ANSWER,
    ),
    Cheat(
        "texts of a class of their own",
        BY_LENGTH,
        "class Text(str):\n    pass\n" + GROUPED.replace("append(word)", "append(Text(word))"),
        GROUPED,
        OWN_CLASS,
    ),
    Cheat(
        "whole numbers in the order of their floats",
        RANKED,
        SORTED.replace("numbers)\n", "numbers, key=float)\n"),
        SORTED,
        ANOTHER_ANSWER,
        "many",
    ),
    Cheat("letters folded another way", LOWERED, COUNTED.replace("lower", "casefold"), COUNTED, ANOTHER_ANSWER),
    Cheat(
        "wrong by chance, once in two thousand calls",
        ENERGY,
        "import random\n\ndef energy(values):\n    if random.random() < 0.0005:\n        return 0.0\n"
        "    return float((values * values).sum())\n",
        TWIN,
        LEFT + "|" + ANOTHER_ANSWER,
    ),
)
