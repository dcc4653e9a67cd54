"""Many texts of one program, each called a few times: what came of the calls, and who makes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Called:
    """One call of one text, as a job's answer: ``steps`` lines were run, those in ``lines`` of its own text.

    ``written`` are the arguments that it changed, by index. ``error`` says in words why there is no value.
    """

    ok: bool
    value: Any = None
    error_name: str = ""
    error: str = ""
    written: tuple[tuple[int, Any], ...] = ()
    steps: int = 0
    lines: frozenset[int] = field(default=frozenset())
    ended: str = ""
    meant: bool = True
    shares: bool = True
    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0


class Trying(Protocol):
    """A warm process in which texts of one program are tried, one after another. What it says is a choice of texts that
    are worth a process of their own: they share this one."""

    def attempt(self, texts: Sequence[str], places: Sequence[int], most_lines: int) -> list[list[Called]]:
        """For each text its calls with the arguments at these places; a call may run ``most_lines`` lines."""

    def close(self) -> None:
        """End the process."""
