"""What every job of the sandbox can be asked, whatever it holds: the type that other rooms name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .answer import Answer, Answers


class Asking(Protocol):
    """A sandboxed process that holds one build."""

    def ask(
        self,
        name: str,
        args: Sequence[Any],
        *,
        repeat: int = 1,
        offset_bytes: int = 0,
        seconds: float | None = None,
    ) -> Answer:
        """Call ``name`` ``repeat`` times; the last answer."""

    def ask_each(
        self, name: str, calls: Sequence[Sequence[Any]], *, seconds: float | None = None, offset_bytes: int = 0
    ) -> Answers:
        """Call ``name`` once with each of several sets of arguments."""

    def close(self) -> None:
        """End the process."""
