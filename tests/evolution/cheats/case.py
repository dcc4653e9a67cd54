"""What one cheat is: whom it wants to replace, how it cheats, its honest twin, and the evaluator that it fools."""

from __future__ import annotations

from dataclasses import dataclass


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
