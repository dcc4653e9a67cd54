"""What all panels are made of: a head, a row of buttons, a line that says what happened, room for what was asked for.

The only room below the magics that knows ipywidgets, and only once a panel is made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import CompileError, ProjectOError
from .. import style
from ..display import Display, Part
from ..failure import show_error
from ..markup import tag
from ..parts import line

PANEL_MIME = "application/vnd.project-o.panel+json"
WIDGET_MIME = "application/vnd.jupyter.widget-view+json"
PROTOCOL = 1
"""The number of the bundle's form; what draws it leaves one alone that it does not know."""

DRAWN = "project-o-drawn"
FIGURE_STYLE = f"<style>.{DRAWN} .jp-RenderedPlotly {{ height: {style.FIGURE_PIXELS}px }}</style>"
"""A figure that follows its frame's size is as high as what holds it, which is as high as the figure: a redraw, as
after a change of the theme, may take that for nothing, and the figure is gone."""

Shown = Display | dict[str, Any] | str | None
"""What a button gives: a view, a mime bundle, a sentence, or nothing to show."""


@dataclass(frozen=True)
class Action:
    """A button: its word, what its tooltip says, what it does.

    With ``keeps`` what it shows stays until it is pressed again; with ``confirm`` it asks that question first.
    """

    word: str
    tooltip: str
    do: Callable[[], Shown]
    icon: str = ""
    keeps: bool = False
    confirm: str = ""


