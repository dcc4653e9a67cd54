"""What was released and taken back is not tried again, and whoever proposes hears of it first."""

from __future__ import annotations

from collections.abc import Sequence

from project_o.evolution import run_evolution
from project_o.evolution.search import SearchProposer
from project_o.languages import tools_for
from project_o.values import Proposal, Record

GET = "const value = 1; // o: 1 2 3\npub fn get() i32 { return value; }\n"


class Listening:
    """The search, with a note of what it was told."""

    def __init__(self, inner: SearchProposer) -> None:
        self.inner = inner
        self.told: list[Sequence[Record]] = []

    def ask(self, index: int, told: Sequence[Record]) -> Proposal | None:
        self.told.append(tuple(told))
        return self.inner.ask(index, told)


def test_a_version_that_was_taken_back_is_not_tried_and_its_reason_is_in_the_proposers_context(make_task) -> None:
    tools = tools_for("zig")
    best = tools.with_settings(tools.program("kernel", GET), {"value": 3})
    lesson = (best.cell_digest, best.source, "it is slower: 0.45 times as fast [0.40, 0.51] in 12 pairs")
    values = {1: 1.0, 2: 2.0, 3: 9.0}
    task = make_task(GET, evaluator=lambda program: {"score": values[program()]}, objective="score", lessons=(lesson,))
    listening = Listening(SearchProposer(task.program, 0))

    run = run_evolution(task, trials=3, proposer=listening, workers=1)

    refused = next(record for record in run.trials if record.proposal.program.cell_digest == best.cell_digest)
    assert refused.status == "failed"
    assert "taken back: it is slower" in refused.reason
    assert refused.seconds == 0.0, "it was not built"
    assert run.best.cell_digest != best.cell_digest
    first = listening.told[0][0]
    assert first.proposal.program.source == best.source
    assert first.proposal.index < 0
    assert first.finding is not None
    assert "0.45 times as fast" in first.finding.evidence
    assert all(told[0] == first for told in listening.told), "at every proposal"


def test_without_lessons_the_same_run_tries_it(make_task) -> None:
    values = {1: 1.0, 2: 2.0, 3: 9.0}
    task = make_task(GET, evaluator=lambda program: {"score": values[program()]}, objective="score")
    run = run_evolution(task, trials=3, workers=1)
    assert {record.status for record in run.trials} == {"baseline", "better"}
