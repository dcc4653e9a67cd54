"""What an agent answers: a text that knows its turn."""

from __future__ import annotations

from typing import Any

from ..values import Turn


class Reply(str):
    """The text of a reply. ``turn`` is what it came of; ``value`` what the body returned, before it was text."""

    turn: Turn
    value: Any

    def __new__(cls, text: str, turn: Turn, value: Any = None) -> Reply:
        """Make one of a finished turn."""
        made = super().__new__(cls, text)
        made.turn = turn
        made.value = text if value is None else value
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.turn, self.value)


class StreamedReply(Reply):
    """A reply that was shown while it came, in the cell with the execution count ``shown_in``."""

    shown_in: int = 0
