"""Runs of what lies in files: a program, and an evaluator in OpenEvolve's form, unchanged, or in our own.

Such a program serves nothing: what is accepted is written into its file, and the history keeps both texts.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DeployError, UsageError
from ..evolution.foreign import ForeignTask, Settings, is_task, paths_of, read_program, read_task
from ..evolution.goals import parsed_guards
from ..languages import FILES
from ..languages.several import parts_of
from . import Runs, Wishes, texts_of

if TYPE_CHECKING:
    from ..evolution import Proposer, Run, Task
    from ..evolution.start import MakeProposer
    from ..sandbox import Sandbox
    from ..values import Artifact, Program

Paths = str | Path | Sequence[str | Path]
OwnEvaluator = Callable[[Any], Mapping[str, float]]
__all__ = ["evolve_files", "is_task"]


def evolve_files(
    program: Paths,
    evaluator: str | Path | OwnEvaluator | None = None,
    *,
    runs: Runs,
    confirm: OwnEvaluator | None = None,
    config: str | Path | None = None,
    timeout: float | None = None,
    trials: int | None = None,
    budget: float | None = None,
    seed: int | None = None,
    workers: int = 2,
    proposer: str | Proposer | MakeProposer = "search",
    stop: threading.Event | None = None,
    resume: bool = False,
    replay: dict[str, Any] | None = None,
    objective: str | tuple[str, ...] | list[str] = "time",
    guards: Any = (),
    islands: int = 1,
    grid: str | Sequence[str] = (),
    **more: Any,
) -> Run:
    """Search for a better version of the program in a file, or of the task in a folder.

    Several paths are the files of one program, the first of them the one that is run; so are those in a folder
    ``initial_program`` of a task, or in a folder that has no evaluator in it where one is named.
    ``evaluator`` is a file in OpenEvolve's form (by default ``evaluator.py`` beside the program), whose scores are
    self-reported, or a function of our own form, ``def evaluate(program) -> dict``, for a program in Python. With
    ``confirm``, a function of that form, the leader by the file's word is judged by it, and may then be accepted.
    ``config`` is a config.yaml (by default the one beside the evaluator), which what is said here overrides;
    ``timeout`` bounds one call of the evaluator, in seconds. ``resume`` goes on from the trials of a run that was cut
    off, ``replay`` has those of an earlier one. ``islands``, ``grid``: see ``evolution.islands``; ``more``: its start.

    Raises UsageError for files that cannot be meant, EvolutionError where a run cannot start.
    """
    from ..evolution import run_evolution
    from .away import parcel_of_files

    foreign = None if callable(evaluator) else _read(program, evaluator, config, timeout)
    made, path = _made(program, evaluator if foreign is None else confirm, foreign)
    settings = foreign.settings if foreign is not None else Settings()
    trials = settings.trials if trials is None and budget is None else trials
    seed = (settings.seed or 0) if seed is None else seed
    own = evaluator if callable(evaluator) else confirm
    wanted = Wishes.of(own, {"objective": objective, "guards": guards, "islands": islands, "grid": grid})
    made = replace(_aimed(made, wanted), kept=runs.kept_of(made.program.name))
    made = replace(made, parcel=partial(parcel_of_files, path=path))
    stop = stop or threading.Event()
    beside = (foreign.evaluator if foreign is not None else "", settings)
    kept = runs.journal(made, wanted, seed, proposer, resume=resume, beside=beside)
    with runs.under_way(path, stop), kept as journal:
        run = run_evolution(
            made, trials=trials, budget_seconds=budget, seed=seed, workers=workers, proposer=proposer, stop=stop,
            accept=partial(_write, runs, path), resume=replay, journal=journal,
            patience=(settings.patience, settings.patience_gain) if settings.patience else None, **more,
        )  # fmt: skip
    return run.with_state(runs.commit(run))


# ------------------------------------------------------------------ tasks


def _made(program: Paths, own: Any, foreign: ForeignTask | None) -> tuple[Task, Path]:
    if foreign is None:
        return own_task(*read_program(_target(program)), own)
    return foreign_task(foreign, own), foreign.path


def _aimed(made: Task, wanted: Wishes) -> Task:
    """The task with what is to become better, what must not become worse, and how the archive is kept."""
    first, *rest = [wanted.objective] if isinstance(wanted.objective, str) else wanted.objective
    words = [wanted.guards] if isinstance(wanted.guards, str) else wanted.guards
    guarded = words if isinstance(words, Mapping) else parsed_guards(words)
    return replace(made, objective=first, also=tuple(rest), guards=guarded, islands=wanted.islands, grid=wanted.axes)


def _read(
    program: Paths, evaluator: str | Path | None, config: str | Path | None, timeout: float | None
) -> ForeignTask:
    found = read_task(_target(program), Path(evaluator) if evaluator else None, Path(config) if config else None)
    return found if timeout is None else replace(found, settings=replace(found.settings, seconds=timeout))


def _target(program: Paths) -> Path | tuple[Path, ...]:
    if isinstance(program, (str, Path)):
        return Path(program)
    first, *others = map(Path, program)
    return (first, *others) if others else first


def foreign_task(foreign: ForeignTask, confirm: OwnEvaluator | None) -> Task:
    """A program's text before an evaluator in OpenEvolve's form, each time in a process of its own."""
    from ..evolution import Task
    from ..evolution.foreign.job import build, opener
    from ..sandbox import Sandbox

    settings = foreign.settings
    box = Sandbox(
        profile="evaluator",
        wall_seconds=settings.seconds,
        cpu_seconds=max(1.0, settings.seconds * (os.cpu_count() or 1)),
        memory_bytes=settings.memory_bytes,
    )
    own = None
    if confirm is not None:
        judge = confirm
        own = lambda: own_task(foreign.program, foreign.path, judge)[0]  # noqa: E731 - made when a leader is there
    return Task(
        program=foreign.program,
        build=build,
        box=box,
        open_job=opener(box, foreign),
        foreign=foreign,
        numbers=True,
        evaluator=confirm,
        own_task=own,
    )


def own_task(program: Program, path: Path, evaluator: OwnEvaluator) -> tuple[Task, Path]:
    """A Python file whose functions the evaluator calls: here, while they run in the sandbox; others it may import."""
    from ..evolution import Task
    from ..sandbox import Sandbox

    if other := next((part.name for part in parts_of(program) if part.language != "python"), ""):
        raise UsageError(
            f"{other} is no Python: an evaluator of our own form calls a program's functions, which only those in "
            "Python have here; give the file of an evaluator instead"
        )
    box = Sandbox()
    opened: Callable[[Artifact], Any] = lambda artifact: _opened(box, artifact.program)  # noqa: E731
    return Task(
        program=program, build=_with_functions, box=box, open_job=opened, evaluator=evaluator, numbers=True
    ), path


def _opened(box: Sandbox, program: Program) -> Any:
    """A process in which the first file has run; the others it may import."""
    (_, text), *others = program.files
    return box.python(text, dict(others), finite=False)


def _with_functions(program: Program) -> Artifact:
    from ..evolution.foreign.job import build
    from ..languages import tools_for
    from ..values import Interface, NativeFunction, NativeType

    anything = NativeType("any")
    found = tools_for(program.language).signatures(program.source)
    functions = tuple(
        NativeFunction(name, tuple((part, anything) for part in item.parameters), anything, item.doc, item.line)
        for name, item in found.items()
    )
    return replace(build(program), interface=Interface(functions))


# ------------------------------------------------------------------ acceptance


def _write(runs: Runs, path: Path, run: Run) -> Path | tuple[Path, ...]:
    """The winner's text into the program's file; of several, into those that differ. Raises DeployError."""
    if run.best == run.baseline or not (run.verdict.accepted or run.verdict.self_reported):
        raise DeployError(f"{run.program.name} was not improved ({run.verdict.reasons[-1]}): run longer")
    places, old, new = paths_of(run.program, path), dict(run.baseline.files), dict(run.best.files)
    try:
        for name, place in places.items():
            if place.is_symlink() and len(places) > 1:
                raise DeployError(f"{place} has become a link since the run began: put the file itself there")
            if place.read_bytes().decode("utf-8") != old[name]:
                mine = "run.best.source there" if len(places) == 1 else "what run.diff() shows into the files"
                raise DeployError(f"{place} has changed since the run began: put {mine} yourself, or run again")
        written = {places[name]: text for name, text in new.items() if text != old[name]}
        _replace(written)
    except (OSError, UnicodeDecodeError) as error:
        raise DeployError(f"{path} cannot be written: {error}") from None
    if runs.history is not None and runs.history.enabled:
        by = "a person" if run.verdict.self_reported else "the verdict"
        told = ", ".join(place.name for place in written)
        files = texts_of(run.best, f"programs/{run.program.name}")
        runs.history.note("promote", run.program.name, f"accepted by {by}: {told}", run.facts(), files)
    return tuple(written) if run.program.language == FILES else path


def _replace(texts: Mapping[Path, str]) -> None:
    """The whole texts or nothing: a file that is half written, or one of two, is nobody's program.

    All are written beside their places first; where one cannot take its place, those before it get their texts back.
    A process that is killed between two of them leaves some new and some old, each of them whole.
    """
    staged: list[tuple[Path, Path, bytes]] = []
    done: list[tuple[Path, bytes]] = []
    try:
        for path, text in texts.items():
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            staged.append((path, Path(name), path.read_bytes()))
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8", "surrogatepass"))
            Path(name).chmod(path.stat().st_mode)
        for path, temporary, before in staged:
            temporary.replace(path)
            done.append((path, before))
    except OSError:
        for path, before in done:
            path.write_bytes(before)
        raise
    finally:
        for _, temporary, _ in staged:
            temporary.unlink(missing_ok=True)
