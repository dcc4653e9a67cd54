"""The turns before, as a model is given them: the last ones whole, older ones shortened, all within a budget of tokens.

Tokens are estimated, four characters each, since every model counts its own way; the budget leaves room for that. What
is shortened is shortened by rule, the same each time: no model is asked to sum up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .. import limits
from ..lisp.replies import cut
from ..models import Message
from ..values import Turn

EARLIER = "Earlier in this conversation, shortened:"
_CHARACTERS_PER_TOKEN = 4
_MESSAGE_TOKENS = 4


@dataclass(frozen=True, slots=True)
class Conversation:
    """``messages`` are whole turns, oldest first; ``earlier`` lines about those before them; ``left_out`` the rest."""

    messages: tuple[Message, ...] = ()
    earlier: tuple[str, ...] = ()
    left_out: int = 0

    def instructions(self) -> str:
        """What is said of earlier turns, as a part of the system message; "" where there are none."""
        if not self.earlier:
            return ""
        more = [f"- [{self.left_out} turns before these are left out]"] if self.left_out else []
        return "\n".join((EARLIER, *more, *self.earlier))


def tokens(text: str) -> int:
    """About how many tokens a message of this text has."""
    return _MESSAGE_TOKENS + -(-len(text) // _CHARACTERS_PER_TOKEN)


def conversation(past: Sequence[Turn], redact: Callable[[str], str], budget: int | None = None) -> Conversation:
    """The turns that went well, as far as they fit into ``budget`` tokens, ``limits.CONVERSATION_TOKENS_MAX`` of them.

    A quarter of the budget is for what is shortened. At most ``limits.CONVERSATION_TURNS_MAX`` turns are whole.
    """
    room = limits.CONVERSATION_TOKENS_MAX if budget is None else budget
    short_room = room // 4
    whole_room = room - short_room
    good = [turn for turn in past if not turn.error]
    messages: list[Message] = []
    at = len(good)
    while at and len(good) - at < limits.CONVERSATION_TURNS_MAX:
        turn = good[at - 1]
        whole_room -= tokens(turn.message) + tokens(turn.reply)
        if whole_room < 0:
            break
        messages += [Message("assistant", redact(turn.reply)), Message("user", redact(turn.message))]
        at -= 1
    lines: list[str] = []
    while at:
        line = _shortened(good[at - 1], redact)
        short_room -= tokens(line)
        if short_room < 0:
            break
        lines.append(line)
        at -= 1
    return Conversation(tuple(reversed(messages)), tuple(reversed(lines)), at)


def _shortened(turn: Turn, redact: Callable[[str], str]) -> str:
    """One line for one turn: how both began, and which tools were called."""
    tools = f" (tools: {', '.join(dict.fromkeys(use.name for use in turn.uses))})" if turn.uses else ""
    said = [_beginning(redact(text)) for text in (turn.message, turn.reply)]
    return f"- user: {said[0]} | you: {said[1]}{tools}"


def _beginning(text: str) -> str:
    line = " ".join(text.split())
    kept = limits.COMPACTED_CHARACTERS_MAX
    return line if len(line) <= kept else cut(line, kept).split("\n")[0] + "…"
