"""Who proposes translations of a program into another language: the settings of each, and of a control, any at all.

A translation is a text like any other from here on: built, asked, measured in pairs against what serves, judged. The
control draws programs of the same grammar and types without reading what is to be translated, so that a run shows what
the reading is worth.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from ..languages import tools_for
from ..values import Program, Proposal, Record, Scalar
from .search import Remembering
from .task import Task, generator

Settings = tuple[tuple[str, Scalar], ...]


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
