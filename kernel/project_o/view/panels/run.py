"""A run's panel: how far it is, the best so far, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...errors import UsageError
from ...values import Progress, Record, Verdict
from .. import numbers
from ..figure import figure_bundle, metrics_figure
from ..metrics import best_so_far, show_metrics
from ..parts import note, title
from ..progress import fraction, seconds_left, settings_text, steps_text
from ..source import show_diff
from ..text import counted
from .frame import Action, Frame, Shown


class RunPanel:
    """Beside a run's durable output: the same numbers in two lines, and buttons.

    ``stop``, ``accept`` and ``roll_back`` do what their buttons say; what the last two return is shown.
    ``waits`` says that this kernel answers buttons only between cells.
    """

    def __init__(
        self,
        name: str,
        *,
        stop: Callable[[], None],
        accept: Callable[[], Shown],
        roll_back: Callable[[], Shown],
        waits: bool = False,
    ) -> None:
        import ipywidgets as widgets

        self.name = name
        self._stop = stop
        self._accept, self._roll_back = accept, roll_back
        self._found = ""
        self._waits = waits
        self._progress: Progress | None = None
        self._best: int | None = None
        self._bar = widgets.FloatProgress(
            min=0.0, max=1.0, description="", layout=widgets.Layout(width="280px", height="18px")
        )
        self.frame = Frame(
            (
                Action("Stop", "end the run now and keep what was found", self._stopped, "stop"),
                Action("Accept", "serve the winner under this name", self._accepted, "check"),
                Action("Roll back", f"serve what served {name} before", self._rolled_back, "undo"),
                Action("Diff", "the change from the baseline to the best; again to close", self._diff, keeps=True),
                Action("Metrics", "every trial in a figure to zoom into; again to close", self._metrics, keeps=True),
            ),
            self._bar,
        )
        self.frame.allow("Accept", False, "there is no verdict yet")

    def update(self, progress: Progress) -> None:
        """The run goes on."""
        self._progress = progress
        self._bar.value = fraction(progress)
        left = seconds_left(progress)
        detail = f"about {numbers.seconds(float(round(left)))} left" if left is not None else progress.note
        best = f"best so far {numbers.ratio(progress.best_ratio)}" if progress.best_ratio > 1 else "nothing better yet"
        if progress.best_ratio > 1 and progress.best_settings:
            best += f" with {settings_text(progress.best_settings)}"
        wait = "; this kernel answers buttons after the cell: interrupt it to stop" if self._waits else ""
        done = f"{counted(progress.done, 'trial')}, {round(fraction(progress) * 100)} %, {detail}"
        self.frame.head(title(self.name, "running", "accent", done), note(f"{best}{wait}"))

    def finish(self, progress: Progress, verdict: Verdict, best: int | None) -> None:
        """The run is over: the verdict decides whether it can be accepted. ``best`` is the winner's trial index."""
        self._progress, self._best = progress, best
        self._bar.layout.display = "none"
        word = "stopped" if progress.stopped else "finished"
        found = verdict.confirmation or (verdict.measurements[-1] if verdict.measurements else None)
        if verdict.accepted and found is not None:
            told = f"{numbers.ratio(found.ratio)} the baseline in {found.metric}, at least {numbers.ratio(found.low)}"
            self._found = told
            self.frame.head(title(self.name, word, "good", f"{told}: Accept makes it serve"))
        else:
            self.frame.head(title(self.name, word, "accent", verdict.reasons[-1]))
        self.frame.allow("Stop", False, "the run is over")
        why = "serve the winner under this name" if verdict.accepted else f"not accepted: {verdict.reasons[-1]}"
        self.frame.allow("Accept", verdict.accepted, why)
        self.frame.allow("Diff", self._leader() is not None, "the change from the baseline to the best")
        measured = any(one.ratio is not None for one in self._records())
        self.frame.allow("Metrics", measured, "every trial in a figure to zoom into")
        if progress.stopped:
            self.frame.say("stopped: what was found is kept")

    def _accepted(self) -> Shown:
        shown = self._accept()
        self.frame.head(title(self.name, "serves the winner", "good", self._found))
        self.frame.allow("Accept", False, "the winner serves; Roll back takes it back")
        return shown

    def _rolled_back(self) -> Shown:
        shown = self._roll_back()
        if self._found:
            self.frame.head(title(self.name, "rolled back", "accent", f"{self._found}: Accept makes it serve"))
            self.frame.allow("Accept", True, "serve the winner under this name")
        return shown

    def close(self) -> None:
        """Take the panel away."""
        self.frame.close()

    def _records(self) -> Sequence[Record]:
        return self._progress.records if self._progress is not None else ()

    def _stopped(self) -> Shown:
        self._stop()
        self.frame.allow("Stop", False, "the run is being stopped")
        return "stopping: what was found is kept"

    def _diff(self) -> Shown:
        records = self._records()
        leader = self._leader()
        if leader is None:
            raise UsageError("nothing better than the baseline was found so far: there is no difference to show")
        index = leader.proposal.index
        name = f"trial {index}" if self._best is not None else f"trial {index}, leading so far"
        return show_diff(
            records[0].proposal.program.source,
            leader.proposal.program.source,
            before_name="baseline",
            after_name=name,
        )

    def _leader(self) -> Record | None:
        records = self._records()
        if self._best is not None:
            return next((one for one in records if one.proposal.index == self._best and self._best > 0), None)
        ahead = [one for one in records if one.ratio is not None and one.ratio > 1 and one.status != "duplicate"]
        return max(ahead, key=lambda one: one.ratio or 0.0, default=None)

    def _metrics(self) -> Shown:
        records = self._records()
        if not any(one.ratio is not None for one in records):
            raise UsageError("nothing was measured so far: there is nothing to draw")
        try:
            figure: Any = metrics_figure(records, best=self._best, name=self.name)
        except UsageError:
            # Without plotly the static picture says the same.
            return show_metrics(records, best=self._best, name=self.name)
        return figure_bundle(figure, steps_text(best_so_far(records)))
