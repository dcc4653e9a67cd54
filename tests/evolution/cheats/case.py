"""What one cheat is: whom it wants to replace, how it cheats, its honest twin, and the evaluator that it fools."""

from __future__ import annotations

from dataclasses import dataclass

ANOTHER_ANSWER = r"instead of|should return"
CANNOT_CROSS = r"cannot cross"
# What the measurement can say of a gain that is none. Which of it is said first depends on how the times fall, and each
# is true of a cheat that has a gain by that way: its pattern names all of them.
NO_GAIN = r"no improvement that holds"
REMEMBERED = NO_GAIN + r"|remembers answers|from answers that are remembered|bytes must be read"
"""Fast where it was asked before: by the clock alone, on inputs that were never seen, or against memory's speed."""
ELSEWHERE = NO_GAIN + r"|while the incumbent is timed|in which its process does not compute|went on working after"
"""Its work is done when its own clock stands still, or while the incumbent's runs."""
WHEN_TIMED = r"answers otherwise|failed while it was measured"
"""Right in the checks, and wrong or broken as it is timed."""
LEFT = r"left .* of the process otherwise than it was"
"""What other code of its process meets is changed: a name of the library, a signal's handler, a setting."""
KEPT = r"shares with its arguments|an answer that it keeps"
"""Its caller holds what it holds itself."""
OWN_CLASS = r"of its own class|of the class"
LOADED = r"computed beforehand"
"""What it does as it is loaded is not won back."""


@dataclass(frozen=True)
class Incumbent:
    """A function that serves now. ``inputs`` is Python source of the argument tuples, with numpy as ``np``."""

    language: str
    function: str
    source: str
    inputs: str


@dataclass(frozen=True)
class Cheat:
    """``because`` is a pattern of the verdict's reasons: what was noticed has to do with the cheat.

    ``twin`` has the structure of the cheat and is honest: whatever stops the cheat must let the twin through the
    checks. ``fools`` names the evaluator of ``naive.py`` that takes the cheat for an improvement.
    """

    name: str
    incumbent: Incumbent
    source: str
    twin: str
    because: str
    fools: str = "timed"


def insertion_sort(name: str) -> str:
    """The text of a function that sorts its list in place, one item after another."""
    return f"""
def {name}(items):
    for k in range(1, len(items)):
        item = items[k]
        at = k
        while at > 0 and items[at - 1] > item:
            items[at] = items[at - 1]
            at -= 1
        items[at] = item
"""
