"""Where trials run. Candidates have processes of their own, so threads are enough to keep several at work."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

from .. import limits
from ..errors import EvolutionError


@contextmanager
def executing(executor: Executor | None, workers: int) -> Iterator[Executor]:
    """The given executor, which stays the caller's, or threads of our own, which end with the run.

    An executor must share this process's memory, as threads do: a trial asks the caller's sandbox and compiler.
    Raises EvolutionError for a number of workers that cannot be meant.
    """
    if not 1 <= workers <= limits.WORKERS_MAX:
        raise EvolutionError(f"workers must be from 1 to {limits.WORKERS_MAX}, not {workers}")
    if executor is not None:
        yield executor
        return
    threads = ThreadPoolExecutor(workers, thread_name_prefix="project-o-trial")
    try:
        yield threads
    finally:
        # Trials under way were told to stop and their processes are gone: whoever waits here would wait for a compiler.
        threads.shutdown(wait=False, cancel_futures=True)
