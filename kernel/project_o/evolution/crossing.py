"""Who proposes programs of another language for a Python function: translations of it, or generic loops.

A translation is a text like any other from here on: built, asked, measured in pairs against what serves, judged. The
templates are loops of the same types that nobody made from the function: what there is for one that has no translation,
and, drawn by the seed, the control that shows what reading the function is worth.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from ..errors import EvolutionError
from ..languages import tools_for
from ..values import Program, Proposal, Record, Scalar
from .search import Proposer, Remembering
from .task import Task, generator

Settings = tuple[tuple[str, Scalar], ...]
TEMPLATES = "templates"


def crossing_proposer(word: str, task: Task, seed: int) -> Proposer:
    """Who proposes in a run into another language. Raises EvolutionError for what has no translation."""
    if word == TEMPLATES:
        return TemplateProposer(task, seed)
    if word not in ("search", "auto"):
        raise EvolutionError(f"{word!r} proposes nothing in another language: there are search and {TEMPLATES}")
    if task.untranslated:
        raise EvolutionError(f"{task.untranslated}; --proposer {TEMPLATES} tries generic loops in its place")
    return TranslationProposer(task, seed)


class TranslationProposer(Remembering):
    """The translations in their order as they are, then with other values of their parameters, drawn by the seed."""

    def __init__(self, task: Task, seed: int) -> None:
        super().__init__()
        self._parent = task.program.digest
        self._rest = _ordered(task.translations, seed)

    def _next(self, index: int, told: Sequence[Record]) -> Proposal | None:
        found = next(self._rest, None)
        if found is None:
            return None
        program, settings = found
        what = ", ".join(f"{name} = {value}" for name, value in settings)
        return Proposal(index, program, (self._parent,), "search", "translation", what, settings)


class TemplateProposer(Remembering):
    """Generic loops of the function's types, drawn by the seed. None of them has seen the function."""

    def __init__(self, task: Task, seed: int) -> None:
        super().__init__()
        self._parent = task.program.digest
        self._templates = task.templates
        self._order = [int(place) for place in generator(seed, TEMPLATES).permutation(len(task.templates))]
        if not self._order:
            raise EvolutionError(f"no generic loop fits the types of {task.program.name}: it wants an array at least")

    def _next(self, index: int, told: Sequence[Record]) -> Proposal | None:
        if not self._order:
            return None
        program = self._templates[self._order.pop(0)]
        return Proposal(index, program, (self._parent,), "search", "template", _word_of(program))


def _ordered(translations: Sequence[Program], seed: int) -> Iterator[tuple[Program, Settings]]:
    later = []
    for program in translations:
        names = [item.name for item in program.parameters]
        start = tuple((item.name, item.value) for item in program.parameters)
        yield program, _told(program, start)
        for values in itertools.product(*(item.domain for item in program.parameters)):
            settings = tuple(zip(names, values, strict=True))
            if settings != start:
                later.append((program, settings))
    for place in generator(seed, "translations").permutation(len(later)):
        program, settings = later[int(place)]
        yield tools_for(program.language).with_settings(program, dict(settings)), _told(program, settings)


def _told(program: Program, settings: Settings) -> Settings:
    return (("mode", program.mode), *settings)


def _word_of(program: Program) -> str:
    """Which loop it is: the last comment of its text says so."""
    return next(
        (line.removeprefix("// ") for line in reversed(program.source.split("\n")) if line.startswith("// ")), ""
    )
