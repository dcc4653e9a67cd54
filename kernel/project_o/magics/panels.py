"""Where panels are shown, and by what facts: values of this kernel on one side, the panels of the view on the other.

``%config ProjectO.widgets`` says ``on``, ``off`` or ``auto``. ``auto`` means: ipywidgets is installed, and the cell
was sent by a notebook of JupyterLab or Notebook 7. Those say so in each request's metadata, by two fields that no
other front end sends; papermill, nbclient, ``jupyter execute``, nbconvert, consoles and terminals send none, and
there no widget is made at all.

Nor is one made for a notebook whose front end lacks our extension: what can draw a panel has opened a channel to this
kernel. It does so after the cell that loads us, and the next cells may have run by then: their panels wait for it.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from IPython.display import publish_display_data

from .. import limits
from ..errors import UsageError
from .session import Session

if TYPE_CHECKING:
    from ..evolution import Run
    from ..values import Progress, State, Turn
    from ..view.panels import Frame, RunPanel

LAB_FIELDS = frozenset({"cellId", "deletedCells", "recordTiming"})
"""What a notebook of JupyterLab or Notebook 7 sends with each cell. VS Code and consoles send at most the first."""
WAITING_IPYKERNEL = 7
"""From this version on a button is answered while a cell runs."""

_shown: deque[Frame] = deque()
_waiting: deque[Callable[[], None]] = deque(maxlen=limits.PANELS_OPEN_MAX)
"""What makes the panels that no page could draw yet, each in the context of its own cell."""
_lock = threading.RLock()


class _Panel(Protocol):
    frame: Frame


def wanted(session: Session) -> bool:
    """Whether panels are shown to who sent this cell.

    Raises UsageError where they are asked for by ``on`` and cannot be made.
    """
    setting = session.setting("widgets")
    if setting == "off":
        return False
    if setting == "on":
        _require("ipywidgets", "plotly")
        return True
    return not _missing("ipywidgets") and from_a_lab(session.shell)


def from_a_lab(shell: Any) -> bool:
    """Whether this cell was sent by a notebook of JupyterLab or Notebook 7."""
    ask = getattr(shell, "get_parent", None)
    parent = ask() if ask is not None else None
    metadata = parent.get("metadata") if isinstance(parent, Mapping) else None
    return isinstance(metadata, Mapping) and metadata.keys() >= LAB_FIELDS


def _missing(*modules: str) -> list[str]:
    from importlib.util import find_spec

    return [name for name in modules if find_spec(name) is None]


def _require(*modules: str) -> None:
    missing = _missing(*modules)
    if missing:
        raise UsageError(
            f"the option widgets is on, and {' and '.join(missing)} cannot be found: "
            "pip install 'project-o[widgets]', or %config ProjectO.widgets = 'auto'"
        )


def _drawn(session: Session) -> bool:
    """Whether a page that draws panels is open. Who asks for them in so many words is shown them everywhere."""
    return session.setting("widgets") == "on" or session.history.front_end is not None


def _when_drawn(session: Session, make: Callable[[], None]) -> None:
    """Make a panel now, or as soon as a page has opened that can draw it: below the same cell, which may be over."""
    context = contextvars.copy_context()
    session.flow.page_joined = _make_those_that_wait
    with _lock:
        if not _drawn(session):
            _waiting.append(lambda: context.run(make))
            return
    make()


def _make_those_that_wait() -> None:
    with _lock:
        made = list(_waiting)
        _waiting.clear()
    with contextlib.ExitStack() as stack:
        # One that cannot be made is told when the others are.
        for make in reversed(made):
            stack.callback(make)


def _display(session: Session, panel: _Panel) -> None:
    """Show a panel below what is there. The oldest ones are taken away: each costs the kernel and the page memory."""
    with _lock:
        while len(_shown) >= limits.PANELS_OPEN_MAX:
            _shown.popleft().close()
        _shown.append(panel.frame)
    publish_display_data(panel.frame.bundle(plain_widget=session.setting("widgets") == "on"))


def close_all() -> None:
    """Take every panel away."""
    with _lock:
        _waiting.clear()
        while _shown:
            _shown.popleft().close()


# --------------------------------------------------------------------------- a run


class RunShown:
    """The panel of one run: made at the first report, closed where the run fails. Nothing where none is wanted."""

    def __init__(self, session: Session, stop: Callable[[], None]) -> None:
        self._session = session
        self._stop = stop
        self._wanted = wanted(session)
        self._asked = False
        self._failed = False
        self._lock = threading.RLock()
        self._panel: RunPanel | None = None
        self._newest: Progress | None = None
        self._run: Run | None = None

    def __call__(self, progress: Progress) -> None:
        """Show how the run goes."""
        if not self._wanted:
            return
        with self._lock:
            self._newest = progress
            if self._panel is not None and not progress.finished:
                self._panel.update(progress)
            first, self._asked = not self._asked, True
        if first:
            _when_drawn(self._session, self._show)

    def _show(self) -> None:
        """Make the panel, with what is known by now."""
        with self._lock:
            if self._failed or self._newest is None:
                return
            self._panel = self._made(self._newest.name)
            self._panel.update(self._newest)
            if self._run is not None:
                self.finish(self._run)
        _display(self._session, self._panel)

    def _made(self, name: str) -> RunPanel:
        import ipykernel

        from ..view.panels import RunPanel

        return RunPanel(
            name,
            stop=self._stop,
            accept=self._accept,
            roll_back=lambda: _serving(self._session.flow.rollback(name)),
            waits=ipykernel.version_info[0] < WAITING_IPYKERNEL,
        )

    def finish(self, run: Run) -> None:
        """The run is over: its buttons are about its result now."""
        with self._lock:
            self._run = run
            if self._panel is not None:
                self._panel.finish(run.progress, run.verdict, run.best_index)

    def __enter__(self) -> RunShown:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Where the run failed there is nothing to press."""
        if kind is not None:
            with self._lock:
                self._failed = True
                if self._panel is not None:
                    self._panel.close()

    def _accept(self) -> Any:
        assert self._run is not None, "the button cannot be pressed before"
        return _serving(self._run.accept())


