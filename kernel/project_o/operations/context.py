"""What a verb is, and where it works."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import view
from ..flow import Flow


@dataclass(frozen=True, slots=True)
class Context:
    """Where a verb works: a flow with its history, and what ``%config`` has set."""

    flow: Flow
    chosen: Mapping[str, Any]
    found_by: str
    choose: Callable[[str, Any], None] | None = None
    """Sets an option for the life of the kernel; None where there is no kernel."""
    names: Mapping[str, Any] = field(default_factory=dict)
    """What the user has defined."""

    @property
    def in_terminal(self) -> bool:
        """Whether no kernel runs here: what serves is what the history says, and nothing can be called."""
        return self.choose is None


Argument = tuple[tuple[str, ...], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb: what it does in a line, its arguments, the function that does it."""

    run: Callable[[Context, argparse.Namespace], Any]
    help: str
    arguments: tuple[Argument, ...] = ()


def facts(name: str) -> Callable[[Mapping[str, Any]], view.Display]:
    """A view of a table of facts, without those that are empty."""
    return lambda found: view.show_table(name, ("what", "value"), [item for item in found.items() if item[1] != ""])


STATE_HELP = (
    "a commit id or its first digits, @ for the newest state, @~2 for the one two before, or what it was saved as"
)
