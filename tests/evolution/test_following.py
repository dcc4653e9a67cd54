"""Who follows a run gets what who reads all of it gets, and a run of thousands stays linear."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from project_o.evolution.bandit import Bandit, Tally
from project_o.evolution.following import Following
from project_o.evolution.islands import Islands
from project_o.values import Program, Proposal, Record

PROGRAM = Program("p", "python", (("cell.py", "x = 1\n"),))


def records(seed: int, count: int, first: int) -> list[Record]:
    chance = random.Random(seed)
    found = []
    for index in range(first, first + count):
        made = PROGRAM.with_source(f"x = {chance.randrange(9)}\n", ())
        ratio = chance.choice([None, 0.5, 1.0, 1.2, 1.2, 3.0, float("nan"), chance.random() * 2])
        status = chance.choice(["better", "not better", "duplicate", "failed"])
        operator = chance.choice(["a", "b", "c"])
        found.append(Record(Proposal(index, made, (), "search", operator), status, "", ratio=ratio))
    return found


def ranked(told: list[Record], above: float, most: int) -> list[Record]:
    found = [r for r in told if r.proposal.index > 0 and r.status != "duplicate" and r.ratio is not None]
    found = [r for r in found if r.ratio > above]
    return sorted(found, key=lambda r: (-(r.ratio or 0.0), r.proposal.index))[:most]


def of_record(record: Record) -> str:
    return record.proposal.operator


@given(st.integers(0, 10**6), st.lists(st.integers(0, 40), max_size=12), st.integers(-2, 0))
def test_following_is_as_reading_all(seed, lengths, first):
    whole = records(seed, 40, first)
    bandits = [Bandit(of_record, gains=gains) for gains in (True, False)]
    islands = Islands(PROGRAM, 0)
    for length in lengths:  # mostly forwards; who was starved may have been told of more
        told = (*records(seed, 2, -9), *whole[:length])  # what was taken back is made anew each time
        for gains, bandit in zip((True, False), bandits, strict=True):
            assert bandit.tally(told) == Tally.of(told, of_record, gains=gains)
        assert islands.parents(3, told, above=0.9, most=5) == ranked(list(told), 0.9, 5)


def test_only_what_is_new_is_looked_at():
    whole, following = records(1, 30, 0), Following()
    assert following.new(whole[:10]) == (whole[:10], False)
    assert following.new(whole[:10]) == ([], False)
    assert following.new(whole[:30]) == (whole[10:], False)
    assert following.new(whole[:20]) == (whole[:20], True)
    others = records(2, 25, 0)
    assert following.new(others) == (others, True)
