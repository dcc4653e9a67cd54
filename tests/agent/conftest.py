"""Agents in a plain script, each test with its own, and nothing of the environment's configuration."""

import pytest

from project_o.agent import agents, place


@pytest.fixture
def house():
    """Fresh agents: a namespace, no history, a model only where a test sets one."""
    settings = {"model": "", "model_url": "", "model_tape": "", "model_tape_mode": "auto"}
    settings |= {"agent_hosts": "", "evolution": True, "model_calls": "native"}
    made = agents.Agents(setting=settings.__getitem__, namespace={"__name__": "notebook"})
    made.settings = settings
    place.provide(lambda: made)
    yield made
    place.provide(None)


@pytest.fixture
def lisp(house):
    """Evaluates Lisp as a cell does: line 1 is the magic's own."""
    return lambda source: house.evaluate(source, house.namespace, "<cell 1>.hy", 1)
