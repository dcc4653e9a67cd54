"""An agent's turn: the reply, the tool calls folded, thumbs."""

from __future__ import annotations

from collections.abc import Callable

from ... import limits
from ...values import ToolUse, Turn
from ..conversation import use_part, use_summary
from ..parts import Tone, line, prose, title
from ..turn import cost
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
            title(turn.agent, word, tone, cost(turn)),
            *((prose(turn.reply[: limits.MODEL_REPLY_CHARACTERS_MAX]),) if self._reply and turn.reply else ()),
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
        self._uses.children = tuple(widgets.HTML(str(use_part(one).html)) for one in kept)
        for number, one in enumerate(kept):
            self._uses.set_title(number, use_summary(one))
        for widget in old:
            widget.close()
        self._shown = uses

    def _thumb(self, way: str) -> Shown:
        self._feedback(way, self._why.value.strip())
        self._why.value = ""
        return f"noted: {way}"
