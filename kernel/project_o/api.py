"""The public functions: the flow of this process joined with the views, for notebooks and plain scripts alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from .config import evolution_forbidden, seconds, setting, share
from .errors import EvolutionError, UsageError
from .flow import Flow

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .deploy import NativeModule
    from .deploy.modules import LoadedModule, Modules
    from .evolution import Run
    from .values import Language, Mode
    from .view import Display, Plot

_current: Flow | None = None
_module_folder: Callable[[], str] | None = None


def use(flow: Flow | None, module_folder: Callable[[], str] | None = None) -> None:
    """Make ``flow`` the one that ``zig``, ``rust`` and ``evolve`` of this process use; None: that of a plain script.

    ``module_folder`` says where this kernel's user keeps library modules, "" for nowhere.
    """
    global _current, _module_folder
    _current, _module_folder = flow, module_folder


def current() -> Flow:
    """The flow of this kernel where the extension is loaded, else that of a plain script, without a history."""
    return _current or _default()


@lru_cache(maxsize=1)
def _default() -> Flow:
    flow = Flow()
    flow.forbidden = evolution_forbidden
    flow.unsandboxed = lambda: bool(setting("serve_unsandboxed").value)
    flow.quick = lambda: bool(setting("quick").value)
    flow.guard_regression = lambda: share(setting("guard_regression").value)
    return flow


@lru_cache(maxsize=1)
def modules() -> Modules:
    """The library modules of this process."""
    from .deploy.modules import Modules

    def folders() -> list[Path]:
        named = _module_folder() if _module_folder else str(setting("modules").value)
        return [Path(named)] if named else []

    return Modules(folders)


def load(name: str, folder: str | Path | None = None, *, mode: Mode = "safe") -> LoadedModule:
    """Open a library module, native code in a folder with a ``module.json``; its functions are attributes.

    It is looked for in ``folder``, in the one that the option ``modules`` names, and among those that come with Project
    O; built once, and loaded once. ``zig/counter`` says which one where there is one in each language. Its state stays
    while ``%o reload`` swaps its build, and goes with ``%o unload``.

    Raises UsageError where there is no such module or its module.json cannot be meant, CompileError, ToolchainMissing.
    """
    return modules().load(name, folder, _known(mode))


def _known(mode: Mode) -> Mode:
    from .values import Mode as Modes

    if mode not in get_args(Modes):
        raise UsageError(f"there is no mode {mode!r}: there are {', '.join(get_args(Modes))}")
    return mode


def zig(
    source: str,
    name: str = "",
    *,
    mode: Mode = "safe",
    isolate: bool = False,
    timeout: float = 0.0,
    trial: bool = True,
    nogil: bool = False,
    tests: bool = False,
    links: Sequence[str] | str = (),
    **flags: Any,
) -> NativeModule:
    """Compile Zig source and return its functions as the attributes of a module, as ``%%zig`` does.

    ``timeout`` is the most seconds of a call, ``links`` are the system's libraries, as ``--link`` names them, ``tests``
    runs the tests of the source first. ``flags``: the magic's own words are understood as well (``no_trial``, ``test``,
    ``link``). Raises CompileError, ToolchainMissing, UsageError.
    """
    chosen: dict[str, Any] = {"mode": mode, "isolate": isolate, "timeout": timeout, "trial": trial, "nogil": nogil}
    return _compiled("zig", source, name, {**chosen, "tests": tests, "links": links}, flags)


def rust(
    source: str,
    name: str = "",
    *,
    mode: Mode = "safe",
    isolate: bool = False,
    timeout: float = 0.0,
    trial: bool = True,
    nogil: bool = False,
    tests: bool = False,
    links: Sequence[str] | str = (),
    crates: Sequence[str] | str = (),
    **flags: Any,
) -> NativeModule:
    """Compile Rust source and return its functions as the attributes of a module, as ``%%rust`` does.

    ``crates`` are lines such as ``rand = "0.9"``, as ``--dep`` takes them; everything else is as in ``zig``. Raises
    CompileError, ToolchainMissing where there is no ``rustc``, ToolchainError where a crate cannot be had, UsageError.
    """
    chosen: dict[str, Any] = {"mode": mode, "isolate": isolate, "timeout": timeout, "trial": trial, "nogil": nogil}
    return _compiled("rust", source, name, {**chosen, "tests": tests, "links": links, "crates": crates}, flags)


_OF_FLAGS = {"test": "tests", "link": "links", "dep": "crates"}
"""The words of the magics that are other ones here."""


def _compiled(
    language: Language, source: str, name: str, chosen: dict[str, Any], flags: Mapping[str, Any]
) -> NativeModule:
    for word, value in flags.items():
        if word == "no_trial":
            chosen["trial"] = not value
        elif (own := _OF_FLAGS.get(word)) in chosen:
            chosen[own] = value
        else:
            raise UsageError(f"{language} has no option {word}: there are {', '.join(chosen)}")
    if not isinstance(source, str):
        raise UsageError(f"{language} wants its source as a str, got {type(source).__name__}")
    _known(chosen["mode"])
    for many in ("links", "crates"):
        if isinstance(chosen.get(many), str):
            chosen[many] = (chosen[many],)
    return current().cell(source, language, name, **chosen)


class _Unsaid(int):
    """The seed where none was said: 0, or that of a task's own settings."""


