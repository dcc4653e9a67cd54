"""What lies in files is evaluated by other processes as it is here, with all that the evaluator has beside it."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor

import distributed
import pytest

from project_o import evolve
from project_o.errors import EvolutionError

PROGRAM = """# EVOLVE-BLOCK-START
def level(step=3.0):
    return 2.0 * step + 1.0
# EVOLVE-BLOCK-END
"""
EVALUATOR = """
import importlib.util, json, pathlib, threading
from openevolve.evaluation_result import EvaluationResult

def evaluate(path):
    spec = importlib.util.spec_from_file_location("program", path)
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    aim = json.loads((pathlib.Path(__file__).parent / "aim.json").read_text())
    found = []
    thread = threading.Thread(target=lambda: found.append(program.level()))
    thread.start()
    thread.join()
    return EvaluationResult({"combined_score": -abs(found[0] - aim)}, {"level": str(found[0])})
"""
TRIALS = 10


@pytest.fixture
def task(tmp_path):
    (tmp_path / "initial_program.py").write_text(PROGRAM)
    (tmp_path / "evaluator.py").write_text(EVALUATOR)
    (tmp_path / "aim.json").write_text("60.0")
    return tmp_path


def digest(*what, **how):
    run = evolve(*what, trials=TRIALS, seed=2, workers=2, **how)
    assert len(run.trials) == TRIALS
    assert run.best_index
    return run.lineage.digest


def test_a_task_in_openevolves_form_on_a_pool_whose_process_is_killed(task):
    here = digest(task)
    with ProcessPoolExecutor(2) as processes:
        processes.submit(os.getpid).result()
        first = next(iter(processes._processes))
        thread = threading.Timer(1.0, os.kill, (first, signal.SIGKILL))
        thread.start()
        assert digest(task, executor=processes) == here
        thread.join()


def test_it_says_the_same_on_a_cluster_of_two_of_which_one_is_killed(task):
    here = digest(task)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster.scheduler_address, set_as_default=False) as client,
    ):
        first = sorted(client.run(os.getpid).values())
        thread = threading.Timer(1.5, os.kill, (first[0], signal.SIGKILL))
        thread.start()
        assert digest(task, on=cluster.scheduler_address.replace("tcp://", "dask://")) == here
        thread.join()
        until = time.monotonic() + 30
        while (left := sorted(client.run(os.getpid).values())) == first or len(left) < 2:
            assert time.monotonic() < until, "the worker that died was not replaced"
            time.sleep(0.3)


def test_an_evaluator_of_our_own_form_goes_with_a_file_too(task):
    def evaluate(program):
        return {"score": -abs(program.level() - 60.0)}

    here = digest(task / "initial_program.py", evaluate)
    with ProcessPoolExecutor(2) as processes:
        assert digest(task / "initial_program.py", evaluate, executor=processes) == here

        lock = threading.Lock()
        with pytest.raises(EvolutionError, match="have to be picklable"):
            evolve(task / "initial_program.py", lambda _: {"score": float(lock.locked())}, trials=3, executor=processes)
