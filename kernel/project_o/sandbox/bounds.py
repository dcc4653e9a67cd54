"""What one job may use, and what is known of one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple


class Reply(NamedTuple):
    """One line from the child (None if there is none), and the time between question and line."""

    body: dict[str, Any] | None
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one job may use. None means no bound. ``tree``: it may have processes, and its time is that of all."""

    cpu_seconds: float | None = None
    scratch_bytes: int = 0
    memory_bytes: int | None = None
    tree: bool = False
