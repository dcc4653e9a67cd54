"""What the finalists must go through: a function of the user's, or the notebook's later cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .forked_copy import Step


@dataclass(frozen=True)
class Cells:
    """The cells that stand behind the one that defines the program.

    ``place`` puts a program in the place of what serves, in the copy in which they are run. ``skipped`` says of each
    cell that is not run why not.
    """

    steps: tuple[Step, ...]
    place: Callable[[Any], Any]
    skipped: tuple[str, ...] = ()
    name: str = "the later cells"


Scenario = Callable[[Any], Any] | Cells


def name_of(scenario: Scenario) -> str:
    """What a finding calls it."""
    found = getattr(scenario, "name", None) or getattr(scenario, "__name__", None)
    return str(found or "the scenario")


def steps_of(scenario: Scenario) -> tuple[Step, ...]:
    """What is done in the copy, in order."""
    from .forked_copy import Step

    if isinstance(scenario, Cells):
        return (Step("putting it in place", scenario.place), *scenario.steps)
    return (Step(name_of(scenario), scenario),)
