"""The milestones of an agent's memory run under papermill with small numbers, and end as they say."""

from __future__ import annotations

import re


def test_a_searched_strategy_serves_and_is_taken_back(printed):
    text = printed("milestones/03_memory_strategy.ipynb", trials=16, seeds=40, questions=40)

    searched, chance, before = map(
        float, re.search(r"searched (\S+), at random (\S+) \(mean of 40\), before (\S+)", text).groups()
    )
    assert searched >= before
    assert searched >= chance - 0.1, "forty questions: the full count is the benchmark's"
    first, *_, last = map(int, re.search(r"taken back: \[([\d, ]+)\]", text)[1].split(","))
    assert first == last
    here = {name: float(score) for name, score in re.findall(r"^(as it began|best here) .*: (\d\.\d\d)$", text, re.M)}
    assert here["best here"] > here["as it began"]


def test_it_learns_from_its_user(printed):
    text = printed("milestones/04_from_its_user.ipynb", corrections=60, users=40)

    assert "60 corrections: 0 stale answers, 0 of 120 facts lost" in text
    assert re.search(r"taught: \d of 6 right before, 6 after", text)
