"""Islands and their grids: a fold over the records, elites of cells, migration, parents by score and novelty."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from project_o import evolve, limits
from project_o.errors import EvolutionError, UsageError
from project_o.evolution.bandit import Tally, statistics
from project_o.evolution.islands import Islands, descriptors
from project_o.languages import tools_for
from project_o.values import Program, Proposal, Record

SOURCE = """# EVOLVE-BLOCK-START
a = 1.0
b = 2.0
c = 3.0

def value(x):
    y = a * x + b
    z = y * y
    z = z - c
    return z
# EVOLVE-BLOCK-END
"""
START = tools_for("python").program("p", SOURCE)


def nearness(program) -> dict[str, float]:
    found = [program.value(float(k)) for k in range(4)]
    return {"score": 9 / (1 + sum(abs(y - 3.3 * k * k - k) for k, y in enumerate(found))), "least": min(found)}


def program(index: int) -> Program:
    return tools_for("python").with_source(START, SOURCE.replace("1.0", f"{index}.5" + "0" * (index % 7)))


def record(index: int, ratio: float | None, *, islands: int = 1, parent: int = 0, size: float = 0.0) -> Record:
    parents = (program(parent).digest if parent else START.digest,)
    made = Proposal(index, program(index), parents, "search", "op", island=(index - 1) % islands)
    return Record(made, "failed" if ratio is None else "better" if ratio > 1 else "no better", "", ratio, ratio,
                  (("size", size),))  # fmt: skip


def start() -> Record:
    return Record(Proposal(0, START, (), "human", "baseline"), "baseline", "", 1.0, 1.0, (("size", 0.0),))


# ------------------------------------------------------------------ the archive


def test_each_cell_keeps_its_best_whatever_the_order_of_the_others():
    records = [start(), *(record(k, 1 + (k % 5) / 10, size=float(k % 4)) for k in range(1, 41))]
    found = Islands(START, 0, 1, ["size:0:4:4"]).population(records)
    best = {k: max((one for one in records if dict(one.metrics)["size"] == k),
                   key=lambda one: (one.ratio, -one.proposal.index)) for k in range(4)}  # fmt: skip

    assert {elite.cell[0]: elite.record.proposal.index for elite in found.elites} == {
        k: one.proposal.index for k, one in best.items()
    }
    assert found.cells == 4
    assert [elite.record.ratio for elite in found.elites] == sorted(
        (e.record.ratio for e in found.elites), reverse=True
    )


def test_one_far_value_does_not_put_all_others_into_one_cell():
    records = [start(), *(record(k, 1.1, size=1e9 if k == 20 else float(k % 30)) for k in range(1, 65))]
    found = Islands(START, 0, 1, ["size"]).population(records)

    assert found.axes[0].high <= 30
    assert len(found.elites) >= limits.GRID_BINS - 2


def test_the_best_goes_round_the_ring_and_everything_else_stays():
    count = 3
    ratios = {5: 3.0}
    records = [start(), *(record(k, ratios.get(k, 1.1), islands=count) for k in range(1, 6 * 30))]
    islands = Islands(START, 0, count)
    homes = [
        next(elite.islands for elite in islands.population(records[:upto]).elites if elite.record.ratio == 3.0)
        for upto in (6, 30, 60, 90)
    ]

    assert homes == [(1,), (1, 2), (0, 1, 2), (0, 1, 2)]
    assert islands.population(records).migrations >= 2


def test_what_was_told_in_pieces_and_what_is_told_at_once_give_the_same_parents():
    records = [start(), *(record(k, 1 + (k * 37 % 11) / 9, islands=2, size=float(k * 7 % 13)) for k in range(1, 80))]
    grown = Islands(START, 5, 2, ["size", "length"])
    for index in range(1, 80):
        told = (
            records[: max(0, index - 3)] if index % 9 else records[:index]
        )  # now and then all of it, as a starved one
        grown.parents(index, told, above=1.0, most=6)
    asked = [grown.parents(80, records[:77], above=1.0, most=6) for _ in range(2)]
    anew = Islands(START, 5, 2, ["size", "length"]).parents(80, records[:77], above=1.0, most=6)

    assert asked[0] == asked[1] == anew
    assert anew
    assert all(one.proposal.island == 1 or one.ratio for one in anew)


def test_parents_are_drawn_by_rank_and_those_with_children_less_often():
    records = [start(), *(record(k, 1.0 + k / 10, islands=2) for k in range(1, 13))]
    first = Counter(
        Islands(START, seed, 2).parents(13, records, above=1.0, most=3)[0].proposal.index for seed in range(300)
    )
    children = [record(k, 1.05, islands=2, parent=11) for k in range(13, 33)]
    later = Counter(
        Islands(START, seed, 2).parents(13, [*records, *children], above=1.0, most=3)[0].proposal.index
        for seed in range(300)
    )

    assert set(first) <= {1, 3, 5, 7, 9, 11}
    assert first[11] > first[5] > 0
    assert later[11] < 0.5 * first[11]


def test_without_islands_and_grid_the_best_is_the_parent():
    records = [start(), record(1, 1.2), record(2, 1.5), record(3, None), record(4, 0.9)]
    found = Islands(START, 0).parents(5, records, above=1.0, most=6)

    assert [one.proposal.index for one in found] == [2, 1]


@pytest.mark.parametrize("words", [["size", "size"], ["size:1"], ["size:2:1"], ["size:0:1:0"], [":0:1"], ["a"] * 5])
def test_descriptors_that_cannot_be_meant_are_refused(words):
    with pytest.raises(UsageError, match="grid"):
        descriptors(words)


def test_islands_that_cannot_be_meant_are_refused():
    with pytest.raises(UsageError, match="islands"):
        Islands(START, 0, 0)


# ------------------------------------------------------------------ the bandit


def test_what_brings_gains_is_asked_more_often_and_nothing_is_given_up():
    told = [start()]
    for index in range(1, 61):
        good = index % 2 == 0
        told.append(Record(Proposal(index, START, (), "search", "good" if good else "bad"), "no better", "", 1.0,
                           1.0 + index / 10 if good else 0.5))  # fmt: skip
    tally = Tally.of(told, lambda one: one.proposal.operator, gains=True)
    first = Counter(tally.order(["good", "bad", "new"], (seed, "x"))[0] for seed in range(400))

    assert first["good"] > 300
    assert 0 < first["new"] < 100
    found = {one.name: one for one in statistics(told)}
    assert (found["good"].tried, found["good"].gains, found["bad"].gains) == (30, 30, 0)
    assert found["good"].chance > 0.9 > found["bad"].chance


# ------------------------------------------------------------------ whole runs


def lineage(tmp_path: Path, **options) -> tuple[str, object]:
    path = tmp_path / "p.py"
    path.write_text(SOURCE)
    run = evolve(path, nearness, **{"trials": 45, "seed": 4, "islands": 3, "grid": ["length", "least"], **options})
    return run.lineage.digest, run


def test_same_seed_same_run_with_islands_and_grid_whatever_the_workers_and_from_its_record(tmp_path):
    one, run = lineage(tmp_path, workers=1)
    two, again = lineage(tmp_path, workers=2)
    replayed, _ = lineage(tmp_path, workers=2, replay=run)
    other, _ = lineage(tmp_path, seed=5)

    assert one == two == replayed != other
    held = [
        [(one.record.proposal.index, one.islands, one.cell, one.children) for one in other.population.elites]
        for other in (run, again)
    ]
    assert held[0] == held[1]
    assert run.population.axes == again.population.axes
    assert run.population.islands == 3
    assert [axis.name for axis in run.population.axes] == ["length", "least"]
    assert len(run.population.elites) > 3
    assert {one.proposal.island for one in run.trials} == {0, 1, 2}
    crossed = [one for one in run.trials if one.proposal.operator == "crossover"]
    assert crossed
    assert all(len(one.proposal.parents) == 2 for one in crossed)
    assert sum(one.tried for one in run.operators) == 44
    assert {"crossover", "one number"} <= {one.name for one in run.operators}


def test_a_descriptor_that_nobody_measures_is_named_with_those_that_there_are(tmp_path):
    with pytest.raises(EvolutionError, match="nothing here has a weight: there are least, length, score"):
        lineage(tmp_path, grid=["weight"])


def test_the_view_of_a_run_says_it_all_in_words(tmp_path):
    from project_o import api

    _, run = lineage(tmp_path)
    text = api.page(run).plain

    assert "grid over length and least" in text
    assert "islands" in text
    assert "elites" in text
    assert "trials by operator: " in text
    assert "chance of a gain" in text
    assert "duplicate" in text
    for what in ("trials", "archive", "operators", "lineage"):
        shown = run.plot(what)
        assert {"text/plain", "text/html"} <= set(shown._repr_mimebundle_())
        assert "<script" not in shown.static.html
    with pytest.raises(UsageError, match="no picture of 'cake'"):
        run.plot("cake")
