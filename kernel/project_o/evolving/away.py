"""Trials in other processes: what is sent of a run, and what a worker makes of it.

A worker keeps the last few parcels by their hash, each with the baseline already measured, so that every later trial
of that run costs the trial alone. It trusts who sends: a parcel is unpickled. Candidates stay in its own sandbox.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import EvolutionError, UsageError
from ..evolution import Task
from ..evolution.checks import cascade_of
from ..evolution.executors import Known, Parcel
from ..evolution.start import bench_of
from ..evolution.task import Jobs
from ..evolution.trial import Judge
from ..values import Artifact, Program, Proposal, Record

RUNS_KEPT = 3
SENT = (
    "program", "evaluator", "objective", "function", "inputs", "reference", "observed", "tests", "relations", "also",
    "guards", "guard_regression", "allowed", "lessons", "repairing",
)  # fmt: skip
"""The fields of a task that cross as they are."""
SENT_OF_FILES = ("objective", "also", "guards", "guard_regression")
"""Those of a task whose program and evaluator lie in files, which the worker makes of their texts."""


def parcel_of(task: Task, runtime: Any, cell: Program | None, seed: int, budget: float | None, repair: Any) -> Parcel:
    """All that a worker needs of a run. Raises EvolutionError naming what cannot be sent."""
    from ..runtimes import PythonRuntime

    buffers = runtime.data_of(task.program) if isinstance(runtime, PythonRuntime) else []
    fields = {name: getattr(task, name) for name in SENT}
    body = {
        "fields": fields, "cell": cell, "buffers": buffers, "seed": seed, "budget": budget, "repair": repair,
        "kept": task.kept.to_json(),
    }  # fmt: skip
    return _parcel(task, body)


def parcel_of_files(task: Task, path: Path, seed: int, budget: float | None, repair: Any) -> Parcel:
    """The same for a program in a file, with the texts of its evaluator and of what lies beside that.

    An evaluator of our own form that judges the leader by the file's word stays here: the verdict is made here.
    """
    body = {
        "files": (task.program, path, task.foreign, task.evaluator if task.foreign is None else None),
        "fields": {name: getattr(task, name) for name in SENT_OF_FILES},
        "seed": seed, "budget": budget, "repair": repair, "kept": task.kept.to_json(),
    }  # fmt: skip
    return _parcel(task, body)


def _parcel(task: Task, body: dict[str, Any]) -> Parcel:
    try:
        return Parcel(_dumps(body), attempt)
    except Exception as error:
        raise EvolutionError(
            f"the run of {task.program.name} cannot be sent to another process ({type(error).__name__}: {error}): its "
            "evaluator, tests and inputs have to be picklable"
        ) from error


def _dumps(body: Any) -> bytes:
    try:
        import cloudpickle
    except ImportError:  # functions of a notebook need it: it comes with project-o[dask]
        return pickle.dumps(body)
    found: bytes = cloudpickle.dumps(body)
    return found


class _Away:
    """One run in a worker: its judge, with the baseline measured."""

    def __init__(self, body: bytes) -> None:
        given = pickle.loads(body)
        task = _of_files(given) if "files" in given else _of_serving(given)
        self.jobs = Jobs(task)
        bench = bench_of(task, given["seed"], given["budget"], given["repair"])
        self.judge = Judge(task, bench, cascade_of(task), given["seed"])
        bench.prepare(self.jobs, task.build(task.program))
        task.seal.settle()
        if not task.repairing:
            self.judge.incumbent_must_pass(self.jobs)


def _of_serving(given: dict[str, Any]) -> Task:
    """The task of a program that serves a name where the run was started."""
    from ..deploy import PythonFunction
    from ..evolution.kept import Counterexamples
    from ..runtimes import LispRuntime, NativeRuntime, PythonRuntime
    from ..runtimes.trust import is_own
    from ..sandbox import shared

    cell: Program | None = given["cell"]
    python = PythonRuntime(PythonFunction)
    runtimes: tuple[Any, ...] = (NativeRuntime(lambda: False), LispRuntime(), python)
    program: Program = given["fields"]["program"]
    runtime = next(one for one in runtimes if program.language in one.languages)
    if given["buffers"]:
        python.take_data(given["buffers"])
    box = shared()

    def own(candidate: Program) -> bool:
        return is_own(candidate, lambda name: cell if cell is not None and cell.name == name else None)

    def build(candidate: Program) -> Artifact:
        made: Artifact = runtime.build(candidate, proposed=not own(candidate))
        return made

    return Task(
        **given["fields"], build=build, build_own=runtime.build, own=own, box=box, open_job=runtime.opener(box),
        typed=runtime.typed(box), kept=Counterexamples(given["kept"]),
    )  # fmt: skip


def _of_files(given: dict[str, Any]) -> Task:
    """The task of a program in a file; its evaluator is asked in the sandbox of this machine."""
    from ..evolution.kept import Counterexamples
    from .files import foreign_task, own_task

    program, path, foreign, evaluator = given["files"]
    task = foreign_task(foreign, None) if foreign is not None else own_task(program, path, evaluator)[0]
    return replace(task, **given["fields"], kept=Counterexamples(given["kept"]))


_known: OrderedDict[str, _Away] = OrderedDict()
_lock = threading.Lock()


def attempt(digest: str, proposal: Proposal, known: Known, body: bytes | None) -> Record | None:
    """In a worker: the record of one proposal, or None where the parcel of this hash is not here."""
    with _lock:  # the first trial prepares, and the others of this process wait for it
        run = _known.pop(digest, None)
        if run is None:
            if body is None:
                return None
            if hashlib.sha256(body).hexdigest() != digest:
                raise EvolutionError("what came is not what was announced: its hash is another one")
            run = _Away(body)
        _known[digest] = run
        while len(_known) > RUNS_KEPT:
            _known.popitem(last=False)[1].jobs.stop()
    return run.judge.attempt(run.jobs, proposal, known)


def with_away(task: Task, runtime: Any, cell: Program | None) -> Task:
    """The task, with what makes a parcel of it."""
    return replace(task, parcel=partial(parcel_of, runtime=runtime, cell=cell))


# ------------------------------------------------------------------ a cluster by its address


def executor_of(address: str) -> tuple[Any, Callable[[], None]]:
    """The executor of ``dask://HOST:PORT``, and what closes the connection. Only a scheduler on this machine is used.

    Raises UsageError for another address, and where Dask is not installed; EvolutionError where nobody answers.
    """
    scheme, _, place = address.partition("://")
    host, _, port = place.rpartition(":")
    if scheme != "dask" or not host or not port.isdigit():
        raise UsageError(f"--on {address}: write dask://HOST:PORT, as in dask://127.0.0.1:8786")
    if host.strip("[]") not in ("127.0.0.1", "localhost", "::1"):
        raise UsageError(
            f"--on {address}: whoever reaches a Dask scheduler can run code on it, and nothing there is encrypted: "
            f"forward its port to this machine (ssh -L {port}:localhost:{port} {host}) and name 127.0.0.1"
        )
    try:
        import distributed
    except ImportError:
        raise UsageError("--on dask://... needs Dask: pip install 'project-o[dask]'") from None
    try:
        client: Any = distributed.Client(f"tcp://{place}", timeout=10, set_as_default=False)
    except OSError as error:
        raise EvolutionError(f"no Dask scheduler answers at {place} ({error}): start one, dask scheduler") from error
    return client.get_executor(pure=False), client.close
