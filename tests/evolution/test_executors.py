"""Trials on any executor: the same run as here, whatever becomes of a worker."""

from __future__ import annotations

import linecache
import os
import sys
import threading
import time
import types
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

import project_o
from project_o import api, evolve
from project_o.errors import EvolutionError, UsageError
from project_o.evolution.executors import Elsewhere, Parcel, executing
from project_o.evolving.away import attempt, executor_of

sys.path.insert(0, str(Path(__file__).parent))
from losing import LosingPool, losing_cluster

CELL = """
SCALE = [1, 2, 3]
def knob(x):
    a = 3  # o: 1 2 3 4 5 6 7
    b = 5  # o: 1 2 3 4 5 6 7
    return a * SCALE[1] + b * x
"""
TRIALS = 14


@pytest.fixture
def knob(monkeypatch):
    """A function of a notebook: its text is sent, and no other process can import it."""
    module = types.ModuleType("a_notebook")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    linecache.cache["<knob>"] = (len(CELL), None, CELL.splitlines(keepends=True), "<knob>")
    exec(compile(CELL, "<knob>", "exec"), vars(module))
    return module.knob


def evaluator(seconds=0.0):
    """One that crosses by value."""

    def evaluate(program):

        time.sleep(seconds)
        return {"score": -abs(program(2) - 20) - abs(program(3) - 27)}

    return evaluate


def digest(knob, seconds=0.0, **how):
    run = evolve(knob, evaluator(seconds), trials=TRIALS, seed=3, **how)
    assert len(run.trials) == TRIALS
    assert run.verdict.accepted, run.verdict.reasons
    return run.lineage.digest


@pytest.mark.alone  # a copy of a process with many threads may wait for what one of them held
def test_threads_and_processes_make_the_same_run_and_a_killed_pool_is_replaced(knob):
    here = digest(knob)
    with ThreadPoolExecutor(2) as threads:
        assert digest(knob, executor=threads) == here
    with ProcessPoolExecutor(2) as processes:
        assert digest(knob, executor=processes) == here
    with LosingPool(2, TRIALS // 2) as processes:
        assert digest(knob, 0.15, executor=processes) == here
        with pytest.raises(BrokenProcessPool):
            processes.submit(os.getpid)


def test_a_cluster_makes_the_same_run_while_one_of_its_two_workers_is_killed(knob):
    here = digest(knob)
    with losing_cluster() as address:
        assert digest(knob, 0.2, on=address) == here


def test_a_parcel_is_sent_once_a_worker_and_known_by_its_hash():
    sent = []

    def there(digest, proposal, known, body):
        sent.append((digest, body))
        return "record" if any(one for _, one in sent) else None

    with ThreadPoolExecutor(1) as inner:
        elsewhere = Elsewhere(inner, Parcel(b"all of it", there))
        found = [elsewhere.submit(None, None, types.SimpleNamespace(index=k), None).result(5) for k in range(3)]

    assert found == ["record"] * 3
    assert [body for _, body in sent] == [None, b"all of it", None, None]
    assert {digest for digest, _ in sent} == {Parcel(b"all of it", there).digest}
    with pytest.raises(EvolutionError, match="its hash is another one"):
        attempt("0" * 64, None, None, b"something else")


def test_what_a_trial_raises_there_ends_the_run_with_its_words():
    def there(digest, proposal, known, body):
        raise ZeroDivisionError("there")

    with ThreadPoolExecutor(1) as inner:
        future = Elsewhere(inner, Parcel(b"", there)).submit(None, None, types.SimpleNamespace(index=7), None)
        with pytest.raises(EvolutionError, match="trial 7 cannot be made there: ZeroDivisionError: there"):
            future.result(5)


@pytest.mark.alone  # a copy of a process with many threads may wait for what one of them held
def test_a_run_that_cannot_be_sent_says_so(knob):
    with ProcessPoolExecutor(1) as processes:
        with pytest.raises(EvolutionError, match="have to be picklable"):
            evolve(knob, evaluator(), trials=3, executor=processes, relations=[_holding(threading.Lock())])
        with pytest.raises(EvolutionError, match="cannot be sent to other processes"), executing(processes, 1):
            pass


def _holding(lock):
    def relation(call, args):
        return lock is not None

    return relation


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("dask://10.0.0.7:8786", "forward its port to this machine"),
        ("dask://127.0.0.1", "write dask://HOST:PORT"),
        ("ray://127.0.0.1:1", "write dask://HOST:PORT"),
    ],
)
def test_only_a_scheduler_of_this_machine_is_used(address, words):
    with pytest.raises(UsageError, match=words):
        executor_of(address)
    with pytest.raises(UsageError, match=words), api.cluster(address):
        pass


@pytest.mark.alone  # a copy of a process with many threads may wait for what one of them held
def test_an_evaluator_takes_the_native_functions_that_it_calls_along(knob):
    score = project_o.zig("pub fn score(x: i64) f64 { return -@abs(@as(f64, @floatFromInt(x - 20))); }", "judge").score

    def evaluate(program):
        return {"score": score(program(2))}

    here = evolve(knob, evaluate, trials=6, seed=3)
    with ProcessPoolExecutor(1) as processes:
        there = evolve(knob, evaluate, trials=6, seed=3, executor=processes)
    assert there.lineage.digest == here.lineage.digest
    assert [trial.status for trial in there.trials] == [trial.status for trial in here.trials]
    assert there.best_index
