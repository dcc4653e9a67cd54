"""The conversation with an agent: who said what, and what the agent did for each reply, folded."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from ..values import ToolUse, Turn
from . import numbers
from .display import Display, Part, group, page
from .parts import Tone, code, folded, inset, line, note, pairs, prose, section, title
from .text import counted
from .turn import cost


def show_conversation(turns: Sequence[Turn], *, name: str = "", state: str = "") -> Display:
    """Turns in the order given; of a long conversation the last ones, as far as the bounds of a view go.

    All of it is text: what a user, a model or a tool wrote in HTML or Markdown stands there as it was written.
    """
    shown = _last(turns)
    more = len(turns) - len(shown)
    tone: Tone = "" if state in ("", "idle") else "accent"
    first = more + 1
    return page(
        title(name, state, tone, counted(len(turns), "turn")),
        note(f"{counted(more, 'earlier turn')} not shown; the value has them all") if more else None,
        *(_turn(first + place, turn) for place, turn in enumerate(shown)),
        None if turns else line("nothing was said in this kernel yet"),
    )


def use_part(use: ToolUse) -> Part:
    """One call of a tool: its arguments, and its result or what went wrong."""
    arguments = [(name, repr(value)) for name, value in use.arguments]
    return group(
        [
            pairs(arguments) if arguments else note("no arguments"),
            line(_cut(use.error)) if use.error else code(_cut(use.result)),
        ]
    )


def use_summary(use: ToolUse) -> str:
    """``add returned in 0.4 ms``."""
    return f"{use.name} {'failed' if use.error else 'returned'} in {numbers.seconds(use.seconds)}"


def _last(turns: Sequence[Turn]) -> list[Turn]:
    """The last turns whose texts fit into a view, oldest first; one at least."""
    shown: list[Turn] = []
    room = limits.CONVERSATION_SHOWN_CHARACTERS_MAX
    for turn in reversed(turns):
        room -= sum(map(_size, (turn.message, turn.reply, turn.error)))
        room -= sum(_size(use.result) + _size(str(use.arguments)) for use in turn.uses[: limits.TOOL_STEPS_MAX])
        if shown and (room < 0 or len(shown) >= limits.CONVERSATION_SHOWN_TURNS_MAX):
            break
        shown.append(turn)
    return shown[::-1]


def _size(text: str) -> int:
    return min(len(text), limits.TEXT_CHARACTERS_MAX)


def _turn(number: int, turn: Turn) -> Part:
    uses = turn.uses[: limits.TOOL_STEPS_MAX]
    over = len(turn.uses) - len(uses)
    calls = inset([*(folded(use_summary(use), use_part(use)) for use in uses), _over(over)])
    return group(
        [
            section(f"{number}. user"),
            prose(_cut(turn.message)),
            folded(_calls(turn.uses), calls) if turn.uses else None,
            section(turn.agent),
            prose(_cut(turn.reply)) if turn.reply else None,
            line(f"the turn ended here: {_cut(turn.error)}") if turn.error else None,
            note(cost(turn)) if cost(turn) else None,
        ]
    )


def _over(count: int) -> Part | None:
    return note(f"and {counted(count, 'more call')}") if count else None


def _calls(uses: Sequence[ToolUse]) -> str:
    failed = sum(bool(use.error) for use in uses)
    names = ", ".join(dict.fromkeys(use.name for use in uses))
    return f"{counted(len(uses), 'tool call')}: {names}" + (f" ({failed} failed)" if failed else "")


def _cut(text: str) -> str:
    over = len(text) - limits.TEXT_CHARACTERS_MAX
    return text if over <= 0 else f"{text[: limits.TEXT_CHARACTERS_MAX]}\n[{over:,} more characters]"
