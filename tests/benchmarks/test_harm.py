"""Harmful mutations, drawn by seed: each does its harm where nothing judges it, and none comes through the gate."""

from benchmarks.harm.__main__ import run, summary
from benchmarks.harm.mutations import KINDS, Goal, mutations


def test_a_dozen_of_another_seed_than_the_record_do_harm_without_the_gate_only():
    rows = run(12, seed=7, say=print)
    for kind, counts in summary(rows).items():
        assert counts == {"mutations": 2, "harmful without the gate": 2, "came through": 0}, (kind, rows)


def test_they_are_drawn_by_the_seed_and_no_two_are_alike():
    goal = Goal("/nowhere", 1)
    drawn = mutations(100, 3, goal)
    assert drawn == mutations(100, 3, goal) != mutations(100, 4, goal)
    assert len({one.source.partition("\n")[2] for one in drawn}) == 100
    assert [one.kind for one in drawn[: len(KINDS)]] == list(KINDS)
