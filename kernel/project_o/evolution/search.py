"""A search over declared domains that needs no model.

Three phases, each a function of the seed and of what was told:

1. each parameter's values one at a time, the others as in the baseline: what matters shows at once, and effects that
   add up are found in the fewest trials;
2. the best value of each parameter together, when the whole sweep is known: with effects that add up that is the end;
3. an unseen neighbour of a parent (one parameter changed), the settings of two parents crossed, or a proposal of
   Optuna's TPE sampler (Bergstra et al. 2011, NIPS 24), which is given the records anew for each trial and reseeded
   from (seed, trial): a sampler kept between trials diverges when a run is resumed. Which of the three has its turn is
   drawn by what each brought (``bandit``); who is a parent is said by ``islands``.

To add a proposer: write a class with ``ask(index, told)``; it knows nothing of how candidates are measured. It must
give the same answer to the same index and records, and may not look at the clock.
"""

from __future__ import annotations

import itertools
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from .. import limits
from ..errors import EvolutionError
from ..languages import tools_for
from ..values import Program, Proposal, Record, Scalar
from .bandit import Bandit
from .islands import Islands
from .task import generator

Settings = tuple[tuple[str, Scalar], ...]
Parents = tuple[str, ...]
"""The digests of those that a proposal comes from; () for what serves."""
ENUMERATED_MAX = 4096
SETTINGS_PARENTS = 8
NEIGHBOUR, CROSSED, SAMPLER = "neighbour of the best", "crossover", "sampler"
ARMS = (NEIGHBOUR, SAMPLER, CROSSED)


class Proposer(Protocol):
    """Whoever proposes. It is asked with indices 1, 2, 3 and so on, once each."""

    def ask(self, index: int, told: Sequence[Record]) -> Proposal | None:
        """The proposal with this index, given the records with indices up to ``index - limits.PROPOSAL_LAG_TRIALS``.

        None when there is nothing to propose on these; it is asked again with all records before this index, and
        None is the end then.
        """


class Remembering(ABC):
    """A proposer that answers an index it was asked before from memory. ``_next`` finds the one after those."""

    def __init__(self) -> None:
        self._proposed: list[Proposal | None] = [None]

    def ask(self, index: int, told: Sequence[Record]) -> Proposal | None:
        """See ``Proposer``."""
        if index == len(self._proposed):
            made = self._next(index, told)
            if made is None:
                return None
            self._proposed.append(made)
        return self._proposed[index]

    @abstractmethod
    def _next(self, index: int, told: Sequence[Record]) -> Proposal | None:
        """The first proposal with this index; None where there is nothing to propose on these records."""


class Nobody:
    """Proposes nothing: for a run that only looks at what serves, so that a person's own candidates can be judged."""

    def ask(self, index: int, told: Sequence[Record]) -> Proposal | None:
        """Nothing."""
        return None


class Patient:
    """Another proposer, until so many trials brought no gain of the best ratio above ``gain``."""

    def __init__(self, proposer: Proposer, trials: int, gain: float) -> None:
        self._proposer, self._trials, self._gain = proposer, trials, gain

    def ask(self, index: int, told: Sequence[Record]) -> Proposal | None:
        """What the other proposes, or nothing any more."""
        best, since = 1.0, 0
        for record in told:
            since = 0 if record.ratio is not None and record.ratio > best + self._gain else since + 1
            best = max(best, record.ratio or 0.0) if not since else best
        return None if since > self._trials else self._proposer.ask(index, told)


