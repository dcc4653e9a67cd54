"""``%evolve`` and ``%%evolve``."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display, update_display

from .. import api, limits
from ..errors import UsageError
from .arguments import count, cut_expression, parsed, seconds
from .panels import RunShown
from .report import reported
from .session import Session

if TYPE_CHECKING:
    from ..evolution import Run
    from ..values import Progress


@magics_class
class EvolutionMagics(Magics):
    """Evolution."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.shell)
        self.session = session

    @magic_arguments("evolve")
    @argument("name", help="what to evolve: anything with a name that serves")
    @argument("--budget", help="how long, as 60s or 2m; the confirmation of the winner is in it")
    @argument("--trials", help="how many candidates")
    @argument("--objective", default="time", help="time, or the name of a metric that the evaluator returns")
    @argument("--proposer", default="search", choices=("search",), help="who proposes")
    @argument("--inputs", metavar="EXPR", help="an expression: the arguments to measure with, or a list of such tuples")
    @argument("--function", help="which function to measure, where the program has several")
    @argument("--workers", help="candidates that are built and checked at the same time")
    @argument("--seed", help="the same seed proposes the same")
    @line_cell_magic
    @reported
    def evolve(self, line: str, cell: str | None = None) -> Run:
        """Search for a better version of NAME: build, check against what serves, measure in pairs, judge.

        With a cell, the cell defines the evaluator: ``def evaluate(program) -> dict``.
        The run's value has ``.best``, ``.verdict``, ``.trials``, ``.lineage``, ``.diff()`` and ``.accept()``.
        """
        line, inputs = cut_expression(line, "--inputs")
        chosen = parsed(self.evolve, line)
        evaluator = self._evaluator(cell) if cell is not None else None
        stop = threading.Event()
        with RunShown(self.session, stop.set) as panel:
            shown = _Shown(panel)
            run = self.session.flow.evolve(
                self._target(chosen.name),
                evaluator,
                trials=count(chosen.trials, "--trials", limits.TRIALS_MAX) if chosen.trials else None,
                budget=seconds(chosen.budget) if chosen.budget else None,
                seed=count(chosen.seed, "--seed", 2**31, least=0)
                if chosen.seed is not None
                else self.session.setting("seed"),
                workers=count(chosen.workers, "--workers", limits.WORKERS_MAX)
                if chosen.workers
                else self.session.setting("workers"),
                proposer=chosen.proposer,
                objective=chosen.objective,
                inputs=self._inputs(inputs),
                function=chosen.function,
                progress=shown,
                stop=stop,
                plot=api.plot,
            )
            shown.finish(run)
        return run

    def _target(self, name: str) -> Any:
        value = self.session.shell.user_ns.get(name.replace("-", "_"))  # Lisp's my-agent is Python's my_agent
        return name if value is None else value

    def _inputs(self, expression: str | None) -> Any:
        if expression is None:
            return None
        try:
            return eval(expression, self.session.shell.user_ns)
        except Exception as error:
            raise UsageError(f"--inputs {expression}: {type(error).__name__}: {error}") from error

    def _evaluator(self, cell: str) -> Any:
        shell = self.session.shell
        code = shell.compile(shell.transform_cell(cell), shell.compile.cache(cell, shell.execution_count), "exec")
        shell.user_ns.pop("evaluate", None)
        exec(code, shell.user_ns)
        evaluate = shell.user_ns.get("evaluate")
        if not callable(evaluate):
            raise UsageError("a %%evolve cell defines the evaluator: def evaluate(program): return {'score': ...}")
        return evaluate


class _Shown:
    """One output of a run, updated in place from whichever thread reports, static at the end; and its panel."""

    def __init__(self, panel: RunShown) -> None:
        self._panel = panel
        self._lock = threading.Lock()
        self._handle: str | None = None

    def __call__(self, progress: Progress) -> None:
        from .. import view

        self._put(view.show_progress(progress).bundle())
        self._panel(progress)

    def finish(self, run: Run) -> None:
        """The last update: nothing of it depends on a live kernel."""
        self(run.progress)
        self._panel.finish(run)

    def _put(self, bundle: dict[str, str]) -> None:
        with self._lock:
            if self._handle is None:
                self._handle = display(bundle, raw=True, display_id=True).display_id
            else:
                update_display(bundle, raw=True, display_id=self._handle)
