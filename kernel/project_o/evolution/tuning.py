"""A search over the numbers that stand in a program's text: no declaration, no model, and any language.

Nothing is known of a number but that it is one, so it is moved by factors. Two kinds of trials take turns:

1. a sweep over the numbers of the text that serves, the largest steps first: what matters shows early;
2. moves of the best programs so far: the factor that led to one of them again, the factors of two of them together,
   one number of the best by ever smaller steps, and random factors, log-normal, for one to three numbers.

A function of the seed and of what was told, as every proposer. ``Offline`` lets it take turns with edits of the syntax
tree, by a draw of which of both brought gains.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .. import limits
from ..errors import EvolutionError, UsageError
from ..languages import tools_for
from ..languages.meaning import meaning
from ..languages.numerals import Numeral, numerals, spelled
from ..languages.rewriting import has_operators
from ..languages.several import place
from ..values import Program, Proposal, Record
from .bandit import Bandit
from .crossover import CROSSOVER, CrossProposer
from .islands import Islands
from .rewrite import RewriteProposer
from .search import Remembering
from .task import generator

FACTORS = (10.0, 0.1, 2.0, 0.5, 1.2, 0.83)
STEPS = (3.0, 1.5, 1.15, 1.05)
SIGMAS = (0.08, 0.3, 1.0)
TRIES_MAX = 40
AGAIN, BOTH, RANDOM = "same factor again", "factors of two", "random factors"
SWEEP, STEP = "one number", "one number of the best"
TUNING = frozenset({AGAIN, BOTH, RANDOM, SWEEP, STEP})
NUMBERS, EDITS = "numbers", "edits"
DOUBTS = {EDITS: limits.EDITS_DOUBT, CROSSOVER: limits.EDITS_DOUBT}

Moves = tuple[tuple[int, float], ...]
"""(place among the numbers, factor)."""


class TuningProposer(Remembering):
    """Proposes texts with other numbers, none of them twice. Raises EvolutionError where there is none to change."""

    def __init__(self, program: Program, seed: int, islands: Islands | None = None) -> None:
        super().__init__()
        self._program, self._seed = program, seed
        self._islands = islands or Islands(program, seed)
        self._tools = tools_for(program.language)
        self._known = {program.source}
        self._moves: dict[str, Moves] = {}
        self._numbers: dict[str, tuple[Numeral, ...]] = {}
        self._steps: dict[str, Iterator[tuple[int, float]]] = {}
        found = self._of(program)
        if not found:
            raise EvolutionError(f"{program.name} holds no number that may be changed")
        self._sweep = self._one_at_a_time(found)

    def _next(self, index: int, told: Sequence[Record]) -> Proposal | None:
        found = self._islands.parents(index, told, above=1.0, most=limits.TUNING_ELITES)
        elites = [item.proposal.program for item in found]
        if index % 2 or not elites:
            for move in self._sweep:
                if (made := self._made(index, (self._program,), (move,), SWEEP)) is not None:
                    return made
        for elite in elites[:2]:
            if (made := self._again(index, elite)) is not None:
                return made
        if (made := self._both(index, elites)) is not None:
            return made
        if elites and generator(self._seed, "step", index).random() < limits.TUNING_STEPS_SHARE:
            for move in self._steps_of(elites[0]):
                if (made := self._made(index, (elites[0],), (move,), STEP)) is not None:
                    return made
        return self._random(index, [*elites, self._program])

    # ------------------------------------------------------------------ moves

    def _one_at_a_time(self, found: tuple[Numeral, ...]) -> Iterator[tuple[int, float]]:
        """Every number by a large factor before any by a small one; first those that are no small whole numbers, which
        mostly count or index."""
        order = sorted(range(len(found)), key=lambda k: isinstance(found[k].value, int) and found[k].value < 3)
        for factors in (FACTORS[:2], FACTORS[2:4], FACTORS[4:]):
            yield from itertools.product(order, factors)

    def _steps_of(self, elite: Program) -> Iterator[tuple[int, float]]:
        """What is left to try of it: each number up and down, by large steps before small ones."""
        if elite.digest not in self._steps:
            count = len(self._of(elite))
            order = [int(k) for k in generator(self._seed, "order", elite.digest).permutation(count)]
            every = itertools.product(STEPS, order, (1.0, -1.0))
            self._steps[elite.digest] = ((place, step**sign) for step, place, sign in every)
        return self._steps[elite.digest]

    def _again(self, index: int, elite: Program) -> Proposal | None:
        """What made it better may do so again."""
        moves = self._moves.get(elite.digest)
        return self._made(index, (elite,), moves, AGAIN) if moves and len(moves) < 3 else None

    def _both(self, index: int, elites: Sequence[Program]) -> Proposal | None:
        """What made two of them better, in one, where they changed other numbers of the same text."""
        for k, first in enumerate(elites):
            for second in elites[:k]:
                moves = self._from_start(first), self._from_start(second)
                if not all(moves) or {place for place, _ in moves[0]} & {place for place, _ in moves[1]}:
                    continue
                if (made := self._made(index, (self._program,), (*moves[0], *moves[1]), BOTH)) is not None:
                    return replace(made, parents=(first.digest, second.digest))
        return None

    def _from_start(self, program: Program) -> Moves:
        """The factors by which its numbers differ from those that serve; nothing where its text differs otherwise."""
        old, new = self._of(self._program), self._of(program)
        if len(old) != len(new) or _without(self._program, old) != _without(program, new):
            return ()
        pairs = enumerate(zip(old, new, strict=True))
        return tuple((k, b.value / a.value) for k, (a, b) in pairs if a.value and b.value and a.value != b.value)

    def _random(self, index: int, parents: Sequence[Program]) -> Proposal | None:
        rng = generator(self._seed, "tuning", index)
        for attempt in range(TRIES_MAX):
            near = parents[0] if attempt % 3 else parents[int(rng.integers(len(parents)))]
            found = self._of(near)
            if not found:
                continue
            count = min(len(found), 1 + int(rng.geometric(0.6) - 1), 3)
            places = sorted(int(k) for k in rng.choice(len(found), size=count, replace=False))
            sigma = SIGMAS[int(rng.integers(len(SIGMAS)))]
            moves = tuple((place, math.exp(float(rng.normal(0.0, sigma)))) for place in places)
            if (made := self._made(index, (near,), moves, RANDOM)) is not None:
                return made
        return None

    # ------------------------------------------------------------------ texts

    def _of(self, program: Program) -> tuple[Numeral, ...]:
        if program.digest not in self._numbers:
            self._numbers[program.digest] = numerals(program.language, program.source)
        return self._numbers[program.digest]

    def _made(self, index: int, parents: tuple[Program, ...], moves: Moves, operator: str) -> Proposal | None:
        """None for a text that was proposed already, or cannot be read."""
        parent = parents[0]
        found, source, told = self._of(parent), parent.source, []
        for which, factor in sorted(moves, reverse=True):
            number = found[which]
            value = _moved(number, factor)
            text = spelled(value, number)
            if text == source[number.start : number.end]:
                continue
            where = place(parent.language, parent.source, number.line)
            told.append(f"{where}: {text} in place of {source[number.start : number.end]}")
            source = source[: number.start] + text + source[number.end :]
        if source in self._known:
            return None
        self._known.add(source)
        try:
            program = self._tools.with_source(self._program, source)
            self._tools.inside_blocks(self._program.source, source)
        except (UsageError, RecursionError):
            return None
        self._moves.setdefault(program.digest, moves)
        why = "; ".join(reversed(told))
        digests, island = tuple(item.digest for item in parents), self._islands.island(index)
        return Proposal(index, program, digests, "search", operator, why, island=island)


def _moved(number: Numeral, factor: float) -> float:
    """A number after its move. A zero becomes a small number; a whole number moves by one at the least."""
    if number.value == 0:
        return 1.0 if isinstance(number.value, int) else abs(factor - 1.0) or 0.1
    value = min(number.value * factor, limits.TUNED_VALUE_MAX)
    if isinstance(number.value, int) and round(value) == number.value:
        value = number.value + (1 if factor > 1 else -1)
    return max(value, 0.0)


def _without(program: Program, found: Sequence[Numeral]) -> str:
    """The text with its numbers taken out."""
    parts, at = [], 0
    for number in found:
        parts.append(program.source[at : number.start])
        at = number.end
    return "\0".join([*parts, program.source[at:]])


class Offline(Remembering):
    """Numbers, edits and crossover in turn: who brought more gains over the best so far is asked more often.

    Raises EvolutionError where neither numbers nor edits have anything to say.
    """

    def __init__(self, program: Program, seed: int, islands: Islands | None = None) -> None:
        super().__init__()
        self._seed, self._islands = seed, islands or Islands(program, seed)
        self._said = {meaning(program.language, program.source)}
        self._bandit = Bandit(_who, gains=True)
        self._proposers: dict[str, Remembering] = {}
        told = []
        for name, make in ((NUMBERS, self._tuning), (EDITS, self._rewriting)):
            try:
                if (found := make(program)) is not None:
                    self._proposers[name] = found
            except EvolutionError as error:
                told.append(str(error))
        if not self._proposers:
            raise EvolutionError(
                "; ".join(told) or f"{program.name} has nothing in its text that a search could change"
            )
        self._proposers[CROSSOVER] = CrossProposer(program, seed, self._islands)
        self._asked = dict.fromkeys(self._proposers, 0)

    def _tuning(self, program: Program) -> TuningProposer:
        return TuningProposer(program, self._seed, self._islands)

    def _rewriting(self, program: Program) -> RewriteProposer | None:
        if not has_operators(program):
            return None
        return RewriteProposer(program, self._seed, self._islands, changing=True, crossing=False)

    def _next(self, index: int, told: Sequence[Record]) -> Proposal | None:
        made = next(filter(None, (self._new(name, told) for name in self._order(index, told))), None)
        return None if made is None else replace(made, index=index)

    def _new(self, name: str, told: Sequence[Record]) -> Proposal | None:
        """The next of this proposer that says something which was not said before: brackets and remarks say nothing."""
        for _ in range(TRIES_MAX):
            made = self._proposers[name].ask(self._asked[name] + 1, told)
            if made is None:
                return None
            self._asked[name] += 1
            meant = meaning(made.program.language, made.program.source)
            if meant not in self._said:
                self._said.add(meant)
                return made
        return None

    def _order(self, index: int, told: Sequence[Record]) -> list[str]:
        """All of them, by a draw of how likely each brings a gain."""
        return self._bandit.tally(told).order(tuple(self._proposers), (self._seed, "who", index), DOUBTS)


def _who(record: Record) -> str:
    """Whose proposal it was."""
    operator = record.proposal.operator
    return NUMBERS if operator in TUNING else CROSSOVER if operator == CROSSOVER else EDITS