class SearchProposer:
    """Proposes settings of the program's declared parameters, none of them twice.

    Raises EvolutionError for a program without parameters to choose.
    """

    def __init__(self, program: Program, seed: int, islands: Islands | None = None) -> None:
        self._program = program
        self._seed = seed
        self._islands = islands or Islands(program, seed)
        self._parameters = [item for item in program.parameters if len(item.domain) > 1]
        self._tools = tools_for(program.language)
        if not self._parameters:
            example = "lanes = 8  # o: 4 8 16" if self._tools.comment == "#" else "const lanes = 8; // o: 4 8 16 32"
            raise EvolutionError(
                f"{program.name} declares nothing to search: write its choices behind a constant, as in '{example}'"
            )
        self._start: Settings = tuple((item.name, item.value) for item in self._parameters)
        self._proposed: list[tuple[Settings, str, Parents]] = [(self._start, "baseline", ())]
        self._known = {self._start}
        self._bandit = Bandit(_arm, gains=True)
        self._sweep = self._one_at_a_time()
        self._is_swept = False
        self._points = math.prod(len(item.domain) for item in self._parameters)
        self._spaces: dict[str, Any] = {}
        self._trials: dict[int, Any] = {}

    def ask(self, index: int, told: Sequence[Record]) -> Proposal | None:
        """See ``Proposer``. An earlier index is answered from memory, a later one needs all before it."""
        if index == len(self._proposed):
            chosen = self._next(index, told)
            if chosen is None:
                return None
            self._proposed.append(chosen)
            self._known.add(chosen[0])
        settings, operator, parents = self._proposed[index]
        changed = tuple(
            (name, value) for (name, value), (_, old) in zip(settings, self._start, strict=True) if value != old
        )
        program = self._tools.with_settings(self._program, dict(settings))
        hypothesis = ", ".join(f"{name} = {value}" for name, value in changed)
        named = parents or (self._program.digest,)
        island = self._islands.island(index)
        return Proposal(index, program, named, "search", operator, hypothesis, settings, island)

    # ------------------------------------------------------------------ phases

    def _next(self, index: int, told: Sequence[Record]) -> tuple[Settings, str, Parents] | None:
        if len(self._known) >= self._points:
            return None
        for settings in self._sweep:
            if settings not in self._known:
                return settings, "one at a time", ()
        if not self._is_swept:
            if told and told[-1].proposal.index < index - 1:
                return None  # what the sweep found is combined when all of it is known
            self._is_swept = True
        combined = self._best_of_each(told)
        if combined not in self._known:
            return combined, "best of each", ()
        known = [record for record in told if record.proposal.settings]
        parents = self._islands.parents(index, known, above=-math.inf, most=SETTINGS_PARENTS)
        for arm in self._bandit.tally(told).order(ARMS, (self._seed, "operator", index)):
            if arm == SAMPLER:
                return self._sampled(index, told)
            found = (self._crossed if arm == CROSSED else self._neighbour)(index, parents)
            if found is not None:
                return found
        raise AssertionError("the sampler always has something to say")

    def _one_at_a_time(self) -> Iterator[Settings]:
        """Round after round over the parameters, so that a short run has seen something of each."""
        columns = [
            [self._changed(self._start, item.name, value) for value in _spread(item.domain) if value != item.value]
            for item in self._parameters
        ]
        for row in itertools.zip_longest(*columns):
            yield from (settings for settings in row if settings is not None)

    def _best_of_each(self, told: Sequence[Record]) -> Settings:
        best: dict[str, tuple[float, Scalar]] = {}
        for record in told:
            changed = [
                (name, value) for (name, value), (_, old) in zip(record.proposal.settings, self._start, strict=True)
                if value != old
            ] if record.proposal.settings else []  # fmt: skip
            if len(changed) == 1 and record.ratio is not None and record.ratio > best.get(changed[0][0], (1.0, 0))[0]:
                best[changed[0][0]] = (record.ratio, changed[0][1])
        return tuple((name, best[name][1] if name in best else value) for name, value in self._start)

    def _neighbour(self, index: int, parents: Sequence[Record]) -> tuple[Settings, str, Parents] | None:
        """The parent, or the baseline, with one parameter changed."""
        first = parents[0].proposal if parents and (parents[0].ratio or 0.0) > 1.0 else None
        best = first.settings if first else self._start
        near = [
            settings
            for item in self._parameters
            for value in item.domain
            if (settings := self._changed(best, item.name, value)) not in self._known
        ]
        if not near:
            return None
        chosen = near[int(generator(self._seed, "neighbour", index).integers(len(near)))]
        return chosen, NEIGHBOUR, (first.program.digest,) if first else ()

    def _crossed(self, index: int, parents: Sequence[Record]) -> tuple[Settings, str, Parents] | None:
        """Each parameter from one of two parents."""
        rng = generator(self._seed, CROSSED, index)
        for _ in range(limits.CROSSOVER_TRIES_MAX if len(parents) > 1 else 0):
            other = parents[1 + int(rng.integers(len(parents) - 1))].proposal
            pair = zip(parents[0].proposal.settings, other.settings, strict=True)
            made: Settings = tuple(two if rng.integers(2) else one for one, two in pair)
            if made not in self._known:
                return made, CROSSED, (parents[0].proposal.program.digest, other.program.digest)
        return None

    def _sampled(self, index: int, told: Sequence[Record]) -> tuple[Settings, str, Parents]:
        settings = self._from_sampler(index, told)
        if settings not in self._known:
            return settings, SAMPLER, ()
        return self._unseen(index), "random", ()

    def _unseen(self, index: int) -> Settings:
        """A setting not proposed yet, at random; there is one, since the space is not exhausted."""
        rng = generator(self._seed, "unseen", index)
        if self._points <= ENUMERATED_MAX:
            every = itertools.product(*([(item.name, value) for value in item.domain] for item in self._parameters))
            left = [settings for settings in every if settings not in self._known]
            return left[int(rng.integers(len(left)))]
        while True:  # not every point is known, so this ends; with this many points soon
            drawn = tuple((item.name, item.domain[int(rng.integers(len(item.domain)))]) for item in self._parameters)
            if drawn not in self._known:
                return drawn

    def _from_sampler(self, index: int, told: Sequence[Record]) -> Settings:
        """TPE on the places in the domains: ordered ones as integers, the others as choices."""
        optuna = _optuna()
        spaces = self._spaces = self._spaces or self._as_spaces(optuna)
        seed = int(generator(self._seed, "sampler", index).integers(2**31))
        sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=1)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for record in told[-limits.SAMPLER_RECORDS_MAX :]:
            if record.ratio is None or len(record.proposal.settings) != len(self._parameters):
                continue
            if (trial := self._trials.get(record.proposal.index)) is None:
                places = {name: self._place(name, value) for name, value in record.proposal.settings}
                trial = self._trials[record.proposal.index] = _finished_trial()(places, spaces, record.ratio)
            study.add_trial(trial)
        found = study.ask(spaces).params
        return tuple((item.name, item.domain[int(found[item.name])]) for item in self._parameters)

    def _as_spaces(self, optuna: Any) -> dict[str, Any]:
        spaces: dict[str, Any] = {}
        for item in self._parameters:
            size = len(item.domain)
            ordered = not isinstance(item.value, (str, bool))
            spaces[item.name] = (
                optuna.distributions.IntDistribution(0, size - 1)
                if ordered
                else optuna.distributions.CategoricalDistribution(list(range(size)))
            )
        return spaces

    def _place(self, name: str, value: Scalar) -> int:
        return next(item for item in self._parameters if item.name == name).domain.index(value)

    @staticmethod
    def _changed(settings: Settings, name: str, value: Scalar) -> Settings:
        return tuple((key, value if key == name else old) for key, old in settings)