def _serving(deployment: Any) -> Any:
    from .. import view

    return view.show_deployment(deployment)


# --------------------------------------------------------------------------- the history, a turn


def show_history(session: Session, states: Sequence[State], restore: Callable[[str], Any]) -> None:
    """Show the states with their buttons below this cell's value. ``restore`` takes a commit id, as ``%o`` does it."""
    if not states or not wanted(session):
        return
    shell = session.shell

    def after(result: Any) -> None:
        shell.events.unregister("post_run_cell", after)
        # Only where the table is the cell's value: a loop over the history shows no panels.
        if result.result is states:
            _when_drawn(session, lambda: _show_history(session, states, restore))

    shell.events.register("post_run_cell", after)


def _show_history(session: Session, states: Sequence[State], restore: Callable[[str], Any]) -> None:
    from ..view.panels import HistoryPanel

    def verb(*words: str) -> Any:
        from ..operations import Context, run_verb

        return run_verb(Context(session.flow, session.chosen(), session.found_by), words)._repr_mimebundle_()

    panel = HistoryPanel(
        states,
        show=lambda state: verb("show", state),
        diff=lambda state: verb("diff", state),
        restore=lambda state: restore(state)._repr_mimebundle_(),
    )
    _display(session, panel)


def show_turn(session: Session, turn: Turn, on_feedback: Callable[[str, str], Any]) -> None:
    """Show an agent's turn, where panels are wanted.

    ``on_feedback`` takes ``"up"`` or ``"down"`` and the reason, which may be empty.
    """
    if wanted(session):
        _when_drawn(session, lambda: _show_turn(session, turn, on_feedback))


def _show_turn(session: Session, turn: Turn, on_feedback: Callable[[str, str], Any]) -> None:
    from ..view.panels import TurnPanel

    _display(session, TurnPanel(turn, on_feedback))
