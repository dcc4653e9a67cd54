"""Where panels are shown, and by what facts: values of this kernel on one side, the panels of the view on the other.

``%config ProjectO.widgets`` says ``on``, ``off`` or ``auto``. ``auto`` means: ipywidgets is installed, and the cell
was sent by a notebook of JupyterLab or Notebook 7. Those say so in each request's metadata, by two fields that no
other front end sends; papermill, nbclient, ``jupyter execute``, nbconvert, consoles and terminals send none, and
there no widget is made at all.
"""

from __future__ import annotations

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
    from ..view.panels import Frame, RunPanel, TurnPanel

LAB_FIELDS = frozenset({"cellId", "deletedCells", "recordTiming"})
"""What a notebook of JupyterLab or Notebook 7 sends with each cell. VS Code and consoles send at most the first."""
WAITING_IPYKERNEL = 7
"""From this version on a button is answered while a cell runs."""

_shown: deque[Frame] = deque()


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


def _display(session: Session, panel: _Panel) -> None:
    """Show a panel below what is there. The oldest ones are taken away: each costs the kernel and the page memory."""
    while len(_shown) >= limits.PANELS_OPEN_MAX:
        _shown.popleft().close()
    _shown.append(panel.frame)
    # Who asks for panels in so many words gets them also where our extension of the front end is missing.
    publish_display_data(panel.frame.bundle(plain_widget=session.setting("widgets") == "on"))


def close_all() -> None:
    """Take every panel away."""
    while _shown:
        _shown.popleft().close()


# --------------------------------------------------------------------------- a run


class RunShown:
    """The panel of one run: made at the first report, closed where the run fails. Nothing where none is wanted."""

    def __init__(self, session: Session, stop: Callable[[], None]) -> None:
        self._session = session
        self._stop = stop
        self._wanted = wanted(session)
        self._panel: RunPanel | None = None
        self._run: Run | None = None

    def __call__(self, progress: Progress) -> None:
        """Show how the run goes."""
        if not self._wanted:
            return
        if self._panel is None:
            self._panel = self._made(progress.name)
            self._panel.update(progress)
            _display(self._session, self._panel)
        elif not progress.finished:
            self._panel.update(progress)

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
        self._run = run
        if self._panel is not None:
            self._panel.finish(run.progress, run.verdict, run.best_index)

    def __enter__(self) -> RunShown:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Where the run failed there is nothing to press."""
        if kind is not None and self._panel is not None:
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
            _show_history(session, states, restore)

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


def show_turn(session: Session, turn: Turn, on_feedback: Callable[[str, str], Any]) -> TurnPanel | None:
    """Show an agent's turn; ``update`` of what is returned shows it as it goes on. None where no panel is wanted.

    ``on_feedback`` takes ``"up"`` or ``"down"`` and the reason, which may be empty.
    """
    if not wanted(session):
        return None
    from ..view.panels import TurnPanel

    panel = TurnPanel(turn, on_feedback)
    _display(session, panel)
    return panel
