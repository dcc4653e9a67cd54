"""The search over a text's numbers: a pure function of seed and records, inside the blocks, and quick where it may."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from project_o import evolve, limits
from project_o.errors import EvolutionError
from project_o.evolution import Proposer
from project_o.evolution.search import Patient
from project_o.evolution.tuning import TUNING, Offline, TuningProposer
from project_o.languages import tools_for
from project_o.values import Program, Proposal, Record

SOURCE = """
fixed = 5.0
# EVOLVE-BLOCK-START
a = 1.0
b = 300
c = 0.02
# EVOLVE-BLOCK-END
"""


def drive(proposer: Proposer, start: Program, trials: int, score: Callable[[str], float | None]) -> list[Record]:
    """The loop's protocol, with a function in place of the measuring."""
    first = score(start.source) or 1.0
    records = [Record(Proposal(0, start, (), "human", "baseline"), "baseline", "", 1.0, 1.0)]
    while len(records) < trials:
        index = len(records)
        proposal = proposer.ask(index, records[: max(0, index - limits.PROPOSAL_LAG_TRIALS + 1)])
        if proposal is None:
            break
        found = score(proposal.program.source)
        ratio = None if found is None else found / first
        status = "failed" if ratio is None else "better" if ratio > 1 else "no better"
        records.append(Record(proposal, status, "", ratio, ratio))
    return records


def values(source: str) -> dict[str, float]:
    return {item.targets[0].id: ast.literal_eval(item.value) for item in ast.parse(source).body}  # type: ignore[attr-defined]


def near(**wanted: float) -> Callable[[str], float]:
    def score(source: str) -> float:
        found = values(source)
        return 1.0 / (0.01 + sum(abs(found[name] - value) / value for name, value in wanted.items()))

    return score


def program(source: str = SOURCE) -> Program:
    return tools_for("python").program("p", source)


@pytest.mark.parametrize("seed", range(5))
def test_numbers_that_are_far_away_are_found(seed):
    wanted = {"a": 40.0, "b": 30, "c": 0.05}
    records = drive(TuningProposer(program(), seed), program(), 120, near(**wanted))
    best = max(records, key=lambda record: record.ratio or 0)
    found = values(best.proposal.program.source)

    assert all(abs(found[name] - value) < 0.25 * value for name, value in wanted.items()), found
    assert found["fixed"] == 5.0


def test_nothing_is_proposed_twice_and_nothing_outside_the_blocks():
    records = drive(TuningProposer(program(), 3), program(), 200, near(a=7.0))
    sources = [record.proposal.program.source for record in records]

    assert len(set(sources)) == len(sources) == 200
    for source in sources:
        tools_for("python").inside_blocks(SOURCE, source)


@pytest.mark.parametrize("make", [TuningProposer, Offline])
def test_the_same_seed_and_records_propose_the_same(make):
    runs = [drive(make(program(), 5), program(), 60, near(a=7.0, c=0.5)) for _ in range(2)]
    other = drive(make(program(), 6), program(), 60, near(a=7.0, c=0.5))
    texts = [[record.proposal.program.source for record in run] for run in (*runs, other)]

    assert texts[0] == texts[1] != texts[2]


def test_edits_take_their_turn_and_more_of_it_where_they_help():
    source = "def f(x):\n    return x - 1 if x < 3 else 2\n"

    def likes_plus(text: str) -> float:
        return 1.0 + ("+" in text) + text.count("<=")

    def likes_numbers(text: str) -> float | None:
        try:
            return 1.0 + float(text.split("else ")[1])
        except (ValueError, IndexError):
            return None

    def share(score: Callable[[str], float | None]) -> float:
        records = drive(Offline(program(source), 1), program(source), 50, score)[1:]
        return sum(record.proposal.operator not in TUNING for record in records) / len(records)

    assert 0 < share(likes_numbers) < share(likes_plus)


def test_a_text_without_numbers_says_so():
    with pytest.raises(EvolutionError, match="no number that may be changed"):
        TuningProposer(program("x = 'a'\n"), 0)
    with pytest.raises(EvolutionError, match="no number"):
        Offline(tools_for("text").program("p", "nothing here\n"), 0)


def test_patience_counts_from_the_last_gain():
    class Endless:
        def ask(self, index, told):
            return "more"

    def record(index: int, ratio: float) -> Record:
        return Record(Proposal(index, program(), (), "search", "x"), "better", "", 1.0, ratio)

    patient = Patient(Endless(), 3, 0.01)  # type: ignore[arg-type]
    gains = [record(k, 1.0 + 0.1 * k) for k in range(10)]

    assert patient.ask(10, gains) == "more"
    assert patient.ask(13, [*gains, *(record(k, 1.905) for k in range(10, 13))]) == "more"
    assert patient.ask(14, [*gains, *(record(k, 1.905) for k in range(10, 14))]) is None


def test_the_same_seed_gives_the_same_run_for_any_number_of_workers(tmp_path: Path):
    (tmp_path / "initial_program.py").write_text(SOURCE)
    (tmp_path / "evaluator.py").write_text(
        "import time\n"
        "def evaluate(path):\n"
        "    names = {}\n"
        "    exec(open(path).read(), names)\n"
        "    time.sleep(0.03 * (names['b'] % 3))\n"
        "    return {'combined_score': 1 / (1 + abs(names['a'] - 20) + abs(names['c'] - 0.3))}\n"
    )
    digests = {evolve(tmp_path, trials=20, seed=4, workers=workers).lineage.digest for workers in (1, 2, 4)}

    assert len(digests) == 1
