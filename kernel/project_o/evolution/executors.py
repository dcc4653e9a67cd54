"""Where trials run: threads of this process, or any ``concurrent.futures.Executor``.

Candidates have processes of their own, so threads are enough to keep several at work. An executor whose workers do not
share this process's memory (processes, a cluster) is sent a *parcel* once a worker, by its hash: all that a trial
needs. A worker that lacks it says so. A trial whose worker died is made by another one.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .. import limits
from ..errors import EvolutionError
from ..values import Proposal, Record

Known = Callable[[str], "int | None"]
Attempt = Callable[[str, Proposal, Known, "bytes | None"], "Record | None"]
"""(the parcel's hash, a proposal, which trial behaves so, the parcel or None) -> the record; None where the parcel is
not there yet."""


@dataclass(frozen=True)
class Parcel:
    """What another process needs to try candidates of a run, as bytes, and the function that tries one there."""

    body: bytes
    attempt: Attempt

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes."""
        return hashlib.sha256(self.body).hexdigest()


@contextmanager
def executing(
    executor: Executor | None, workers: int, parcel: Callable[[], Parcel] | None = None
) -> Iterator[Executor]:
    """The given executor, which stays the caller's, or threads of our own, which end with the run.

    ``parcel`` is asked for where the executor does not share this process's memory. Raises EvolutionError for a number
    of workers that cannot be meant, and for a run that cannot be sent.
    """
    if not 1 <= workers <= limits.WORKERS_MAX:
        raise EvolutionError(f"workers must be from 1 to {limits.WORKERS_MAX}, not {workers}")
    if executor is None:
        threads = ThreadPoolExecutor(workers, thread_name_prefix="project-o-trial")
        try:
            yield threads
        finally:
            # Trials under way were told to stop and their processes are gone: who waits here waits for a compiler.
            threads.shutdown(wait=False, cancel_futures=True)
        return
    if _shares_memory(executor):
        yield executor
        return
    if parcel is None:
        raise EvolutionError("this run cannot be sent to other processes: leave the executor out, or give it threads")
    elsewhere = Elsewhere(executor, parcel())
    try:
        yield elsewhere
    finally:
        elsewhere.shutdown(wait=False)


def _shares_memory(executor: Executor) -> bool:
    """Whether its workers are threads of this process."""
    if isinstance(executor, ThreadPoolExecutor):
        return True
    try:
        return bool(executor.submit(os.getpid).result(limits.EXECUTOR_FIRST_SECONDS) == os.getpid())
    except Exception as error:
        raise EvolutionError(
            f"the executor does not answer ({type(error).__name__}: {error}): is it running?"
        ) from error


@dataclass(frozen=True)
class _Trial:
    """One that is under way: ``future`` is what the loop waits for."""

    future: Future[Record]
    proposal: Proposal
    known: Known


class Elsewhere(Executor):
    """Trials by an executor whose workers are other processes. Safe to share between threads."""

    def __init__(self, inner: Executor, parcel: Parcel) -> None:
        self._inner, self._parcel = inner, parcel
        self._lock = threading.Lock()
        self._made: list[Executor] = []

    def submit(self, work: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        """The record of a proposal: ``args`` are those of ``Judge.attempt``, of which the first does not cross."""
        _, proposal, known = args
        future: Future[Record] = Future()
        self._send(_Trial(future, proposal, known), None, 0)
        return future

    def _send(self, trial: _Trial, body: bytes | None, died: int) -> None:
        if trial.future.cancelled():
            return
        inner = self._inner
        try:
            sent = inner.submit(self._parcel.attempt, self._parcel.digest, trial.proposal, trial.known, body)
        except Exception as error:  # noqa: BLE001 - whatever an executor raises, it is told with the trial
            self._again(trial, error, inner, died)
            return
        sent.add_done_callback(lambda done: self._came(trial, done, inner, died, sent=body is not None))

    def _came(self, trial: _Trial, done: Future[Any], inner: Executor, died: int, *, sent: bool) -> None:
        try:
            record = done.result()
        except BaseException as error:  # noqa: BLE001 - a lost worker, in the words of whichever executor it is
            self._again(trial, error, inner, died)
            return
        if record is None and not sent:
            self._send(trial, self._parcel.body, died)
        elif record is None:
            self._again(trial, EvolutionError("a worker lost what it was sent"), inner, died)
        elif not trial.future.cancelled():
            trial.future.set_result(record)

    def _again(self, trial: _Trial, error: BaseException, inner: Executor, died: int) -> None:
        """Another worker tries it, where this one was lost; else the run ends with the error."""
        lost = isinstance(error, (BrokenExecutor, CancelledError, OSError)) or type(error).__name__ in _LOST
        if not lost or died >= limits.EXECUTOR_DEATHS_MAX:
            if not trial.future.cancelled():
                why = f"{type(error).__name__}: {error}"
                trial.future.set_exception(EvolutionError(f"trial {trial.proposal.index} cannot be made there: {why}"))
            return
        if isinstance(error, BrokenExecutor):
            self._replace(inner)
        self._send(trial, None, died + 1)

    def _replace(self, broken: Executor) -> None:
        """A pool of processes ends as a whole with one of them: another one takes its place for this run."""
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        with self._lock:
            if self._inner is broken:
                workers = getattr(broken, "_max_workers", None) or 1
                made = ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn"))
                self._made.append(made)
                self._inner = made

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - Executor's
        """End what was made here; the given executor stays the caller's."""
        for made in self._made:
            made.shutdown(wait=wait, cancel_futures=True)


_LOST = ("KilledWorker", "CommClosedError", "FutureCancelledError", "TimeoutError")
"""The names of what Dask raises for a worker that is gone."""
