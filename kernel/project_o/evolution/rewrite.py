"""A search over a program's text that needs no model and no declared parameters: edits of its syntax tree.

1. on what serves, each edit that should keep the meaning, one of each operator in turn;
2. then edits of the best that was found, or of another elite, both of two elites' edits together, and crossover of two
   elites. Which operator gets the next trial is drawn by what each brought (``bandit``): of its past trials, those that
   were better than their baseline count as hits. Who is an elite is said by ``islands``.

A function of the seed and of what was told, as every proposer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from .. import limits
from ..errors import EvolutionError, UsageError
from ..languages import tools_for
from ..languages.rewriting import Edit, edits, has_operators
from ..languages.several import place
from ..values import Program, Proposal, Record
from .bandit import Bandit
from .crossover import CROSSOVER, Crossing
from .islands import Islands
from .search import Remembering
from .task import generator

JOINED = "edits of two"


def is_rewritten(program: Program) -> bool:
    """Whether its text is what is searched: it declares no choices, and there are operators for its language."""
    return has_operators(program) and not any(len(item.domain) > 1 for item in program.parameters)


@dataclass
class _Parent:
    """A program that edits are made of, and which of them were not proposed yet, by operator."""

    program: Program
    left: dict[str, list[Edit]] = field(default_factory=dict)


class RewriteProposer(Remembering):
    """Proposes edited texts of a program, none of them twice. ``changing``: also such as change the meaning;
    ``crossing``: also texts of two elites.

    Raises EvolutionError for a program of which no text can be edited.
    """

    def __init__(
        self, program: Program, seed: int, islands: Islands | None = None, *, changing: bool, crossing: bool = True
    ) -> None:
        super().__init__()
        self._program, self._seed, self._changing = program, seed, changing
        self._islands = islands or Islands(program, seed)
        self._crossing = Crossing(program, seed, self._islands) if crossing else None
        self._tools = tools_for(program.language)
        self._known = {self._tools.normalised(program.source)}
        self._parents: dict[str, _Parent] = {}
        self._bandit = Bandit(lambda record: record.proposal.operator, gains=False)
        self._edits: dict[str, tuple[Edit, ...]] = {program.digest: ()}
        self._sweep = self._one_of_each(self._parent(program))
        if not any(self._parent(program).left.values()):
            raise EvolutionError(
                f"{program.name} has nothing in its text that could be said in another way: declare choices behind a "
                f"constant, as in '{self._tools.comment} o: 4 8 16', or give an evaluator"
            )

    def _next(self, index: int, told: Sequence[Record]) -> Proposal | None:
        for edit in self._sweep:
            if (made := self._made(index, self._program, edit)) is not None:
                return made
        found = self._islands.parents(index, told, above=limits.REWRITE_PARENT_RATIO_MIN, most=limits.REWRITE_ELITES)
        elites = [item.proposal.program for item in found]
        if (joined := self._joined(index, elites)) is not None:
            return joined
        rng = generator(self._seed, "rewrite", index)
        order = [*elites, self._program]
        if len(elites) > 1 and rng.random() < limits.OTHER_ELITE_SHARE:
            order = [order[int(rng.integers(len(order)))], *order]
        parents = [self._parent(program) for program in order]
        for operator in self._drawn(parents, told, index):
            if operator == CROSSOVER and (crossed := self._crossed(index, told)) is not None:
                return crossed
            for parent in parents:
                waiting = parent.left.get(operator, [])
                while waiting:
                    edit = waiting.pop(int(rng.integers(len(waiting))))
                    if (made := self._made(index, parent.program, edit)) is not None:
                        return made
        return None

    # ------------------------------------------------------------------ whose text, which edit

    def _parent(self, program: Program) -> _Parent:
        if program.digest not in self._parents:
            left: dict[str, list[Edit]] = defaultdict(list)
            blocks = self._tools.blocks(program.source)
            spans = tuple((block.first, block.last) for block in blocks)
            for edit in edits(program.language, program.source, spans):
                inside = not blocks or any(block.first < edit.line < block.last for block in blocks)
                if inside and (edit.keeps or self._changing):
                    left[edit.operator].append(edit)
            self._parents[program.digest] = _Parent(program, dict(left))
        return self._parents[program.digest]

    def _one_of_each(self, parent: _Parent) -> Iterator[Edit]:
        """Those that should keep the meaning, round after round over the operators."""
        kept = {name: [edit for edit in found if edit.keeps] for name, found in parent.left.items()}
        for name, found in kept.items():
            parent.left[name] = [edit for edit in parent.left[name] if not edit.keeps]
            found.reverse()
        while any(kept.values()):
            for found in kept.values():
                if found:
                    yield found.pop()

    def _crossed(self, index: int, told: Sequence[Record]) -> Proposal | None:
        made = self._crossing.made(index, told) if self._crossing is not None else None
        if made is None or (meant := self._tools.normalised(made.program.source)) in self._known:
            return None
        self._known.add(meant)
        return made

    def _joined(self, index: int, elites: Sequence[Program]) -> Proposal | None:
        """The edits of two elites in one text, where neither touches what the other did."""
        for k, first in enumerate(elites):
            for second in elites[:k]:
                pair = [self._edits.get(item.digest, ()) for item in (first, second)]
                if not all(len(found) == 1 for found in pair):
                    continue
                left, right = sorted((pair[0][0], pair[1][0]), key=lambda item: item.start)
                if left.end > right.start:
                    continue
                source = left.applied(right.applied(self._program.source))
                why = f"{left.why}; {right.why}"
                if (made := self._proposal(index, source, (first, second), JOINED, why)) is not None:
                    return made
        return None

    def _drawn(self, parents: Sequence[_Parent], told: Sequence[Record], index: int) -> list[str]:
        """The operators that have something left, by a draw of how likely each one helps."""
        names = {name for parent in parents for name, waiting in parent.left.items() if waiting}
        if self._crossing is not None and len(parents) > 2:
            names.add(CROSSOVER)
        return self._bandit.tally(told).order(sorted(names), (self._seed, "operator", index))

    def _made(self, index: int, parent: Program, edit: Edit) -> Proposal | None:
        why = f"{place(parent.language, parent.source, edit.line)}: {edit.why}"
        made = self._proposal(index, edit.applied(parent.source), (parent,), edit.operator, why)
        if made is not None and parent.digest == self._program.digest:
            self._edits[made.program.digest] = (edit,)
        return made

    def _proposal(
        self, index: int, source: str, parents: tuple[Program, ...], operator: str, why: str
    ) -> Proposal | None:
        """None for a text that was proposed already, cannot be read, or differs outside of the EVOLVE blocks."""
        try:
            program = self._tools.with_source(self._program, source)
            normalised = self._tools.normalised(source)
            self._tools.inside_blocks(self._program.source, source)
        except (UsageError, RecursionError):
            return None
        if normalised in self._known:
            return None
        self._known.add(normalised)
        digests, island = tuple(item.digest for item in parents), self._islands.island(index)
        return Proposal(index, program, digests, "search", operator, why, island=island)
