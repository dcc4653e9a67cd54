"""How a user wants answers, learned from thumbs alone.

There are a few things to choose (how long, in which form), each with a few options. What is believed about the taste
behind the thumbs is exact: one weight for each combination of options, by Bayes' rule, where a thumb goes up the more
often the more of a choice is to the user's taste. A choice is drawn by that belief (Thompson, 1933), sharpened: what is
doubtful is tried, what is known is kept to. With a memory the thumbs are kept beside it and outlive the kernel.
"""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..limits import PREFERENCE_COMBINATIONS_MAX, PREFERENCE_THUMBS_MAX
from .blocks.schema import TAUGHT_SINCE

if TYPE_CHECKING:
    from .memory import Memory

NOTE = "preferences"
UP_LEAST, UP_MOST = 0.1, 0.9
"""How often a thumb goes up for a choice that misses the taste in everything, and in nothing."""
SHARPNESS = 2.0
"""Of the belief when a choice is drawn: at 1 a fifth of the choices were still wrong when the taste was known."""

Choice = dict[str, str]


class Preferences:
    """What a user likes among ``options``: for each name what can be chosen, the first by default.

    Raises UsageError for options that are none, or too many to weigh.
    """

    def __init__(self, options: Mapping[str, Sequence[str]], memory: Memory | None = None, seed: int = 0) -> None:
        self.options = {name: tuple(values) for name, values in options.items()}
        if not self.options or any(len(set(values)) < 2 for values in self.options.values()):
            raise UsageError('a preference has a name and two options or more: {"length": ("short", "long")}')
        self._tastes = list(
            itertools.islice(itertools.product(*self.options.values()), PREFERENCE_COMBINATIONS_MAX + 1)
        )
        if len(self._tastes) > PREFERENCE_COMBINATIONS_MAX:
            raise UsageError(
                f"more than {PREFERENCE_COMBINATIONS_MAX:,} combinations: fewer names, or fewer options each"
            )
        self._memory = memory
        self._random = random.Random(seed)
        self.thumbs: list[tuple[Choice, bool]] = []
        self._weights = [1.0] * len(self._tastes)
        for choice, up in self._kept():
            self._learn(choice, up=up)

    def choose(self) -> Choice:
        """What to try next."""
        return self._named(self._random.choices(self._tastes, [weight**SHARPNESS for weight in self._weights])[0])

    def liked(self) -> Choice:
        """What is most likely to the user's taste; the first of the options where nothing is known."""
        best = max(range(len(self._tastes)), key=lambda k: (self._weights[k], -k))
        return self._named(self._tastes[best])

    def certainty(self) -> dict[str, float]:
        """For each name, how likely the liked option is, 0 to 1."""
        total, liked = sum(self._weights), self.liked()
        return {
            name: sum(
                weight for taste, weight in zip(self._tastes, self._weights, strict=True) if taste[k] == liked[name]
            )
            / total
            for k, name in enumerate(self.options)
        }

    def thumb(self, choice: Mapping[str, str], *, up: bool) -> None:
        """A user saw an answer made by ``choice`` and liked it, or not. Raises UsageError for another choice."""
        self._learn(choice, up=up)
        if self._memory is not None:
            self._memory.note(NOTE, json.dumps([[said, good] for said, good in self.thumbs]))

    def _learn(self, choice: Mapping[str, str], *, up: bool) -> None:
        if set(choice) != set(self.options) or any(value not in self.options[name] for name, value in choice.items()):
            raise UsageError(f"a choice is one option for each of {', '.join(self.options)}, not {dict(choice)!r:.200}")
        chosen = tuple(choice[name] for name in self.options)
        for k, taste in enumerate(self._tastes):
            share = sum(one == other for one, other in zip(taste, chosen, strict=True)) / len(chosen)
            likely = UP_LEAST + (UP_MOST - UP_LEAST) * share
            self._weights[k] *= likely if up else 1.0 - likely
        most = max(self._weights)
        self._weights = [weight / most for weight in self._weights]
        self.thumbs = [*self.thumbs, (self._named(chosen), up)][-PREFERENCE_THUMBS_MAX:]

    def _kept(self) -> list[tuple[Choice, bool]]:
        """What was said in earlier kernels about these options."""
        text = self._memory.store.facts().get(NOTE, "[]") if self._memory is not None else "[]"
        names = set(self.options)
        return [
            (choice, up)
            for choice, up in json.loads(text)
            if set(choice) == names and all(value in self.options[name] for name, value in choice.items())
        ]

    def _named(self, taste: Sequence[str]) -> Choice:
        return dict(zip(self.options, taste, strict=True))


def learn_answer(memory: Memory, question: str, reply: str) -> str:
    """A user liked this reply: the block that it came from answers this question from now on. Its id, or "".

    Only where it is plain which one it was: what stands in the reply, or holds it, among what is recalled.
    """
    said = " ".join(reply.split()).casefold()
    can_be_taught = memory.store.version() >= TAUGHT_SINCE
    for item in memory.peek(question) if said and can_be_taught else ():
        text = " ".join(item.block.text.split()).casefold()
        if text in said or said in text:
            memory.teach(question, item.block.id)
            return item.block.id
    return ""