def evolve(
    program: Any,
    evaluator: Callable[[Any], Mapping[str, float]] | str | Path | None = None,
    *,
    trials: int | None = None,
    budget: float | str | None = None,
    seed: int | None = _Unsaid(0),
    workers: int = 2,
    proposer: Any = "search",
    executor: Executor | None = None,
    **options: Any,
) -> Run:
    """Search for a better version of anything with a name, as ``%evolve`` does; see ``Flow.evolve`` for the options.

    ``budget`` is in seconds, or as ``"60s"``. A path means the program in that file, or the task in that folder, in
    OpenEvolve's form, several paths the files of one program; see ``evolving.files.evolve_files`` for its options, and
    the seed is that of the task where none is said. Raises EvolutionError where a run cannot start, UsageError for
    options that cannot be meant.
    """
    from .evolving.files import evolve_files, is_task

    _check_numbers(trials=trials, seed=seed, workers=workers, budget=budget)
    flow = current()
    options.setdefault("plot", plot)
    options.update(trials=trials, budget=seconds(budget) if isinstance(budget, str) else budget, workers=workers)
    options = with_model({**options, "proposer": proposer})
    with cluster(options.pop("on", None)) as found:
        options["executor"] = found or executor
        if not is_task(program):
            if isinstance(evaluator, (str, Path)):
                raise UsageError(f"there is no program {program}: an evaluator's file goes with the file of a program")
            return flow.evolve(program, evaluator, seed=seed or 0, **options)
        if why := flow.forbidden():
            raise EvolutionError(why)
        try:
            said = None if isinstance(seed, _Unsaid) else seed
            return evolve_files(program, evaluator, runs=flow.runs, seed=said, **options)
        except TypeError as error:
            if not str(error).startswith(("evolve_files()", "run_evolution()")):
                raise
            raise UsageError(f"a program in a file has no such option: {error}") from None


def _check_numbers(budget: object, workers: object, **whole: object) -> None:
    """Raise UsageError for what is no number, which each language says in words of its own."""
    for name, value in {**whole, "workers": workers}.items():
        if (value is not None or name == "workers") and (isinstance(value, bool) or not isinstance(value, Integral)):
            raise UsageError(f"{name} is {value!r}: it wants a whole number")
    if not isinstance(budget, (Real, str, type(None))) or isinstance(budget, bool):
        raise UsageError(f"budget is {budget!r}: it wants seconds, or a text as 60s")


OF_MODEL = ("model", "weights", "tokens", "price", "money")
"""The options of a run that are about its language models."""


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """The executor of ``dask://HOST:PORT`` while it is used; None without an address. Raises UsageError,
    EvolutionError where nobody answers."""
    if address is None:
        yield None
        return
    from .evolving.away import executor_of

    executor, close = executor_of(address)
    try:
        yield executor
    finally:
        close()


def with_model(options: dict[str, Any], settings: Callable[[str], Any] | None = None) -> dict[str, Any]:
    """The options of a run with those of a model, and of an earlier run, as the flow takes them.

    ``proposer="llm"`` goes with ``model`` (a name, or a model, or a list of them; else the configured one),
    ``weights`` (of several models; else what each brings for its cost decides), ``tokens``, ``price`` (of a million
    in, and out), ``money`` (the most that all may cost at it) and ``replay`` (an earlier run, its JSON, or a file of
    that: what it holds is neither asked nor measured again). ``settings`` gives the value of an option by its name.
    Raises ModelMissing, UsageError.
    """
    from .evolving.models import LLM, from_model, recorded

    known = settings or (lambda name: setting(name).value)
    options = dict(options)
    of_model = {name: options.pop(name) for name in OF_MODEL if name in options}
    options["resume"] = bool(options.pop("resume", known("resume")))
    records, replay = recorded(options.pop("replay", None))
    if records is not None:
        options["replay"] = records
    if options.get("proposer") == LLM:
        model = of_model.pop("model", None) or str(known("model"))
        if known("model_tape"):
            from .history.redact import Redactor
            from .models import open_configured

            several = model if isinstance(model, (list, tuple)) else [model]
            clean = Redactor().text
            model = [open_configured(item, known, clean) if isinstance(item, str) else item for item in several]
        options["proposer"] = from_model(model, str(known("model_url")), replay=replay, **of_model)
    elif meant := [name for name, value in of_model.items() if value is not None]:
        raise UsageError(f"{meant[0]} is for a language model: say proposer='llm' as well")
    return options


def page(run: Run) -> Display:
    """A finished run on one page."""
    from . import view

    return view.show_run(
        run.program.name,
        run.trials,
        run.verdict,
        best=run.best_index,
        seconds=run.seconds,
        seed=run.seed,
        digest=run.lineage.digest,
        state=run.state.id if run.state else "",
        notes=(*run.notes, run.seal) if run.seal else run.notes,
        population=run.population,
        operators=run.operators,
        diff=run.diff() if run.best != run.baseline else "",
    )


def plot(run: Run, what: str = "trials") -> Plot:
    """A picture of a run: its trials, its archive, its operators, or its lineage, which is static alone.

    Raises UsageError for another word.
    """
    from . import view

    name, best = run.program.name, run.best_index
    if what == "trials":
        static = view.show_metrics(run.trials, best=best, name=name)
        return view.plotted(static, lambda: view.metrics_figure(run.trials, best=best, name=name))
    if what == "archive":
        static = view.show_archive(run.population, best=best, name=name)
        if not run.population.axes:
            return view.Plot(static)
        return view.plotted(static, lambda: view.archive_figure(run.population, name=name))
    if what == "operators":
        static = view.show_operators(run.operators, name=name)
        return view.plotted(static, lambda: view.operators_figure(run.operators, name=name))
    if what == "lineage":
        return view.Plot(view.show_lineage(run.trials, best=best, name=name))
    raise UsageError(f"there is no picture of {what!r}: there are trials, archive, operators and lineage")
