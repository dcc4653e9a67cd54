"""A run whose process is killed goes on from its trials, and comes out as if nothing had happened."""

from __future__ import annotations

import json
import os
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from benchmarks.history import resumed
from hypothesis import given
from hypothesis import strategies as st

from project_o import limits
from project_o.errors import EvolutionError, HistoryWarning
from project_o.evolution.archive import lineage_digest
from project_o.evolution.journal import SUFFIX, TrialJournal, mark
from project_o.values import Finding, Program, Proposal, Record

PROGRAM = Program("f", "python", (("cell.py", "def f(x):\n    return x\n"),))
HEAD = {"name": "f", "baseline": PROGRAM.digest, "seed": 3}


def record(index: int, reason: str = "") -> Record:
    settings = (("a", index),)
    proposal = Proposal(index, PROGRAM, (PROGRAM.digest,), "search", "sweep", "", settings)
    finding = Finding("generated", "failed", reason, "token ghp_x", (("inputs", 3),), 0.5) if reason else None
    return Record(
        proposal, "failed" if reason else "better", reason, 0.25, 1.0 + index / 7, (("m", 0.1),), 0.01, finding
    )


def written(folder: Path, count: int, clean=str) -> TrialJournal:
    journal = TrialJournal(folder, HEAD, clean, resume=False)
    for index in range(count):
        journal.add(record(index))
    journal.close()
    return journal


@given(st.integers(0, 2_000))
def test_what_was_cut_off_in_the_middle_is_left_out_and_written_again(tmp_path_factory, keep) -> None:
    folder = tmp_path_factory.mktemp("runs")
    written(folder, 5)
    (path,) = folder.glob("*" + SUFFIX)
    whole = path.read_bytes()
    path.write_bytes(whole[:keep])

    again = TrialJournal(folder, HEAD, str, resume=True)
    for index in range(5):
        again.add(record(index))
    again.close()

    lines = whole[:keep].count(b"\n")
    assert (again.earlier is None) == (lines == 0)
    if again.earlier is not None:
        assert len(again.earlier["records"]) == lines - 1
    assert path.read_bytes() == whole


def test_without_resume_and_for_another_run_nothing_is_taken_over(tmp_path) -> None:
    written(tmp_path, 3)

    for head, resume in ((HEAD, False), ({**HEAD, "seed": 4}, True)):
        other = TrialJournal(tmp_path, head, str, resume=resume)
        other.close()
        assert other.earlier is None


def test_the_same_run_is_not_under_way_twice(tmp_path) -> None:
    first = TrialJournal(tmp_path, HEAD, str, resume=False)
    with pytest.raises(EvolutionError, match="under way in another kernel"):
        TrialJournal(tmp_path, HEAD, str, resume=True)
    first.close()
    TrialJournal(tmp_path, HEAD, str, resume=True).close()


def test_a_run_that_is_under_way_elsewhere_keeps_nobody_from_the_same_run(tmp_path) -> None:
    first = TrialJournal(tmp_path, HEAD, str, resume=False)
    first.add(record(0))
    with pytest.warns(HistoryWarning, match="not kept .the same run .* is under way in another kernel"):
        second = TrialJournal(tmp_path, HEAD, str, resume=False)
    second.add(record(0))
    second.add(record(1))
    second.close()
    first.add(record(1))
    first.close()

    gone_on = TrialJournal(tmp_path, HEAD, str, resume=True)
    assert len(gone_on.earlier["records"]) == 2, "the first one's file is whole"
    gone_on.close()


def test_no_secret_is_written_and_old_ones_give_way(tmp_path, monkeypatch) -> None:
    journal = TrialJournal(tmp_path, HEAD, lambda text: text.replace("ghp_x", "[redacted]"), resume=False)
    journal.add(record(0, "no: ghp_x"))
    journal.close()
    (path,) = tmp_path.glob("*" + SUFFIX)
    assert "ghp_x" not in path.read_text()
    assert json.loads(path.read_text().splitlines()[1])["finding"]["evidence"] == "token [redacted]"

    monkeypatch.setattr(limits, "RUN_JOURNALS_KEPT_MAX", 3)
    for seed in range(6):
        TrialJournal(tmp_path, {**HEAD, "seed": seed + 10}, str, resume=False).close()
    assert len(list(tmp_path.glob("*" + SUFFIX))) == 3


def test_a_full_disk_is_told_and_the_run_goes_on(tmp_path, monkeypatch) -> None:
    journal = TrialJournal(tmp_path, HEAD, str, resume=False)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.warns(HistoryWarning, match="could not be resumed"):
        journal.add(record(0))
    journal.add(record(1))


def test_what_the_user_gave_tells_runs_apart() -> None:
    given = [np.ones(3), np.ones(4), np.ones(3, "f4"), (1, 2), [12], ["a", None], str, record]
    marks = [mark(item) for item in given]
    assert len(set(marks)) == len(marks)
    assert marks == [mark(item) for item in given]


@pytest.mark.parametrize("kind", list(resumed.RUNS_OF))
def test_killed_at_any_moment_it_comes_out_the_same(tmp_path, kind) -> None:
    """With one worker and with two, with settings and with islands, a grid and crossover; the full count is in ``make
    soak``.
    """
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        folder.mkdir()
    expected = resumed.finished(whole, 2, 0, kind)
    chance = random.Random(kind)

    kept = [
        resumed.killed(broken, 1 + number, number, chance.randint(2, resumed.TRIALS[kind] - 4), kind)
        for number in range(2)
    ]

    assert resumed.finished(broken, 1, 9, kind) == expected
    assert kept[0] >= 1, "it was killed before its first trial, which says nothing"


def test_a_recorded_trial_is_not_paid_for_twice_and_more_can_be_added(tmp_path) -> None:
    from project_o.flow import Flow
    from project_o.history import open_history

    history = open_history(tmp_path, notebook=None, session="s")
    history.note("begin", "", "", {}, {})
    asked = []

    def scaled(x):
        n = 1  # o: 1 2 3 4 5 6 7 8
        return n * x

    def evaluate(program):
        asked.append(1)
        return {"score": float(program(1))}

    first = Flow(history).evolve(scaled, evaluate, trials=5)
    paid = len(asked)
    again = Flow(history).evolve(scaled, evaluate, trials=5, resume=True)
    assert again.lineage.digest == first.lineage.digest
    assert len(asked) - paid < paid, "the candidates of the search were not evaluated again"
    more = Flow(history).evolve(scaled, evaluate, trials=8, resume=True)
    assert lineage_digest(more.trials[:5]) == first.lineage.digest
    assert len(more.trials) == 8
    history.close()


def test_where_nothing_is_recorded_it_says_so_and_begins_anew() -> None:
    from project_o.flow import Flow

    def scaled(x):
        n = 1  # o: 1 2
        return n * x

    with pytest.warns(HistoryWarning, match="no run to resume"):
        run = Flow().evolve(scaled, lambda program: {"score": float(program(1))}, trials=2, resume=True)
    assert replace(run, state=None).lineage.digest
