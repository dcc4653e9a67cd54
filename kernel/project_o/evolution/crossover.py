"""Proposals that have two parents: some statements, or some settings, of one and the rest of the other."""

from __future__ import annotations

from collections.abc import Sequence

from .. import limits
from ..errors import UsageError
from ..languages import tools_for
from ..languages.crossing import crossed, pieces, places
from ..languages.meaning import meaning
from ..values import Program, Proposal, Record
from .islands import Islands
from .search import Remembering
from .task import generator

CROSSOVER = "crossover"


class Crossing:
    """Texts of two parents in one, none that was told or made here before."""

    def __init__(self, program: Program, seed: int, islands: Islands) -> None:
        self._program, self._seed, self._islands = program, seed, islands
        self._tools = tools_for(program.language)
        self._known = {_meant(program)}
        self._seen = 0

    def made(self, index: int, told: Sequence[Record]) -> Proposal | None:
        """The next one; None where no two members of the archive differ in two places."""
        self._known.update(_meant(record.proposal.program) for record in told[self._seen :])
        self._seen = max(self._seen, len(told))
        members = self._islands.parents(index, told, above=limits.REWRITE_PARENT_RATIO_MIN, most=limits.REWRITE_ELITES)
        rng = generator(self._seed, CROSSOVER, index)
        for attempt in range(limits.CROSSOVER_TRIES_MAX if len(members) > 1 else 0):
            # The first parent is the one whose turn it is; who it meets is drawn.
            one = members[0] if attempt % 2 == 0 else members[int(rng.integers(len(members)))]
            other = members[int(rng.integers(len(members)))]
            if other.proposal.index == one.proposal.index:
                continue
            pair = one.proposal.program, other.proposal.program
            ours, theirs = (pieces(item.language, item.source) for item in pair)
            where = places(ours, theirs)
            if len(where) < 2:
                continue
            chosen = [bool(rng.integers(2)) for _ in where]
            chosen[int(rng.integers(len(where)))] ^= all(chosen) or not any(chosen)
            source = crossed(ours, theirs, list(zip(where, chosen, strict=True)))
            if (program := self._read(source)) is None:
                continue
            numbers = f"trials {one.proposal.index} and {other.proposal.index}"
            why = f"of {numbers}: {sum(chosen)} of {len(where)} places from the second"
            return Proposal(index, program, tuple(item.digest for item in pair), "search", CROSSOVER, why,
                            island=self._islands.island(index))  # fmt: skip
        return None

    def _read(self, source: str) -> Program | None:
        """None for a text that was there already, cannot be read, or differs outside of the EVOLVE blocks."""
        try:
            program = self._tools.with_source(self._program, source)
            self._tools.inside_blocks(self._program.source, source)
            meant = _meant(program)
        except (UsageError, RecursionError):
            return None
        if meant in self._known:
            return None
        self._known.add(meant)
        return program


class CrossProposer(Remembering):
    """Crossover alone, for the turns that another proposer gives it."""

    def __init__(self, program: Program, seed: int, islands: Islands) -> None:
        super().__init__()
        self._crossing = Crossing(program, seed, islands)

    def _next(self, index: int, told: Sequence[Record]) -> Proposal | None:
        return self._crossing.made(index, told)


def _meant(program: Program) -> str:
    return meaning(program.language, program.source)