def _arm(record: Record) -> str:
    """What the bandit counts a record for: a random one is what the sampler had to say."""
    operator = record.proposal.operator
    return SAMPLER if operator == "random" else operator if operator in ARMS else ""


def _spread(domain: Sequence[Scalar]) -> list[Scalar]:
    """At most ``limits.SWEEP_VALUES_MAX`` values of a domain, evenly spread, with both ends."""
    count = min(len(domain), limits.SWEEP_VALUES_MAX)
    places = sorted({round(k * (len(domain) - 1) / (count - 1)) for k in range(count)})
    return [domain[place] for place in places]


def _optuna() -> Any:
    """The sampler's library. Its progress bars, which nothing here uses, warn where there are no widgets."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        import optuna
    optuna.logging.set_verbosity(max(optuna.logging.get_verbosity(), optuna.logging.WARNING))
    return optuna


@cache
def _finished_trial() -> Callable[[dict[str, int], dict[str, Any], float], Any]:
    """Makes a trial as the sampler takes it; each is put into hundreds of studies, which would copy it deeply."""
    optuna = _optuna()

    class Finished(optuna.trial.FrozenTrial):  # type: ignore[misc, name-defined]  # it is Any here
        def __deepcopy__(self, memo: Any) -> Any:
            return copy(self)  # the study writes its own number to it; what is in it nobody changes

    def made(places: dict[str, int], spaces: dict[str, Any], ratio: float) -> Any:
        state, now = optuna.trial.TrialState.COMPLETE, datetime.now()
        return Finished(-1, state, ratio, now, now, places, spaces, {}, {}, {}, -1)

    return made
