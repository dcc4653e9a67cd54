"""Where ``Agent(...)`` finds the agents of its kernel: set as the extension loads, asked when an agent is made.

A module of its own, so that loading the extension loads none of what agents need.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .agents import Agents

_provider: Callable[[], Agents] | None = None


def provide(provider: Callable[[], Agents] | None) -> None:
    """Let the kernel's agents be what ``provider`` returns; None: those of a plain script again."""
    global _provider
    _provider = provider


def provided() -> Agents | None:
    """The kernel's agents; None in a plain script."""
    return _provider() if _provider is not None else None
