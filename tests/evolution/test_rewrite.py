"""Programs without declared choices: their text is what is searched."""

from __future__ import annotations

from typing import Any

import pytest

from project_o import limits
from project_o.errors import EvolutionError
from project_o.evolution import run_evolution
from project_o.evolution.rewrite import RewriteProposer
from project_o.languages import tools_for
from project_o.values import Program, Proposal, Record

COMMON = """
def f(xs, ys):
    found = []  # in the order of xs
    for x in xs:
        if x in ys:
            found.append(x)
    return found
"""
GUESS = """
def f(x):
    # EVOLVE-BLOCK-START
    guess = x * 2 + 1
    # EVOLVE-BLOCK-END
    return guess
"""
LISTS = ([k * 7 % 1201 for k in range(600)], [k * 11 % 1301 for k in range(600)])


def distance(program: Any) -> dict[str, float]:
    """How far it is from 3 x + 2: two edits away, and each of them helps."""
    return {"score": -sum(abs(program(x) - (3 * x + 2)) for x in (1, 4, 9))}


def program(source: str) -> Program:
    return tools_for("python").program("f", source.lstrip("\n"))


def told_of(proposals: list[Proposal], ratio_of: Any) -> list[Record]:
    found = [Record(Proposal(0, program(GUESS), (), "human", "baseline"), "baseline", "", ratio=1.0)]
    for item in proposals:
        ratio = ratio_of(item)
        found.append(Record(item, "better" if ratio > 1 else "no better", "", ratio=ratio))
    return found


def asked(seed: int, count: int, ratio_of: Any, source: str = GUESS) -> list[Proposal]:
    """Proposals as a run asks for them, each with the records that the lag allows."""
    proposer = RewriteProposer(program(source), seed, changing=True)
    made: list[Proposal] = []
    for index in range(1, count + 1):
        records = told_of(made, ratio_of)
        found = proposer.ask(index, records[: max(0, index - limits.PROPOSAL_LAG_TRIALS + 1)])
        found = found or proposer.ask(index, records)
        if found is None:
            break
        made.append(found)
    return made


def by_size(item: Proposal) -> float:
    return 1.0 + (len(item.program.source) % 7) / 10


@pytest.mark.measured
def test_a_faster_text_is_found_with_nothing_declared(make_function_task: Any) -> None:
    run = run_evolution(make_function_task(COMMON, inputs=LISTS), trials=6, seed=1)

    assert run.verdict.accepted, run.verdict.reasons
    assert "set(ys)" in run.best.source
    assert "# in the order of xs" in run.best.source, "what an edit does not touch stays as it was"
    won = run.trials[run.best_index or 0].proposal
    assert won.proposer == "search"
    assert run.baseline.digest in run.lineage.parents(won.program.digest)
    asked = [item.proposal.hypothesis for item in run.trials]
    assert "line 3: is it in ys: asked of a set" in asked


def test_edits_add_up_and_the_workers_do_not_matter(make_function_task: Any) -> None:
    runs = [
        run_evolution(
            make_function_task(GUESS, evaluator=distance, objective="score"), trials=60, seed=3, workers=workers
        )
        for workers in (1, 2)
    ]

    assert len({run.lineage.digest for run in runs}) == 1
    best = runs[0].best
    assert {"guess = x * 3 + 2", "guess = (x * 3 + 2)"} & {line.strip() for line in best.source.splitlines()}
    assert len(runs[0].lineage.parents(best.digest)) >= 2
    kept = GUESS.lstrip("\n").splitlines()
    for record in runs[0].trials:
        lines = record.proposal.program.source.splitlines()
        assert [lines[0], lines[1], *lines[-2:]] == [kept[0], kept[1], *kept[-2:]], "nothing outside the block changed"


def test_the_same_seed_and_records_give_the_same_proposals() -> None:
    first, second, other = (asked(seed, 40, by_size) for seed in (4, 4, 5))

    assert first == second
    assert first != other
    texts = [tools_for("python").normalised(item.program.source) for item in first]
    assert len(set(texts)) == len(texts), "no text is proposed twice"


def test_it_comes_to_an_end_when_all_was_said() -> None:
    proposer = RewriteProposer(program("def f(a):\n    return a < 1\n"), 0, changing=True)
    made, index = [], 1
    while (found := proposer.ask(index, told_of(made, lambda _: 0.1))) is not None:
        made.append(found)
        index += 1
        assert index < 100
    assert [item.index for item in made] == list(range(1, index))
    assert {item.operator for item in made} == {"constant", "comparison"}


def test_an_operator_that_helped_is_drawn_more_often() -> None:
    helped = [item.operator for item in asked(1, 60, lambda item: 1.5 if item.operator == "constant" else 0.9)]
    alike = [item.operator for item in asked(1, 60, lambda item: 0.9)]
    assert helped[20:].count("constant") > 0.75 * len(helped[20:])
    assert helped[20:].count("constant") > alike[20:].count("constant")


def test_where_only_time_counts_the_meaning_is_not_changed() -> None:
    proposer = RewriteProposer(program(COMMON), 0, changing=False)
    made = [proposer.ask(index, ()) for index in range(1, 4)]
    assert {item.operator for item in made if item} <= {"list of a loop", "set for membership", "out of the loop"}
    assert made[0] is not None


def test_a_text_in_which_nothing_can_be_said_otherwise_is_an_error() -> None:
    with pytest.raises(EvolutionError, match="f has nothing in its text that could be said in another way"):
        RewriteProposer(program("def f(a):\n    return a\n"), 0, changing=False)
