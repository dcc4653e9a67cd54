"""``%evolve`` and ``%%evolve``."""

from __future__ import annotations

import threading
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import display, update_display

from .. import api, limits
from ..errors import UsageError
from .arguments import amount, count, cut_expression, expanded, parsed, seconds
from .panels import RunShown
from .report import reported
from .session import Session

if TYPE_CHECKING:
    from ..evolution import Run
    from ..values import Progress


_NOTHING = object()
TOKENS_MAX = 10**12
OF_SERVING = ("inputs", "function", "tests", "relation", "scenario", "reference", "allow", "to")
DEFECTS = "clock, first-call, ceiling, load, precision, data"
"""Those of ``evolution.plausible``, which no kernel loads as it starts."""


@magics_class
class EvolutionMagics(Magics):
    """Evolution."""

    def __init__(self, session: Session) -> None:
        super().__init__(session.shell)
        self.session = session

    @no_var_expand
    @magic_arguments("evolve")
    @argument("name", nargs="?", help="what to evolve: anything with a name that serves")
    @argument(
        "--program",
        nargs="+",
        metavar="PATH",
        help="in its place: a program's file, or its files, of which the first is run, or the folder of a task",
    )
    @argument(
        "--evaluator",
        metavar="PATH",
        help="the file of its evaluator, in OpenEvolve's form, whose scores are self-reported; default: evaluator.py "
        "beside the program",
    )
    @argument("--config", metavar="PATH", help="the config.yaml of such a task; default: the one beside the evaluator")
    @argument("--timeout", help="how long one call of such an evaluator may take, as 10s")
    @argument("--confirm", metavar="NAME", help="a function evaluate(program) of yours that judges the leader of those")
    @argument("--budget", help="how long, as 60s or 2m; the confirmation of the winner is in it")
    @argument("--trials", help="how many candidates")
    @argument(
        "--objective",
        nargs="+",
        default=["time"],
        metavar="METRIC",
        help="what is to become better, as NAME[:min|max][:20%%]: time, memory, size, accuracy, or what the evaluator "
        "returns; of several one has to, and none may become much worse",
    )
    @argument(
        "--guard",
        nargs="+",
        default=[],
        metavar="METRIC",
        help="what must not become worse by more than a share, as NAME[:min|max][:20%%|off]",
    )
    @argument("--allow", nargs="+", default=[], metavar="DEFECT", help="what is said and rejects nothing: " + DEFECTS)
    @argument(
        "--tests",
        metavar="NAME|cell",
        help="the candidates' tests, which take the program: a function, a list, a dict or a class of them; cell: the "
        "test blocks of the native cell itself",
    )
    @argument(
        "--relation",
        nargs="+",
        default=[],
        metavar="WORD",
        help="what must hold between answers: permutation:xs, scaling:x[:degree], idempotence[:x], or the name of a "
        "function relation(call, args) -> bool",
    )
    @argument(
        "--scenario",
        metavar="NAME|later",
        help="what a candidate goes through before it is accepted: a function of the program, or the notebook's own "
        "later cells",
    )
    @argument("--reference", metavar="NAME", help="a function that says what is right, in place of what serves now")
    @argument(
        "--to",
        metavar="LANGUAGE",
        help="translate a Python function to zig: a compiled module that answers as it does serves its name",
    )
    @argument(
        "--proposer",
        default="search",
        choices=("search", "repair", "llm", "auto", "templates"),
        help="who proposes; repair: what makes failing --tests pass; llm: a language model; auto: repair where tests "
        "fail, else search; templates: with --to, generic loops of the same types, unread",
    )
    @argument(
        "--model",
        action="append",
        metavar="NAME",
        help="a language model, as provider:name; default: the configured one. Said again: another one, in turn",
    )
    @argument("--weights", metavar="3,1", help="how often each model is asked; default: by what it brings for its cost")
    @argument("--tokens", help="how many tokens a language model may cost, in and out together")
    @argument("--price", nargs=2, metavar=("IN", "OUT"), help="what a million tokens cost, in and out")
    @argument("--money", help="the most that a language model may cost at that price")
    @argument("--replay", metavar="RUN", help="an earlier run: what it holds is neither measured nor asked again")
    @argument("--inputs", metavar="EXPR", help="an expression: the arguments to measure with, or a list of such tuples")
    @argument("--function", help="which function to measure, where the program has several")
    @argument(
        "--on", metavar="dask://HOST:PORT", help="make the trials on the workers of a Dask cluster of this machine"
    )
    @argument("--workers", help="candidates that are built and checked at the same time")
    @argument("--seed", help="the same seed proposes the same")
    @argument("--islands", metavar="N", help="how many populations that meet now and then; default: 1")
    @argument(
        "--grid",
        nargs="+",
        default=[],
        metavar="DESCRIPTOR",
        help="keep the best of each cell of a grid over length, a metric, or a parameter: NAME[:LOW:HIGH[:BINS]]",
    )
    @argument("--resume", action="store_true", help="go on from the trials of the same run that was cut off")
    @line_cell_magic
    @reported
    def evolve(self, line: str, cell: str | None = None) -> Run:
        """Search for a better version of NAME: build, check against what serves, measure in pairs, judge.

        With a cell, the cell defines the evaluator: ``def evaluate(program) -> dict``. With ``--program`` it is a
        task in OpenEvolve's form, or a Python file and the cell's evaluator.
        The run's value has ``.best``, ``.verdict``, ``.trials``, ``.lineage``, ``.diff()`` and ``.accept()``.
        """
        line, inputs = cut_expression(line, "--inputs")
        chosen = parsed(self.evolve, expanded(self.session.shell, line))
        evaluator = self._evaluator(cell) if cell is not None else None
        if chosen.name and chosen.program is None and self._is_path(chosen.name):
            chosen.name, chosen.program = None, [chosen.name]
        if (chosen.name is None) == (chosen.program is None):
            raise UsageError("name what to evolve, or give the file of a program: --program initial_program.py")
        stop = threading.Event()
        with (
            RunShown(self.session, stop.set) as panel,
            _Shown(panel) as shown,
            api.cluster(chosen.on) as executor,
        ):
            common = {**self._bounds(chosen), **self._proposing(chosen), "progress": shown, "stop": stop}
            if executor is not None:
                common["executor"] = executor
            if chosen.program:
                run = self._of_file(chosen, inputs, evaluator, common)
            else:
                run = self.session.flow.evolve(
                    self._target(chosen.name),
                    evaluator,
                    inputs=self._inputs(inputs),
                    function=chosen.function,
                    plot=api.plot,
                    **{**common, "seed": self.session.setting("seed") if common["seed"] is None else common["seed"]},
                    **self._wishes(chosen),
                )
            shown.finish(run)
        return run

    def _bounds(self, chosen: Namespace) -> dict[str, Any]:
        workers = chosen.workers
        return {
            "trials": count(chosen.trials, "--trials", limits.TRIALS_MAX) if chosen.trials else None,
            "budget": seconds(chosen.budget) if chosen.budget else None,
            "seed": None if chosen.seed is None else count(chosen.seed, "--seed", 2**31, least=0),
            "islands": count(chosen.islands, "--islands", limits.ISLANDS_MAX) if chosen.islands else 1,
            "grid": chosen.grid,
            "workers": count(workers, "--workers", limits.WORKERS_MAX) if workers else self.session.setting("workers"),
        }

    def _proposing(self, chosen: Namespace) -> dict[str, Any]:
        tokens, earlier = chosen.tokens, chosen.replay
        given = {
            "proposer": chosen.proposer,
            "model": chosen.model,
            "weights": [amount(item, "--weights") for item in chosen.weights.split(",")] if chosen.weights else None,
            "tokens": count(tokens, "--tokens", TOKENS_MAX) if tokens else None,
            "price": tuple(amount(item, "--price") for item in chosen.price) if chosen.price else None,
            "money": amount(chosen.money, "--money") if chosen.money else None,
            "replay": self.session.shell.user_ns.get(earlier, earlier) if earlier else None,
            "resume": chosen.resume or self.session.setting("resume"),
        }
        return api.with_model(given, self.session.setting)

    def _of_file(self, chosen: Namespace, inputs: str | None, evaluator: Any, common: dict[str, Any]) -> Run:
        """A run of a program in a file. Raises UsageError for what is said of programs that serve."""
        given = {**vars(chosen), "inputs": inputs}
        if meant := [name for name in OF_SERVING if given[name]]:
            raise UsageError(f"--{meant[0]} is for programs that serve a name, not for the file of one: leave it out")
        return api.evolve(
            [Path(path) for path in chosen.program],
            evaluator or chosen.evaluator,
            confirm=self._held(chosen.confirm, "--confirm") if chosen.confirm else None,
            config=chosen.config,
            timeout=seconds(chosen.timeout) if chosen.timeout else None,
            objective=chosen.objective,
            guards=chosen.guard,
            **common,
        )

    def _is_path(self, name: str) -> bool:
        from ..evolving.files import is_task

        return is_task(name) and name.split(".")[0] not in self.session.shell.user_ns

    def _target(self, name: str) -> Any:
        first, *rest = name.replace("-", "_").split(".")  # Lisp's my-agent is Python's my_agent
        value = self.session.shell.user_ns.get(first)
        for part in rest:
            value = getattr(value, part, None)
        if value is None and "agents" in vars(self.session):  # one of Python's, whose variable is called otherwise
            value = next((one for one in self.session.agents if one.name.replace("-", "_") == first), None)
        return name if value is None else value

    def _wishes(self, chosen: Namespace) -> dict[str, Any]:
        """What else is wanted, and what must hold: names of the notebook as what they mean there."""
        names = self.session.shell.user_ns
        tests, scenario, reference = chosen.tests, chosen.scenario, chosen.reference
        return {
            "objective": chosen.objective,
            "guards": chosen.guard,
            "allowed": chosen.allow,
            "tests": tests if tests in (None, "cell") else self._held(tests, "--tests"),
            "relations": [names[word] if callable(names.get(word)) else word for word in chosen.relation],
            "to": chosen.to or "",
            "scenario": scenario if scenario in (None, "later") else self._held(scenario, "--scenario"),
            "reference": self._held(reference, "--reference") if reference else None,
        }

    def _held(self, name: str, option: str) -> Any:
        """What a name of the notebook holds. Raises UsageError."""
        first, *rest = name.split(".")
        value = self.session.shell.user_ns.get(first, _NOTHING)
        for part in rest:
            value = getattr(value, part, _NOTHING)
        if value is _NOTHING:
            raise UsageError(f"{option} {name}: nothing here is called {name}: run the cell that defines it first")
        if value is None:
            raise UsageError(f"{option} {name}: {name} is None, which says nothing: leave {option} out")
        return value

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
        self._newest: Progress | None = None

    def __enter__(self) -> _Shown:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """A run that failed does not stand there as running for ever: the error is below what was shown of it."""
        if kind is not None and self._newest is not None:
            self._show(replace(self._newest, finished=True, stopped=True, note=f"ended by the {kind.__name__} below"))

    def __call__(self, progress: Progress) -> None:
        self._show(progress)
        self._panel(progress)

    def _show(self, progress: Progress) -> None:
        from .. import view

        self._newest = progress
        self._put(view.show_progress(progress).bundle())

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
