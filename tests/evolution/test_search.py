"""The proposer: a pure function of seed and records, without duplicates, quick on separable problems."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from project_o import limits
from project_o.errors import EvolutionError
from project_o.evolution import Archive, SearchProposer
from project_o.languages import tools_for
from project_o.values import Program, Proposal, Record

K_MODULE = "\n".join(f"const p{k} = 0; // o: 0 1 2 3 4" for k in range(4)) + "\npub fn f() void {}\n"


def program(source: str = K_MODULE) -> Program:
    return tools_for("zig").program("k", source)


def asked(proposer: SearchProposer, index: int, records: list[Record]) -> Proposal | None:
    """With the records up to the lag; and once more with all before it, where that says nothing."""
    early = proposer.ask(index, records[: max(0, index - limits.PROPOSAL_LAG_TRIALS + 1)])
    return early or proposer.ask(index, records[:index])


def drive(source: str, seed: int, trials: int, ratio: Callable[[Proposal], float | None]) -> list[Record]:
    """The loop's protocol, with a function in place of the measuring."""
    start = program(source)
    proposer = SearchProposer(start, seed)
    baseline = Proposal(0, start, (), "human", "baseline", "", tuple((p.name, p.value) for p in start.parameters))
    records = [Record(baseline, "baseline", "", 1.0, 1.0)]
    while len(records) < trials:
        index = len(records)
        proposal = asked(proposer, index, records)
        if proposal is None:
            break
        found = ratio(proposal)
        records.append(Record(proposal, "failed" if found is None else "better", "", found, found))
    return records


def hidden(target: tuple[int, ...]) -> Callable[[Proposal], float]:
    """As a ratio to the baseline, which has zero everywhere."""
    return lambda proposal: (
        (1 + sum(value == wanted for (_, value), wanted in zip(proposal.settings, target, strict=True)))
        / (1 + target.count(0))
    )


def test_effects_that_add_up_are_found_in_one_sweep() -> None:
    """The K-module problem, 5^4 choices, each of them hidden once: 16 single changes and the combination."""
    for target in set(itertools.product(range(5), repeat=4)) - {(0, 0, 0, 0)}:  # that is the baseline
        records = drive(K_MODULE, 0, 1 + 17, hidden(target))

        assert max(record.ratio or 0 for record in records) == 5 / (1 + target.count(0)), target


def test_no_setting_is_proposed_twice_and_a_small_space_is_exhausted() -> None:
    source = "const a = 1; // o: 1 2 3\nconst b = true; // o: true false\nconst c = .x; // o: .x .y\n"
    records = drive(source, 0, 100, lambda proposal: None if proposal.index % 3 else 1.5)

    assert len(records) == 12
    assert len({record.proposal.settings for record in records}) == 12


def test_large_spaces_use_the_sampler_and_are_replayed_from_records() -> None:
    source = "const a = 500; // o: 1..1000\nconst b = 0.5; // o: 0.0..1.0\nconst c = true; // o: true false\n"

    def ratio(proposal: Proposal) -> float:
        a, b, c = (value for _, value in proposal.settings)
        return 3.0 - abs(int(a) - 300) / 500 - abs(float(b) - 0.25) + (0.5 if c else 0)

    records = drive(source, 4, 40, ratio)
    again = drive(source, 4, 40, ratio)

    assert [record.proposal for record in records] == [record.proposal for record in again]
    assert len({record.proposal.settings for record in records}) == 40
    assert {"one at a time", "best of each", "sampler", "neighbour of the best"} <= {
        r.proposal.operator for r in records
    }
    replayed = SearchProposer(program(source), 4)
    for record in records[1:]:
        assert asked(replayed, record.proposal.index, records) == record.proposal
    assert max(record.ratio or 0 for record in records) > max(record.ratio or 0 for record in records[:20])


def test_other_seeds_propose_otherwise_once_chance_has_a_say() -> None:
    chosen = [[r.proposal.settings for r in drive(K_MODULE, seed, 40, hidden((3, 1, 4, 2)))] for seed in (1, 2)]

    assert chosen[0] != chosen[1]


def test_a_proposal_carries_its_program_and_its_parent() -> None:
    record = drive(K_MODULE, 0, 2, lambda proposal: 1.0)[1]

    assert record.proposal.parents == (program().digest,)
    assert record.proposal.hypothesis
    assert {p.name: p.value for p in record.proposal.program.parameters} == dict(record.proposal.settings)


def test_nothing_to_search_says_what_to_write() -> None:
    with pytest.raises(EvolutionError, match="// o: 4 8 16"):
        SearchProposer(program("pub fn f() void {}\nconst a = 1; // o: 1\n"), 0)


def test_the_archive_knows_twins_elites_and_ancestors() -> None:
    archive = Archive()
    sources = ["const a = 1;", "const a = 2;", "const  a = 2; // again", "const a = 3;"]
    parent = ""
    twins = []
    for index, (source, ratio) in enumerate(zip(sources, (1.0, 1.5, None, 1.5), strict=True)):
        proposal = Proposal(index, program(source), (parent,) if parent else (), "human", "edit")
        twins.append(archive.twin(proposal))
        archive.add(Record(proposal, "baseline" if index == 0 else "better", "", ratio, ratio))
        parent = proposal.program.digest

    assert twins == [None, None, 1, None]
    assert [record.proposal.index for record in archive.elites(5)] == [1, 3]
    lineage = archive.lineage()
    digests = [record.proposal.program.digest for record in archive.records]
    assert lineage.parents(digests[3]) == (digests[2], digests[1], digests[0])
    assert lineage.parents("stranger") == ()


def test_the_digest_depends_on_values_and_not_on_wording_or_duration() -> None:
    def digest(reason: str, seconds: float, cost: float) -> str:
        archive = Archive()
        archive.add(Record(Proposal(0, program(), (), "human", "baseline"), "baseline", reason, cost, 1.0, (), seconds))
        return archive.lineage().digest

    assert digest("a", 1.0, 2.0) == digest("b", 9.0, 2.0)
    assert len({digest("a", 1.0, cost) for cost in itertools.chain([2.0, 2.0], [3.0])}) == 2
