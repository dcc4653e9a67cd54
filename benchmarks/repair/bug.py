"""One program with a bug of one line: the right text, the wrong one, and inputs to tell them apart."""

from __future__ import annotations

import copy
import inspect
import random
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Args = tuple[Any, ...]
Case = tuple[Args, Any]


@dataclass(frozen=True)
class Bug:
    """``wrong`` stands in the place of ``right``, which is once in the text; ``inputs`` draws one set of arguments."""

    function: Callable[..., Any]
    kind: str
    right: str
    wrong: str
    inputs: Callable[[random.Random], Args]

    @property
    def name(self) -> str:
        return self.function.__name__

    @property
    def right_source(self) -> str:
        return textwrap.dedent(inspect.getsource(self.function))

    @property
    def source(self) -> str:
        """The wrong text. Raises ValueError where ``right`` does not stand there exactly once."""
        text = self.right_source
        if text.count(self.right) != 1:
            raise ValueError(f"{self.name}: {self.right!r} stands there {text.count(self.right)} times")
        return text.replace(self.right, self.wrong)

    def cases(self, count: int, seed: int) -> list[Case]:
        """``count`` different inputs with what is right on each. Raises ValueError where so many cannot be drawn."""
        rng = random.Random(f"{self.name} {seed}")
        found: dict[str, Case] = {}
        for _ in range(50 * count):
            args = self.inputs(rng)
            if repr(args) not in found:
                found[repr(args)] = (args, self.function(*copy.deepcopy(args)))
            if len(found) == count:
                return list(found.values())
        raise ValueError(f"{self.name} has only {len(found)} inputs of {count}")
