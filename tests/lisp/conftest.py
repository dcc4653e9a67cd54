"""A notebook's namespace without a notebook."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, field
from typing import Any

import pytest

from project_o.lisp import Specs, running
from project_o.lisp.cell import evaluate


@dataclass
class Turn:
    """The services of a turn, in 20 lines: what was asked of it is kept."""

    message: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, Any] = field(default_factory=dict)
    remembered: list[str] = field(default_factory=list)

    def has_tool(self, name):
        return name in self.tools

    def use(self, name, args):
        return self.tools[name](**args)

    def respond(self, prompt):
        return f"model: {prompt}"

    def remember(self, text):
        self.remembered.append(text)

    def recall(self, query, top=None):
        return [text for text in self.remembered if query in text][:top]


class Notebook:
    """Cells of Lisp in one namespace. ``names`` is that namespace, as attributes."""

    def __init__(self) -> None:
        self.names = types.ModuleType(f"notebook_{id(self):x}")
        sys.modules[self.names.__name__] = self.names
        self.specs = Specs()

    def __call__(self, source: str, *, offset: int = 0, filename: str = "<cell 1>") -> Any:
        return evaluate(source, self.names, filename, self.specs, offset)

    def say(self, agent: str, message: str, **options: Any) -> Any:
        """What an agent's body answers."""
        with running(Turn(message, **options)):
            return self.specs.agent(agent).body()


@pytest.fixture
def notebook():
    made = Notebook()
    yield made
    del sys.modules[made.names.__name__]


@pytest.fixture
def turn():
    return Turn
