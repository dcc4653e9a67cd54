"""What lies in files is evaluated by other processes as it is here, with all that the evaluator has beside it."""

from __future__ import annotations

import os
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from project_o import evolve
from project_o.errors import EvolutionError

sys.path.insert(0, str(Path(__file__).parent.parent))
from losing import LosingPool, losing_cluster

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


@pytest.mark.alone  # a copy of a process with many threads may wait for what one of them held
def test_a_task_in_openevolves_form_on_a_pool_whose_process_is_killed(task):
    here = digest(task)
    with LosingPool(2, TRIALS // 2) as processes:
        assert digest(task, executor=processes) == here
        with pytest.raises(BrokenProcessPool):
            processes.submit(os.getpid)


def test_it_says_the_same_on_a_cluster_of_two_of_which_one_is_killed(task):
    here = digest(task)
    with losing_cluster() as address:
        assert digest(task, on=address) == here


@pytest.mark.alone  # a copy of a process with many threads may wait for what one of them held
def test_an_evaluator_of_our_own_form_goes_with_a_file_too(task):
    def evaluate(program):
        return {"score": -abs(program.level() - 60.0)}

    here = digest(task / "initial_program.py", evaluate)
    with ProcessPoolExecutor(2) as processes:
        assert digest(task / "initial_program.py", evaluate, executor=processes) == here

        lock = threading.Lock()
        with pytest.raises(EvolutionError, match="have to be picklable"):
            evolve(task / "initial_program.py", lambda _: {"score": float(lock.locked())}, trials=3, executor=processes)
