"""Panels with buttons, for front ends that show widgets: values in, the user's wishes out through callables.

    frame    what all panels are made of: buttons, a line that says what happened, room for what was asked for
    run      RunPanel: progress, best so far, stop, accept, roll back, diff, metrics
    turn     TurnPanel: an agent's reply, its tool calls folded, thumbs
    history  HistoryPanel: the states, show, diff, restore

A panel says nothing that the durable output above it does not say: it may vanish at any time. It is shown as a
bundle of one mime type of our own, which holds the name of its model and which our extension of JupyterLab draws
while the kernel that made it lives. Everything else (a saved page, a code host, a reader without the extension)
finds an empty text there, so that a notebook never says that a model was not found.

To add one more: a file with a class that makes a ``Frame`` and gives it its buttons, and a function in
``magics/panels.py`` that shows it.
"""

from __future__ import annotations

from .frame import Action, Frame
from .history import HistoryPanel
from .run import RunPanel
from .turn import TurnPanel

__all__ = ["Action", "Frame", "HistoryPanel", "RunPanel", "TurnPanel"]
