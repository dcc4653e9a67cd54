"""An agent's turn: the reply, the tool calls folded, thumbs."""

from __future__ import annotations

from collections.abc import Callable

from ... import limits
from ...values import ToolUse, Turn
from .. import numbers
from ..display import Part, group
from ..markup import tag
from ..parts import Tone, code, line, note, pairs, title
from ..text import clean, clip, counted
from .frame import Action, Frame, Shown

UP, DOWN = "Good", "Bad"


class TurnPanel:
    """Beside a reply: what the agent did for it, and the user's opinion of it.

    ``on_feedback`` is called with ``"up"`` or ``"down"`` and the reason, which may be empty.
    With ``reply`` the reply stands in the panel too, as text: nothing in it is read as HTML.
    """

    def __init__(self, turn: Turn, on_feedback: Callable[[str, str], object], *, reply: bool = False) -> None:
        import ipywidgets as widgets

        self._feedback = on_feedback
        self._reply = reply
        self._uses = widgets.Accordion(children=(), selected_index=None)
        self._shown: tuple[ToolUse, ...] = ()
        self._why = widgets.Text(
            placeholder="why, if you like",
            tooltip="the reason that is kept with your thumb",
            layout=widgets.Layout(width="22em"),
        )
        self.frame = Frame(
            (
                Action(UP, "thumb up: this turn helped", lambda: self._thumb("up"), "thumbs-up"),
                Action(DOWN, "thumb down: this turn did not help", lambda: self._thumb("down"), "thumbs-down"),
            ),
            self._uses,
            self._why,
        )
        self.update(turn)

    def update(self, turn: Turn) -> None:
        """The turn as it is now: while the reply streams, call this again."""
        word = (
            "failed" if turn.error else "answered" if turn.finished else turn.states[-1] if turn.states else "thinking"
        )
        tone: Tone = "bad" if turn.error else "good" if turn.finished else "accent"
        self.frame.head(
            title(turn.agent, word, tone, _cost(turn)),
            *((_prose(turn.reply),) if self._reply and turn.reply else ()),
            *((line(turn.error),) if turn.error else ()),
        )
        if turn.uses != self._shown:
            self._show_uses(turn.uses)
        for button in (UP, DOWN):
            self.frame.allow(button, turn.finished, "" if turn.finished else "when the agent has answered")

    def close(self) -> None:
        """Take the panel away."""
        self.frame.close()

    def _show_uses(self, uses: tuple[ToolUse, ...]) -> None:
        import ipywidgets as widgets

        kept = uses[-limits.TOOL_STEPS_MAX :]
        old = self._uses.children
        self._uses.children = tuple(widgets.HTML(str(_use(one).html)) for one in kept)
        for number, one in enumerate(kept):
            end = "failed" if one.error else "returned"
            self._uses.set_title(number, f"{one.name} {end} in {numbers.seconds(one.seconds)}")
        for widget in old:
            widget.close()
        self._shown = uses

    def _thumb(self, way: str) -> Shown:
        self._feedback(way, self._why.value.strip())
        self._why.value = ""
        return f"noted: {way}"


def _cost(turn: Turn) -> str:
    facts = [
        counted(len(turn.uses), "tool call") if turn.uses else "",
        turn.model,
        f"{turn.usage.input_tokens:,} + {turn.usage.output_tokens:,} tokens" if turn.usage.requests else "",
        f"${turn.usage.dollars:.2g}" if turn.usage.dollars else "",
        numbers.seconds(turn.seconds) if turn.seconds else "",
    ]
    return ", ".join(fact for fact in facts if fact)


def _use(use: ToolUse) -> Part:
    arguments = [(name, repr(value)) for name, value in use.arguments]
    return group(
        [
            pairs(arguments) if arguments else note("no arguments"),
            line(use.error) if use.error else code(clip(use.result, limits.TEXT_CHARACTERS_MAX)),
        ]
    )


def _prose(text: str) -> Part:
    """A reply as it was written: line breaks stay, and nothing in it is markup."""
    shown = clean(text[: limits.MODEL_REPLY_CHARACTERS_MAX])
    return Part(shown, tag("div", shown, style="white-space:pre-wrap;margin:2px 0"))
