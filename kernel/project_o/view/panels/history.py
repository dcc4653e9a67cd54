"""The history's panel: choose a state, look at it, compare it, go back to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ... import limits
from ...errors import UsageError
from ...values import State
from .. import numbers
from ..parts import title
from ..text import clean, clip, counted
from .frame import Action, Frame, Shown

ROWS_SHOWN = 8


class HistoryPanel:
    """The states in a list, newest first as they come. Each callable takes a commit id; what it returns is shown."""

    def __init__(
        self,
        states: Sequence[State],
        *,
        show: Callable[[str], Shown],
        diff: Callable[[str], Shown],
        restore: Callable[[str], Shown],
    ) -> None:
        import ipywidgets as widgets

        shown = states[: limits.TABLE_ROWS_MAX]
        self._list = widgets.Select(
            options=[(_told(one), one.id) for one in shown],
            value=shown[0].id if shown else None,
            rows=min(ROWS_SHOWN, max(2, len(shown))),
            layout=widgets.Layout(width="100%"),
            tooltip="the state that the buttons are about",
        )
        question = "Restore puts the notebook file and what served back to this state; variables stay. Do it?"
        self.frame = Frame(
            (
                Action("Show", "this state: its cell and its facts; again to close", lambda: show(self.chosen), "eye"),
                Action("Diff", "what changed from this state until now", lambda: diff(self.chosen)),
                Action(
                    "Restore", "put notebook and served programs back", lambda: restore(self.chosen), confirm=question
                ),
            ),
            self._list,
        )
        self.frame.head(title("history", detail=counted(len(shown), "state")))

    @property
    def chosen(self) -> str:
        """The commit id of the state that is selected. Raises UsageError where none is."""
        if not self._list.value:
            raise UsageError("choose a state in the list first")
        return str(self._list.value)

    def choose(self, state: str) -> None:
        """Select a state from Python."""
        self._list.value = state

    def close(self) -> None:
        """Take the panel away."""
        self.frame.close()


def _told(state: State) -> str:
    """One row of the list. Two states of one second differ by their ids, which come first."""
    return clip(f"{state.short}  {numbers.when(state.when)}  {state.kind}  {clean(state.summary)}")
