"""Pools and clusters that lose a worker while trials are under way: when a trial is asked for, not after some time."""

import contextlib
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import distributed

WAIT_SECONDS = 60


class LosingPool(ProcessPoolExecutor):
    """Processes of which one is killed with the ``at``-th thing asked of them, so that something is pending.

    A pool that breaks just when it is shut down may wait for ever, which is CPython's own: it breaks long before.
    """

    def __init__(self, workers, at):
        super().__init__(workers)
        self._left = at

    def submit(self, *work, **named):
        future = super().submit(*work, **named)
        self._left -= 1
        if self._left == 0:
            os.kill(next(iter(self._processes)), signal.SIGKILL)
        return future


@contextlib.contextmanager
def losing_cluster():
    """Two worker processes of Dask, as its address; one is killed as it works, and is replaced before this ends."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster.scheduler_address, set_as_default=False) as client,
    ):
        first = sorted(client.run(os.getpid).values())
        assert len(first) == 2
        assert os.getpid() not in first
        killed, over = threading.Event(), threading.Event()

        def kill():
            while not any(worker.processing for worker in list(cluster.scheduler.workers.values())):
                if over.wait(0.005):
                    return
            os.kill(first[0], signal.SIGKILL)
            killed.set()

        threading.Thread(target=kill, daemon=True).start()
        try:
            yield cluster.scheduler_address.replace("tcp://", "dask://")
        finally:
            over.set()
        assert killed.is_set()
        until = time.monotonic() + WAIT_SECONDS
        while first[0] in (left := _processes(client)) or len(left) < 2:
            assert time.monotonic() < until, "the worker that died was not replaced"
            time.sleep(0.3)


def _processes(client):
    """The workers' process ids; none while the connection to one has just been lost."""
    try:
        return sorted(client.run(os.getpid).values())
    except OSError:
        return []