class Frame:
    """One panel's widgets. Its methods may be called from any thread."""

    def __init__(self, actions: Sequence[Action], *body: Any) -> None:
        import ipywidgets as widgets

        self._lock = threading.RLock()
        self._open = ""
        self._buttons = {one.word: self._button(one) for one in actions}
        self._head = widgets.HTML()
        self._said = widgets.HTML()
        self._drawn = widgets.Output()
        self._drawn.add_class(DRAWN)
        self._yes = widgets.Button(description="Yes", tooltip="do it", button_style="warning", layout=_hidden())
        self._no = widgets.Button(description="No", tooltip="leave everything as it is", layout=_hidden())
        self._asked: Callable[[], None] | None = None
        self._yes.on_click(lambda _: self._answered(yes=True))
        self._no.on_click(lambda _: self._answered(yes=False))
        row = widgets.HBox(list(self._buttons.values()), layout=widgets.Layout(flex_flow="row wrap"))
        asking = widgets.HBox([self._said, self._yes, self._no], layout=widgets.Layout(flex_flow="row wrap"))
        edge = "1px solid var(--jp-border-color2, rgba(128,128,128,.35))"
        self.box = widgets.VBox(
            [self._head, *body, row, asking, self._drawn, widgets.HTML(FIGURE_STYLE, layout=_hidden())],
            layout=widgets.Layout(border=edge, padding="4px 8px", max_width="62em", margin="4px 0"),
        )
        for widget in _family(self.box):
            _answer_at_once(widget)

    def _button(self, action: Action) -> Any:
        import ipywidgets as widgets

        button = widgets.Button(
            description=action.word,
            tooltip=action.tooltip,
            icon=action.icon,
            layout=widgets.Layout(width="auto", min_width="5em"),
        )
        button.on_click(lambda _: self._pressed(action))
        return button

    # ------------------------------------------------------------------ what the panel says

    def head(self, *parts: Part) -> None:
        """The first lines."""
        with self._lock:
            self._head.value = str(tag("div", *(part.html for part in parts), style=style.PAGE))

    def say(self, text: str, *, bad: bool = False) -> None:
        """One line of what happened. A screen reader says it, a fault at once."""
        sign = "✗ " if bad else ""
        look = f"{style.PAGE};{style.badge('bad')}" if bad else style.PAGE
        with self._lock:
            self._said.value = str(
                tag("div", line(f"{sign}{text}").html, role="alert" if bad else "status", style=look)
            )

    def allow(self, word: str, allowed: bool, tooltip: str = "") -> None:  # noqa: FBT001 - reads as a sentence
        """Whether a button can be pressed, and the tooltip that says why not."""
        with self._lock:
            button = self._buttons[word]
            button.disabled = not allowed
            button.tooltip = tooltip or button.tooltip

    def show(self, shown: Shown) -> None:
        """Put a view, a bundle or a sentence into the panel; None empties it."""
        with self._lock:
            if isinstance(shown, str):
                self.say(shown)
                return
            bundle = shown.bundle() if isinstance(shown, Display) else shown
            # Written as state, not printed into: which thread answers a button is the kernel's choice.
            self._drawn.outputs = ()
            if bundle:
                self._drawn.outputs = ({"output_type": "display_data", "data": bundle, "metadata": {}},)

    # ------------------------------------------------------------------ what the user wants

    def press(self, word: str) -> None:
        """Press a button from Python."""
        self._buttons[word].click()

    def _pressed(self, action: Action) -> None:
        self._ask(None)
        if action.keeps and self._open == action.word:
            self._open = ""
            self.show(None)
            return
        if action.confirm:
            self.say(action.confirm)
            self._ask(lambda: self._do(action))
            return
        self._do(action)

    def _do(self, action: Action) -> None:
        self.say(f"{action.word} ...")
        try:
            found = action.do()
        except Exception as error:  # noqa: BLE001 - a button has no cell to fail: the panel says it
            self._fail(action, error)
            return
        self.say("")
        if found is not None:
            self._open = action.word if action.keeps else "" if not isinstance(found, str) else self._open
            self.show(found)

    def _fail(self, action: Action, error: Exception) -> None:
        if isinstance(error, ProjectOError):
            self.say(f"{action.word}: {error}", bad=True)
        else:
            self.say(f"{action.word} failed: {type(error).__name__}: {error}", bad=True)
        if isinstance(error, CompileError) and error.diagnostics:
            self.show(show_error(error))

    def _ask(self, then: Callable[[], None] | None) -> None:
        with self._lock:
            self._asked = then
            for button in (self._yes, self._no):
                button.layout.display = "none" if then is None else None

    def _answered(self, *, yes: bool) -> None:
        then = self._asked
        self._ask(None)
        self.say("")
        if yes and then is not None:
            then()

    # ------------------------------------------------------------------ the front end

    def bundle(self, *, plain_widget: bool = False) -> dict[str, Any]:
        """What is displayed: our own mime type, empty for all who do not know it.

        With ``plain_widget`` also the widget's own type, for front ends that show widgets and lack our extension.
        """
        model = {"model_id": self.box.model_id, "version": PROTOCOL}
        shown: dict[str, Any] = {PANEL_MIME: model, "text/html": "", "text/plain": ""}
        if plain_widget:
            shown[WIDGET_MIME] = {"model_id": self.box.model_id, "version_major": 2, "version_minor": 0}
        return shown

    def close(self) -> None:
        """Take the panel away, here and in the front end."""
        for widget in _family(self.box):
            widget.close()


def _hidden() -> Any:
    import ipywidgets as widgets

    return widgets.Layout(display="none", width="auto")


def _family(widget: Any) -> list[Any]:
    """A widget, what is in it, and their layouts and styles: each has a comm of its own."""
    children: Sequence[Any] = getattr(widget, "children", None) or ()
    found = [one for child in children for one in _family(child)]
    return [*found, widget, *(one for one in (widget.layout, getattr(widget, "style", None)) if one is not None)]


def _answer_at_once(widget: Any) -> None:
    """Let the front end choose the thread that answers a widget: JupyterLab has one of its own for that.

    From 7.4 on ipykernel answers in the thread that last spoke to the widget. That is the cell's, and it is busy:
    a button that stops a run would be heard when the run is over.
    """
    comm: Any = widget.comm
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, chosen: chosen
