"""Thirty definitions in both languages: equal digests, and the same again from what ``%agent show --python`` prints."""

from __future__ import annotations

import linecache
import sys
import types
from pathlib import Path

import pytest

from project_o.agent import agents, place
from project_o.agent.python import source_of, text_of

PAIRS = sorted(path.stem for path in (Path(__file__).parent / "pairs").glob("*.hy"))


class Made:
    """What one text defines: kind and name to digest. Each has a namespace and agents of its own."""

    def __init__(self, text: str, name: str) -> None:
        self.module = types.ModuleType(f"pair_{name}_{id(self)}")
        sys.modules[self.module.__name__] = self.module
        settings = {"model": "", "model_url": ""}
        self.house = agents.Agents(setting=settings.__getitem__, namespace=vars(self.module))
        place.provide(lambda: self.house)
        file = f"<{self.module.__name__}>"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        if name.endswith(".hy"):
            self.house.evaluate(text, self.module, file + ".hy", 0)
        else:
            exec(compile(text, file, "exec"), vars(self.module))

    @property
    def digests(self) -> dict[tuple[str, str], str]:
        specs = {(kind, spec.name.replace("-", "_")): spec.digest for kind, spec in self.house.specs.items()}
        for value in list(vars(self.module).values()):
            if type(value).__name__ in ("MemorySpec", "Memory"):
                specs["memory", getattr(value, "spec", value).name] = getattr(value, "spec", value).digest
        agents = {("agent", agent.name.replace("-", "_")): agent.digest for agent in self.house}
        return specs | agents


@pytest.fixture(autouse=True)
def _apart():
    yield
    place.provide(None)
    for name in [name for name in sys.modules if name.startswith("pair_")]:
        del sys.modules[name]


def text(name: str) -> str:
    return (Path(__file__).parent / "pairs" / name).read_text(encoding="utf-8")


def test_there_are_thirty():
    assert len(PAIRS) == 30


@pytest.mark.parametrize("pair", PAIRS)
def test_both_languages_build_the_same(pair):
    lisp, python = (Made(text(pair + ending), pair + ending).digests for ending in (".hy", ".py"))

    assert lisp == python
    assert lisp


@pytest.mark.parametrize("pair", PAIRS)
def test_what_is_shown_as_python_builds_the_same(pair):
    """For every agent by itself, as ``%agent show NAME --python`` prints it, and for every other definition."""
    made = Made(text(pair + ".hy"), pair + ".hy")
    expected = made.digests
    shown = [source_of(agent, python=True)[0] for agent in made.house]
    shown += [text_of(spec) for kind, spec in made.house.specs.items() if kind != "agent"]
    for one in shown:
        place.provide(lambda: made.house)
        again = Made(one, pair + ".py").digests

        assert again
        assert again.items() <= expected.items()
