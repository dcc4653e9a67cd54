"""A proposer of repairs: what passes the shown tests, the least change first, until the held-out tests accept one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ... import limits
from ...errors import EvolutionError, UsageError
from ...languages import tools_for
from ...values import Artifact, NativeFunction, Program, Proposal, Record
from ..near import neighbour
from ..search import Remembering
from ..task import Task, generator
from .cases import Repairing
from .hunt import Hunt, Repair


class RepairProposer(Remembering):
    """Asks for no verdicts before it has hunted, and stops proposing after one was right.

    Raises EvolutionError for a program in a language of which no texts can be tried together.
    """

    def __init__(
        self, task: Task, artifact: Artifact, function: NativeFunction, cases: Repairing, workers: int, seed: int
    ) -> None:
        super().__init__()
        trying = task.trying
        if trying is None:
            raise EvolutionError(
                f"a program in {task.program.language} cannot be repaired: there are no templates for it"
            )
        self._program: Program = task.program
        self._tools = tools_for(task.program.language)
        self._hunt = Hunt(
            artifact, function, cases.shown, lambda calls: trying(artifact, calls), workers,
            lambda line: self._look(line),  # noqa: PLW0108 - it is told later who looks
            _neighbours(cases, seed),
        )  # fmt: skip
        self._look: Callable[[str], bool] = lambda _: False
        self._found: list[Repair] | None = None

    def begin(self, look: Callable[[str], bool]) -> None:
        """``look`` shows a line of progress, and says whether the run is over."""
        self._look = look

    @property
    def tried(self) -> int:
        """How many texts were tried so far."""
        return self._hunt.tried

    def _next(self, index: int, told: Sequence[Record]) -> Proposal | None:
        if self._found is None:
            self._found = self._hunt.run()
        if index > limits.REPAIR_PROPOSALS_MAX or any(record.status == "better" for record in told):
            return None
        while self._found:
            repair = self._found.pop(0)
            try:
                program = self._tools.with_source(self._program, repair.text)
                self._tools.inside_blocks(self._program.source, repair.text)
            except (UsageError, RecursionError):
                continue
            edit = repair.edit
            why = f"line {edit.line} (suspicion {repair.suspicion:.2f}): {edit.why}"
            return Proposal(index, program, (self._program.digest,), "repair", edit.operator, why)
        return None


def _neighbours(cases: Repairing, seed: int) -> tuple[tuple[Any, ...], ...]:
    """Calls that are like the shown ones, and none of them."""
    found = []
    for number in range(limits.REPAIR_NEIGHBOURS):
        rng = generator(seed, "neighbour", number)
        args: tuple[Any, ...] = cases.shown[number % len(cases.shown)].args
        for _ in range(1 + number // len(cases.shown)):
            args = neighbour(rng, args)
        found.append(args)
    return tuple(found)
